/* SSL_SESSION_get_time(3): time and timeout, and what they do to a session that is cached. */
#include "conformance.h"

static void values(void)
{
    section("set_time gives back the time, so 0 for 0");
    SSL_SESSION *a = SSL_SESSION_new();
    TRACE(SSL_SESSION_set_time(a, T0));
    TRACE(SSL_SESSION_get_time(a));
    TRACE(SSL_SESSION_set_time(a, 1));
    TRACE(SSL_SESSION_get_time(a));
    TRACE(SSL_SESSION_set_time(a, 0));
    TRACE(SSL_SESSION_get_time(a));

    section("set_timeout gives back 1, or 0 for what it refuses");
    TRACE(SSL_SESSION_set_timeout(a, 300));
    TRACE(SSL_SESSION_get_timeout(a));
    TRACE(SSL_SESSION_set_timeout(a, 0));
    TRACE(SSL_SESSION_get_timeout(a));
    TRACE(SSL_SESSION_set_timeout(a, 77));
    TRACE(SSL_SESSION_set_timeout(a, -1));
    TRACE(SSL_SESSION_set_timeout(a, LONG_MIN));
    TRACE(SSL_SESSION_get_timeout(a));
    TRACE(SSL_SESSION_set_timeout(a, 1L << 31));
    TRACE(SSL_SESSION_get_timeout(a));

    section("the older names");
    TRACE(SSL_set_time(a, 5));
    TRACE(SSL_get_time(a));
    TRACE(SSL_set_timeout(a, 6));
    TRACE(SSL_get_timeout(a));

#if OPENSSL_VERSION_NUMBER < 0x30200000L
    section("the ends of the range are kept as they are");
    TRACE(SSL_SESSION_set_time(a, -5));
    TRACE(SSL_SESSION_get_time(a));
    TRACE(SSL_SESSION_set_time(a, LONG_MAX));
    TRACE(SSL_SESSION_get_time(a));
    TRACE(SSL_SESSION_set_time(a, LONG_MIN));
    TRACE(SSL_SESSION_get_time(a));
    TRACE(SSL_SESSION_set_timeout(a, LONG_MAX));
    TRACE(SSL_SESSION_get_timeout(a));
#endif

    section("no session");
    TRACE(SSL_SESSION_get_time(NULL));
    TRACE(SSL_SESSION_set_time(NULL, 5));
    TRACE(SSL_SESSION_get_timeout(NULL));
    TRACE(SSL_SESSION_set_timeout(NULL, 5));
    SSL_SESSION_free(a);
}

static void moved_while_cached(void)
{
    section("a cached session moves at once with its timeout");
    SSL_CTX *ctx = context_that_says_removed();
    SSL_SESSION *a = session_new("a", TLS1_2_VERSION, T0, 100);
    SSL_SESSION *b = session_new("b", TLS1_2_VERSION, T0, 200);
    SSL_SESSION *c = session_new("c", TLS1_2_VERSION, T0, 300);

    TRACE(SSL_CTX_add_session(ctx, a));
    TRACE(SSL_CTX_add_session(ctx, b));
    TRACE(SSL_CTX_add_session(ctx, c));
    TRACE(SSL_SESSION_set_timeout(c, 5));
    CALL(SSL_CTX_flush_sessions(ctx, T0 + 6));
    TRACE(SSL_CTX_sess_number(ctx));

    section("and with its time, in both directions");
    TRACE(SSL_SESSION_set_time(a, T0 + 1000));
    CALL(SSL_CTX_flush_sessions(ctx, T0 + 201));
    TRACE(SSL_CTX_sess_number(ctx));
    TRACE(SSL_SESSION_set_time(a, T0 - 1000));
    CALL(SSL_CTX_flush_sessions(ctx, T0 - 800));
    TRACE(SSL_CTX_sess_number(ctx));

    section("it moves behind those that expire with it, even if nothing changed");
    SSL_SESSION_set_time(a, T0);
    SSL_SESSION_set_timeout(b, 100);
    SSL_SESSION_set_timeout(c, 100);
    TRACE(SSL_CTX_add_session(ctx, a));
    TRACE(SSL_CTX_add_session(ctx, b));
    TRACE(SSL_CTX_add_session(ctx, c));
    TRACE(SSL_SESSION_set_timeout(a, 100));
    TRACE(SSL_SESSION_set_time(b, T0));
    CALL(SSL_CTX_flush_sessions(ctx, 0));

    section("a refused timeout moves nothing");
    TRACE(SSL_CTX_add_session(ctx, a));
    TRACE(SSL_CTX_add_session(ctx, b));
    TRACE(SSL_SESSION_set_timeout(a, -1));
    CALL(SSL_CTX_flush_sessions(ctx, 0));

    section("once out of the cache it no longer moves anything");
    TRACE(SSL_CTX_add_session(ctx, a));
    TRACE(SSL_CTX_add_session(ctx, b));
    TRACE(SSL_CTX_remove_session(ctx, a));
    TRACE(SSL_SESSION_set_timeout(a, 1));
    CALL(SSL_CTX_flush_sessions(ctx, T0 + 50));
    TRACE(SSL_CTX_sess_number(ctx));

    section("nor does it remember the context after the context is gone");
    TRACE(SSL_CTX_add_session(ctx, a));
    CALL(SSL_CTX_free(ctx));
    TRACE(SSL_SESSION_set_timeout(a, 100));
    TRACE(SSL_SESSION_set_time(a, T0));

    section("what was replaced moves nothing either");
    ctx = context_that_says_removed();
    SSL_SESSION *twin = session_twin("twin of a", a);
    TRACE(SSL_CTX_add_session(ctx, a));
    TRACE(SSL_CTX_add_session(ctx, twin));
    TRACE(SSL_SESSION_set_timeout(a, 1));
    CALL(SSL_CTX_flush_sessions(ctx, T0 + 50));
    TRACE(SSL_CTX_sess_number(ctx));
    CALL(SSL_CTX_free(ctx));
    CALL(SSL_SESSION_free(a));
    CALL(SSL_SESSION_free(b));
    CALL(SSL_SESSION_free(c));
    CALL(SSL_SESSION_free(twin));
}

static void never(void)
{
    section("a sum beyond the range never expires and leaves last");
    SSL_CTX *ctx = context_that_says_removed();
    SSL_SESSION *a = session_new("forever", TLS1_2_VERSION, T0, LONG_MAX);

    TRACE(SSL_CTX_add_session(ctx, a));
    add_new(ctx, "nearly", 0, LONG_MAX - 1);
    add_new(ctx, "exactly", 1, LONG_MAX - 1);
    add_new(ctx, "usual", T0, 100);
    CALL(SSL_CTX_flush_sessions(ctx, LONG_MAX));
    TRACE(SSL_CTX_sess_number(ctx));
    TRACE(SSL_SESSION_set_timeout(a, 100));
    CALL(SSL_CTX_flush_sessions(ctx, T0 + 101));
    TRACE(SSL_CTX_sess_number(ctx));
    CALL(SSL_CTX_flush_sessions(ctx, 0));

    section("it is never the victim while another can be");
    SSL_CTX_sess_set_cache_size(ctx, 3);
    SSL_SESSION_set_timeout(a, LONG_MAX);
    TRACE(SSL_CTX_add_session(ctx, a));
    trace_begin("adding b");
    add_new(ctx, "b", T0, 100);
    trace_end("done");
    trace_begin("adding c");
    add_new(ctx, "c", T0, 200);
    trace_end("done");
    trace_begin("adding d");
    add_new(ctx, "d", T0, 50);
    trace_end("done");
    CALL(SSL_CTX_free(ctx));
    CALL(SSL_SESSION_free(a));

#if OPENSSL_VERSION_NUMBER < 0x30200000L
    section("nor does one whose time is negative");
    ctx = context_that_says_removed();
    add_new(ctx, "before 1970", -5, 100);
    add_new(ctx, "usual", T0, 100);
    CALL(SSL_CTX_flush_sessions(ctx, T0));
    CALL(SSL_CTX_flush_sessions(ctx, LONG_MAX));
    TRACE(SSL_CTX_sess_number(ctx));
    CALL(SSL_CTX_free(ctx));
#endif
}

int main(void)
{
    values();
    moved_while_cached();
    never();
    return 0;
}
