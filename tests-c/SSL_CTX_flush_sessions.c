/* SSL_CTX_flush_sessions(3), and what SSL_CTX_free does to the sessions that are left. */
#include "conformance.h"

static void the_boundary(void)
{
    section("a session lives through the last second of its timeout");
    SSL_CTX *ctx = context_that_says_removed();

    add_new(ctx, "a", T0, 100);
    CALL(SSL_CTX_flush_sessions(ctx, T0));
    CALL(SSL_CTX_flush_sessions(ctx, T0 + 99));
    CALL(SSL_CTX_flush_sessions(ctx, T0 + 100));
    TRACE(SSL_CTX_sess_number(ctx));
    CALL(SSL_CTX_flush_sessions(ctx, T0 + 101));
    TRACE(SSL_CTX_sess_number(ctx));
    CALL(SSL_CTX_free(ctx));
}

static void soonest_first(void)
{
    section("sessions leave in order of expiry, whatever the order of adding");
    SSL_CTX *ctx = context_that_says_removed();
    const char *const names[] = {"at 300", "at 100", "at 500", "at 200", "at 400"};
    const long timeouts[] = {300, 100, 500, 200, 400};

    for (int i = 0; i < 5; i++)
        add_new(ctx, names[i], T0, timeouts[i]);
    CALL(SSL_CTX_flush_sessions(ctx, T0 + 201));
    TRACE(SSL_CTX_sess_number(ctx));
    CALL(SSL_CTX_flush_sessions(ctx, T0 + 401));
    TRACE(SSL_CTX_sess_number(ctx));
    CALL(SSL_CTX_flush_sessions(ctx, 0));
    TRACE(SSL_CTX_sess_number(ctx));
    CALL(SSL_CTX_free(ctx));

    section("expiry is the sum of time and timeout, not one of them");
    ctx = context_that_says_removed();
    add_new(ctx, "young, short", T0 + 1000, 10);
    add_new(ctx, "old, long", T0, 2000);
    add_new(ctx, "old, short", T0, 10);
    add_new(ctx, "middle", T0 + 500, 1000);
    CALL(SSL_CTX_flush_sessions(ctx, 0));
    CALL(SSL_CTX_free(ctx));
}

static void equals_in_order_of_adding(void)
{
    section("of sessions that expire together the one added first leaves first");
    SSL_CTX *ctx = context_that_says_removed();
    SSL_SESSION *again = session_new("second", TLS1_2_VERSION, T0, 100);

    add_new(ctx, "first", T0, 100);
    TRACE(SSL_CTX_add_session(ctx, again));
    add_new(ctx, "third, by another sum", T0 + 50, 50);
    add_new(ctx, "later", T0, 101);
    add_new(ctx, "fourth", T0, 100);
    add_new(ctx, "sooner", T0, 99);
    CALL(SSL_CTX_flush_sessions(ctx, 0));
    CALL(SSL_SESSION_free(again));

    section("removed and added again it goes behind its equals");
    SSL_SESSION *mover = session_new("mover", TLS1_2_VERSION, T0, 100);
    TRACE(SSL_CTX_add_session(ctx, mover));
    add_new(ctx, "x", T0, 100);
    add_new(ctx, "y", T0, 100);
    TRACE(SSL_CTX_remove_session(ctx, mover));
    TRACE(SSL_CTX_add_session(ctx, mover));
    CALL(SSL_CTX_flush_sessions(ctx, 0));
    CALL(SSL_SESSION_free(mover));

    section("a replacement goes behind the equals of the one it replaces");
    SSL_SESSION *old = session_new("old", TLS1_2_VERSION, T0, 100);
    SSL_SESSION *twin = session_twin("twin", old);
    TRACE(SSL_CTX_add_session(ctx, old));
    add_new(ctx, "x", T0, 100);
    TRACE(SSL_CTX_add_session(ctx, twin));
    CALL(SSL_CTX_flush_sessions(ctx, 0));
    CALL(SSL_SESSION_free(old));
    CALL(SSL_SESSION_free(twin));
    CALL(SSL_CTX_free(ctx));
}

static void marked_but_not_counted(void)
{
    section("a flushed session is not resumable; neither timeouts nor cache_full count it");
    SSL_CTX *ctx = context_that_says_removed();
    SSL_SESSION *a = session_new("a", TLS1_2_VERSION, T0, 100);
    SSL_SESSION *b = session_new("b", TLS1_2_VERSION, T0, 200);

    TRACE(SSL_CTX_add_session(ctx, a));
    TRACE(SSL_CTX_add_session(ctx, b));
    CALL(SSL_CTX_flush_sessions(ctx, T0 + 101));
    TRACE(SSL_SESSION_is_resumable(a));
    TRACE(SSL_SESSION_is_resumable(b));
    TRACE(SSL_CTX_sess_timeouts(ctx));
    TRACE(SSL_CTX_sess_cache_full(ctx));
    TRACE(SSL_CTX_sess_number(ctx));

    section("and can be added again");
    TRACE(SSL_CTX_add_session(ctx, a));
    TRACE(SSL_SESSION_is_resumable(a));
    TRACE(SSL_CTX_sess_number(ctx));
    CALL(SSL_CTX_flush_sessions(ctx, 0));
    CALL(SSL_SESSION_free(a));
    CALL(SSL_SESSION_free(b));
    CALL(SSL_CTX_free(ctx));
}

static void absurd_moments(void)
{
    section("moments at the ends: -1 is before everything, LONG_MAX behind what expires");
    SSL_CTX *ctx = context_that_says_removed();

    add_new(ctx, "usual", T0, 100);
    add_new(ctx, "at the beginning of time", 0, 0);
    add_new(ctx, "never", T0, LONG_MAX);
    CALL(SSL_CTX_flush_sessions(ctx, -1));
    TRACE(SSL_CTX_sess_number(ctx));
    CALL(SSL_CTX_flush_sessions(ctx, LONG_MIN));
    TRACE(SSL_CTX_sess_number(ctx));
    CALL(SSL_CTX_flush_sessions(ctx, 1));
    TRACE(SSL_CTX_sess_number(ctx));
    CALL(SSL_CTX_flush_sessions(ctx, LONG_MAX));
    TRACE(SSL_CTX_sess_number(ctx));
    CALL(SSL_CTX_flush_sessions(ctx, 0));
    TRACE(SSL_CTX_sess_number(ctx));

    section("an empty cache");
    CALL(SSL_CTX_flush_sessions(ctx, 0));
    CALL(SSL_CTX_flush_sessions(ctx, T0));
    CALL(SSL_CTX_free(ctx));
}

static void at_the_end_of_a_context(void)
{
    section("the last SSL_CTX_free reports what is left, soonest first");
    SSL_CTX *ctx = context_that_says_removed();
    SSL_SESSION *kept = session_new("kept", TLS1_2_VERSION, T0, 100);

    add_new(ctx, "late", T0, LONG_MAX / 2);
    TRACE(SSL_CTX_add_session(ctx, kept));
    TRACE(SSL_CTX_up_ref(ctx));
    CALL(SSL_CTX_free(ctx));
    TRACE(SSL_CTX_sess_number(ctx));
    CALL(SSL_CTX_free(ctx));
    TRACE(SSL_SESSION_is_resumable(kept));
    CALL(SSL_SESSION_free(kept));
}

int main(void)
{
    the_boundary();
    soonest_first();
    equals_in_order_of_adding();
    marked_but_not_counted();
    absurd_moments();
    at_the_end_of_a_context();
    return 0;
}
