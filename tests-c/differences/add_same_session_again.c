/*
 * Adding a session that is already cached: libssl up to 3.5.5 moves it behind the sessions that
 * expire with it; the library, like 3.5.7, 3.6.3 and 4.0.3, leaves it where it is.
 */
#include "conformance.h"

int main(void)
{
    SSL_CTX *ctx = context_that_says_removed();
    SSL_SESSION *a = session_new("a", TLS1_2_VERSION, T0, 100);

    TRACE(SSL_CTX_add_session(ctx, a));
    add_new(ctx, "b", T0, 100);
    add_new(ctx, "c", T0, 100);
    TRACE(SSL_CTX_add_session(ctx, a));
    CALL(SSL_CTX_flush_sessions(ctx, 0));

    section("so another one is given up");
    SSL_CTX_sess_set_cache_size(ctx, 3);
    TRACE(SSL_CTX_add_session(ctx, a));
    add_new(ctx, "b", T0, 100);
    TRACE(SSL_CTX_add_session(ctx, a));
    trace_begin("adding c");
    add_new(ctx, "c", T0, 100);
    trace_end("done");
    CALL(SSL_CTX_free(ctx));
    CALL(SSL_SESSION_free(a));
    return 0;
}
