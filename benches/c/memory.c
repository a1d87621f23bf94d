/*
 * Memory: of the cache beyond the sessions in it, and of contexts. Also what a context costs in
 * time.
 */
#include "measure.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char usage[] =
    "usage: memory [--measure cache|contexts] [--sessions N] [--contexts N]\n"
    "  cache     N sessions that are there already are added to one context (1000000)\n"
    "  contexts  contexts are made (10000); then each is given N sessions (10); then all are freed\n";
static const char *const names[] = {"--measure", "--sessions", "--contexts", NULL};

typedef struct {
    double heap, resident;
} Memory;

static Memory in_use(void)
{
    struct mallinfo2 info = mallinfo2();
    Memory memory;
    long pages = 0;
    FILE *statm = fopen("/proc/self/statm", "r");

    if (statm == NULL || fscanf(statm, "%*s %ld", &pages) != 1)
        die("/proc/self/statm");
    fclose(statm);
    memory.heap = (double)info.uordblks + (double)info.hblkhd;
    memory.resident = (double)pages * (double)sysconf(_SC_PAGESIZE);
    return memory;
}

static SSL_SESSION **make_sessions(const Stream *stream, long count)
{
    SSL_SESSION **made = malloc((size_t)count * sizeof(*made));
    long i;

    if (made == NULL)
        die("malloc");
    for (i = 0; i < count; i++)
        made[i] = stream_session(stream, (uint64_t)i);
    return made;
}

static void measure_cache(long sessions)
{
    SSL_CTX *ctx = new_context(0);
    Stream stream = stream_of(sessions, 0, 0);
    SSL_SESSION **made;
    Memory empty = in_use(), before, after;
    long i;

    made = make_sessions(&stream, sessions);
    before = in_use();
    for (i = 0; i < sessions; i++)
        SSL_CTX_add_session(ctx, made[i]);
    after = in_use();
    print("session", (before.heap - empty.heap) / (double)sessions - (double)sizeof(*made), "B");
    print("cache", (after.heap - before.heap) / (double)sessions, "B");
    print("cache_resident", (after.resident - before.resident) / (double)sessions, "B");
}

static void measure_contexts(long contexts, long sessions)
{
    SSL_CTX **made = malloc((size_t)contexts * sizeof(*made));
    Stream stream = stream_of(contexts * sessions + 1, 0, 0);
    SSL_SESSION **to_add = make_sessions(&stream, contexts * sessions);
    Memory before, idle, used;
    double begin, end;
    long i, j;

    if (made == NULL)
        die("malloc");
    SSL_CTX_free(new_context(0)); /* what only the first one does */
    before = in_use();
    begin = cpu_now();
    for (i = 0; i < contexts; i++)
        made[i] = new_context(20480);
    end = cpu_now();
    idle = in_use();
    print("context_new", (end - begin) / (double)contexts, "ns");
    print("context", (idle.heap - before.heap) / (double)contexts, "B");
    for (i = 0; i < contexts; i++)
        for (j = 0; j < sessions; j++)
            SSL_CTX_add_session(made[i], to_add[i * sessions + j]);
    used = in_use();
    print("context_cache", (used.heap - idle.heap) / (double)contexts, "B");
    begin = cpu_now();
    for (i = 0; i < contexts * sessions && i < 1000; i++)
        SSL_SESSION_set_timeout(to_add[i], 3901);
    end = cpu_now();
    print("set_timeout", (end - begin) / (double)i, "ns");
    begin = cpu_now();
    for (i = 0; i < contexts; i++)
        SSL_CTX_free(made[i]);
    end = cpu_now();
    print("context_free", (end - begin) / (double)contexts, "ns");
}

int main(int argc, char **argv)
{
    options(argc, argv, names, usage);
    if (is("--measure", "contexts"))
        measure_contexts(number("--contexts", 10000), number("--sessions", 10));
    else
        measure_cache(number("--sessions", 1000000));
    _exit(0);
}
