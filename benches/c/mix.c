/*
 * Threads that look up, and now and then remove a session and add it again. All sessions expire in
 * the same second, which suits libssl best: what is added again belongs at the end of its list. With
 * --spread yes they expire one after the other.
 */
#include "measure.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

static const char usage[] =
    "usage: mix [--sessions N] [--writes PERCENT] [--threads N] [--spread yes] [--seconds S]\n";
static const char *const names[] = {"--sessions", "--writes", "--threads", "--spread", "--seconds", NULL};

static SSL_CTX *ctx;
static SSL_SESSION **kept;
static long sessions, writes;
static atomic_int stop;
static pthread_barrier_t start_line;

static void *run(void *counter)
{
    SSL *ssl = SSL_new(ctx);
    uint64_t random = (uint64_t)(uintptr_t)counter;
    unsigned char id[ID_LENGTH];
    long count = 0;
    int i;

    pthread_barrier_wait(&start_line);
    while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
        for (i = 0; i < 64; i++) {
            uint64_t drawn = next_random(&random);
            uint64_t which = (drawn >> 8) % (uint64_t)sessions;

            if ((long)((drawn & 0xff) * 100) < writes * 256) {
                SSL_CTX_remove_session(ctx, kept[which]);
                SSL_CTX_add_session(ctx, kept[which]);
            } else {
                make_id(id, which, 0);
                SSL_has_matching_session_id(ssl, id, ID_LENGTH);
            }
        }
        count += 64;
    }
    *(long *)counter = count;
    SSL_free(ssl);
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t ids[64];
    long counts[64][8], total = 0;
    double begin;
    int i, threads;
    Stream stream;

    options(argc, argv, names, usage);
    sessions = number("--sessions", 20480);
    writes = number("--writes", 10);
    threads = (int)number("--threads", 8);
    if (sessions < 1 || threads < 1 || threads > 64)
        die("--sessions, --threads");
    ctx = new_context(0);
    stream = stream_of(is("--spread", "yes") ? sessions : 1000000000, 0, 0);
    kept = malloc((size_t)sessions * sizeof(*kept));
    if (kept == NULL)
        die("malloc");
    fill(ctx, &stream, sessions, kept);
    pthread_barrier_init(&start_line, NULL, (unsigned int)threads + 1);
    for (i = 0; i < threads; i++)
        if (pthread_create(&ids[i], NULL, run, counts[i]) != 0)
            die("pthread_create");
    pthread_barrier_wait(&start_line);
    begin = wall_now();
    sleep_for(real("--seconds", 0.5));
    atomic_store(&stop, 1);
    for (i = 0; i < threads; i++) {
        pthread_join(ids[i], NULL);
        total += counts[i][0];
    }
    print("operations", (double)total / (wall_now() - begin) * 1e3, "M/s");
    _exit(0);
}
