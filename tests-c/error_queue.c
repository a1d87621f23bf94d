/* ERR_get_error(3): which calls queue an error, and that the others leave the queue alone. */
#include "der.h"

int main(void)
{
    unsigned char bytes[64] = {0};
    SSL_CTX *ctx = context_new();
    SSL *ssl = SSL_new(ctx);
    SSL_SESSION *a = session_new("a", TLS1_2_VERSION, T0, 100);

    ERR_clear_error();
    section("one error for each refused call, oldest first");
    TRACE(SSL_SESSION_set1_id(a, bytes, 33));
    TRACE(SSL_SESSION_set1_id_context(a, bytes, 33));
    TRACE(SSL_CTX_set_session_id_context(ctx, bytes, 33));
    TRACE(SSL_set_session_id_context(ssl, bytes, 33));
    TRACE(decode("020102 02020303 0402c02f 0400 0400") == NULL);
    TRACE(decode("020101 02020203 0402c02f 0400 0400") == NULL);
    TRACE(decode("020101 02020303 0403c02f00 0400 0400") == NULL);
    TRACE(SSL_CTX_new(NULL) == NULL);
    TRACE(SSL_new(NULL) == NULL);
    print_errors();
    print_errors();

    section("no error for what is only answered with 0");
    TRACE(SSL_CTX_add_session(ctx, a));
    TRACE(SSL_CTX_add_session(ctx, a));
    TRACE(SSL_CTX_remove_session(ctx, a));
    TRACE(SSL_CTX_remove_session(ctx, a));
    TRACE(SSL_CTX_remove_session(ctx, NULL));
    TRACE(SSL_SESSION_set_timeout(a, -1));
    TRACE(SSL_SESSION_set_timeout(NULL, 1));
    TRACE(SSL_SESSION_set1_master_key(a, bytes, 10000));
    TRACE(SSL_CTX_sess_set_cache_size(ctx, -1));
    TRACE(SSL_has_matching_session_id(ssl, bytes, 33));
    TRACE(i2d_SSL_SESSION(NULL, NULL));
    TRACE(i2d_SSL_SESSION(a, NULL));
    TRACE(SSL_CTX_ctrl(NULL, SSL_CTRL_SESS_NUMBER, 0, NULL));
    TRACE(SSL_CTX_ctrl(ctx, 9999, 0, NULL));
    print_errors();

    section("what was queued before stays through calls that succeed and calls that fail");
    ERR_raise(ERR_LIB_USER, 7);
    TRACE(SSL_CTX_add_session(ctx, a));
    TRACE(SSL_SESSION_set1_id(a, bytes, 33));
    CALL(SSL_CTX_flush_sessions(ctx, 0));
    SSL_SESSION *decoded = decode(TLS12_ID TIMES);
    TRACE(decoded != NULL);
    SSL_SESSION_free(decoded);
    print_errors();

    CALL(SSL_SESSION_free(a));
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    return 0;
}
