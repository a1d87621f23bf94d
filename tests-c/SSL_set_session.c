/* SSL_set_session(3), SSL_copy_session_id: before any handshake. */
#include "conformance.h"

int main(void)
{
    SSL_CTX *ctx = context_that_says_removed();
    SSL *ssl = SSL_new(ctx);
    SSL_SESSION *a = session_new("a", TLS1_2_VERSION, T0, 100);
    SSL_SESSION *b = session_new("b", TLS1_2_VERSION, T0, 100);

    section("a set session is held, until another one is set");
    TRACE(SSL_set_session(ssl, a));
    CALL(SSL_SESSION_free(a));
    TRACE(SSL_get_session(ssl) == a);
    TRACE(SSL_set_session(ssl, b));
    TRACE(SSL_get_session(ssl) == b);
    TRACE(SSL_session_reused(ssl));

    section("the same again");
    TRACE(SSL_set_session(ssl, b));
    TRACE(SSL_get_session(ssl) == b);

    section("NULL drops it");
    TRACE(SSL_set_session(ssl, NULL));
    TRACE(SSL_get_session(ssl) == NULL);
    TRACE(SSL_set_session(ssl, NULL));

    section("setting a session neither adds it to the cache nor removes the former one");
    TRACE(SSL_CTX_add_session(ctx, b));
    TRACE(SSL_set_session(ssl, b));
    SSL_SESSION *c = session_new("c", TLS1_2_VERSION, T0, 100);
    TRACE(SSL_set_session(ssl, c));
    TRACE(SSL_CTX_sess_number(ctx));
    TRACE(SSL_SESSION_is_resumable(b));

    section("nor does the end of a connection that never began");
    TRACE(SSL_set_session(ssl, b));
    CALL(SSL_free(ssl));
    TRACE(SSL_CTX_sess_number(ctx));
    TRACE(SSL_SESSION_is_resumable(b));

    section("one session in two connections");
    SSL *first = SSL_new(ctx);
    SSL *second = SSL_new(ctx);
    TRACE(SSL_set_session(first, c));
    TRACE(SSL_set_session(second, c));
    CALL(SSL_SESSION_free(c));
    CALL(SSL_free(first));
    TRACE(name_of(SSL_get_session(second)));

    section("copied with its session id context");
    first = SSL_new(ctx);
    TRACE(SSL_copy_session_id(first, second));
    TRACE(SSL_get_session(first) == SSL_get_session(second));
    CALL(SSL_free(second));
    CALL(SSL_free(first));

    section("a removed session can be set, it is only no good");
    TRACE(SSL_CTX_remove_session(ctx, b));
    ssl = SSL_new(ctx);
    TRACE(SSL_set_session(ssl, b));
    TRACE(SSL_get_session(ssl) == b);
    CALL(SSL_free(ssl));
    CALL(SSL_SESSION_free(b));
    CALL(SSL_CTX_free(ctx));
    return 0;
}
