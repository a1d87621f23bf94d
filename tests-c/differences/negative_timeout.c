/*
 * A negative timeout, which only an encoding can bring: libssl up to 3.1 adds it to the time, so the session
 * has expired before it began; the library takes it as "never expires", as every sum outside the range.
 */
#include "der.h"

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

int main(void)
{
    puts("negative timeouts");
    watch("timeout -5", "a10602043b9aca00 a2030201fb");
    watch("the smallest timeout", "a10602043b9aca00 a20a02088000000000000000");
    watch("time 3, timeout -5", "a103020103 a2030201fb");
    return 0;
}
