/*
 * What writes: adds into a full cache, and sessions removed and put back.
 */
#include "measure.h"

#include <stdlib.h>
#include <unistd.h>

static const char usage[] =
    "usage: store [--operation add|readd] [--sessions N] [--spread SECONDS] [--prefix BYTES]\n"
    "             [--seconds S]\n"
    "  add         of a new session to a cache of N that is full (the default)\n"
    "  readd       a session out and in again, from anywhere in the order of expiry\n"
    "  --sessions  in the cache (20480)\n"
    "  --spread    of the timeouts, by which they differ at most (0, up to 7200)\n"
    "  --prefix    bytes that all ids share at their beginning (0)\n"
    "  --seconds   to measure for, at the least one operation (0.5)\n";
static const char *const names[] = {"--operation", "--sessions", "--spread", "--prefix", "--seconds", NULL};

static void add(SSL_CTX *ctx, const Stream *stream, long sessions, Timing *timing)
{
    SSL_SESSION *batch[MAX_BATCH];
    uint64_t next = (uint64_t)sessions;
    size_t i;
    int added;

    while (timing_goes_on(timing)) {
        size_t count = timing->batch;

        for (i = 0; i < count; i++)
            batch[i] = stream_session(stream, next++);
        added = 0;
        batch_begin(timing);
        for (i = 0; i < count; i++)
            added += SSL_CTX_add_session(ctx, batch[i]);
        batch_end(timing);
        for (i = 0; i < count; i++)
            SSL_SESSION_free(batch[i]);
        if (added != (int)count)
            die("SSL_CTX_add_session");
    }
    print("add", timing_median(timing), "ns");
}

static void readd(SSL_CTX *ctx, SSL_SESSION **kept, long sessions, Timing *timing)
{
    uint64_t random = 1;
    SSL_SESSION *batch[MAX_BATCH];
    size_t i;
    int done;

    while (timing_goes_on(timing)) {
        size_t count = timing->batch;

        for (i = 0; i < count; i++)
            batch[i] = kept[next_random(&random) % (uint64_t)sessions];
        done = 0;
        batch_begin(timing);
        for (i = 0; i < count; i++) {
            done += SSL_CTX_remove_session(ctx, batch[i]);
            done += SSL_CTX_add_session(ctx, batch[i]);
        }
        batch_end(timing);
        if (done != 2 * (int)count)
            die("SSL_CTX_remove_session");
    }
    print("readd", timing_median(timing), "ns");
}

int main(int argc, char **argv)
{
    long sessions, spread;
    int readds;
    SSL_CTX *ctx;
    SSL_SESSION **kept = NULL;
    Stream stream;
    Timing timing;

    options(argc, argv, names, usage);
    sessions = number("--sessions", 20480);
    readds = is("--operation", "readd");
    spread = number("--spread", 0);
    if (sessions < 1 || spread < 0 || spread > 7200)
        die("--sessions, --spread");
    ctx = new_context(readds ? 0 : sessions);
    stream = stream_of(sessions, spread, (int)number("--prefix", 0));
    if (readds && (kept = malloc((size_t)sessions * sizeof(*kept))) == NULL)
        die("malloc");
    fill(ctx, &stream, sessions, kept);
    timing_begin(&timing, real("--seconds", 0.5));
    if (readds)
        readd(ctx, kept, sessions, &timing);
    else
        add(ctx, &stream, sessions, &timing);
    _exit(0);
}
