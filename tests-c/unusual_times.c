/*
 * Times and timeouts at the ends of the range, and what they are to a flush: SSL_SESSION_set_time(3),
 * SSL_CTX_flush_sessions(3), SSL_CTX_set_timeout(3), d2i_SSL_SESSION(3). But for a handshake, only an encoding can
 * give a session a negative timeout.
 */
#include "der.h"

/* An INTEGER of 8 bytes at most, as short as DER wants it, in the explicit tag. */
static void add_integer(char *contents, unsigned int tag, int64_t value)
{
    int length = 8;

    while (length > 1 && (value >> (8 * length - 9) == 0 || value >> (8 * length - 9) == -1))
        length--;
    contents += strlen(contents);
    contents += sprintf(contents, "%02x%02x02%02x", tag, 2 + length, length);
    for (int i = length - 1; i >= 0; i--)
        contents += sprintf(contents, "%02x", (unsigned int)(value >> (8 * i) & 0xff));
}

static SSL_SESSION *session_at(const char *name, long time, long timeout)
{
    char contents[300] = TLS12_ID;

    add_integer(contents, 0xa1, time);
    add_integer(contents, 0xa2, timeout);
    return session_of(name, contents);
}

/*
 * From 3.2 on libssl keeps parts of a second of what wraps, and tells none of them: the sums that come to the very
 * second of another value here, and to another part of it, are left out.
 */
static const long values[] = {LONG_MIN, LONG_MIN + 1, LONG_MIN + 6, -T0, -300, -5, -1, 1, 5, 300, T0, T0 + 1,
                              9000000000, 9223372037, 1L << 40, LONG_MAX - 10, LONG_MAX - 5, LONG_MAX - 1, LONG_MAX};
enum { VALUES = sizeof(values) / sizeof(values[0]) };

/* Seconds that a flush is told: those, and those beside them. */
static const long moments[] = {-(1L << 40), -18446744073, -2, 2, 4, 6, 7, T0 - 5, T0 - 4, 11153727427, 11153727428,
                               12153727428, 18446744072, 18446744073, 18446744074};
enum { MOMENTS = sizeof(moments) / sizeof(moments[0]) };

static char after_flush(SSL_SESSION *session, long tm)
{
    SSL_CTX *ctx = context_new();

    REQUIRE(SSL_CTX_add_session(ctx, session) == 1);
    SSL_CTX_flush_sessions(ctx, tm);
    char left = SSL_CTX_sess_number(ctx) == 0 ? 'x' : '.';
    SSL_CTX_free(ctx);
    return left;
}

static void every_sum_and_every_moment(void)
{
    section("what a flush takes");
    for (int i = 0; i < VALUES; i++) {
        for (int j = 0; j < VALUES; j++) {
            SSL_SESSION *session = session_at("s", values[i], values[j]);
            char taken[VALUES + MOMENTS + 1] = "";

            for (int k = 0; k < VALUES + MOMENTS; k++)
                taken[k] = after_flush(session, k < VALUES ? values[k] : moments[k - VALUES]);
            long time = SSL_SESSION_get_time(session);
            long timeout = SSL_SESSION_get_timeout(session);
            printf("%ld + %ld, reads %ld + %ld: %s\n", values[i], values[j], time, timeout, taken);
            CALL(SSL_SESSION_free(session));
        }
    }
}

/* In the order of their expiry, while none is past every second there is: among those the order is the cache's own. */
static void order(void)
{
    section("the order in which a flush of everything reports");
    const struct { const char *name; long time, timeout; } sessions[] = {
        {"T0 - 5", T0, -5}, {"T0 - 7", T0, -7}, {"1 - 5", 1, -5}, {"T0 + 5", T0, 5}, {"1 - 4", 1, -4},
        {"T0 + the smallest", T0, LONG_MIN}, {"never", T0, LONG_MAX}, {"T0 - 1", T0, -1}, {"T0 - 5 again", T0, -5},
    };
    SSL_CTX *ctx = context_that_says_removed();

    for (size_t i = 0; i < sizeof(sessions) / sizeof(sessions[0]); i++) {
        SSL_SESSION *session = session_at(sessions[i].name, sessions[i].time, sessions[i].timeout);

        session_id(session, sessions[i].name);
        REQUIRE(SSL_CTX_add_session(ctx, session) == 1);
        SSL_SESSION_free(session);
    }
    CALL(SSL_CTX_flush_sessions(ctx, T0 - 5));
    CALL(SSL_CTX_flush_sessions(ctx, 0));
    SSL_CTX_free(ctx);
}

static void watch(const char *name, long time, long timeout)
{
    SSL_CTX *ctx = context_that_says_removed();
    SSL_SESSION *session = session_at(name, time, timeout);

    section(name);
    TRACE(SSL_SESSION_get_time(session));
    TRACE(SSL_SESSION_get_timeout(session));
    print_der(session);
    TRACE(SSL_CTX_add_session(ctx, session));
    add_new(ctx, "usual", T0, 100);
    CALL(SSL_CTX_flush_sessions(ctx, 1));
    CALL(SSL_CTX_flush_sessions(ctx, T0 - 5));
    CALL(SSL_CTX_flush_sessions(ctx, T0 - 4));
    TRACE(SSL_SESSION_set_timeout(session, 300));
    CALL(SSL_CTX_flush_sessions(ctx, T0 + 101));
    TRACE(SSL_CTX_sess_number(ctx));
    CALL(SSL_CTX_flush_sessions(ctx, LONG_MAX));
    CALL(SSL_CTX_flush_sessions(ctx, 0));
    CALL(SSL_SESSION_free(session));
    SSL_CTX_free(ctx);
}

/* A cached session gets another time and timeout: it is judged by those. */
static void set_while_cached(void)
{
    section("set while cached");
    for (int i = 0; i < VALUES; i++) {
        SSL_CTX *ctx = context_that_says_removed();
        SSL_SESSION *session = session_new("moved", TLS1_2_VERSION, T0, 100);

        printf("# %ld\n", values[i]);
        TRACE(SSL_CTX_add_session(ctx, session));
        add_new(ctx, "usual", T0, 100);
        TRACE(SSL_SESSION_set_timeout(session, values[i]));
        TRACE(SSL_SESSION_get_timeout(session));
        CALL(SSL_CTX_flush_sessions(ctx, T0));
        TRACE(SSL_SESSION_set_time(session, values[i]));
        TRACE(SSL_SESSION_get_time(session));
        CALL(SSL_CTX_flush_sessions(ctx, 1));
        CALL(SSL_CTX_flush_sessions(ctx, T0 + 101));
        TRACE(SSL_CTX_sess_number(ctx));
        TRACE(SSL_SESSION_set_time(session, 1));
        TRACE(SSL_SESSION_set_timeout(session, 1));
        CALL(SSL_CTX_flush_sessions(ctx, values[i]));
        TRACE(SSL_CTX_sess_number(ctx));
#if OPENSSL_VERSION_NUMBER >= 0x30400000L
        TRACE(SSL_SESSION_set_time_ex(session, values[i]));
        TRACE(SSL_SESSION_get_time_ex(session));
        CALL(SSL_CTX_flush_sessions_ex(ctx, values[i]));
        CALL(SSL_CTX_flush_sessions_ex(ctx, -1));
        TRACE(SSL_CTX_sess_number(ctx));
#endif
        CALL(SSL_CTX_free(ctx));
        CALL(SSL_SESSION_free(session));
    }
}

static void timeouts_of_a_context(void)
{
    section("the timeout of a context");
    SSL_CTX *ctx = context_new();

    for (int i = 0; i < VALUES; i++) {
        printf("# %ld\n", values[i]);
        TRACE(SSL_CTX_set_timeout(ctx, values[i]));
        TRACE(SSL_CTX_get_timeout(ctx));
    }
    SSL_CTX_free(ctx);
}

int main(void)
{
    puts("the ends of the range");
    watch("the largest timeout", T0, LONG_MAX);
    watch("the smallest timeout", T0, LONG_MIN);
    watch("timeout -5", T0, -5);
    watch("time -5", -5, 300);
    watch("time and timeout -5", -5, -5);
    watch("time 3, timeout -5", 3, -5);
    watch("the smallest time", LONG_MIN, 300);
    watch("time and timeout the largest", LONG_MAX, LONG_MAX);
    order();
    set_while_cached();
    timeouts_of_a_context();
    every_sum_and_every_moment();
    return 0;
}
