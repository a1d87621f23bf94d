/* SSL_CTX_sessions(3): what libcrypto's OPENSSL_LH functions see of a context's sessions, and keep seeing. */
#include "conformance.h"

#include <openssl/lhash.h>

static const char *seen[64];
static size_t seen_count;

static void note(void *session)
{
    REQUIRE(seen_count < sizeof(seen) / sizeof(seen[0]));
    seen[seen_count++] = name_of(session);
}

/* The order of a hash table is nobody's business: sorted, with as many of them as the table counts. */
static void show(OPENSSL_LHASH *table)
{
    seen_count = 0;
    OPENSSL_LH_doall(table, note);
    qsort(seen, seen_count, sizeof(seen[0]), compare_names);
    printf("    %lu:", OPENSSL_LH_num_items(table));
    for (size_t i = 0; i < seen_count; i++)
        printf(" %s", seen[i]);
    putchar('\n');
}

static OPENSSL_LHASH *table_of(SSL_CTX *ctx)
{
    OPENSSL_LHASH *table = (OPENSSL_LHASH *)SSL_CTX_sessions(ctx);

    REQUIRE(table != NULL);
    return table;
}

static void asked_again(void)
{
    section("asked again after each change");
    SSL_CTX *ctx = context_new();
    SSL_SESSION *a = session_new("a", TLS1_2_VERSION, T0, 100);

    show(table_of(ctx));
    TRACE(SSL_CTX_add_session(ctx, a));
    show(table_of(ctx));
    add_new(ctx, "b", T0, 200);
    add_new(ctx, "c", T0, 300);
    show(table_of(ctx));
    TRACE(SSL_CTX_remove_session(ctx, a));
    show(table_of(ctx));
    CALL(SSL_CTX_flush_sessions(ctx, 0));
    show(table_of(ctx));

    section("each context has its own");
    SSL_CTX *other = context_new();
    TRACE(SSL_CTX_sessions(ctx) == SSL_CTX_sessions(other));
    add_new(ctx, "b", T0, 200);
    show(table_of(ctx));
    show(table_of(other));
    CALL(SSL_SESSION_free(a));
    CALL(SSL_CTX_free(ctx));
    CALL(SSL_CTX_free(other));
}

/* Asked for once, with sessions in it and without. */
static void kept(int filled)
{
    section(filled ? "kept, from a cache with sessions" : "kept, from an empty cache");
    SSL_CTX *ctx = context_that_says_removed();
    SSL_SESSION *a = session_new("a", TLS1_2_VERSION, T0, 100);
    SSL_SESSION *twin = session_twin("twin of a", a);

    if (filled)
        TRACE(SSL_CTX_add_session(ctx, a));
    OPENSSL_LHASH *table = table_of(ctx);
    show(table);
    TRACE(SSL_CTX_add_session(ctx, a));
    TRACE(SSL_CTX_add_session(ctx, a));
    show(table);
    add_new(ctx, "b", T0, 200);
    add_new(ctx, "c", T0, 300);
    show(table);
    TRACE(SSL_CTX_sessions(ctx) == (void *)table);

    section("another object with the same key takes the place");
    TRACE(SSL_CTX_add_session(ctx, twin));
    show(table);
    TRACE(SSL_CTX_add_session(ctx, a));
    show(table);

    section("removed, by the object and by another one with its key");
    TRACE(SSL_CTX_remove_session(ctx, a));
    show(table);
    TRACE(SSL_CTX_add_session(ctx, a));
    TRACE(SSL_CTX_remove_session(ctx, twin));
    show(table);
    TRACE(SSL_CTX_remove_session(ctx, twin));
    show(table);

    section("a change of its time leaves it there");
    TRACE(SSL_CTX_add_session(ctx, a));
    TRACE(SSL_SESSION_set_timeout(a, 1000));
    show(table);

    section("flushed");
    CALL(SSL_CTX_flush_sessions(ctx, T0 + 250));
    show(table);
    CALL(SSL_CTX_flush_sessions(ctx, 0));
    show(table);
    add_new(ctx, "d", T0, 100);
    show(table);
    CALL(SSL_SESSION_free(a));
    CALL(SSL_SESSION_free(twin));
    CALL(SSL_CTX_free(ctx));
}

static void many(void)
{
    section("many, with ids that begin alike");
    SSL_CTX *ctx = context_new();
    OPENSSL_LHASH *table = table_of(ctx);
    char id[32] = "these bytes they have in common";
    unsigned long most = 0;

    for (int i = 0; i < 3000; i++) {
        SSL_SESSION *session = SSL_SESSION_new();
        snprintf(id + 20, sizeof(id) - 20, "%d", i);
        session_id(session, id);
        REQUIRE(SSL_SESSION_set_protocol_version(session, TLS1_2_VERSION) == 1);
        REQUIRE(SSL_SESSION_set_time(session, T0 + i) == T0 + i);
        REQUIRE(SSL_CTX_add_session(ctx, session) == 1);
        if (i % 3 == 0)
            REQUIRE(SSL_CTX_remove_session(ctx, session) == 1);
        SSL_SESSION_free(session);
        if (OPENSSL_LH_num_items(table) > most)
            most = OPENSSL_LH_num_items(table);
    }
    TRACE(most);
    TRACE(OPENSSL_LH_num_items(table));
    CALL(SSL_CTX_flush_sessions(ctx, T0 + 1500));
    TRACE(OPENSSL_LH_num_items(table) == (unsigned long)SSL_CTX_sess_number(ctx));
    CALL(SSL_CTX_free(ctx));
}

/* A session of the program's own finds the one that is cached. */
static void retrieved(void)
{
    section("looked up");
    SSL_CTX *ctx = context_new();
    SSL_SESSION *a = session_new("a", TLS1_2_VERSION, T0, 100);
    SSL_SESSION *twin = session_twin("twin of a", a), *other = session_new("a", TLS1_3_VERSION, T0, 100);
    OPENSSL_LHASH *table = table_of(ctx);

    TRACE(OPENSSL_LH_retrieve(table, twin) == NULL);
    add_new(ctx, "b", T0, 200);
    TRACE(SSL_CTX_add_session(ctx, a));
    TRACE(OPENSSL_LH_retrieve(table, twin) == a);
    TRACE(OPENSSL_LH_retrieve(table, a) == a);
    TRACE(OPENSSL_LH_retrieve(table, other) == NULL);
    TRACE(SSL_CTX_remove_session(ctx, a));
    TRACE(OPENSSL_LH_retrieve(table, twin) == NULL);
    CALL(SSL_CTX_free(ctx));
    CALL(SSL_SESSION_free(a));
    CALL(SSL_SESSION_free(twin));
    CALL(SSL_SESSION_free(other));
}

static SSL_CTX *walked;

static void ask_inside(void *session)
{
    note(session);
    REQUIRE((OPENSSL_LHASH *)SSL_CTX_sessions(walked) != NULL);
    seen_count--;
    note(session);
}

static void count_inside(void *session, void *count)
{
    (void)session;
    ++*(int *)count;
}

/* The one that the walk is at may leave, if the table does not shrink meanwhile: OPENSSL_LH_doall(3). */
static void remove_inside(void *session)
{
    if (strcmp(name_of(session), "b") == 0)
        REQUIRE(SSL_CTX_remove_session(walked, session) == 1);
}

static void used_inside_the_walk(void)
{
    section("used inside the walk over it");
    int counted = 0;
    OPENSSL_LHASH *table;

    walked = context_that_says_removed();
    add_new(walked, "a", T0, 100);
    add_new(walked, "b", T0, 200);
    add_new(walked, "c", T0, 300);
    table = table_of(walked);
    seen_count = 0;
    OPENSSL_LH_doall(table, ask_inside);
    TRACE(seen_count);
    OPENSSL_LH_doall_arg(table, count_inside, &counted);
    TRACE(counted);
    unsigned long down_load = OPENSSL_LH_get_down_load(table);
    OPENSSL_LH_set_down_load(table, 0);
    CALL(OPENSSL_LH_doall(table, remove_inside));
    OPENSSL_LH_set_down_load(table, down_load);
    show(table);
    CALL(SSL_CTX_free(walked));
}

/* In a remove callback the session that it is about has left already. */
static void say_shown(SSL_CTX *ctx, SSL_SESSION *session)
{
    OPENSSL_LHASH *table = (OPENSSL_LHASH *)SSL_CTX_sessions(ctx);

    trace_removed("remove_cb %s, shown %d", name_of(session), OPENSSL_LH_retrieve(table, session) != NULL);
}

static void left_in_callback(void)
{
    section("what is removed or flushed has left when the application hears of it");
    SSL_CTX *ctx = context_new();
    SSL_SESSION *a = session_new("a", TLS1_2_VERSION, T0, 100);
    OPENSSL_LHASH *table = table_of(ctx);

    SSL_CTX_sess_set_remove_cb(ctx, say_shown);
    TRACE(SSL_CTX_add_session(ctx, a));
    TRACE(SSL_CTX_remove_session(ctx, a));
    CALL(SSL_SESSION_free(a));
    add_new(ctx, "b", T0, 200);
    add_new(ctx, "c", T0, 300);
    CALL(SSL_CTX_flush_sessions(ctx, T0 + 250));
    show(table);
    CALL(SSL_CTX_flush_sessions(ctx, 0));
    show(table);
    add_new(ctx, "d", T0, 100);
    CALL(SSL_CTX_free(ctx));
}

static OPENSSL_LHASH *kept_table;

static void say_freed(void *ctx, void *name, CRYPTO_EX_DATA *ad UNUSED, int index UNUSED, long argl UNUSED,
                      void *argp UNUSED)
{
    if (ctx != NULL && name != NULL)
        trace_inside("free function of %s, in the table %lu", (const char *)name, OPENSSL_LH_num_items(kept_table));
}

static void looked_at_last(void)
{
    section("looked at by an ex_data free function of its context");
    SSL_CTX *ctx = context_that_says_removed();
    int index = CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL_CTX, 0, NULL, NULL, NULL, say_freed);

    REQUIRE(SSL_CTX_set_ex_data(ctx, index, "first") == 1);
    kept_table = table_of(ctx);
    add_new(ctx, "a", T0, 100);
    CALL(SSL_CTX_free(ctx));
    ctx = context_that_says_removed();
    REQUIRE(SSL_CTX_set_ex_data(ctx, index, "second") == 1);
    kept_table = table_of(ctx);
    show(kept_table);
    add_new(ctx, "b", T0, 100);
    show(kept_table);
    CALL(SSL_CTX_free(ctx));
}

int main(void)
{
    asked_again();
    kept(0);
    kept(1);
    many();
    retrieved();
    used_inside_the_walk();
    left_in_callback();
    looked_at_last();
    return 0;
}
