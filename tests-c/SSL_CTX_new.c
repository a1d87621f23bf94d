/* SSL_CTX_new(3): methods, SSL_CTX_up_ref, and the order in which a context goes. */
#include "conformance.h"

static void methods(void)
{
    section("methods");
    const SSL_METHOD *const all[] = {
        TLS_method(),     TLS_server_method(),     TLS_client_method(),
        TLSv1_2_method(), TLSv1_2_server_method(), TLSv1_2_client_method(),
        DTLS_method(),    DTLS_server_method(),    DTLS_client_method(),
        SSLv23_method(),
    };
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        REQUIRE(all[i] != NULL);
        SSL_CTX *ctx = SSL_CTX_new(all[i]);
        REQUIRE(ctx != NULL);
        SSL *ssl = SSL_new(ctx);
        REQUIRE(ssl != NULL);
        long mode = SSL_CTX_get_session_cache_mode(ctx);
        long size = SSL_CTX_sess_get_cache_size(ctx);
        long timeout = SSL_CTX_get_timeout(ctx);
        int version = SSL_version(ssl);
        printf("method %zu: mode %ld size %ld timeout %ld version 0x%04x\n", i, mode, size, timeout,
               (unsigned int)version);
        SSL_free(ssl);
        SSL_CTX_free(ctx);
    }
    TRACE(TLS_method() == TLS_method());
    TRACE(TLS_method() == SSLv23_method());
    TRACE(TLS_method() == TLS_client_method());

    section("no method");
    TRACE(SSL_CTX_new(NULL) == NULL);
    print_errors();

    section("with a library context");
    SSL_CTX *ctx = SSL_CTX_new_ex(NULL, NULL, TLS_method());
    TRACE(ctx != NULL);
    TRACE(SSL_CTX_get_session_cache_mode(ctx));
    SSL_CTX_free(ctx);
}

static void say_context_freed(void *parent UNUSED, void *name, CRYPTO_EX_DATA *ad UNUSED, int index UNUSED,
                              long argl, void *argp UNUSED)
{
    if (name != NULL)
        trace_inside("ex_data free function %ld of %s", argl, (const char *)name);
}

/* What the free functions see of a context that is going. */
static int seen_index[2];

static void look_at_context(void *parent, void *name, CRYPTO_EX_DATA *ad UNUSED, int index UNUSED, long argl,
                            void *argp UNUSED)
{
    if (name == NULL)
        return;
    const char *first = SSL_CTX_get_ex_data(parent, seen_index[0]);
    const char *second = SSL_CTX_get_ex_data(parent, seen_index[1]);
    long number = SSL_CTX_sess_number(parent);

    trace_inside("free function %ld: number %ld, values %s %s", argl, number, first, second);
}

static void say_removed_and_context(SSL_CTX *ctx, SSL_SESSION *session)
{
    trace_inside("remove_cb %s of %s", name_of(session), name_of_context(ctx));
}

static void the_end(void)
{
    section("a context goes with its last reference: callbacks, ex_data");
    int index = CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL_CTX, 1, NULL, NULL, NULL, say_context_freed);
    SSL_CTX *ctx = context_new();
    SSL_CTX_set_ex_data(ctx, index, "ctx");
    context_name(ctx, "the context");
    SSL_CTX_sess_set_remove_cb(ctx, say_removed_and_context);
    add_new(ctx, "a", T0, 100);
    add_new(ctx, "b", T0, 200);
    TRACE(SSL_CTX_up_ref(ctx));
    CALL(SSL_CTX_free(ctx));
    CALL(SSL_CTX_free(ctx));
    CALL(SSL_CTX_free(NULL));

    section("free functions run in the order of their indexes and can still read every value");
    seen_index[0] = CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL_CTX, 1, NULL, NULL, NULL, look_at_context);
    seen_index[1] = CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL_CTX, 2, NULL, NULL, NULL, look_at_context);
    ctx = context_that_says_removed();
    SSL_CTX_set_ex_data(ctx, seen_index[0], "one");
    SSL_CTX_set_ex_data(ctx, seen_index[1], "two");
    add_new(ctx, "a", T0, 100);
    CALL(SSL_CTX_free(ctx));

    section("a connection keeps its context");
    ctx = context_that_says_removed();
    SSL_CTX_set_ex_data(ctx, index, "ctx");
    add_new(ctx, "a", T0, 100);
    SSL *ssl = SSL_new(ctx);
    CALL(SSL_CTX_free(ctx));
    TRACE(SSL_CTX_sess_number(SSL_get_SSL_CTX(ssl)));
    CALL(SSL_free(ssl));

    section("a session that was in it outlives it");
    ctx = context_that_says_removed();
    SSL_SESSION *a = session_new("a", TLS1_2_VERSION, T0, 100);
    SSL_CTX_add_session(ctx, a);
    CALL(SSL_CTX_free(ctx));
    TRACE(SSL_SESSION_is_resumable(a));
    ctx = context_that_says_removed();
    TRACE(SSL_CTX_add_session(ctx, a));
    CALL(SSL_SESSION_free(a));
    CALL(SSL_CTX_free(ctx));
}

int main(void)
{
    methods();
    the_end();
    return 0;
}
