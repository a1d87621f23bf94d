/*
 * A session that has a ticket and no id leaves the cache by flush or eviction. It is then not resumable; in
 * front of a libssl it stays resumable, for libssl marks a session through nothing public but
 * SSL_CTX_remove_session, and that leaves sessions without an id alone.
 */
#include "der.h"

int main(void)
{
    SSL_CTX *ctx = context_that_says_removed();
    SSL_SESSION *ticket = session_of("ticket", TLS12 TIMES "a4020400 aa07 0405 7469636b65 b303020100");

    TRACE(SSL_SESSION_is_resumable(ticket));
    TRACE(SSL_CTX_add_session(ctx, ticket));
    TRACE(SSL_CTX_remove_session(ctx, ticket));
    TRACE(SSL_SESSION_is_resumable(ticket));
    CALL(SSL_CTX_flush_sessions(ctx, 0));
    TRACE(SSL_SESSION_is_resumable(ticket));
    CALL(SSL_SESSION_free(ticket));
    CALL(SSL_CTX_free(ctx));
    return 0;
}
