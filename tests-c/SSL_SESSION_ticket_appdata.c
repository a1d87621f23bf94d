/* SSL_CTX_set_session_ticket_cb(3): SSL_SESSION_set1_ticket_appdata, SSL_SESSION_get0_ticket_appdata. */
#include "conformance.h"

static void print_appdata(SSL_SESSION *session)
{
    void *data = (void *)"";
    size_t length = 77;

    TRACE(SSL_SESSION_get0_ticket_appdata(session, &data, &length));
    printf("    appdata is %sNULL\n", data == NULL ? "" : "not ");
    print_hex("appdata", data, length);
}

int main(void)
{
    SSL_SESSION *session = SSL_SESSION_new();
    char data[] = "application";

    print_appdata(session);

    section("copied and cleared");
    TRACE(SSL_SESSION_set1_ticket_appdata(session, data, 11));
    data[0] = 'A';
    print_appdata(session);
    TRACE(SSL_SESSION_set1_ticket_appdata(session, "\0\1\2", 3));
    print_appdata(session);
    TRACE(SSL_SESSION_set1_ticket_appdata(session, data, 0));
    print_appdata(session);
    TRACE(SSL_SESSION_set1_ticket_appdata(session, data, 4));
    TRACE(SSL_SESSION_set1_ticket_appdata(session, NULL, 4));
    print_appdata(session);

    section("a large one");
    static char large[70000];
    void *back;
    size_t length;
    memset(large, 'x', sizeof(large));
    TRACE(SSL_SESSION_set1_ticket_appdata(session, large, sizeof(large)));
    TRACE(SSL_SESSION_get0_ticket_appdata(session, &back, &length));
    TRACE(length);
    TRACE(back != large && memcmp(back, large, length) == 0);
    SSL_SESSION_free(session);
    return 0;
}
