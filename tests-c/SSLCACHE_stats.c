/* oracle: none: these statistics are the library's own; what they must say is what the program has done */
/* only: standalone: in front of a libssl the program has no sessions to look for */
/*
 * SSLCACHE_stats: why sessions are missed, of many more departures than the cache has sessions.
 */
#include "conformance.h"

enum { SIZE = 301, SESSIONS = 5000 };

static SSL_SESSION *session(int n)
{
    SSL_SESSION *session = SSL_SESSION_new();
    unsigned char id[32] = { (unsigned char)n, (unsigned char)(n >> 8), 1 };

    REQUIRE(session != NULL && SSL_SESSION_set_protocol_version(session, TLS1_2_VERSION) == 1);
    REQUIRE(SSL_SESSION_set1_id(session, id, sizeof(id)) == 1);
    SSL_SESSION_set_timeout(session, n % 10 == 0 ? 100 : 100000 + n);
    return session;
}

static int is_there(SSL_CTX *ctx, int n)
{
    unsigned char id[32] = { (unsigned char)n, (unsigned char)(n >> 8), 1 };
    SSL_SESSION *found = SSLCACHE_get1_session(ctx, TLS1_2_VERSION, id, sizeof(id));

    SSL_SESSION_free(found);
    return found != NULL;
}

/* The truth, and what is told of it: two in a thousand may be forgotten. */
static void compare(const char *what, uint64_t told, uint64_t truth)
{
    uint64_t difference = told > truth ? told - truth : truth - told;

    printf("%s: %s\n", what, difference * 500 <= truth ? "told" : "not told");
}

int main(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    struct SSLCACHE_STATS stats;
    uint64_t evicted = 0, expired = 0, removed = 0;

    REQUIRE(ctx != NULL);
    SSL_CTX_sess_set_cache_size(ctx, SIZE);
    REQUIRE(SSLCACHE_stats(ctx, &stats, sizeof(stats)) == 1);
    for (int n = 0; n < SESSIONS; n++) {
        SSL_SESSION *added = session(n);

        REQUIRE(SSL_CTX_add_session(ctx, added) == 1);
        if (n % 7 == 0)
            removed += SSL_CTX_remove_session(ctx, added) == 1;
        SSL_SESSION_free(added);
        /* Before they would have to make room. */
        if (n % 10 == 0)
            SSL_CTX_flush_sessions(ctx, (long)time(NULL) + 1000);
    }
    for (int n = 0; n < SESSIONS; n++) {
        if (n % 7 == 0)
            continue;
        if (n % 10 == 0)
            expired++;
        else
            evicted += !is_there(ctx, n);
    }
    for (int n = 0; n < SESSIONS; n++) {
        if (n % 7 == 0 || n % 10 == 0)
            REQUIRE(!is_there(ctx, n));
    }
    for (int n = SESSIONS; n < SESSIONS + 1000; n++)
        REQUIRE(!is_there(ctx, n));
    REQUIRE(SSLCACHE_stats(ctx, &stats, sizeof(stats)) == 1);
    compare("evicted", stats.misses_evicted, evicted);
    compare("expired", stats.misses_expired, expired);
    compare("removed", stats.misses_removed, removed);
    compare("unknown", stats.misses_unknown, 1000);
    printf("all: %d\n", stats.misses_evicted + stats.misses_expired + stats.misses_removed + stats.misses_unknown ==
        evicted + expired + removed + 1000);
    SSL_CTX_free(ctx);
    return 0;
}
