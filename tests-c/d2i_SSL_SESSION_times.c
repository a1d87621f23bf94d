/*
 * d2i_SSL_SESSION(3): times at the ends of the range, kept as they are up to 3.1. A time before 1970
 * never expires. (Negative timeouts: differences/negative_timeout.c.)
 */
#include "der.h"

#if OPENSSL_VERSION_NUMBER < 0x30200000L
static void watch(const char *name, const char *times)
{
    char contents[300];
    snprintf(contents, sizeof(contents), "%s %s a4020400 b303020100", TLS12_ID, times);
    SSL_CTX *ctx = context_that_says_removed();
    SSL_SESSION *session = session_of(name, contents);

    section(name);
    TRACE(SSL_SESSION_get_time(session));
    TRACE(SSL_SESSION_get_timeout(session));
    print_der(session);
    TRACE(SSL_CTX_add_session(ctx, session));
    add_new(ctx, "usual", T0, 100);
    CALL(SSL_CTX_flush_sessions(ctx, 1));
    CALL(SSL_CTX_flush_sessions(ctx, T0 - 5));
    CALL(SSL_CTX_flush_sessions(ctx, T0 - 4));
    CALL(SSL_CTX_flush_sessions(ctx, LONG_MAX));
    CALL(SSL_CTX_flush_sessions(ctx, 0));
    CALL(SSL_SESSION_free(session));
    SSL_CTX_free(ctx);
}
#endif

int main(void)
{
    puts("d2i_SSL_SESSION and the ends of the range");
#if OPENSSL_VERSION_NUMBER < 0x30200000L
    watch("the largest timeout", "a10602043b9aca00 a20a02087fffffffffffffff");
    watch("time -5", "a1030201fb a2040202012c");
    watch("time and timeout -5", "a1030201fb a2030201fb");
    watch("the smallest time", "a10a02088000000000000000 a2040202012c");
    watch("time and timeout the largest", "a10a02087fffffffffffffff a20a02087fffffffffffffff");
#endif
    return 0;
}
