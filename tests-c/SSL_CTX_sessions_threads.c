/*
 * SSL_CTX_sessions(3) with threads: several walk over the table of a quiet cache, and it follows a cache that several
 * change.
 */
#include "conformance.h"

#include <openssl/lhash.h>
#include <pthread.h>

enum { THREADS = 4, SESSIONS = 1000, WALKS = 50, CHANGES = 2000 };

static SSL_CTX *ctx;
static long seen;
static int over;

static SSL_SESSION *session_number(int thread, int number)
{
    SSL_SESSION *session = SSL_SESSION_new();
    char id[32];

    REQUIRE(session != NULL);
    snprintf(id, sizeof(id), "%d of %d", number, thread);
    session_id(session, id);
    REQUIRE(SSL_SESSION_set_protocol_version(session, TLS1_2_VERSION) == 1);
    REQUIRE(SSL_SESSION_set_time(session, T0 + number % 7) == T0 + number % 7);
    return session;
}

static void add(int thread, int number)
{
    SSL_SESSION *session = session_number(thread, number);

    REQUIRE(SSL_CTX_add_session(ctx, session) == 1);
    SSL_SESSION_free(session);
}

static void look(void *session)
{
    if (SSL_SESSION_get_time(session) >= T0)
        __atomic_add_fetch(&seen, 1, __ATOMIC_RELAXED);
}

static void *walk(void *unused)
{
    (void)unused;
    for (int i = 0; i < WALKS; i++)
        OPENSSL_LH_doall((OPENSSL_LHASH *)SSL_CTX_sessions(ctx), look);
    return NULL;
}

/* Adds, replaces, removes, expels and flushes sessions of its own. */
static void *change(void *which)
{
    int thread = (int)(intptr_t)which;

    for (int i = 0; i < CHANGES; i++) {
        add(thread, i % 100);
        if (i % 3 == 0) {
            SSL_SESSION *session = session_number(thread, (i + 50) % 100);
            SSL_CTX_remove_session(ctx, session);
            SSL_SESSION_free(session);
        }
        if (i % 500 == 0)
            SSL_CTX_flush_sessions(ctx, T0 + 308);
    }
    return NULL;
}

/* The table is asked for while the others are at it. */
static void *ask(void *unused)
{
    (void)unused;
    while (!__atomic_load_n(&over, __ATOMIC_ACQUIRE)) {
        if (SSL_CTX_sess_number(ctx) > 0)
            REQUIRE(SSL_CTX_sessions(ctx) != NULL);
        sched_yield();
    }
    return NULL;
}

static void with_threads(void *(*run)(void *))
{
    pthread_t threads[THREADS], asking;

    over = 0;
    REQUIRE(pthread_create(&asking, NULL, ask, NULL) == 0);
    for (intptr_t i = 0; i < THREADS; i++)
        REQUIRE(pthread_create(&threads[i], NULL, run, (void *)i) == 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    __atomic_store_n(&over, 1, __ATOMIC_RELEASE);
    pthread_join(asking, NULL);
}

static void compare(void)
{
    OPENSSL_LHASH *table = (OPENSSL_LHASH *)SSL_CTX_sessions(ctx);

    seen = 0;
    OPENSSL_LH_doall(table, look);
    TRACE(seen == SSL_CTX_sess_number(ctx));
    TRACE(OPENSSL_LH_num_items(table) == (unsigned long)seen);
}

int main(void)
{
    section("nobody changes the cache");
    ctx = context_new();
    for (int i = 0; i < SESSIONS; i++)
        add(0, i);
    with_threads(walk);
    TRACE(seen);
    CALL(SSL_CTX_free(ctx));

    for (int round = 0; round < 3; round++) {
        section("everybody changes the cache");
        ctx = context_new();
        SSL_CTX_sess_set_cache_size(ctx, round == 0 ? 0 : 150);
        with_threads(change);
        compare();
        CALL(SSL_CTX_flush_sessions(ctx, T0 + 306));
        compare();
        CALL(SSL_CTX_flush_sessions(ctx, 0));
        compare();
        CALL(SSL_CTX_free(ctx));
    }
    return 0;
}
