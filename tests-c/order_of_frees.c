/* When the cache lets go of a session, among the callbacks of the call. */
#include "conformance.h"

static void say_context_going(void *parent UNUSED, void *name, CRYPTO_EX_DATA *ad UNUSED, int index UNUSED,
                              long argl UNUSED, void *argp UNUSED)
{
    if (name != NULL)
        trace_inside("free function of %s", (const char *)name);
}

int main(void)
{
    frees_at_once = 1;

    section("a remove: after its callback");
    SSL_CTX *ctx = context_that_says_removed();
    SSL_SESSION *a = session_new("a", TLS1_2_VERSION, T0, 100);
    SSL_SESSION *twin = session_twin("twin of a", a);
    TRACE(SSL_CTX_add_session(ctx, a));
    CALL(SSL_SESSION_free(a));
    TRACE(SSL_CTX_remove_session(ctx, twin));
    CALL(SSL_SESSION_free(twin));

    section("evictions: each after its callback");
    add_new(ctx, "a", T0, 100);
    add_new(ctx, "b", T0, 200);
    add_new(ctx, "c", T0, 300);
    SSL_CTX_sess_set_cache_size(ctx, 2);
    trace_begin("adding d");
    add_new(ctx, "d", T0, 400);
    trace_end("done");

    section("a replacement in a full cache: the replaced session before the callbacks");
    SSL_CTX_sess_set_cache_size(ctx, 20);
    add_new(ctx, "b", T0, 200);
    SSL_SESSION *d = session_new("d", TLS1_2_VERSION, T0, 500);
    SSL_CTX_sess_set_cache_size(ctx, 2);
    TRACE(SSL_CTX_add_session(ctx, d));
    CALL(SSL_SESSION_free(d));
    SSL_CTX_sess_set_cache_size(ctx, 20);

    section("the end of a context: sessions before the context's own ex_data");
    int index = CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL_CTX, 0, NULL, NULL, NULL, say_context_going);
    SSL_CTX_set_ex_data(ctx, index, "the context");
    CALL(SSL_CTX_free(ctx));
    return 0;
}
