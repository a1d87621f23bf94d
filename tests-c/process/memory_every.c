/*
 * memory_every only|from|each [FIRST LAST]
 * memory_every storm [FIRST LAST]
 *
 * A program that uses every function of the library, run again and again in processes of its own: with each of the
 * library's allocations failing alone (only), with it and all that follow (from), with each nth (each). None may end
 * badly; what a function says is so; and when there is memory again, the library works, and nothing was lost.
 * In a storm some of the allocations fail by chance, while several threads share contexts, and processes fork.
 *
 * Built for the library alone (ALONE), for it with libcrypto (ALONE, CRYPTO), and for it in front of libssl (CRYPTO).
 */
#ifdef ALONE
#include <openssl/ssl.h>
#else
#include "tls.h"
#endif
#ifdef CRYPTO
#include <openssl/bio.h>
#include <openssl/err.h>
#define HAS_LIBCRYPTO 1
#else
#define HAS_LIBCRYPTO 0
#endif
#include <sslcache.h>

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "memory.h"

/* What a run tells: how far it came, what it asked for, what it left behind. */
static struct run { volatile int line, wrong; long asked, failed, live; } *run;

#define HERE() (run->line = __LINE__)
#define CHECK(condition) \
    do { \
        HERE(); \
        if (!(condition)) { \
            run->wrong = 1; \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
            _exit(1); \
        } \
    } while (0)

#ifdef CRYPTO
/* Sessions that live. */
static atomic_int live_sessions;

static void session_made(void *session, void *data, CRYPTO_EX_DATA *ad, int index, long argl, void *argp)
{
    (void)session, (void)data, (void)ad, (void)index, (void)argl, (void)argp;
    live_sessions++;
}

static void session_freed(void *session, void *data, CRYPTO_EX_DATA *ad, int index, long argl, void *argp)
{
    (void)session, (void)data, (void)ad, (void)index, (void)argl, (void)argp;
    live_sessions--;
}
#endif

/* ------------------------------------------------------------------ callbacks */

static SSL_SESSION *external;

static int new_cb(SSL *ssl, SSL_SESSION *session) { (void)ssl, (void)session; return 0; }
static void remove_cb(SSL_CTX *ctx, SSL_SESSION *session) { (void)ctx, (void)session; }

static SSL_SESSION *get_cb(SSL *ssl, const unsigned char *id, int length, int *copy)
{
    (void)ssl, (void)id, (void)length;
    *copy = 1;
    return external;
}

/* No id twice: threads call this, the sessions of the storm are many, and processes may share them. */
static int generate(SSL *ssl, unsigned char *id, unsigned int *length)
{
    static atomic_int next;
    int numbers[] = {++next, getpid()};
    (void)ssl;
    memset(id, 0xff, *length);
    memcpy(id, numbers, sizeof numbers);
    return 1;
}

/* ------------------------------------------------------------------ sessions */

static SSL_SESSION *a_session(int number)
{
    unsigned char id[32] = {0};
    SSL_SESSION *session = SSL_SESSION_new();
    memcpy(id, &number, sizeof number);
    if (session) {
        CHECK(SSL_SESSION_set1_id(session, id, sizeof id) == 1);
        CHECK(SSL_SESSION_set_protocol_version(session, TLS1_2_VERSION) == 1);
    }
    return session;
}

static void methods(void)
{
    const SSL_METHOD *all[] = {
        TLS_method(), TLS_server_method(), TLS_client_method(), TLSv1_2_method(), TLSv1_2_server_method(),
        TLSv1_2_client_method(), TLSv1_1_method(), TLSv1_1_server_method(), TLSv1_1_client_method(), TLSv1_method(),
        TLSv1_server_method(), TLSv1_client_method(), DTLS_method(), DTLS_server_method(), DTLS_client_method(),
        DTLSv1_2_method(), DTLSv1_2_server_method(), DTLSv1_2_client_method(), DTLSv1_method(), DTLSv1_server_method(),
        DTLSv1_client_method(),
    };
    CHECK(OPENSSL_init_ssl(0, NULL) == 1);
#if OPENSSL_VERSION_NUMBER < 0x40000000L /* which has no methods for a single version */
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        CHECK(all[i]);
#else
    CHECK(all[0] && all[1] && all[2] && all[12] && all[13] && all[14]);
#endif
    CHECK(SSLCACHE_version());
}

/* Sets all that a session keeps in memory of its own. */
static void fill(SSL_SESSION *session, const SSL_CIPHER *cipher)
{
    unsigned char key[48] = {7}, out[48];
    const char *name = "name.example";
    const unsigned char *alpn;
    void *data;
    size_t length;
    CHECK(SSL_SESSION_set_cipher(session, cipher) == 1);
    int done = SSL_SESSION_set1_hostname(session, name);
    const char *now = SSL_SESSION_get0_hostname(session);
    CHECK(done ? now && !strcmp(now, name) : !now);
    done = SSL_SESSION_set1_alpn_selected(session, (const unsigned char *)"\2h2", 3);
    SSL_SESSION_get0_alpn_selected(session, &alpn, &length);
    CHECK(done ? length == 3 && !memcmp(alpn, "\2h2", 3) : length == 0 && !alpn);
    done = SSL_SESSION_set1_ticket_appdata(session, "data", 4);
    CHECK(SSL_SESSION_get0_ticket_appdata(session, &data, &length) == 1);
    CHECK(done ? length == 4 && !memcmp(data, "data", 4) : length == 0 && !data);
    done = SSL_SESSION_set1_master_key(session, key, sizeof key);
    length = SSL_SESSION_get_master_key(session, out, sizeof out);
    CHECK(done ? length == sizeof key && !memcmp(out, key, sizeof key) : length == 0);
    done = SSL_SESSION_set_ex_data(session, 0, session);
    CHECK(SSL_SESSION_get_ex_data(session, 0) == (done ? session : NULL));
    CHECK(SSL_SESSION_set1_id_context(session, (const unsigned char *)"test", 4) == 1);
    CHECK(SSL_SESSION_set_max_early_data(session, 9) == 1);
}

static void look(const SSL_SESSION *session)
{
    unsigned int length;
    size_t size;
    const unsigned char *ticket;
    CHECK(SSL_SESSION_get_id(session, &length) && length == 32);
    CHECK(SSL_SESSION_get0_id_context(session, &length));
    CHECK(SSL_SESSION_get_protocol_version(session) == TLS1_2_VERSION);
    CHECK(SSL_SESSION_get0_cipher(session));
    CHECK(!SSL_SESSION_get0_peer((SSL_SESSION *)session) && !SSL_SESSION_get0_peer_rpk((SSL_SESSION *)session));
    CHECK(SSL_SESSION_get_time(session) > 0 && SSL_SESSION_get_time_ex(session) > 0);
    CHECK(SSL_SESSION_get_timeout(session) > 0);
    CHECK(SSL_SESSION_is_resumable(session) == 1);
    CHECK(!SSL_SESSION_has_ticket(session) && !SSL_SESSION_get_ticket_lifetime_hint(session));
    SSL_SESSION_get0_ticket(session, &ticket, &size);
    CHECK(!SSL_SESSION_get_compress_id(session) && !SSL_SESSION_get_max_fragment_length(session));
    CHECK(SSL_SESSION_get_max_early_data(session) == 9);
}

/* As bytes and as text, and back. */
static void write_and_read(SSL_SESSION *session, FILE *file)
{
    unsigned char buffer[2000], *to = buffer, *made = NULL;
    int length = i2d_SSL_SESSION(session, &to);
    CHECK(length == -1 || length == to - buffer);
    int again = i2d_SSL_SESSION(session, &made);
    CHECK(again == -1 ? !made : length == -1 || (again == length && !memcmp(made, buffer, length)));
    if (length > 0) {
        const unsigned char *from = buffer;
        SSL_SESSION *read = d2i_SSL_SESSION(NULL, &from, length);
        CHECK(read ? from == buffer + length : from == buffer);
        from = buffer;
        SSL_SESSION *kept = read, *into = d2i_SSL_SESSION_ex(&read, &from, length, NULL, NULL);
        CHECK(!into || into == read);
        SSL_SESSION_free(into ? into : kept);
    }
#ifdef CRYPTO
    OPENSSL_free(made);
    BIO *bio = BIO_new(BIO_s_mem());
    HERE();
    if (PEM_write_bio_SSL_SESSION(bio, session))
        SSL_SESSION_free(PEM_read_bio_SSL_SESSION(bio, NULL, NULL, NULL));
    HERE();
    SSL_SESSION_print(bio, session);
    SSL_SESSION_print_keylog(bio, session);
    BIO_free(bio);
#else
    free(made);
    CHECK(!PEM_write_bio_SSL_SESSION(NULL, session) && !PEM_read_bio_SSL_SESSION(NULL, NULL, NULL, NULL));
    CHECK(!SSL_SESSION_print(NULL, session) && !SSL_SESSION_print_keylog(NULL, session));
#endif
    rewind(file);
    HERE();
    if (PEM_write_SSL_SESSION(file, session)) {
        rewind(file);
        SSL_SESSION_free(PEM_read_SSL_SESSION(file, NULL, NULL, NULL));
    }
    HERE();
    SSL_SESSION_print_fp(file, session);
}

static void sessions(SSL *ssl, FILE *file)
{
    const SSL_CIPHER *cipher = SSL_CIPHER_find(ssl, (const unsigned char *)"\xC0\x2F");
    CHECK(cipher && SSL_CIPHER_get_name(cipher) && SSL_CIPHER_standard_name(cipher));
    CHECK(SSL_CIPHER_get_bits(cipher, NULL) == 128 && SSL_CIPHER_get_id(cipher) && SSL_CIPHER_get_version(cipher));
    CHECK(SSL_CIPHER_get_protocol_id(cipher) == 0xC02F);
    SSL_SESSION *session = a_session(1000);
    if (!session)
        return;
    fill(session, cipher);
    look(session);
    CHECK(SSL_SESSION_up_ref(session) == 1);
    SSL_SESSION_free(session);
    SSL_SESSION *copy = SSL_SESSION_dup(session);
    if (copy)
        look(copy);
    SSL_SESSION_free(copy);
    write_and_read(session, file);
    SSL_SESSION_free(session);
}

/* ------------------------------------------------------------------ contexts and their caches */

static SSL_CTX *a_context(void)
{
    HERE();
#ifdef ALONE
    SSL_CTX *ctx = SSL_CTX_new(TLSv1_2_server_method());
#else
    SSL_CTX *ctx = tls_server(TLS1_2_VERSION);
    CHECK(ctx);
#endif
    if (!ctx)
        return NULL;
    SSL_CTX_sess_set_new_cb(ctx, new_cb);
    SSL_CTX_sess_set_remove_cb(ctx, remove_cb);
    SSL_CTX_sess_set_get_cb(ctx, get_cb);
    CHECK(SSL_CTX_sess_get_new_cb(ctx) == new_cb && SSL_CTX_sess_get_remove_cb(ctx) == remove_cb);
    CHECK(SSL_CTX_sess_get_get_cb(ctx) == get_cb);
    CHECK(SSL_CTX_set_generate_session_id(ctx, generate) == 1);
    CHECK(SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"test", 4) == 1);
    CHECK(SSL_CTX_set_timeout(ctx, 300) > 0 && SSL_CTX_get_timeout(ctx) == 300);
    int done = SSL_CTX_set_ex_data(ctx, 0, ctx);
    CHECK(SSL_CTX_get_ex_data(ctx, 0) == (done ? ctx : NULL));
    CHECK(SSL_CTX_up_ref(ctx) == 1);
    SSL_CTX_free(ctx);
    SSL_CTX_callback_ctrl(ctx, 0, NULL);
    CHECK(SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_BOTH) == SSL_SESS_CACHE_SERVER);
    CHECK(SSL_CTX_get_session_cache_mode(ctx) == SSL_SESS_CACHE_BOTH);
    return ctx;
}

#define SESSIONS 140
static SSL_SESSION *cached[SESSIONS];

/* libssl, which has the context where there is no memory for ours, links a session into one cache. */
static void add_to_another(SSL_CTX *other, SSL_SESSION *session)
{
#ifdef ALONE
    SSL_CTX_add_session(other, session);
#else
    session = SSL_SESSION_dup(session);
    if (session)
        SSL_CTX_add_session(other, session);
    SSL_SESSION_free(session);
#endif
}

/* A few sessions in two caches, and all that is done with them. */
static void caches(SSL_CTX *ctx, SSL_CTX *other)
{
    SSLCACHE_STATS stats;
    unsigned char id[32] = {0};
    long held = 0;
    time_t now = time(NULL);
    for (int i = 0; i < SESSIONS; i++) {
        cached[i] = a_session(i);
        if (cached[i])
            SSL_SESSION_set_timeout(cached[i], 100 + i * 31 % 50);
        if (ctx && cached[i])
            held += SSL_CTX_add_session(ctx, cached[i]);
        if (other && cached[i] && i % 10 == 0)
            add_to_another(other, cached[i]);
    }
    if (!ctx)
        return;
    CHECK(SSL_CTX_sess_number(ctx) == held);
    SSL_CTX_sessions(ctx);
    HERE();
    SSL_SESSION_free(SSLCACHE_get1_session(ctx, TLS1_2_VERSION, id, sizeof id));
    if (SSLCACHE_stats(ctx, &stats, sizeof stats))
        CHECK(stats.held == (uint64_t)held);
    for (int i = 1; i < SESSIONS; i += 20)
        if (cached[i])
            held -= SSL_CTX_remove_session(ctx, cached[i]);
    CHECK(SSL_CTX_sess_number(ctx) == held);
    /* What has another time now leaves when it says. */
    for (int i = 2; i < SESSIONS; i += 20)
        if (cached[i]) {
            CHECK(SSL_SESSION_set_time(cached[i], (long)now - 1000) == (long)now - 1000);
            CHECK(SSL_SESSION_set_time_ex(cached[i], now - 1000) == now - 1000);
            CHECK(SSL_SESSION_set_timeout(cached[i], 5) == 1);
        }
    SSL_CTX_flush_sessions(ctx, (long)now);
    /* (To move it takes memory; without, it stays where it was.) */
    for (int i = 2; i < SESSIONS; i += 20)
        CHECK(!cached[i] || SSL_CTX_remove_session(ctx, cached[i]) == 0 || memory_failed);
    SSL_CTX_flush_sessions_ex(ctx, now + 120);
    SSL_CTX_sess_set_cache_size(ctx, 9);
    CHECK(SSL_CTX_sess_get_cache_size(ctx) == 9);
    if (cached[3] && SSL_CTX_add_session(ctx, cached[3]))
        CHECK(SSL_CTX_sess_number(ctx) <= 9 && SSL_CTX_sess_number(ctx) >= 1);
    SSL_CTX_sess_set_cache_size(ctx, 0);
    SSL_CTX_sessions(ctx);
}

static void ends_well(pid_t child)
{
    int status = -1;
    if (waitpid(child, &status, 0) != child || status)
        fprintf(stderr, "a child: status %#x\n", (unsigned int)status);
    CHECK(status == 0);
}

/* A child has the cache that its parent had, and both go on. */
static void forks(SSL_CTX *ctx)
{
    HERE();
    long held = ctx ? SSL_CTX_sess_number(ctx) : 0;
    pid_t child = fork();
    CHECK(child >= 0);
    if (!child) {
        alarm(10);
        CHECK(!ctx || SSL_CTX_sess_number(ctx) == held);
        if (ctx)
            SSL_CTX_flush_sessions(ctx, 0);
        CHECK(!ctx || SSL_CTX_sess_number(ctx) == 0);
        _exit(0);
    }
    ends_well(child);
}

/* ------------------------------------------------------------------ connections */

static void connections(SSL_CTX *ctx, SSL_CTX *other)
{
    static const unsigned char id[32] = {1};
    if (!ctx || !other)
        return;
    HERE();
    SSL *ssl = SSL_new(ctx), *second = SSL_new(ctx);
    if (ssl && second) {
        CHECK(SSL_up_ref(ssl) == 1);
        SSL_free(ssl);
        CHECK(SSL_get_SSL_CTX(ssl) == ctx);
        CHECK(SSL_version(ssl) > 0 && SSL_is_server(ssl) >= 0 && SSL_get_default_timeout(ssl) > 0);
        CHECK(SSL_set_session_id_context(ssl, (const unsigned char *)"test", 4) == 1);
        CHECK(SSL_set_generate_session_id(ssl, generate) == 1);
        CHECK(SSL_has_matching_session_id(ssl, id, sizeof id) >= 0);
        int done = SSL_set_ex_data(ssl, 0, ssl);
        CHECK(SSL_get_ex_data(ssl, 0) == (done ? ssl : NULL));
        SSL_ctrl(ssl, 0, 0, NULL);
        SSL_set_accept_state(ssl);
        CHECK(SSL_session_reused(ssl) == 0);
        SSL_SESSION *session = a_session(2000);
        if (session) {
            HERE();
            SSL_SESSION_free(SSLCACHE_accept_session(ssl, id, sizeof id));
            SSLCACHE_negotiated(ssl, session);
#ifdef ALONE
            CHECK(SSL_set_session(ssl, session) == 1 && SSL_get_session(ssl) == session);
#else
            SSL_set_session(ssl, session);
            SSL_get_session(ssl);
#endif
            SSL_SESSION_free(SSL_get1_session(ssl));
            CHECK(SSL_copy_session_id(second, ssl) == 1);
            SSL_set_session(ssl, NULL);
            /* A server gives an id to a session that has none. */
            HERE();
            SSL_SESSION_set1_id(session, id, 0);
            SSLCACHE_negotiated(ssl, session);
        }
        SSL_SESSION_free(session);
        CHECK(SSL_set_SSL_CTX(ssl, other) == other);
        CHECK(SSL_get_SSL_CTX(ssl) == other);
        CHECK(SSL_accept(ssl) == -1);
    }
    SSL_free(ssl);
    SSL_free(second);
}

#ifndef ALONE
static int early_servername(SSL *ssl, int *alert, void *other)
{
    (void)alert;
    SSL_set_SSL_CTX(ssl, other);
    return SSL_TLSEXT_ERR_OK;
}

/* TLS 1.3 with early data: a session resumes once, which libssl's own cache decides. */
static void early_data(SSL_CTX *client)
{
    SSL_CTX *server = tls_server(TLS1_3_VERSION);
    CHECK(server);
    SSL_CTX_set_max_early_data(server, 100);
    SSL_CTX_set_recv_max_early_data(server, 100);
    SSL_SESSION *session = NULL;
    for (int i = 0; i < 2; i++) {
        CHECK(tls_visit(client, server, &session));
        CHECK(session);
    }
    SSL *c = SSL_new(client), *s = SSL_new(server);
    BIO *a, *b;
    size_t done;
    char buffer[10];
    BIO_new_bio_pair(&a, 0, &b, 0);
    SSL_set_bio(c, a, a);
    SSL_set_bio(s, b, b);
    SSL_set_connect_state(c);
    SSL_set_accept_state(s);
    SSL_set_session(c, session);
    CHECK(SSL_write_early_data(c, "early", 5, &done) == 1);
    for (int i = 0, early = 1; i < 20 && !(SSL_is_init_finished(c) && SSL_is_init_finished(s)); i++) {
        if (early)
            early = SSL_read_early_data(s, buffer, sizeof buffer, &done) != SSL_READ_EARLY_DATA_FINISH;
        else
            SSL_do_handshake(s);
        SSL_do_handshake(c);
    }
    CHECK(SSL_is_init_finished(c) && SSL_is_init_finished(s));
    SSL_free(c);
    SSL_free(s);
    SSL_SESSION_free(session);
    SSL_CTX_free(server);
}

/* Whatever cannot be cached, clients are served. */
static void handshakes(SSL_CTX *ctx, SSL_CTX *other)
{
    SSL_CTX *client = tls_client(0);
    CHECK(client);
    SSL_CTX_set_session_cache_mode(client, SSL_SESS_CACHE_CLIENT);
    SSL_SESSION *session = NULL;
    for (int i = 0; i < 3; i++)
        CHECK(tls_visit(client, ctx, &session));
    /* Out of the application's cache, on a connection that is moved to another context. */
    HERE();
    SSL_CTX_flush_sessions(ctx, 0);
    SSL_SESSION_free(session);
    session = NULL;
    CHECK(tls_visit(client, ctx, &session));
    CHECK(session);
    SSL_CTX_flush_sessions(ctx, 0);
    external = SSL_SESSION_dup(session);
    SSL_CTX_set_tlsext_servername_callback(ctx, early_servername);
    SSL_CTX_set_tlsext_servername_arg(ctx, other);
    CHECK(tls_visit(client, ctx, &session));
    SSL_SESSION_free(external);
    external = NULL;
    SSL_SESSION_free(session);
    early_data(client);
    SSL_CTX_free(client);
}
#endif

/* ------------------------------------------------------------------ one run */

static void life(FILE *file)
{
    methods();
    SSL_CTX *ctx = a_context(), *other = SSL_CTX_new_ex(NULL, NULL, TLS_server_method());
    HERE();
    SSL *ssl = ctx ? SSL_new(ctx) : NULL;
    if (ssl)
        sessions(ssl, file);
    SSL_free(ssl);
    caches(ctx, other);
    forks(ctx);
    connections(ctx, other);
#ifndef ALONE
    tls_serve(other, TLS1_2_VERSION);
    handshakes(ctx, other);
#endif
    HERE();
    if (ctx) {
        SSL_CTX_flush_sessions(ctx, 0);
        CHECK(SSL_CTX_sess_number(ctx) == 0);
    }
    SSL_CTX_free(ctx);
    HERE();
    SSL_CTX_free(other);
    HERE();
    for (int i = 0; i < SESSIONS; i++)
        SSL_SESSION_free(cached[i]);
    CHECK(!external);
}

/* There is memory again. */
static void works(void)
{
    SSL_CTX *ctx = a_context();
    CHECK(ctx);
    SSL_SESSION *kept[20];
    for (int i = 0; i < 20; i++) {
        kept[i] = a_session(i);
        CHECK(kept[i] && SSL_CTX_add_session(ctx, kept[i]) == 1);
    }
    CHECK(SSL_CTX_sess_number(ctx) == 20);
    for (int i = 0; i < 20; i++) {
        unsigned int length;
        const unsigned char *id = SSL_SESSION_get_id(kept[i], &length);
        SSL_SESSION *found = SSLCACHE_get1_session(ctx, TLS1_2_VERSION, id, length);
        CHECK(found == kept[i]);
        SSL_SESSION_free(found);
        CHECK(SSL_CTX_remove_session(ctx, kept[i]) == 1);
        SSL_SESSION_free(kept[i]);
    }
    CHECK(SSL_CTX_sess_number(ctx) == 0);
    SSL_CTX_free(ctx);
}

/* ------------------------------------------------------------------ a storm */

#define SHARED 64
static SSL_CTX *shared_contexts[2];
static SSL_SESSION *shared[SHARED];
static atomic_int over;

/* What a process does with contexts that it shares, or has from its parent. */
static void use(SSL_CTX *ctx, unsigned int *seed)
{
    unsigned int length, i = (unsigned int)rand_r(seed) % SHARED;
    const unsigned char *id = SSL_SESSION_get_id(shared[i], &length);
    SSL_SESSION_free(SSLCACHE_get1_session(ctx, TLS1_2_VERSION, id, length));
    SSL_CTX_add_session(ctx, shared[i]);
    SSL_SESSION_set_timeout(shared[i], 10 + (long)i);
    SSL_CTX_sess_number(ctx);
    if (i % 4 == 0)
        SSL_CTX_remove_session(ctx, shared[i]);
    if (i == 1)
        SSL_CTX_flush_sessions(ctx, (long)time(NULL) + 40);
    SSL_SESSION_free(SSL_SESSION_dup(shared[i]));
}

static void *user(void *number)
{
    unsigned int seed = (unsigned int)(uintptr_t)number;
#ifndef ALONE
    SSL_CTX *client = tls_client(0);
    SSL_SESSION *session = NULL;
#endif
    for (int turn = 0; !over; turn++) {
        use(shared_contexts[rand_r(&seed) % 2], &seed);
        if (turn % 8 == 0)
            SSL_CTX_free(a_context());
        SSL *ssl = SSL_new(shared_contexts[0]);
        if (ssl)
            SSLCACHE_negotiated(ssl, shared[0]);
        SSL_free(ssl);
#ifndef ALONE
        if (turn % 16 == 0)
            CHECK(tls_visit(client, shared_contexts[turn / 16 % 2], &session));
#endif
    }
#ifndef ALONE
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
#endif
    return NULL;
}

static void *forker(void *number)
{
    unsigned int seed = (unsigned int)(uintptr_t)number;
    for (; !over; usleep(1000)) {
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (!pid) {
            alarm(10);
            for (int i = 0; i < 20; i++)
                use(shared_contexts[i % 2], &seed);
            memory_runs_out(MEMORY_IS_THERE, 0);
            for (int i = 0; i < 20; i++)
                use(shared_contexts[i % 2], &seed);
            works();
            _exit(0);
        }
        ends_well(pid);
    }
    return NULL;
}

static void storm(void)
{
    pthread_t threads[5];
    /* Contexts of ours: in those of libssl several threads could not do all this. */
    for (int i = 0; i < 2; i++)
        shared_contexts[i] = a_context();
    for (int i = 0; i < SHARED; i++)
        shared[i] = a_session(i);
    memory_runs_out(ONE_OF_N, 4);
    /* The locks of a libcrypto or libssl may be held in a child for ever: there nobody forks. */
    for (uintptr_t i = 0; i < 5; i++)
        pthread_create(&threads[i], NULL, i < 3 || HAS_LIBCRYPTO ? user : forker, (void *)(i + (uintptr_t)getpid()));
    usleep(400000);
    over = 1;
    for (int i = 0; i < 5; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < 2; i++)
        SSL_CTX_free(shared_contexts[i]);
    for (int i = 0; i < SHARED; i++)
        SSL_SESSION_free(shared[i]);
}

/* ------------------------------------------------------------------ runs */

static void child(enum memory_mode mode, long n, int lives, FILE *file)
{
    alarm(20);
    for (; lives; lives--) {
        memory_runs_out(mode == ONE_OF_N ? MEMORY_IS_THERE : mode, n);
        if (mode == ONE_OF_N)
            storm();
        else
            life(file);
    }
    run->asked = memory_asked;
    run->failed = memory_failed;
    memory_runs_out(MEMORY_IS_THERE, 0);
    works();
#ifdef CRYPTO
    CHECK(live_sessions == 0);
#endif
    run->live = memory_live;
    HERE();
    exit(0);
}

/* One run in a process of its own, of a life or of several. Returns its status. */
static int in_a_process(enum memory_mode mode, long n, int lives)
{
    int status;
    FILE *file = tmpfile();
    memset(run, 0, sizeof *run);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        child(mode, n, lives, file);
    waitpid(pid, &status, 0);
    fclose(file);
    return status;
}

/* What is kept for the whole process depends on where memory lies: old tables of addresses, and what waits for another
   context at its address. What is lost in each life is more after several. */
#define LIVES 20

static int leaves_behind(enum memory_mode mode, long n, long live)
{
    if (run->live <= live)
        return 0;
    if (mode == ONE_OF_N)
        return run->live > live + LIVES;
    if (in_a_process(MEMORY_IS_THERE, 0, LIVES))
        return 1;
    live = run->live;
    return in_a_process(mode, n, LIVES) || run->live >= live + LIVES;
}

static int ended_badly(const char *how, enum memory_mode mode, long n, int status, long live)
{
    if (WIFSIGNALED(status))
        printf("%s %ld: %s, after line %d\n", how, n, strsignal(WTERMSIG(status)), run->line);
    else if (status)
        printf("%s %ld: %s, line %d\n", how, n, run->wrong ? "a wrong answer" : "an end of its own", run->line);
    else if (leaves_behind(mode, n, live))
        printf("%s %ld: %ld allocations are left behind\n", how, n, run->live);
    else
        return 0;
    return 1;
}

int main(int argc, char **argv)
{
    const char *how = argc > 1 ? argv[1] : "only";
    enum memory_mode mode = !strcmp(how, "each") ? EVERY_NTH : !strcmp(how, "from") ? FROM_THE_NTH
        : !strcmp(how, "storm") ? ONE_OF_N : ONLY_THE_NTH;
    run = mmap(NULL, sizeof *run, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    memory_of("libsslcache");
#ifdef CRYPTO
    CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL_SESSION, 0, NULL, session_made, NULL, session_freed);
#endif
#ifndef ALONE
    tls_prepare();
#endif
    /* Without a failure, to know what there is to fail. */
    int status = in_a_process(MEMORY_IS_THERE, 0, 1);
    long asked = run->asked, live = run->live, bad = 0, failed = 0, runs = 0;
    if (ended_badly("never", MEMORY_IS_THERE, 0, status, live))
        return 1;
    long first = argc > 3 ? atol(argv[2]) : mode == EVERY_NTH ? 2 : 1;
    long last = argc > 3 ? atol(argv[3]) : mode == EVERY_NTH ? 40 : mode == ONE_OF_N ? 6 : asked;
    for (long n = first; n <= last; n++) {
        status = in_a_process(mode, n, 1);
        failed += run->failed;
        bad += ended_badly(how, mode, n, status, live);
        runs++;
    }
    fprintf(stderr, "%s: %ld runs of %ld allocations, of which %ld failed\n", how, runs, asked, failed);
    printf("%ld of the runs ended badly%s\n", bad, failed < runs * 9 / 10 ? ", and few had a failure" : "");
    return bad > 0;
}
