/*
 * When a flush lets go of its sessions: libssl calls back for all of them first, then drops its references;
 * the library drops each after its callback, so that a flush of a million sessions holds no list of them.
 */
#include "conformance.h"

int main(void)
{
    frees_at_once = 1;
    SSL_CTX *ctx = context_that_says_removed();

    add_new(ctx, "a", T0, 100);
    add_new(ctx, "b", T0, 200);
    add_new(ctx, "c", T0, 300);
    CALL(SSL_CTX_flush_sessions(ctx, T0 + 201));
    add_new(ctx, "d", T0, 400);
    CALL(SSL_CTX_free(ctx));
    return 0;
}
