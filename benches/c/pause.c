/*
 * How long a look-up may have to wait while another thread empties, shrinks, frees or fills a
 * large cache.
 *
 * The other programs of the machine would show as waits, too: where the system allows it, the
 * two threads are scheduled before everything else. "idle" are the waits of the time before,
 * when nothing happens: what the machine adds.
 */
#include "measure.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
    "usage: pause [--action flush|shrink|free|grow] [--sessions N] [--timeouts equal|mixed] [--curve yes]\n"
    "  flush   all sessions expire at once\n"
    "  shrink  the cache size is set to a hundredth, and a session added\n"
    "  free    another context with as many sessions is freed\n"
    "  grow    sessions are added until there are N\n";
static const char *const names[] = {"--action", "--sessions", "--timeouts", "--curve", NULL};

/* Counts of waits: 16 steps for each doubling. */
enum { STEPS = 16, CELLS = 64 * STEPS };
typedef struct {
    long counts[CELLS], total;
    double sum, longest;
} Waits;

enum { IDLE, ACTION, PHASES };

static SSL_CTX *ctx;
static long sessions, there;
static atomic_int phase, stop;
static Waits waits[PHASES];
static pthread_barrier_t start_line;

static int cell_of(double ns)
{
    uint64_t value = ns < STEPS ? STEPS : (uint64_t)ns;
    int power = 63 - __builtin_clzll(value);

    return power * STEPS + (int)(value >> (power - 4)) - STEPS;
}

static double cell_end(int cell)
{
    return (double)(1ull << (cell / STEPS)) * (1.0 + (double)(cell % STEPS + 1) / STEPS);
}

static double middle(const Waits *w, int cell)
{
    double end = cell_end(cell), step = (double)(1ull << (cell / STEPS)) / STEPS;

    return end > w->longest ? w->longest : end - step / 2;
}

static void note(Waits *w, double ns)
{
    w->counts[cell_of(ns)]++;
    w->total++;
    w->sum += ns;
    if (ns > w->longest)
        w->longest = ns;
}

/*
 * How likely a look-up that comes at a random moment waits longer than `ns`. (Not how many of the
 * look-ups did: during the one that waits for a second, millions of others would have come.)
 */
static double likelihood(const Waits *w, double ns)
{
    double time = 0;
    int cell;

    for (cell = 0; cell < CELLS; cell++)
        if (w->counts[cell] > 0 && middle(w, cell) > ns)
            time += (double)w->counts[cell] * (middle(w, cell) - ns);
    return time / w->sum;
}

static double percentile(const Waits *w, double share)
{
    int cell;

    for (cell = 0; cell < CELLS; cell++)
        if (cell_end(cell) < w->longest && likelihood(w, cell_end(cell)) <= 1.0 - share)
            return cell_end(cell);
    return w->longest;
}

static void go_first(void)
{
    struct sched_param priority;

    memset(&priority, 0, sizeof(priority));
    priority.sched_priority = 1;
    if (pthread_setschedparam(pthread_self(), SCHED_FIFO, &priority) != 0)
        fputs("pause: other programs may run before this one: waits are longer\n", stderr);
}

static void *look_up(void *unused)
{
    SSL *ssl = SSL_new(ctx);
    uint64_t random = 1;
    unsigned char id[ID_LENGTH];
    double begin, end;
    int before, after;

    (void)unused;
    go_first();
    pthread_barrier_wait(&start_line);
    while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
        make_id(id, next_random(&random) % (uint64_t)there, 0);
        before = atomic_load(&phase);
        begin = wall_now();
        SSL_has_matching_session_id(ssl, id, ID_LENGTH);
        end = wall_now();
        after = atomic_load(&phase);
        note(&waits[before > after ? before : after], end - begin);
    }
    SSL_free(ssl);
    return NULL;
}

static void grow(Stream *stream)
{
    uint64_t i;

    for (i = (uint64_t)there; i < (uint64_t)sessions; i++) {
        SSL_SESSION *session = stream_session(stream, i);

        SSL_CTX_add_session(ctx, session);
        SSL_SESSION_free(session);
    }
}

static void print_curve(const Waits *w)
{
    char name[32];
    int cell;

    for (cell = 0; cell < CELLS && cell_end(cell) < w->longest; cell++) {
        snprintf(name, sizeof(name), "longer_than_%.0f", cell_end(cell));
        printf("%s %.9f likelihood\n", name, likelihood(w, cell_end(cell)));
    }
    fflush(stdout);
}

static void print_waits(const char *of, const Waits *w)
{
    static const struct {
        const char *name;
        double share;
    } shares[] = {{"p50", 0.5}, {"p99", 0.99}, {"p99.9", 0.999}};
    char name[32];
    size_t i;

    for (i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
        snprintf(name, sizeof(name), "%s_%s", of, shares[i].name);
        print(name, percentile(w, shares[i].share), "ns");
    }
    snprintf(name, sizeof(name), "%s_longest", of);
    print(name, w->longest / 1e3, "us");
}

int main(int argc, char **argv)
{
    pthread_t thread;
    SSL_CTX *other = NULL;
    SSL_SESSION *extra;
    Stream stream;
    double begin;
    int grows, frees, shrinks;

    options(argc, argv, names, usage);
    sessions = number("--sessions", 1000000);
    grows = is("--action", "grow");
    frees = is("--action", "free");
    shrinks = is("--action", "shrink");
    if (sessions < 1)
        die("--sessions");
    there = grows || frees ? 1000 : sessions;
    ctx = new_context(0);
    stream = stream_of(sessions, is("--timeouts", "mixed"), 0);
    fill(ctx, &stream, there, NULL);
    if (frees) {
        other = new_context(0);
        fill(other, &stream, sessions, NULL);
    }
    extra = stream_session(&stream, (uint64_t)sessions);
    pthread_barrier_init(&start_line, NULL, 2);
    if (pthread_create(&thread, NULL, look_up, NULL) != 0)
        die("pthread_create");
    go_first();
    pthread_barrier_wait(&start_line);
    sleep_for(0.1);
    begin = wall_now();
    atomic_store(&phase, ACTION);
    if (grows) {
        grow(&stream);
    } else if (frees) {
        SSL_CTX_free(other);
    } else if (shrinks) {
        SSL_CTX_sess_set_cache_size(ctx, sessions / 100);
        SSL_CTX_add_session(ctx, extra);
    } else {
        SSL_CTX_flush_sessions(ctx, stream.start + 1000000);
    }
    atomic_store(&phase, IDLE);
    print("action", (wall_now() - begin) / 1e6, "ms");
    atomic_store(&stop, 1);
    pthread_join(thread, NULL);
    print_waits("idle", &waits[IDLE]);
    print_waits("wait", &waits[ACTION]);
    print("lookups", (double)waits[ACTION].total, "times");
    if (is("--curve", "yes"))
        print_curve(&waits[ACTION]);
    _exit(0);
}
