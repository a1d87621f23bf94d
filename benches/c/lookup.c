/*
 * Look-ups that find their session (or none, with --misses yes), by one thread. Several threads:
 * mix --writes 0.
 *
 * SSL_has_matching_session_id() is the one public look-up of libssl: the lock, the hash table
 * and the comparison are those of a handshake's.
 */
#include "measure.h"

#include <unistd.h>

static const char usage[] =
    "usage: lookup [--sessions N] [--prefix BYTES] [--misses yes] [--seconds S]\n"
    "  --sessions  in the cache (20480)\n"
    "  --prefix    bytes that all ids share at their beginning (0)\n"
    "  --misses    look up ids of which none is in the cache\n"
    "  --seconds   to measure for (0.5)\n";
static const char *const names[] = {"--sessions", "--prefix", "--misses", "--seconds", NULL};

static long sessions;
static int prefix;
static uint64_t first_number;
static int expected;

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

int main(int argc, char **argv)
{
    SSL_CTX *ctx;
    SSL *ssl;
    Stream stream;
    uint64_t random = 1;
    Timing timing;

    options(argc, argv, names, usage);
    sessions = number("--sessions", 20480);
    prefix = (int)number("--prefix", 0);
    if (sessions < 1 || prefix < 0 || prefix > ID_LENGTH)
        die("--sessions, --prefix");
    expected = !is("--misses", "yes");
    first_number = expected ? 0 : (uint64_t)sessions;
    ctx = new_context(0);
    stream = stream_of(sessions, 0, prefix);
    print("fill", fill(ctx, &stream, sessions, NULL), "ns");
    ssl = SSL_new(ctx);
    timing_begin(&timing, real("--seconds", 0.5));
    while (timing_goes_on(&timing))
        look_up(ssl, &timing, &random);
    print("lookup", timing_median(&timing), "ns");
    _exit(0); /* nobody waits for a million sessions to be freed */
}
