/* oracle: none: libssl loses the entry, keeps a pointer to the freed session and reads it again later */
/*
 * The id of a cached session changes. Under its new id it is not found, as with libssl; but the entry can
 * still be flushed and given up, and the session is freed once, with its last reference.
 */
#include "der.h"

#include <openssl/lhash.h>

static int shown;

static void count_shown(void *session)
{
    shown += SSL_SESSION_get_time(session) == T0;
}

static void by_set1_id(void)
{
    section("SSL_SESSION_set1_id");
    SSL_CTX *ctx = context_that_says_removed();
    SSL_SESSION *a = session_new("a", TLS1_2_VERSION, T0, 100);

    TRACE(SSL_CTX_add_session(ctx, a));
    session_id(a, "another id");
    TRACE(SSL_CTX_sess_number(ctx));
    TRACE(SSL_CTX_remove_session(ctx, a));
    TRACE(SSL_CTX_sess_number(ctx));
    CALL(SSL_CTX_flush_sessions(ctx, 0));
    TRACE(SSL_CTX_sess_number(ctx));
    CALL(SSL_SESSION_free(a));
    CALL(SSL_CTX_free(ctx));
}

static void by_version(void)
{
    section("SSL_SESSION_set_protocol_version");
    SSL_CTX *ctx = context_that_says_removed();
    SSL_SESSION *a = session_new("a", TLS1_2_VERSION, T0, 100);

    TRACE(SSL_CTX_add_session(ctx, a));
    TRACE(SSL_SESSION_set_protocol_version(a, TLS1_3_VERSION));
    TRACE(SSL_CTX_remove_session(ctx, a));
    TRACE(SSL_CTX_sess_number(ctx));
    CALL(SSL_SESSION_free(a));
    CALL(SSL_CTX_free(ctx));
}

static void by_decoding(void)
{
    section("d2i_SSL_SESSION into the cached session");
    SSL_CTX *ctx = context_that_says_removed();
    SSL_SESSION *a = session_new("a", TLS1_2_VERSION, T0, 100);
    unsigned char der[200];
    size_t length = sequence(TLS12_ID TIMES, der, sizeof(der));
    const unsigned char *next = der;

    TRACE(SSL_CTX_add_session(ctx, a));
    TRACE(d2i_SSL_SESSION(&a, &next, (long)length) == a);
    TRACE(SSL_CTX_remove_session(ctx, a));
    TRACE(SSL_CTX_sess_number(ctx));
    CALL(SSL_SESSION_free(a));
    CALL(SSL_CTX_free(ctx));
}

static void in_a_full_cache(void)
{
    section("a full cache gives it up and does not grow");
    SSL_CTX *ctx = context_that_says_removed();
    SSL_SESSION *a = session_new("a", TLS1_2_VERSION, T0, 1);

    SSL_CTX_sess_set_cache_size(ctx, 3);
    TRACE(SSL_CTX_add_session(ctx, a));
    session_id(a, "another id");
    CALL(SSL_SESSION_free(a));
    add_new(ctx, "b", T0, 100);
    trace_begin("adding c");
    add_new(ctx, "c", T0, 200);
    trace_end("done");
    trace_begin("adding d");
    add_new(ctx, "d", T0, 300);
    trace_end("done");
    TRACE(SSL_CTX_sess_number(ctx));
    CALL(SSL_CTX_free(ctx));
}

/* Whether the old entry stays beside the new one is open; what counts is that both go. */
static void added_again_under_the_new_id(void)
{
    section("added again under its new id");
    SSL_CTX *ctx = context_new();
    SSL_SESSION *a = session_new("a", TLS1_2_VERSION, T0, 100);

    TRACE(SSL_CTX_add_session(ctx, a));
    session_id(a, "another id");
    TRACE(SSL_CTX_add_session(ctx, a));
    TRACE(SSL_CTX_remove_session(ctx, a));
    CALL(SSL_CTX_flush_sessions(ctx, 0));
    TRACE(SSL_CTX_sess_number(ctx));
    CALL(SSL_SESSION_free(a));
    CALL(SSL_CTX_free(ctx));
}

/* In the table that SSL_CTX_sessions shows it stays as long as in the cache, whatever its id. */
static void in_the_table(void)
{
    section("the table shows it until it leaves");
    SSL_CTX *ctx = context_that_says_removed();
    SSL_SESSION *a = session_new("a", TLS1_2_VERSION, T0, 100), *twin = session_twin("twin of a", a);
    OPENSSL_LHASH *table = (OPENSSL_LHASH *)SSL_CTX_sessions(ctx);

    TRACE(SSL_CTX_add_session(ctx, a));
    session_id(a, "another id");
    TRACE(OPENSSL_LH_num_items(table));
    CALL(SSL_CTX_flush_sessions(ctx, 0));
    TRACE(OPENSSL_LH_num_items(table));
    TRACE(SSL_CTX_add_session(ctx, a));
    session_id(a, "a third id");
    TRACE(SSL_CTX_add_session(ctx, a));
    session_id(a, "a");
    TRACE(SSL_CTX_add_session(ctx, twin));
    CALL(SSL_SESSION_free(a));
    OPENSSL_LH_doall(table, count_shown);
    TRACE(shown);
    CALL(SSL_CTX_flush_sessions(ctx, T0 + 101));
    TRACE(OPENSSL_LH_num_items(table));
    CALL(SSL_SESSION_free(twin));
    CALL(SSL_CTX_free(ctx));
}

int main(void)
{
    by_set1_id();
    by_version();
    by_decoding();
    in_a_full_cache();
    added_again_under_the_new_id();
    in_the_table();
    return 0;
}
