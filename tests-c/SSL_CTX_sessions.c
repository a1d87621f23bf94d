/* SSL_CTX_sessions(3): each context has a table, full or empty. */
#include "conformance.h"

int main(void)
{
    SSL_CTX *ctx = context_new();
    SSL_CTX *other = context_new();

    TRACE(SSL_CTX_sessions(ctx) != NULL);
    TRACE(SSL_CTX_sessions(ctx) == SSL_CTX_sessions(ctx));
    TRACE(SSL_CTX_sessions(ctx) == SSL_CTX_sessions(other));
    add_new(ctx, "a", T0, 100);
    TRACE(SSL_CTX_sessions(ctx) != NULL);
    TRACE(SSL_CTX_sess_number(ctx));
    CALL(SSL_CTX_free(ctx));
    CALL(SSL_CTX_free(other));
    return 0;
}
