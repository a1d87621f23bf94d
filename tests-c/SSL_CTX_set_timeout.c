/* SSL_CTX_set_timeout(3), SSL_CTX_get_timeout, SSL_get_default_timeout(3). */
#include "conformance.h"

static void default_of(const char *name, const SSL_METHOD *method)
{
    SSL_CTX *ctx = SSL_CTX_new(method);

    REQUIRE(ctx != NULL);
    SSL *ssl = SSL_new(ctx);
    REQUIRE(ssl != NULL);
    long of_context = SSL_CTX_get_timeout(ctx);
    long of_connection = SSL_get_default_timeout(ssl);
    printf("%s: %ld %ld\n", name, of_context, of_connection);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

int main(void)
{
    section("the default, for every method");
    default_of("TLS_method", TLS_method());
    default_of("TLS_server_method", TLS_server_method());
    default_of("TLS_client_method", TLS_client_method());
    default_of("TLSv1_2_method", TLSv1_2_method());
    default_of("DTLS_method", DTLS_method());

    section("the previous value comes back");
    SSL_CTX *ctx = context_new();
    TRACE(SSL_CTX_set_timeout(ctx, 60));
    TRACE(SSL_CTX_get_timeout(ctx));
    TRACE(SSL_CTX_set_timeout(ctx, 0));
    TRACE(SSL_CTX_get_timeout(ctx));
    TRACE(SSL_CTX_set_timeout(ctx, 1L << 31));
    TRACE(SSL_CTX_get_timeout(ctx));
    TRACE(SSL_CTX_set_timeout(ctx, 300));

#if OPENSSL_VERSION_NUMBER < 0x30200000L
    section("no value is refused");
    TRACE(SSL_CTX_set_timeout(ctx, -5));
    TRACE(SSL_CTX_get_timeout(ctx));
    TRACE(SSL_CTX_set_timeout(ctx, LONG_MAX));
    TRACE(SSL_CTX_get_timeout(ctx));
    TRACE(SSL_CTX_set_timeout(ctx, LONG_MIN));
    TRACE(SSL_CTX_get_timeout(ctx));
#endif

    section("no context");
    TRACE(SSL_CTX_set_timeout(NULL, 60));
    TRACE(SSL_CTX_get_timeout(NULL));

    section("a session made by hand does not ask the context");
    SSL_CTX_set_timeout(ctx, 12345);
    SSL_SESSION *session = SSL_SESSION_new();
    REQUIRE(SSL_SESSION_set1_id(session, (const unsigned char *)"a", 1) == 1);
    TRACE(SSL_SESSION_get_timeout(session));
    TRACE(SSL_CTX_add_session(ctx, session));
    TRACE(SSL_SESSION_get_timeout(session));

    section("a changed timeout of the context changes no session");
    TRACE(SSL_CTX_set_timeout(ctx, 1));
    TRACE(SSL_SESSION_get_timeout(session));
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
    return 0;
}
