/*
 * Sessions without an id that expire first. Libssl cannot take them out of its table, so a full cache
 * stops giving up anything and grows without bound; the library gives them up like any other.
 */
#include "conformance.h"

int main(void)
{
    SSL_CTX *ctx = context_that_says_removed();
    SSL_SESSION *empty = session_new("", TLS1_2_VERSION, T0, 1);

    session_name(empty, "empty");
    SSL_CTX_sess_set_cache_size(ctx, 3);
    TRACE(SSL_CTX_add_session(ctx, empty));
    add_new(ctx, "a", T0, 100);
    trace_begin("adding b");
    add_new(ctx, "b", T0, 200);
    trace_end("done");
    trace_begin("adding c");
    add_new(ctx, "c", T0, 300);
    trace_end("done");
    trace_begin("adding d");
    add_new(ctx, "d", T0, 400);
    trace_end("done");
    TRACE(SSL_CTX_sess_number(ctx));
    TRACE(SSL_CTX_sess_cache_full(ctx));
    TRACE(SSL_CTX_remove_session(ctx, empty));
    CALL(SSL_CTX_flush_sessions(ctx, 0));
    TRACE(SSL_CTX_sess_number(ctx));
    CALL(SSL_SESSION_free(empty));
    CALL(SSL_CTX_free(ctx));
    return 0;
}
