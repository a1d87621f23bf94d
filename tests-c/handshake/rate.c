/*
 * Handshakes through one server context, in memory, both ends in one process: how many in a second,
 * and the processor time that each takes, which other programs on the machine do not change. A
 * benchmark runs it with and without the library, turn by turn.
 */
#include "harness.h"

#include <openssl/rand.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

static struct {
    int version, resume, threads, rounds, mixed;
    double seconds;
    long cached, size;
} wanted = {TLS1_2_VERSION, 0, 1, 1, 0, 2.0, 0, 0};

static const char usage[] =
    "usage: rate [--version tls12|tls13] [--resume] [--threads N] [--seconds S] [--rounds N]\n"
    "            [--cached N] [--timeouts equal|mixed] [--size N]\n"
    "  --resume     resumed handshakes (stateful; default: full ones)\n"
    "  --threads N  on the one server context (default 1)\n"
    "  --seconds S  for each round (default 2)\n"
    "  --rounds N   of these, each with its figures (default 1)\n"
    "  --cached N   sessions in the server's cache beforehand (default 0)\n"
    "  --timeouts   of these: all 7200, or spread over a day (default equal)\n"
    "  --size N     of the server's cache (default 0: unlimited, nothing is evicted)\n";

static SSL_CTX *server;
static atomic_int stop;
static pthread_barrier_t start_line;

static double now(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what)
{
    fprintf(stderr, "rate: %s: %s\n", what, take_error());
    exit(1);
}

static SSL_CTX *new_context(int is_server)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());

    if (ctx == NULL)
        die("SSL_CTX_new");
    SSL_CTX_set_min_proto_version(ctx, wanted.version);
    SSL_CTX_set_max_proto_version(ctx, wanted.version);
    if (!is_server) {
        SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
        return ctx;
    }
    SSL_CTX_use_certificate(ctx, certificate());
    SSL_CTX_use_PrivateKey(ctx, private_key());
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(ctx, 1);
    SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"rate", 4);
    SSL_CTX_sess_set_cache_size(ctx, wanted.size);
    return ctx;
}

/*
 * In the order of their expiry: libssl walks its list from the end that expires last, and would
 * spend hours on a large mixed cache in any other order.
 */
static void fill_cache(void)
{
    unsigned char id[32], key[48];
    long i;

    memset(key, 1, sizeof(key));
    for (i = 0; i < wanted.cached; i++) {
        SSL_SESSION *session = SSL_SESSION_new();

        RAND_bytes(id, sizeof(id));
        if (session == NULL || !SSL_SESSION_set1_id(session, id, sizeof(id)))
            die("SSL_SESSION_new");
        SSL_SESSION_set_protocol_version(session, wanted.version);
        SSL_SESSION_set1_master_key(session, key, sizeof(key));
        SSL_SESSION_set_timeout(session, wanted.mixed ? 300 + (long)(86100.0 * (double)i / (double)wanted.cached) : 7200);
        SSL_CTX_add_session(server, session);
        SSL_SESSION_free(session);
    }
}

/* One connection; what the client may resume next is put in *session. */
static void connect_once(SSL_CTX *client, SSL_SESSION **session)
{
    Connection c = connect_ends(SSL_new(client), SSL_new(server));
    char byte;

    if (*session != NULL)
        SSL_set_session(c.client, *session);
    if (!shake_hands(&c))
        die("handshake");
    if (*session != NULL && !SSL_session_reused(c.server))
        die("a session was not resumed");
    if (wanted.resume && (*session == NULL || wanted.version == TLS1_3_VERSION)) {
        SSL_read(c.client, &byte, 1); /* the ticket */
        SSL_SESSION_free(*session);
        *session = SSL_get1_session(c.client);
    }
    SSL_set_shutdown(c.client, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_set_shutdown(c.server, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(c.client);
    SSL_free(c.server);
    ERR_clear_error();
}

static void *run(void *counter)
{
    SSL_CTX *client = new_context(0);
    SSL_SESSION *session = NULL;
    long count = 0;

    connect_once(client, &session); /* also brings the session for the first resumption */
    pthread_barrier_wait(&start_line);
    while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
        connect_once(client, &session);
        count++;
    }
    *(long *)counter = count;
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
    return NULL;
}

static void one_round(void)
{
    pthread_t threads[64];
    long counts[64], total = 0;
    struct timespec pause;
    double begin, computed;
    int i;

    atomic_store(&stop, 0);
    pthread_barrier_init(&start_line, NULL, (unsigned int)wanted.threads + 1);
    for (i = 0; i < wanted.threads; i++)
        if (pthread_create(&threads[i], NULL, run, &counts[i]) != 0)
            die("pthread_create");
    pthread_barrier_wait(&start_line);
    begin = now(CLOCK_MONOTONIC);
    computed = now(CLOCK_PROCESS_CPUTIME_ID);
    pause.tv_sec = (time_t)wanted.seconds;
    pause.tv_nsec = (long)((wanted.seconds - (double)pause.tv_sec) * 1e9);
    nanosleep(&pause, NULL);
    atomic_store(&stop, 1);
    for (i = 0; i < wanted.threads; i++) {
        pthread_join(threads[i], NULL);
        total += counts[i];
    }
    pthread_barrier_destroy(&start_line);
    computed = now(CLOCK_PROCESS_CPUTIME_ID) - computed;
    printf("handshakes %.1f /s\n", (double)total / (now(CLOCK_MONOTONIC) - begin));
    printf("handshake %.2f us\n", computed / (double)total * 1e6);
    fflush(stdout);
}

static int read_arguments(int argc, char **argv)
{
    int i;

    for (i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";

        if (strcmp(argv[i], "--resume") == 0) {
            wanted.resume = 1;
            continue;
        }
        if (strcmp(argv[i], "--version") == 0 && strcmp(value, "tls12") == 0)
            wanted.version = TLS1_2_VERSION;
        else if (strcmp(argv[i], "--version") == 0 && strcmp(value, "tls13") == 0)
            wanted.version = TLS1_3_VERSION;
        else if (strcmp(argv[i], "--threads") == 0)
            wanted.threads = atoi(value);
        else if (strcmp(argv[i], "--rounds") == 0)
            wanted.rounds = atoi(value);
        else if (strcmp(argv[i], "--seconds") == 0)
            wanted.seconds = atof(value);
        else if (strcmp(argv[i], "--cached") == 0)
            wanted.cached = atol(value);
        else if (strcmp(argv[i], "--size") == 0)
            wanted.size = atol(value);
        else if (strcmp(argv[i], "--timeouts") == 0 && strcmp(value, "mixed") == 0)
            wanted.mixed = 1;
        else if (strcmp(argv[i], "--timeouts") == 0 && strcmp(value, "equal") == 0)
            wanted.mixed = 0;
        else
            return 0;
        i++;
    }
    return wanted.threads >= 1 && wanted.threads <= 64 && wanted.rounds >= 1 && wanted.seconds > 0 && wanted.cached >= 0;
}

int main(int argc, char **argv)
{
    int i;

    if (!read_arguments(argc, argv)) {
        fputs(usage, argc == 2 && strcmp(argv[1], "--help") == 0 ? stdout : stderr);
        return argc == 2 && strcmp(argv[1], "--help") == 0 ? 0 : 2;
    }
    server = new_context(1);
    fill_cache();
    for (i = 0; i < wanted.rounds; i++)
        one_round();
    SSL_CTX_free(server);
    return 0;
}
