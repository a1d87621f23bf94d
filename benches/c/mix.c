/*
 * Threads that look up, and now and then remove a session and add it again. All sessions expire in
 * the same second, which suits libssl best: what is added again belongs at the end of its list. With
 * --apart yes they expire one after the other.
 *
 * What each thread does is drawn and made before the clock starts, in a list that it then goes
 * through in a circle: the multiplications that make an id would cost more than its look-up. The
 * lists are long, so that they name most sessions between them.
 */
#include "measure.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

static const char usage[] =
    "usage: mix [--sessions N] [--writes PERCENT] [--threads N] [--apart yes] [--seconds S]\n"
    "  --sessions  in the cache (20480)\n"
    "  --writes    so many of 100 operations remove a session and add it again (10)\n"
    "  --threads   1 to 64 (8)\n"
    "  --apart     the sessions expire one after the other, not all in the same second\n"
    "  --seconds   to measure for (0.5)\n";
static const char *const names[] = {"--sessions", "--writes", "--threads", "--apart", "--seconds", NULL};

/* One operation: a look-up of the id, unless there is a session to remove and to add again. */
typedef struct {
    unsigned char id[ID_LENGTH];
    SSL_SESSION *session;
} Step;

/* A cache line for each: no thread's count is in the way of another's. */
typedef struct {
    _Alignas(64) uint64_t random;
    long looked_up, found, written;
    pthread_t thread;
} Worker;

enum { SHORTEST_LIST = 65536, IN_A_ROW = 64 };

static SSL_CTX *ctx;
static SSL_SESSION **kept;
static long sessions, writes, list_length;
static atomic_int stop;
static pthread_barrier_t start_line;

static Step *draw_steps(uint64_t *random)
{
    Step *steps = malloc((size_t)list_length * sizeof(*steps));
    long i;

    if (steps == NULL)
        die("malloc");
    for (i = 0; i < list_length; i++) {
        uint64_t which = next_random(random) % (uint64_t)sessions;

        make_id(steps[i].id, which, 0);
        steps[i].session = (long)(next_random(random) % 100) < writes ? kept[which] : NULL;
    }
    return steps;
}

static void do_steps(SSL *ssl, const Step *steps, Worker *worker)
{
    int i, found = 0, looked_up = 0;

    for (i = 0; i < IN_A_ROW; i++) {
        if (steps[i].session != NULL) {
            SSL_CTX_remove_session(ctx, steps[i].session);
            SSL_CTX_add_session(ctx, steps[i].session);
        } else {
            found += SSL_has_matching_session_id(ssl, steps[i].id, ID_LENGTH);
            looked_up++;
        }
    }
    worker->looked_up += looked_up;
    worker->found += found;
    worker->written += IN_A_ROW - looked_up;
}

static void *run(void *argument)
{
    Worker *worker = argument;
    SSL *ssl = SSL_new(ctx);
    Step *steps = draw_steps(&worker->random);
    long at = 0;

    pthread_barrier_wait(&start_line);
    while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
        do_steps(ssl, steps + at, worker);
        at = (at + IN_A_ROW) % list_length;
    }
    return NULL;
}

/* Tells how long it took; and how much processor time, which other programs do not change. */
static double run_all(Worker *workers, int threads, double seconds, double *computed)
{
    double begin, computed_before;
    int i;

    pthread_barrier_init(&start_line, NULL, (unsigned int)threads + 1);
    for (i = 0; i < threads; i++) {
        workers[i].random = (uint64_t)i * 1000003u;
        if (pthread_create(&workers[i].thread, NULL, run, &workers[i]) != 0)
            die("pthread_create");
    }
    pthread_barrier_wait(&start_line);
    begin = wall_now();
    computed_before = process_cpu_now();
    sleep_for(seconds);
    atomic_store(&stop, 1);
    for (i = 0; i < threads; i++)
        pthread_join(workers[i].thread, NULL);
    *computed = process_cpu_now() - computed_before;
    return wall_now() - begin;
}

int main(int argc, char **argv)
{
    static Worker workers[64];
    Worker all = {0};
    Stream stream;
    double took, computed, operations;
    int i, threads;

    options(argc, argv, names, usage);
    sessions = number("--sessions", 20480);
    writes = number("--writes", 10);
    threads = (int)number("--threads", 8);
    if (sessions < 1 || threads < 1 || threads > 64)
        die("--sessions, --threads");
    list_length = 2 * sessions / threads / IN_A_ROW * IN_A_ROW;
    if (list_length < SHORTEST_LIST)
        list_length = SHORTEST_LIST;
    ctx = new_context(0);
    stream = stream_of(is("--apart", "yes") ? sessions : AT_ONCE, 0, 0);
    kept = malloc((size_t)sessions * sizeof(*kept));
    if (kept == NULL)
        die("malloc");
    fill(ctx, &stream, sessions, kept);
    took = run_all(workers, threads, real("--seconds", 0.5), &computed);
    for (i = 0; i < threads; i++) {
        all.looked_up += workers[i].looked_up;
        all.found += workers[i].found;
        all.written += workers[i].written;
    }
    /* What another thread has just removed may be missed. */
    if (writes == 0 && all.found != all.looked_up)
        die("a look-up");
    operations = (double)(all.looked_up + all.written);
    print("operations", operations / took * 1e3, "M/s");
    print("operation", computed / operations, "ns");
    print("found", 100.0 * (double)all.found / (double)(all.looked_up + (all.looked_up == 0)), "%");
    _exit(0);
}
