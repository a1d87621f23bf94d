/*
 * The session cache, used as a library of its own: no libssl in the process.
 *
 *   cc -Iinclude examples/session_cache.c -o session_cache -Ltarget/release -lsslcache
 *
 * Every step prints what the call answered; the program fails if that is not what
 * OpenSSL's manual pages promise.
 */
#include <openssl/ssl.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

static int surprises;

static void step(const char *what, long answer, long expected) {
    printf("%-58s %ld%s\n", what, answer, answer == expected ? "" : "   <- unexpected");
    if (answer != expected)
        surprises++;
}

/* A session as a server would have it after a handshake: a random id (here a number, to
 * keep it readable), the version it was negotiated for, and how long it may be resumed. */
static SSL_SESSION *new_session(unsigned char number, long timeout) {
    unsigned char id[SSL_MAX_SSL_SESSION_ID_LENGTH] = {number};
    SSL_SESSION *session = SSL_SESSION_new();

    if (session == NULL || !SSL_SESSION_set1_id(session, id, sizeof(id)) ||
        !SSL_SESSION_set_protocol_version(session, TLS1_2_VERSION))
        return NULL;
    SSL_SESSION_set_timeout(session, timeout);
    return session;
}

/* Looks a session up by its number, as a handshake does with the id a client sent. */
static int is_cached(SSL_CTX *ctx, unsigned char number) {
    unsigned char id[SSL_MAX_SSL_SESSION_ID_LENGTH] = {number};
    SSL_SESSION *session = SSLCACHE_get1_session(ctx, TLS1_2_VERSION, id, sizeof(id));

    SSL_SESSION_free(session); /* get1: the reference is ours; freeing NULL is fine */
    return session != NULL;
}

int main(void) {
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    SSL_SESSION *one = new_session(1, 100);
    SSL_SESSION *two = new_session(2, 200);
    SSL_SESSION *three = new_session(3, 300);
    SSLCACHE_STATS stats;

    if (ctx == NULL || one == NULL || two == NULL || three == NULL)
        return 1;
    printf("libsslcache %s\n\n", SSLCACHE_version());

    step("add session 1", SSL_CTX_add_session(ctx, one), 1);
    step("add the same session again: it is already there", SSL_CTX_add_session(ctx, one), 0);
    step("look it up by its id", is_cached(ctx, 1), 1);
    step("look up an id nobody has", is_cached(ctx, 9), 0);

    /* The cache holds one less than the size it is given, as OpenSSL's does: 3 means two.
     * A full cache gives up the session that would expire first. */
    SSL_CTX_sess_set_cache_size(ctx, 3);
    step("add session 2 (cache size 3: room for two)", SSL_CTX_add_session(ctx, two), 1);
    step("add session 3", SSL_CTX_add_session(ctx, three), 1);
    step("session 1 expires first, so it had to go", is_cached(ctx, 1), 0);
    step("an evicted session cannot be resumed any more", SSL_SESSION_is_resumable(one), 0);
    step("sessions in the cache", SSL_CTX_sess_number(ctx), 2);

    step("remove session 3", SSL_CTX_remove_session(ctx, three), 1);
    step("remove it again: it is not there", SSL_CTX_remove_session(ctx, three), 0);

    SSL_CTX_flush_sessions(ctx, (long)time(NULL) + 250); /* everything expired by then */
    step("flush what expires within 250 seconds; what is left", SSL_CTX_sess_number(ctx), 0);

    /* What OpenSSL never told: why sessions were not found, and how they left. */
    if (!SSLCACHE_stats(ctx, &stats, sizeof(stats)))
        return 1;
    printf("\nstored %llu, hits %llu, misses: %llu unknown, %llu evicted\n",
           (unsigned long long)stats.stored, (unsigned long long)stats.hits,
           (unsigned long long)stats.misses_unknown, (unsigned long long)stats.misses_evicted);
    printf("left:   %llu evicted, %llu removed, %llu flushed\n", (unsigned long long)stats.evicted,
           (unsigned long long)stats.removed, (unsigned long long)stats.flushed);

    SSL_SESSION_free(one);
    SSL_SESSION_free(two);
    SSL_SESSION_free(three);
    SSL_CTX_free(ctx);
    return surprises != 0;
}
