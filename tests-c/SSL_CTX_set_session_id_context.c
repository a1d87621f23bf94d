/* SSL_CTX_set_session_id_context(3): on a context and on a connection. */
#include "conformance.h"

int main(void)
{
    SSL_CTX *ctx = context_new();
    SSL *ssl = SSL_new(ctx);
    unsigned char bytes[64];

    REQUIRE(ssl != NULL);
    memset(bytes, 'c', sizeof(bytes));

    section("up to 32 bytes on a context");
    TRACE(SSL_CTX_set_session_id_context(ctx, bytes, 3));
    TRACE(SSL_CTX_set_session_id_context(ctx, bytes, 32));
    TRACE(SSL_CTX_set_session_id_context(ctx, bytes, 0));
    print_errors();
    TRACE(SSL_CTX_set_session_id_context(ctx, bytes, 33));
    print_errors();
    TRACE(SSL_CTX_set_session_id_context(ctx, bytes, UINT_MAX));
    print_errors();

    section("up to 32 bytes on a connection");
    TRACE(SSL_set_session_id_context(ssl, bytes, 3));
    TRACE(SSL_set_session_id_context(ssl, bytes, 32));
    TRACE(SSL_set_session_id_context(ssl, bytes, 0));
    print_errors();
    TRACE(SSL_set_session_id_context(ssl, bytes, 33));
    print_errors();

    SSL_free(ssl);
    SSL_CTX_free(ctx);
    return 0;
}
