/*
 * Several sessions that never expire: libssl 3.0 orders them by what is left of the overflown sum, the
 * library by the order of adding, as it does with all that expire together.
 */
#include "conformance.h"

int main(void)
{
    SSL_CTX *ctx = context_that_says_removed();

    add_new(ctx, "first, most beyond", 3000, LONG_MAX);
    add_new(ctx, "second, less beyond", 2000, LONG_MAX);
    add_new(ctx, "third, least beyond", 1000, LONG_MAX);
    add_new(ctx, "usual", T0, 100);
    CALL(SSL_CTX_flush_sessions(ctx, LONG_MAX));
    CALL(SSL_CTX_flush_sessions(ctx, 0));
    CALL(SSL_CTX_free(ctx));
    return 0;
}
