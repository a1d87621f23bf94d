/* Functions that came after 3.0: the ..._ex with a time_t, and d2i_SSL_SESSION_ex. */
#include "der.h"

int main(void)
{
    SSL_SESSION *a = session_new("a", TLS1_2_VERSION, T0, 100);

#if OPENSSL_VERSION_NUMBER >= 0x30300000L
    section("3.3: time_t");
    TRACE(SSL_SESSION_get_time_ex(a));
    TRACE(SSL_SESSION_set_time_ex(a, T0 + 5));
    TRACE(SSL_SESSION_get_time_ex(a));
    TRACE(SSL_SESSION_get_time(a));
    TRACE(SSL_SESSION_set_time_ex(NULL, 5));
    TRACE(SSL_SESSION_get_time_ex(NULL));
#endif
#if OPENSSL_VERSION_NUMBER >= 0x30400000L
    section("3.4: flush");
    SSL_CTX *ctx = context_that_says_removed();
    SSL_SESSION_set_time_ex(a, T0);
    TRACE(SSL_CTX_add_session(ctx, a));
    CALL(SSL_CTX_flush_sessions_ex(ctx, T0 + 100));
    TRACE(SSL_CTX_sess_number(ctx));
    CALL(SSL_CTX_flush_sessions_ex(ctx, T0 + 101));
    TRACE(SSL_CTX_sess_number(ctx));
    CALL(SSL_CTX_free(ctx));
#endif
#if OPENSSL_VERSION_NUMBER >= 0x30200000L
    section("3.2: decoding with a library context");
    unsigned char der[200];
    size_t length = sequence(TLS12_ID TIMES, der, sizeof(der));
    const unsigned char *next = der;
    SSL_SESSION *decoded = d2i_SSL_SESSION_ex(NULL, &next, (long)length, NULL, NULL);
    REQUIRE(decoded != NULL);
    print_der(decoded);
    SSL_SESSION_free(decoded);
#endif
    CALL(SSL_SESSION_free(a));
    return 0;
}
