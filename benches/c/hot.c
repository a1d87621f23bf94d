/*
 * The hot paths, for a tool that counts instructions: it counts those of measured() alone.
 */
#include "measure.h"

#include <sslcache.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
    "usage: hot --operation hit|miss|get|add|add_full|add_full_mixed|remove [--sessions N] [--count N]\n";
static const char *const names[] = {"--operation", "--sessions", "--count", NULL};

static SSL_CTX *ctx;
static SSL *ssl;
static SSL_SESSION **sessions;
static unsigned char (*ids)[ID_LENGTH];
static long count;

typedef int (*Operation)(long i);

static int look_up(long i)
{
    return SSL_has_matching_session_id(ssl, ids[i], ID_LENGTH);
}

static int get(long i)
{
    SSL_SESSION *session = SSLCACHE_get1_session(ctx, TLS1_3_VERSION, ids[i], ID_LENGTH);

    SSL_SESSION_free(session);
    return session != NULL;
}

static int add(long i)
{
    return SSL_CTX_add_session(ctx, sessions[i]);
}

static int take_out(long i)
{
    return SSL_CTX_remove_session(ctx, sessions[i]);
}

/* Named on the tool's command line. */
__attribute__((noinline)) int measured(Operation operation)
{
    long i;
    int done = 0;

    for (i = 0; i < count; i++)
        done += operation(i);
    return done;
}

int main(int argc, char **argv)
{
    long held, i;
    uint64_t first;
    Stream stream;
    Operation operation;
    int misses, adds, full;

    options(argc, argv, names, usage);
    held = number("--sessions", 20480);
    count = number("--count", 5000);
    if (count > held)
        die("--count");
    misses = is("--operation", "miss");
    full = is("--operation", "add_full") || is("--operation", "add_full_mixed");
    adds = full || is("--operation", "add");
    operation = adds ? add : is("--operation", "remove") ? take_out : is("--operation", "get") ? get : look_up;
    ctx = new_context(full ? held : 0);
    ssl = SSL_new(ctx);
    stream = stream_of(held, is("--operation", "add_full_mixed") ? 7200 : 0, 0);
    sessions = malloc((size_t)(held + count) * sizeof(*sessions));
    ids = malloc((size_t)count * sizeof(*ids));
    if (sessions == NULL || ids == NULL)
        die("malloc");
    fill(ctx, &stream, held, sessions);
    first = misses || adds ? (uint64_t)held : 0;
    for (i = 0; i < count; i++) {
        make_id(ids[i], first + (uint64_t)i, 0);
        if (adds)
            sessions[i] = stream_session(&stream, first + (uint64_t)i);
    }
    if (measured(operation) != (misses ? 0 : count))
        die("measured");
    _exit(0);
}
