/* SSL_get_session(3): SSL_get0_session, SSL_get1_session. */
#include "conformance.h"

int main(void)
{
    SSL_CTX *ctx = context_new();
    SSL *ssl = SSL_new(ctx);
    SSL_SESSION *a = session_new("a", TLS1_2_VERSION, T0, 100);

    section("a connection begins without a session");
    TRACE(SSL_get_session(ssl) == NULL);
    TRACE(SSL_get0_session(ssl) == NULL);
    TRACE(SSL_get1_session(ssl) == NULL);
    TRACE(SSL_session_reused(ssl));

    section("get0 borrows, get1 takes a reference");
    TRACE(SSL_set_session(ssl, a));
    CALL(SSL_SESSION_free(a));
    TRACE(SSL_get_session(ssl) == a);
    TRACE(SSL_get0_session(ssl) == a);
    SSL_SESSION *mine = SSL_get1_session(ssl);
    TRACE(mine == a);
    CALL(SSL_free(ssl));
    TRACE(SSL_SESSION_is_resumable(mine));
    CALL(SSL_SESSION_free(mine));
    CALL(SSL_CTX_free(ctx));
    return 0;
}
