/*
 * Look-ups that find their session (or none, with --misses yes).
 *
 * SSL_has_matching_session_id() is the one public look-up of libssl: the lock, the hash table
 * and the comparison are those of a handshake's.
 */
#include "measure.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

static const char usage[] =
    "usage: lookup [--sessions N] [--prefix BYTES] [--threads N] [--misses yes] [--seconds S]\n";
static const char *const names[] = {"--sessions", "--prefix", "--threads", "--misses", "--seconds", NULL};

static SSL_CTX *ctx;
static long sessions;
static int prefix;
static uint64_t first_number;
static int expected;
static atomic_int stop;
static pthread_barrier_t start_line;

/* Looks `count` ids up. They are made before the clock starts: a handshake has its own at hand. */
static void look_up(SSL *ssl, Timing *timing, uint64_t *random)
{
    unsigned char ids[MAX_BATCH][ID_LENGTH];
    size_t i, count = timing->batch;
    int found = 0;

    for (i = 0; i < count; i++)
        make_id(ids[i], first_number + next_random(random) % (uint64_t)sessions, prefix);
    batch_begin(timing);
    for (i = 0; i < count; i++)
        found += SSL_has_matching_session_id(ssl, ids[i], ID_LENGTH);
    batch_end(timing);
    if (found != expected * (int)count)
        die("a look-up");
}

static void one_thread(double seconds)
{
    SSL *ssl = SSL_new(ctx);
    uint64_t random = 1;
    Timing timing;

    timing_begin(&timing, seconds);
    while (timing_goes_on(&timing))
        look_up(ssl, &timing, &random);
    print("lookup", timing_median(&timing), "ns");
    SSL_free(ssl);
}

static void *run(void *counter)
{
    SSL *ssl = SSL_new(ctx);
    uint64_t random = (uint64_t)(uintptr_t)counter;
    unsigned char id[ID_LENGTH];
    long count = 0;
    int i, found;

    pthread_barrier_wait(&start_line);
    while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
        for (i = found = 0; i < 64; i++) {
            make_id(id, first_number + next_random(&random) % (uint64_t)sessions, prefix);
            found += SSL_has_matching_session_id(ssl, id, ID_LENGTH);
        }
        if (found != expected * 64)
            die("a look-up");
        count += 64;
    }
    *(long *)counter = count;
    SSL_free(ssl);
    return NULL;
}

static void many_threads(int threads, double seconds)
{
    pthread_t ids[64];
    long counts[64][8], total = 0;
    double begin;
    int i;

    pthread_barrier_init(&start_line, NULL, (unsigned int)threads + 1);
    for (i = 0; i < threads; i++)
        if (pthread_create(&ids[i], NULL, run, counts[i]) != 0)
            die("pthread_create");
    pthread_barrier_wait(&start_line);
    begin = wall_now();
    sleep_for(seconds);
    atomic_store(&stop, 1);
    for (i = 0; i < threads; i++) {
        pthread_join(ids[i], NULL);
        total += counts[i][0];
    }
    print("lookups", (double)total / (wall_now() - begin) * 1e3, "M/s");
}

int main(int argc, char **argv)
{
    Stream stream;
    int threads;

    options(argc, argv, names, usage);
    sessions = number("--sessions", 20480);
    prefix = (int)number("--prefix", 0);
    threads = (int)number("--threads", 0);
    if (sessions < 1 || threads > 64)
        die("--sessions, --threads");
    expected = !is("--misses", "yes");
    first_number = expected ? 0 : (uint64_t)sessions;
    ctx = new_context(0);
    stream = stream_of(sessions, 0, prefix);
    print("fill", fill(ctx, &stream, sessions, NULL), "ns");
    if (threads == 0)
        one_thread(real("--seconds", 0.5));
    else
        many_threads(threads, real("--seconds", 0.5));
    _exit(0); /* nobody waits for a million sessions to be freed */
}
