#include "measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* --- Options ----------------------------------------------------------------------------------- */

static int arg_count;
static char **args;

void options(int argc, char **argv, const char *const names[], const char *usage)
{
    int i, known;

    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(usage, stdout);
        exit(0);
    }
    for (i = 1; i < argc; i += 2) {
        const char *const *name = names;

        while (*name != NULL && strcmp(*name, argv[i]) != 0)
            name++;
        known = *name != NULL && i + 1 < argc;
        if (!known) {
            fprintf(stderr, "%s: %s\n%s", argv[0], argv[i], usage);
            exit(2);
        }
    }
    arg_count = argc;
    args = argv;
    alarm(300);
}

static const char *value_of(const char *name)
{
    int i;

    for (i = 1; i + 1 < arg_count; i += 2)
        if (strcmp(args[i], name) == 0)
            return args[i + 1];
    return NULL;
}

long number(const char *name, long otherwise)
{
    const char *value = value_of(name);

    return value == NULL ? otherwise : atol(value);
}

double real(const char *name, double otherwise)
{
    const char *value = value_of(name);

    return value == NULL ? otherwise : atof(value);
}

int is(const char *name, const char *value)
{
    const char *given = value_of(name);

    return given != NULL && strcmp(given, value) == 0;
}

/* --- Output ------------------------------------------------------------------------------------ */

void print(const char *name, double value, const char *unit)
{
    printf("%s %.3f %s\n", name, value, unit);
    fflush(stdout);
}

void die(const char *what)
{
    fprintf(stderr, "%s failed\n", what);
    exit(1);
}

/* --- Clocks ------------------------------------------------------------------------------------ */

static double now(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

double cpu_now(void)
{
    return now(CLOCK_THREAD_CPUTIME_ID);
}

double process_cpu_now(void)
{
    return now(CLOCK_PROCESS_CPUTIME_ID);
}

double wall_now(void)
{
    return now(CLOCK_MONOTONIC);
}

void sleep_for(double seconds)
{
    struct timespec pause;

    pause.tv_sec = (time_t)seconds;
    pause.tv_nsec = (long)((seconds - (double)pause.tv_sec) * 1e9);
    nanosleep(&pause, NULL);
}

void timing_begin(Timing *timing, double seconds)
{
    memset(timing, 0, sizeof(*timing));
    timing->batch = 1;
    timing->until = wall_now() + seconds * 1e9;
}

int timing_goes_on(const Timing *timing)
{
    return timing->count == 0 || wall_now() < timing->until;
}

void batch_begin(Timing *timing)
{
    timing->started = cpu_now();
}

void batch_end(Timing *timing)
{
    double took = cpu_now() - timing->started;

    timing->total += took;
    timing->operations += timing->batch;
    if (!timing->settled && took < 200e3 && timing->batch < MAX_BATCH) {
        timing->batch *= 2;
        return;
    }
    timing->settled = 1;
    if (timing->count == timing->room) {
        timing->room = timing->room == 0 ? 1024 : timing->room * 2;
        timing->samples = realloc(timing->samples, timing->room * sizeof(double));
        if (timing->samples == NULL)
            die("realloc");
    }
    timing->samples[timing->count++] = took / (double)timing->batch;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

double timing_median(Timing *timing)
{
    qsort(timing->samples, timing->count, sizeof(double), by_value);
    return timing->samples[timing->count / 2];
}

double timing_mean(const Timing *timing)
{
    return timing->total / (double)timing->operations;
}

/* --- Sessions ---------------------------------------------------------------------------------- */

static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

uint64_t next_random(uint64_t *state)
{
    return mix(*state += 0x9e3779b97f4a7c15u);
}

void make_id(unsigned char id[ID_LENGTH], uint64_t number, int prefix)
{
    uint64_t words[4];

    words[0] = mix(number + 0x9e3779b97f4a7c15u);
    words[1] = words[0] * 0xd1342543de82ef95u;
    words[2] = words[0] * 0xaf251af3b0f025b5u;
    words[3] = words[0] * 0xb564ef22ec7aece5u;
    memcpy(id, words, ID_LENGTH);
    if (prefix > 0)
        memset(id, 0x5a, (size_t)prefix);
}

static const long MEAN_LIFE = 3900;

Stream stream_of(long per_lifetime, long spread, int prefix)
{
    Stream stream;

    stream.start = (long)time(NULL);
    stream.per_lifetime = (double)per_lifetime;
    stream.spread = spread;
    stream.prefix = prefix;
    return stream;
}

static long stream_time(const Stream *stream, uint64_t number)
{
    if (stream->per_lifetime == AT_ONCE)
        return stream->start;
    return stream->start + (long)((double)number * (double)MEAN_LIFE / stream->per_lifetime);
}

static long stream_timeout(const Stream *stream, uint64_t number)
{
    uint64_t drawn = mix(number * 0x9e3779b97f4a7c15u + 1);

    return MEAN_LIFE - stream->spread / 2 + (long)(drawn % (uint64_t)(stream->spread + 1));
}

long stream_expiry(const Stream *stream, uint64_t number)
{
    return stream_time(stream, number) + stream_timeout(stream, number);
}

SSL_SESSION *stream_session(const Stream *stream, uint64_t number)
{
    unsigned char id[ID_LENGTH];
    SSL_SESSION *session = SSL_SESSION_new();

    make_id(id, number, stream->prefix);
    /* The version of a connection that has negotiated none yet: only these are found for it. */
    if (session == NULL || !SSL_SESSION_set1_id(session, id, ID_LENGTH)
        || !SSL_SESSION_set_protocol_version(session, TLS1_3_VERSION))
        die("SSL_SESSION_new");
    SSL_SESSION_set_time(session, stream_time(stream, number));
    SSL_SESSION_set_timeout(session, stream_timeout(stream, number));
    return session;
}

SSL_CTX *new_context(long cache_size)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());

    if (ctx == NULL)
        die("SSL_CTX_new");
    SSL_CTX_sess_set_cache_size(ctx, cache_size);
    return ctx;
}

typedef struct {
    long expiry;
    uint64_t number;
} Place;

static int by_expiry(const void *a, const void *b)
{
    const Place *x = a, *y = b;

    if (x->expiry != y->expiry)
        return x->expiry < y->expiry ? -1 : 1;
    return (x->number > y->number) - (x->number < y->number);
}

double fill(SSL_CTX *ctx, const Stream *stream, long count, SSL_SESSION **kept)
{
    Place *order = malloc((size_t)count * sizeof(Place) + 1);
    SSL_SESSION *batch[MAX_BATCH];
    double total = 0, begin;
    long i, j, in_batch;

    if (order == NULL)
        die("malloc");
    for (i = 0; i < count; i++) {
        order[i].number = (uint64_t)i;
        order[i].expiry = stream_expiry(stream, (uint64_t)i);
    }
    if (stream->spread > 0)
        qsort(order, (size_t)count, sizeof(Place), by_expiry);
    for (i = 0; i < count; i += in_batch) {
        in_batch = count - i < MAX_BATCH ? count - i : MAX_BATCH;
        for (j = 0; j < in_batch; j++)
            batch[j] = stream_session(stream, order[i + j].number);
        begin = cpu_now();
        for (j = 0; j < in_batch; j++)
            SSL_CTX_add_session(ctx, batch[j]);
        total += cpu_now() - begin;
        for (j = 0; j < in_batch; j++) {
            if (kept != NULL)
                kept[order[i + j].number] = batch[j];
            else
                SSL_SESSION_free(batch[j]);
        }
    }
    free(order);
    return count > 0 ? total / (double)count : 0;
}
