/*
 * Decoding an encoding without a ticket into a session that has one: libssl frees the ticket and keeps
 * its length, so the session claims a ticket that is not there. The library forgets both. In front of a
 * libssl the decoder is libssl's own.
 */
#include "der.h"

int main(void)
{
    SSL_SESSION *session = session_of("a", TLS12 TIMES "a4020400 aa07 0405 7469636b65 b303020100");
    unsigned char der[200];
    size_t length = sequence(TLS12 TIMES "a4020400 b303020100", der, sizeof(der));
    const unsigned char *next = der;
    const unsigned char *ticket;

    TRACE(SSL_SESSION_has_ticket(session));
    TRACE(d2i_SSL_SESSION(&session, &next, (long)length) == session);
    TRACE(SSL_SESSION_has_ticket(session));
    SSL_SESSION_get0_ticket(session, &ticket, &length);
    TRACE(ticket == NULL);
    TRACE(length);
    TRACE(SSL_SESSION_is_resumable(session));
    CALL(SSL_SESSION_free(session));
    return 0;
}
