/* SSL_new(3): SSL_up_ref, SSL_get_SSL_CTX, SSL_set_SSL_CTX, and the ex_data of a connection. */
#include "conformance.h"

static void say_connection_freed(void *parent UNUSED, void *name, CRYPTO_EX_DATA *ad UNUSED, int index UNUSED,
                                 long argl UNUSED, void *argp UNUSED)
{
    if (name != NULL)
        trace_inside("ex_data free function of %s", (const char *)name);
}

int main(void)
{
    SSL_CTX *ctx = context_new();
    int index = SSL_get_ex_new_index(0, NULL, NULL, NULL, say_connection_freed);

    section("a connection lives as long as its last reference");
    SSL *ssl = SSL_new(ctx);
    REQUIRE(ssl != NULL);
    TRACE(SSL_get_ex_data(ssl, index) == NULL);
    TRACE(SSL_set_ex_data(ssl, index, "connection"));
    TRACE((const char *)SSL_get_ex_data(ssl, index));
    TRACE(SSL_get_ex_data(ssl, -1) == NULL);
    TRACE(SSL_up_ref(ssl));
    CALL(SSL_free(ssl));
    TRACE((const char *)SSL_get_ex_data(ssl, index));
    CALL(SSL_free(ssl));

    section("app_data");
    ssl = SSL_new(ctx);
    TRACE(SSL_set_app_data(ssl, "application"));
    TRACE((const char *)SSL_get_app_data(ssl));

    section("the context of a connection, and back to the one it came from");
    SSL_CTX *other = context_new();
    TRACE(SSL_get_SSL_CTX(ssl) == ctx);
    TRACE(SSL_set_SSL_CTX(ssl, ctx) == ctx);
    TRACE(SSL_set_SSL_CTX(ssl, other) == other);
    TRACE(SSL_get_SSL_CTX(ssl) == other);
    TRACE(SSL_set_SSL_CTX(ssl, NULL) == ctx);
    TRACE(SSL_get_SSL_CTX(ssl) == ctx);
    CALL(SSL_free(ssl));

    section("an unknown control of callbacks");
    TRACE(SSL_CTX_callback_ctrl(ctx, 9999, NULL));
    SSL_CTX_free(other);
    SSL_CTX_free(ctx);
    return 0;
}
