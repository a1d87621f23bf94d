/*
 * How long a look-up or an add may have to wait while another thread empties, shrinks, frees or
 * fills a large cache.
 *
 * The other programs of the machine would show as waits, too: where the system allows it, the
 * two threads come before nearly everything else. "idle" are the waits of the time before,
 * when nothing happens: what the machine adds.
 */
#include "measure.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static const char usage[] =
    "usage: pause [--action flush|shrink|free|grow|fill] [--operation lookup|add] [--sessions N]\n"
    "             [--curve yes]\n"
    "  flush        all sessions expire at once (the default)\n"
    "  shrink       the cache size is set to a hundredth, and a session added\n"
    "  free         another context with as many sessions is freed\n"
    "  grow         sessions are added to a small cache until there are N, for two seconds at most\n"
    "  fill         N/4 sessions are added to a cache of N that is full, for two seconds at most\n"
    "  --operation  what the other thread does meanwhile (lookup)\n"
    "  --sessions   N (1000000)\n"
    "  --curve      also print how likely it is to wait longer than so and so long\n";
static const char *const names[] = {"--action", "--operation", "--sessions", "--curve", NULL};

/* Counts of waits: 16 steps for each doubling. */
enum { STEPS = 16, CELLS = 64 * STEPS };
typedef struct {
    long counts[CELLS], total;
    double sum, longest;
} Waits;

enum { IDLE, ACTION, OVER };

static SSL_CTX *ctx, *other;
static Stream stream;
static long sessions, there, longer;
static atomic_int phase, stop;
static Waits waits[OVER];
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

/* The kernel stops threads of real time for 50 ms of each second that they fill: no wait would be longer.
 * So the one that acts is not of real time, and the one that waits rests now and then. */
static void act_first(void)
{
    if (setpriority(PRIO_PROCESS, (id_t)gettid(), -20) != 0)
        fputs("pause: other programs may run before this one: waits are longer\n", stderr);
}

static void observe_first(void)
{
    struct sched_param priority;

    memset(&priority, 0, sizeof(priority));
    priority.sched_priority = 1;
    if (pthread_setschedparam(pthread_self(), SCHED_RR, &priority) != 0)
        fputs("pause: other programs may run before this one: waits are longer\n", stderr);
}

static void rest_now_and_then(void)
{
    static double rested;
    double now = wall_now();

    if (now - rested > 9e6) {
        sleep_for(1e-3);
        rested = wall_now();
    }
}

/* --- What waits -------------------------------------------------------------------------------- */

typedef double (*Operation)(SSL *ssl, uint64_t *random);

static double look_up(SSL *ssl, uint64_t *random)
{
    unsigned char id[ID_LENGTH];
    double begin;

    make_id(id, next_random(random) % (uint64_t)there, 0);
    begin = wall_now();
    SSL_has_matching_session_id(ssl, id, ID_LENGTH);
    return wall_now() - begin;
}

/* Of a session that expires with all others, or, if those are flushed, after them: either way
 * libssl finds its place in the order at once. */
static double add(SSL *ssl, uint64_t *random)
{
    SSL_SESSION *session = stream_session(&stream, next_random(random));
    double took, begin;

    (void)ssl;
    SSL_SESSION_set_timeout(session, SSL_SESSION_get_timeout(session) + longer);
    begin = wall_now();
    SSL_CTX_add_session(ctx, session);
    took = wall_now() - begin;
    SSL_SESSION_free(session);
    return took;
}

static void *observe(void *operation)
{
    SSL *ssl = SSL_new(ctx);
    uint64_t random = 1;
    int before;
    double took;

    observe_first();
    pthread_barrier_wait(&start_line);
    while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
        before = atomic_load(&phase);
        took = (*(Operation *)operation)(ssl, &random);
        /* What has met any of the action, belongs to it. */
        if (before != OVER)
            note(&waits[atomic_load(&phase) == IDLE ? IDLE : ACTION], took);
        rest_now_and_then();
    }
    return NULL;
}

/* --- What it waits for ------------------------------------------------------------------------- */

enum { FLUSH, SHRINK, FREE, GROW, FILL };

static int which_action(void)
{
    static const char *const actions[] = {"flush", "shrink", "free", "grow", "fill"};
    int action;

    for (action = SHRINK; action <= FILL; action++)
        if (is("--action", actions[action]))
            return action;
    return FLUSH;
}

/* Sessions that an action adds are there before it: the time to make them is none of the cache's. */
static SSL_SESSION **make_sessions(long from, long to)
{
    SSL_SESSION **made = malloc((size_t)(to - from + 1) * sizeof(*made));
    long i;

    if (made == NULL)
        die("malloc");
    for (i = from; i < to; i++)
        made[i - from] = stream_session(&stream, (uint64_t)i);
    return made;
}

/* Tells how many sessions it added. Look-ups that follow each other at once can keep libssl from
 * adding for minutes: nobody waits for that. */
static long act(int action, SSL_SESSION **to_add, long count)
{
    double until = wall_now() + 2e9;
    long i;

    if (action == FLUSH)
        SSL_CTX_flush_sessions(ctx, stream.start + 1000000);
    else if (action == FREE)
        SSL_CTX_free(other);
    else if (action == SHRINK)
        SSL_CTX_sess_set_cache_size(ctx, sessions / 100);
    for (i = 0; i < count && wall_now() < until; i++)
        SSL_CTX_add_session(ctx, to_add[i]);
    return i;
}

/* --- What is printed --------------------------------------------------------------------------- */

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
    Operation operation;
    SSL_SESSION **to_add;
    double begin, took;
    long count, added;
    int action;

    options(argc, argv, names, usage);
    sessions = number("--sessions", 1000000);
    if (sessions < 1)
        die("--sessions");
    action = which_action();
    operation = is("--operation", "add") ? add : look_up;
    there = action == GROW || action == FREE ? (sessions < 1000 ? sessions : 1000) : sessions;
    count = action == GROW ? sessions - there : action == FILL ? sessions / 4 : action == SHRINK ? 1 : 0;
    ctx = new_context(action == FILL ? sessions : 0);
    stream = stream_of(AT_ONCE, 0, 0);
    longer = action == FLUSH ? 100000000 : 0;
    fill(ctx, &stream, there, NULL);
    if (action == FREE) {
        other = new_context(0);
        fill(other, &stream, sessions, NULL);
    }
    to_add = make_sessions(there, there + count);
    pthread_barrier_init(&start_line, NULL, 2);
    if (pthread_create(&thread, NULL, observe, &operation) != 0)
        die("pthread_create");
    act_first();
    pthread_barrier_wait(&start_line);
    sleep_for(0.1);
    begin = wall_now();
    atomic_store(&phase, ACTION);
    added = act(action, to_add, count);
    took = wall_now() - begin;
    atomic_store(&phase, OVER);
    print("action", took / 1e6, "ms");
    print("added", (double)added, "sessions");
    print("adds", (double)added / took * 1e3, "M/s");
    atomic_store(&stop, 1);
    pthread_join(thread, NULL);
    print_waits("idle", &waits[IDLE]);
    print_waits("wait", &waits[ACTION]);
    print("operations", (double)waits[ACTION].total, "times");
    if (is("--curve", "yes"))
        print_curve(&waits[ACTION]);
    _exit(0);
}
