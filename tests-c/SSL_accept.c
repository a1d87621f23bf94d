/* SSL_accept(3), SSL_set_accept_state(3): a connection becomes a server's. */
#include "conformance.h"

#include <openssl/err.h>

int main(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    REQUIRE(ctx != NULL);

    section("of a client's method");
    SSL *ssl = SSL_new(ctx);
    REQUIRE(ssl != NULL);
    TRACE(SSL_is_server(ssl));
    CALL(SSL_set_accept_state(ssl));
    TRACE(SSL_is_server(ssl));
    CALL(SSL_free(ssl));

    section("there is nothing to read from");
    SSL_CTX *server = SSL_CTX_new(TLS_server_method());
    REQUIRE(server != NULL);
    ssl = SSL_new(server);
    REQUIRE(ssl != NULL);
    ERR_clear_error();
    TRACE(SSL_accept(ssl));
    TRACE(ERR_GET_REASON(ERR_peek_error()) == SSL_R_READ_BIO_NOT_SET);
    TRACE(SSL_is_server(ssl));
    CALL(SSL_free(ssl));

    ERR_clear_error();
    SSL_CTX_free(server);
    SSL_CTX_free(ctx);
    return 0;
}
