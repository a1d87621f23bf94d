/* SSL_SESSION_has_ticket(3): SSL_SESSION_get0_ticket, SSL_SESSION_get_ticket_lifetime_hint. */
#include "der.h"

static void print_ticket(const SSL_SESSION *session)
{
    const unsigned char *ticket = (const unsigned char *)"";
    size_t length = 77, alone = 77;

    TRACE(SSL_SESSION_has_ticket(session));
    TRACE(SSL_SESSION_get_ticket_lifetime_hint(session));
    SSL_SESSION_get0_ticket(session, &ticket, &length);
    SSL_SESSION_get0_ticket(session, NULL, &alone);
    printf("    ticket is %sNULL\n", ticket == NULL ? "" : "not ");
    print_hex("ticket", ticket, length);
    TRACE(alone);
    TRACE(SSL_SESSION_is_resumable(session));
}

int main(void)
{
    section("a fresh session");
    SSL_SESSION *session = SSL_SESSION_new();
    print_ticket(session);
    SSL_SESSION_free(session);

    section("a ticket without a hint");
    session = session_of("a", TLS12 TIMES "a4020400 aa07 0405 7469636b65 b303020100");
    print_ticket(session);
    CALL(SSL_SESSION_free(session));

    section("a ticket with a hint");
    session = session_of("b", TLS12 TIMES "a4020400 a904 02021c20 aa07 0405 7469636b65 b303020100");
    print_ticket(session);
    CALL(SSL_SESSION_free(session));

    section("a hint without a ticket");
    session = session_of("c", TLS12_ID TIMES "a4020400 a904 02021c20 b303020100");
    print_ticket(session);
    CALL(SSL_SESSION_free(session));

    section("an empty ticket");
    session = session_of("d", TLS12 TIMES "a4020400 aa02 0400 b303020100");
    print_ticket(session);
    CALL(SSL_SESSION_free(session));

    section("the largest hint");
    session = session_of("e", TLS12 TIMES "a4020400 a90b 020900ffffffffffffffff b303020100");
    print_ticket(session);
    CALL(SSL_SESSION_free(session));
    return 0;
}
