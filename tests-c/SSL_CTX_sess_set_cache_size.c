/* SSL_CTX_sess_set_cache_size(3), SSL_CTX_sess_get_cache_size, and which session a full cache gives up. */
#include "conformance.h"

static void sizes(void)
{
    section("the size: default, previous value, negative values");
    SSL_CTX *ctx = context_new();

    TRACE(SSL_CTX_sess_get_cache_size(ctx));
    TRACE(SSL_CTX_sess_set_cache_size(ctx, 10));
    TRACE(SSL_CTX_sess_get_cache_size(ctx));
    TRACE(SSL_CTX_sess_set_cache_size(ctx, -1));
    TRACE(SSL_CTX_sess_get_cache_size(ctx));
    TRACE(SSL_CTX_sess_set_cache_size(ctx, LONG_MIN));
    TRACE(SSL_CTX_sess_set_cache_size(ctx, 0));
    TRACE(SSL_CTX_sess_get_cache_size(ctx));
    TRACE(SSL_CTX_sess_set_cache_size(ctx, LONG_MAX));
    TRACE(SSL_CTX_sess_get_cache_size(ctx));
    TRACE(SSL_CTX_sess_set_cache_size(ctx, 1L << 40));
    TRACE(SSL_CTX_sess_get_cache_size(ctx));
    CALL(SSL_CTX_free(ctx));
}

static void add_numbered(SSL_CTX *ctx, int from, int to)
{
    char id[16];

    for (int i = from; i < to; i++) {
        SSL_SESSION *session = SSL_SESSION_new();

        snprintf(id, sizeof(id), "s%d", i);
        session_id(session, id);
        REQUIRE(SSL_SESSION_set_protocol_version(session, TLS1_2_VERSION) == 1);
        REQUIRE(SSL_SESSION_set_time(session, T0 + i) == T0 + i);
        REQUIRE(SSL_CTX_add_session(ctx, session) == 1);
        SSL_SESSION_free(session);
    }
}

static void how_many_fit(void)
{
    section("how many of 50 sessions a cache of each size holds, and how many it gave up");
    for (long size = 0; size <= 12; size++) {
        SSL_CTX *ctx = context_new();
        REQUIRE(SSL_CTX_sess_set_cache_size(ctx, size) == SSL_SESSION_CACHE_MAX_SIZE_DEFAULT);
        add_numbered(ctx, 0, 50);
        long number = SSL_CTX_sess_number(ctx);
        long full = SSL_CTX_sess_cache_full(ctx);
        printf("size %ld: number %ld, cache_full %ld\n", size, number, full);
        SSL_CTX_free(ctx);
    }
    SSL_CTX *ctx = context_new();
    add_numbered(ctx, 0, 20500);
    TRACE(SSL_CTX_sess_number(ctx));
    TRACE(SSL_CTX_sess_cache_full(ctx));
    SSL_CTX_free(ctx);
}

static void the_victim(void)
{
    section("the session that expires first is given up, not the oldest");
    SSL_CTX *ctx = context_that_says_removed();
    SSL_SESSION *late = session_new("late", TLS1_2_VERSION, T0, 500);
    SSL_SESSION *soon = session_new("soon", TLS1_2_VERSION, T0, 100);
    SSL_SESSION *middle = session_new("middle", TLS1_2_VERSION, T0, 300);
    SSL_SESSION *next = session_new("next", TLS1_2_VERSION, T0, 400);

    SSL_CTX_sess_set_cache_size(ctx, 4);
    TRACE(SSL_CTX_add_session(ctx, late));
    TRACE(SSL_CTX_add_session(ctx, soon));
    TRACE(SSL_CTX_add_session(ctx, middle));
    TRACE(SSL_CTX_add_session(ctx, next));
    TRACE(SSL_CTX_sess_number(ctx));
    TRACE(SSL_CTX_sess_cache_full(ctx));
    TRACE(SSL_SESSION_is_resumable(soon));
    TRACE(SSL_SESSION_is_resumable(middle));

    section("the newcomer stays even if it expires before all others");
    SSL_SESSION *first = session_new("first to expire", TLS1_2_VERSION, T0, 1);
    TRACE(SSL_CTX_add_session(ctx, first));
    TRACE(SSL_CTX_sess_number(ctx));
    TRACE(SSL_CTX_remove_session(ctx, first));
    CALL(SSL_SESSION_free(late));
    CALL(SSL_SESSION_free(soon));
    CALL(SSL_SESSION_free(middle));
    CALL(SSL_SESSION_free(next));
    CALL(SSL_SESSION_free(first));
    CALL(SSL_CTX_free(ctx));

    section("of equals the one added first is given up");
    ctx = context_that_says_removed();
    SSL_CTX_sess_set_cache_size(ctx, 4);
    add_new(ctx, "a", T0, 100);
    add_new(ctx, "b", T0, 100);
    add_new(ctx, "c", T0, 100);
    trace_begin("adding d");
    add_new(ctx, "d", T0, 100);
    trace_end("done");
    trace_begin("adding e");
    add_new(ctx, "e", T0, 100);
    trace_end("done");
    CALL(SSL_CTX_free(ctx));
}

static void size_one(void)
{
    section("a cache of one keeps the newcomer, in spite of the expiry");
    SSL_CTX *ctx = context_that_says_removed();
    SSL_SESSION *early = session_new("early", TLS1_2_VERSION, T0, 10);
    SSL_SESSION *late = session_new("late", TLS1_2_VERSION, T0, 1000);

    SSL_CTX_sess_set_cache_size(ctx, 1);
    TRACE(SSL_CTX_add_session(ctx, early));
    TRACE(SSL_CTX_add_session(ctx, late));
    TRACE(SSL_CTX_add_session(ctx, early));
    TRACE(SSL_CTX_sess_number(ctx));
    TRACE(SSL_CTX_sess_cache_full(ctx));
    TRACE(SSL_CTX_remove_session(ctx, late));
    TRACE(SSL_CTX_remove_session(ctx, early));
    CALL(SSL_SESSION_free(early));
    CALL(SSL_SESSION_free(late));
    CALL(SSL_CTX_free(ctx));
}

static void shrinking(void)
{
    section("a smaller size takes effect at the next add, all at once, soonest first");
    SSL_CTX *ctx = context_that_says_removed();
    SSL_SESSION *again = session_new("e", TLS1_2_VERSION, T0, 500);

    add_new(ctx, "d", T0, 400);
    add_new(ctx, "b", T0, 200);
    add_new(ctx, "a", T0, 100);
    add_new(ctx, "c", T0, 300);
    TRACE(SSL_CTX_add_session(ctx, again));
    TRACE(SSL_CTX_sess_set_cache_size(ctx, 3));
    TRACE(SSL_CTX_sess_number(ctx));

    section("not at an add that is refused");
    TRACE(SSL_CTX_add_session(ctx, again));
    TRACE(SSL_CTX_sess_number(ctx));
    SSL_SESSION *f = session_new("f", TLS1_2_VERSION, T0, 600);
    TRACE(SSL_CTX_add_session(ctx, f));
    TRACE(SSL_CTX_sess_number(ctx));
    TRACE(SSL_CTX_sess_cache_full(ctx));

    section("unlimited again");
    TRACE(SSL_CTX_sess_set_cache_size(ctx, 0));
    add_new(ctx, "g", T0, 700);
    add_new(ctx, "h", T0, 800);
    add_new(ctx, "i", T0, 900);
    TRACE(SSL_CTX_sess_number(ctx));
    TRACE(SSL_CTX_sess_cache_full(ctx));
    CALL(SSL_CTX_free(ctx));
    CALL(SSL_SESSION_free(again));
    CALL(SSL_SESSION_free(f));
}

static void a_replacement_in_a_full_cache(void)
{
    section("a replacement evicts from a full cache although the cache did not grow");
    SSL_CTX *ctx = context_that_says_removed();
    SSL_SESSION *b = session_new("b", TLS1_2_VERSION, T0, 200);
    SSL_SESSION *twin = session_twin("twin of b", b);

    add_new(ctx, "a", T0, 100);
    TRACE(SSL_CTX_add_session(ctx, b));
    add_new(ctx, "c", T0, 300);
    TRACE(SSL_CTX_sess_set_cache_size(ctx, 3));
    TRACE(SSL_CTX_add_session(ctx, twin));
    TRACE(SSL_CTX_sess_number(ctx));
    TRACE(SSL_CTX_sess_cache_full(ctx));
    CALL(SSL_SESSION_free(b));
    CALL(SSL_SESSION_free(twin));
    CALL(SSL_CTX_free(ctx));

    section("and does not when one more fits");
    ctx = context_that_says_removed();
    b = session_new("b", TLS1_2_VERSION, T0, 200);
    twin = session_twin("twin of b", b);
    add_new(ctx, "a", T0, 100);
    TRACE(SSL_CTX_add_session(ctx, b));
    TRACE(SSL_CTX_sess_set_cache_size(ctx, 3));
    TRACE(SSL_CTX_add_session(ctx, twin));
    TRACE(SSL_CTX_sess_number(ctx));
    TRACE(SSL_CTX_sess_cache_full(ctx));
    CALL(SSL_SESSION_free(b));
    CALL(SSL_SESSION_free(twin));
    CALL(SSL_CTX_free(ctx));
}

static void a_victim_that_is_still_held(void)
{
    section("a victim is marked, may return, and then pushes out another");
    SSL_CTX *ctx = context_that_says_removed();
    SSL_SESSION *a = session_new("a", TLS1_2_VERSION, T0, 100);

    SSL_CTX_sess_set_cache_size(ctx, 3);
    TRACE(SSL_CTX_add_session(ctx, a));
    add_new(ctx, "b", T0, 200);
    trace_begin("adding c");
    add_new(ctx, "c", T0, 300);
    trace_end("done");
    TRACE(SSL_SESSION_is_resumable(a));
    TRACE(SSL_CTX_add_session(ctx, a));
    TRACE(SSL_SESSION_is_resumable(a));
    TRACE(SSL_CTX_sess_number(ctx));
    CALL(SSL_SESSION_free(a));
    CALL(SSL_CTX_free(ctx));
}

static void a_timeout_changed_in_the_cache(void)
{
    section("a session whose timeout changes in the cache takes its new place among the victims");
    SSL_CTX *ctx = context_that_says_removed();
    SSL_SESSION *a = session_new("a", TLS1_2_VERSION, T0, 100);
    SSL_SESSION *b = session_new("b", TLS1_2_VERSION, T0, 200);
    SSL_SESSION *c = session_new("c", TLS1_2_VERSION, T0, 300);

    SSL_CTX_sess_set_cache_size(ctx, 4);
    TRACE(SSL_CTX_add_session(ctx, a));
    TRACE(SSL_CTX_add_session(ctx, b));
    TRACE(SSL_CTX_add_session(ctx, c));
    TRACE(SSL_SESSION_set_timeout(a, 1000));
    TRACE(SSL_SESSION_set_time(c, T0 - 200));
    trace_begin("adding d");
    add_new(ctx, "d", T0, 400);
    trace_end("done");
    trace_begin("adding e");
    add_new(ctx, "e", T0, 500);
    trace_end("done");
    CALL(SSL_SESSION_free(a));
    CALL(SSL_SESSION_free(b));
    CALL(SSL_SESSION_free(c));
    CALL(SSL_CTX_free(ctx));
}

int main(void)
{
    sizes();
    how_many_fit();
    the_victim();
    size_one();
    shrinking();
    a_replacement_in_a_full_cache();
    a_victim_that_is_still_held();
    a_timeout_changed_in_the_cache();
    return 0;
}
