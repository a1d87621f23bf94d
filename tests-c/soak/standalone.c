/*
 * standalone [--seconds N] [--threads N]
 *
 * The standalone standing from many threads at once: sessions and contexts shared by all are added,
 * removed, looked up, negotiated, flushed, resized, renamed, re-timed, made anew and freed, and remove
 * callbacks use the cache again. A session may be in several contexts. Afterwards every session and
 * every context that was made must have been freed, and every kind of thing must have happened.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/ssl.h>
#include <openssl/err.h>

#define CONTEXTS 3
#define SESSIONS 96
#define IDS 64 /* fewer ids than sessions: they meet */
#define ID_LENGTH 32

/* What the threads share. The lock guards the pointers; what they point to guards itself. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static SSL_CTX *contexts[CONTEXTS];
static SSL_SESSION *sessions[SESSIONS];

static atomic_int stop;
static int seconds = 10, threads = 4;

enum { SESSIONS_MADE, SESSIONS_FREED, CONTEXTS_MADE, CONTEXTS_FREED, ADDED, ADDED_AGAIN, REMOVED, NOT_THERE, FOUND,
       NOT_FOUND, ACCEPTED, NEGOTIATED, REMOVE_CALLS, NEW_CALLS, GET_CALLS, COUNTS };
static const char *const count_names[COUNTS] = {
    "sessions made", "sessions freed", "contexts made", "contexts freed", "added", "added again", "removed",
    "not there to remove", "found", "not found", "accepted", "negotiated", "remove_cb", "new_cb", "get_cb",
};
static atomic_long counts[COUNTS];

static void count(int what)
{
    atomic_fetch_add_explicit(&counts[what], 1, memory_order_relaxed);
}

/* argl says what is counted. */
static void counted(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int idx, long argl, void *argp)
{
    (void)parent, (void)ptr, (void)ad, (void)idx, (void)argp;
    count((int)argl);
}

static void uncounted(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int idx, long argl, void *argp)
{
    (void)parent, (void)ptr, (void)ad, (void)idx, (void)argp;
    count((int)argl + 1);
}

static unsigned int chance(unsigned int *seed, unsigned int n)
{
    return (unsigned int)rand_r(seed) % n;
}

/* ------------------------------------------------------------------ what is shared */

static SSL_SESSION *borrow_session(unsigned int place)
{
    SSL_SESSION *session;

    pthread_mutex_lock(&lock);
    session = sessions[place];
    SSL_SESSION_up_ref(session);
    pthread_mutex_unlock(&lock);
    return session;
}

static SSL_CTX *borrow_context(unsigned int place)
{
    SSL_CTX *ctx;

    pthread_mutex_lock(&lock);
    ctx = contexts[place];
    SSL_CTX_up_ref(ctx);
    pthread_mutex_unlock(&lock);
    return ctx;
}

static void put_session(unsigned int place, SSL_SESSION *session)
{
    SSL_SESSION *old;

    pthread_mutex_lock(&lock);
    old = sessions[place];
    sessions[place] = session;
    pthread_mutex_unlock(&lock);
    SSL_SESSION_free(old);
}

static void put_context(unsigned int place, SSL_CTX *ctx)
{
    SSL_CTX *old;

    pthread_mutex_lock(&lock);
    old = contexts[place];
    contexts[place] = ctx;
    pthread_mutex_unlock(&lock);
    SSL_CTX_free(old); /* if it is the last reference, with all that is cached */
}

/* ------------------------------------------------------------------ sessions and contexts */

static void make_id(unsigned char id[ID_LENGTH], unsigned int *seed)
{
    memset(id, 'i', ID_LENGTH);
    id[0] = id[ID_LENGTH - 1] = (unsigned char)chance(seed, IDS);
}

static void set_id(SSL_SESSION *session, unsigned int *seed)
{
    unsigned char id[ID_LENGTH];

    make_id(id, seed);
    SSL_SESSION_set1_id(session, id, ID_LENGTH);
}

static void set_time(SSL_SESSION *session, unsigned int *seed)
{
    if (chance(seed, 2))
        SSL_SESSION_set_timeout(session, 1 + (long)chance(seed, 1000));
    else
        SSL_SESSION_set_time(session, (long)time(NULL) - (long)chance(seed, 1000));
}

static SSL_SESSION *new_session(unsigned int *seed)
{
    SSL_SESSION *session = SSL_SESSION_new();
    unsigned char key[48];

    if (session == NULL)
        abort();
    memset(key, 'k', sizeof(key));
    SSL_SESSION_set1_master_key(session, key, sizeof(key));
    SSL_SESSION_set1_hostname(session, "soak.example");
    SSL_SESSION_set_protocol_version(session, TLS1_2_VERSION);
    set_id(session, seed);
    set_time(session, seed);
    return session;
}

/*
 * The callbacks use the cache again, as deep as two. Their choices come from the session's id and a
 * counter of the thread.
 */
static _Thread_local int depth;
static _Thread_local unsigned int turns;

static void on_remove(SSL_CTX *ctx, SSL_SESSION *session)
{
    SSL_SESSION *other;

    count(REMOVE_CALLS);
    if (depth == 2)
        return;
    depth++;
    switch (turns++ % 32) {
    case 0:
        SSL_CTX_add_session(ctx, session);
        break;
    case 1:
        other = borrow_session(turns % SESSIONS);
        SSL_CTX_remove_session(ctx, other);
        SSL_SESSION_free(other);
        break;
    case 2:
        SSL_CTX_flush_sessions(ctx, (long)time(NULL));
        break;
    case 3:
        SSL_SESSION_set_timeout(session, 1 + (long)(turns % 1000));
        break;
    case 4:
        SSL_CTX_sess_set_cache_size(ctx, (long)(turns % 50));
        break;
    }
    depth--;
}

static int on_new(SSL *ssl, SSL_SESSION *session)
{
    (void)ssl;
    count(NEW_CALLS);
    if (turns++ % 2)
        return 0;
    put_session(turns % SESSIONS, session); /* keeps the reference */
    return 1;
}

static SSL_SESSION *on_get(SSL *ssl, const unsigned char *id, int length, int *copy)
{
    (void)ssl, (void)id, (void)length;
    count(GET_CALLS);
    if (turns++ % 2)
        return NULL;
    *copy = 0;
    return borrow_session(turns % SESSIONS);
}

static SSL_CTX *new_context(unsigned int *seed)
{
    static const unsigned int modes[] = {
        SSL_SESS_CACHE_SERVER, SSL_SESS_CACHE_BOTH, SSL_SESS_CACHE_BOTH | SSL_SESS_CACHE_UPDATE_TIME,
        SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_AUTO_CLEAR,
    };
    SSL_CTX *ctx = SSL_CTX_new(TLSv1_2_server_method());

    if (ctx == NULL)
        abort();
    SSL_CTX_set_session_cache_mode(ctx, modes[chance(seed, 4)]);
    SSL_CTX_sess_set_cache_size(ctx, 4 + (long)chance(seed, 64));
    if (chance(seed, 4))
        SSL_CTX_sess_set_remove_cb(ctx, on_remove);
    if (chance(seed, 2))
        SSL_CTX_sess_set_new_cb(ctx, on_new);
    if (chance(seed, 2))
        SSL_CTX_sess_set_get_cb(ctx, on_get);
    return ctx;
}

/* ------------------------------------------------------------------ what the threads do */

/* What a server's handshake does: look the id up, and if it is not there, negotiate a session. */
static void shake_hands(SSL_CTX *ctx, SSL_SESSION *session, unsigned int *seed)
{
    unsigned char id[ID_LENGTH];
    SSL *ssl = SSL_new(ctx);
    SSL_SESSION *found;

    if (ssl == NULL)
        abort();
    make_id(id, seed);
    SSL_has_matching_session_id(ssl, id, ID_LENGTH);
    found = SSLCACHE_accept_session(ssl, id, ID_LENGTH);
    if (found != NULL)
        count(ACCEPTED);
    else if (SSLCACHE_negotiated(ssl, session))
        count(NEGOTIATED);
    SSL_SESSION_free(found);
    SSL_free(ssl);
}

static void one_of_the_rare(SSL_CTX *ctx, SSL_SESSION *session, unsigned int *seed)
{
    struct SSLCACHE_STATS statistics;
    unsigned char *der = NULL;
    const unsigned char *at;
    int length;

    switch (chance(seed, 10)) {
    case 0:
        SSL_CTX_flush_sessions(ctx, 0);
        break;
    case 1:
        SSL_CTX_flush_sessions(ctx, (long)time(NULL));
        break;
    case 2:
        SSL_CTX_sess_set_cache_size(ctx, (long)chance(seed, 80));
        break;
    case 3:
        put_context(chance(seed, CONTEXTS), new_context(seed));
        break;
    case 4:
        SSL_CTX_free(new_context(seed));
        break;
    case 5:
        set_id(session, seed); /* it may be cached under its old one */
        break;
    case 6:
        put_session(chance(seed, SESSIONS), SSL_SESSION_dup(session));
        break;
    case 7:
        length = i2d_SSL_SESSION(session, &der);
        at = der;
        if (length > 0)
            SSL_SESSION_free(d2i_SSL_SESSION(NULL, &at, length));
        OPENSSL_free(der);
        break;
    case 8:
        SSLCACHE_stats(ctx, &statistics, sizeof(statistics));
        SSL_CTX_sess_number(ctx);
        SSL_CTX_sess_cache_full(ctx);
        break;
    case 9:
        SSL_CTX_set_session_cache_mode(ctx, SSL_CTX_get_session_cache_mode(ctx) ^ SSL_SESS_CACHE_UPDATE_TIME);
        break;
    }
}

static void one_thing(unsigned int *seed)
{
    SSL_CTX *ctx = borrow_context(chance(seed, CONTEXTS));
    SSL_SESSION *session = borrow_session(chance(seed, SESSIONS)), *found;
    unsigned char id[ID_LENGTH];

    switch (chance(seed, 16)) {
    case 0: case 1: case 2: case 3:
        count(SSL_CTX_add_session(ctx, session) ? ADDED : ADDED_AGAIN);
        break;
    case 4: case 5:
        count(SSL_CTX_remove_session(ctx, session) ? REMOVED : NOT_THERE);
        break;
    case 6: case 7: case 8:
        make_id(id, seed);
        found = SSLCACHE_get1_session(ctx, TLS1_2_VERSION, id, ID_LENGTH);
        count(found != NULL ? FOUND : NOT_FOUND);
        SSL_SESSION_is_resumable(found);
        SSL_SESSION_free(found);
        break;
    case 9: case 10:
        shake_hands(ctx, session, seed);
        break;
    case 11: case 12:
        set_time(session, seed);
        break;
    case 13: case 14:
        put_session(chance(seed, SESSIONS), new_session(seed));
        break;
    default:
        one_of_the_rare(ctx, session, seed);
    }
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
}

static void *work(void *number)
{
    unsigned int seed = 1 + (unsigned int)(size_t)number;

    turns = seed;
    while (!atomic_load(&stop))
        one_thing(&seed);
    ERR_clear_error();
    return NULL;
}

static void free_everything(void)
{
    int i;

    for (i = 0; i < CONTEXTS; i++) {
        SSL_CTX_sess_set_remove_cb(contexts[i], NULL); /* it borrows sessions */
        SSL_CTX_flush_sessions(contexts[i], 0);
        if (SSL_CTX_sess_number(contexts[i]) != 0) {
            printf("FAIL: %ld sessions in an empty cache\n", SSL_CTX_sess_number(contexts[i]));
            exit(1);
        }
        SSL_CTX_free(contexts[i]);
    }
    for (i = 0; i < SESSIONS; i++)
        SSL_SESSION_free(sessions[i]);
}

static int verdict(void)
{
    int i, bad = 0;

    for (i = 0; i < COUNTS; i++) {
        printf("%s%s %ld", i ? ", " : "", count_names[i], (long)counts[i]);
        bad |= counts[i] == 0;
    }
    printf("\n");
    if (bad) {
        printf("FAIL: something never happened\n");
        return 1;
    }
    if (counts[SESSIONS_MADE] != counts[SESSIONS_FREED] || counts[CONTEXTS_MADE] != counts[CONTEXTS_FREED]) {
        printf("FAIL: something was never freed\n");
        return 1;
    }
    printf("ok\n");
    return 0;
}

int main(int argc, char **argv)
{
    pthread_t workers[64];
    unsigned int seed = 7;
    int i;

    for (i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--seconds") == 0 && i + 1 < argc) {
            seconds = atoi(argv[++i]);
        } else if (strcmp(argv[i], "--threads") == 0 && i + 1 < argc) {
            threads = atoi(argv[++i]);
        } else {
            fprintf(stderr, "usage: standalone [--seconds N] [--threads N]\n");
            return 2;
        }
    }
    if (threads < 1 || threads > 64 || seconds < 1)
        return 2;
    alarm((unsigned int)seconds * 2 + 60); /* a deadlock must not last */
    SSL_SESSION_get_ex_new_index(SESSIONS_MADE, NULL, counted, NULL, uncounted);
    SSL_CTX_get_ex_new_index(CONTEXTS_MADE, NULL, counted, NULL, uncounted);
    for (i = 0; i < CONTEXTS; i++)
        contexts[i] = new_context(&seed);
    for (i = 0; i < SESSIONS; i++)
        sessions[i] = new_session(&seed);
    for (i = 0; i < threads; i++)
        pthread_create(&workers[i], NULL, work, (void *)(size_t)i);
    sleep((unsigned int)seconds);
    atomic_store(&stop, 1);
    for (i = 0; i < threads; i++)
        pthread_join(workers[i], NULL);
    free_everything();
    return verdict();
}
