/* SSL_SESSION_get0_hostname(3): the host name and the selected ALPN protocol. */
#include "conformance.h"

static void print_alpn(const SSL_SESSION *session)
{
    const unsigned char *alpn = (const unsigned char *)"";
    size_t length = 77;

    SSL_SESSION_get0_alpn_selected(session, &alpn, &length);
    printf("    alpn is %sNULL\n", alpn == NULL ? "" : "not ");
    print_hex("alpn", alpn, length);
}

int main(void)
{
    SSL_SESSION *session = SSL_SESSION_new();
    char name[] = "example.com";
    unsigned char alpn[] = "h2http/1.1";

    section("a host name is copied and cleared");
    TRACE(SSL_SESSION_get0_hostname(session));
    TRACE(SSL_SESSION_set1_hostname(session, name));
    name[0] = 'E';
    TRACE(SSL_SESSION_get0_hostname(session));
    TRACE(SSL_SESSION_set1_hostname(session, ""));
    TRACE(SSL_SESSION_get0_hostname(session));
    TRACE(SSL_SESSION_set1_hostname(session, "another.example"));
    TRACE(SSL_SESSION_set1_hostname(session, NULL));
    TRACE(SSL_SESSION_get0_hostname(session));

    section("a long one");
    static char long_name[1001];
    memset(long_name, 'x', sizeof(long_name) - 1);
    TRACE(SSL_SESSION_set1_hostname(session, long_name));
    TRACE(strlen(SSL_SESSION_get0_hostname(session)));
    TRACE(SSL_SESSION_set1_hostname(session, NULL));

    section("an ALPN protocol is copied and cleared");
    print_alpn(session);
    TRACE(SSL_SESSION_set1_alpn_selected(session, alpn, 2));
    alpn[0] = 'H';
    print_alpn(session);
    TRACE(SSL_SESSION_set1_alpn_selected(session, alpn + 2, 8));
    print_alpn(session);
    TRACE(SSL_SESSION_set1_alpn_selected(session, alpn, 0));
    print_alpn(session);
    TRACE(SSL_SESSION_set1_alpn_selected(session, alpn, 2));
    TRACE(SSL_SESSION_set1_alpn_selected(session, NULL, 2));
    print_alpn(session);
    TRACE(SSL_SESSION_set1_alpn_selected(session, (const unsigned char *)"\0\1\2", 3));
    print_alpn(session);
    SSL_SESSION_free(session);
    return 0;
}
