/*
 * Built with what pkg-config says of the installed library, and with nothing else: a session goes into
 * a cache and is found again, counted, and removed.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include <openssl/ssl.h>
#include <sslcache.h>

#ifdef NDEBUG
#error these checks are asserts
#endif

int main(void)
{
    static const unsigned char id[] = "an id";
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    SSL_SESSION *session = SSL_SESSION_new(), *found;
    SSLCACHE_STATS stats;

    assert(ctx != NULL && session != NULL);
    assert(SSL_SESSION_set_protocol_version(session, TLS1_2_VERSION) == 1);
    assert(SSL_SESSION_set1_id(session, id, sizeof(id)) == 1);
    assert(SSL_CTX_add_session(ctx, session) == 1);
    assert(SSL_CTX_sess_number(ctx) == 1);
    found = SSLCACHE_get1_session(ctx, TLS1_2_VERSION, id, sizeof(id));
    assert(found == session);
    SSL_SESSION_free(found);
    assert(SSL_CTX_remove_session(ctx, session) == 1);
    assert(SSLCACHE_get1_session(ctx, TLS1_2_VERSION, id, sizeof(id)) == NULL);
    assert(SSLCACHE_stats(ctx, &stats, sizeof(stats)) == 1);
    assert(stats.stored == 1 && stats.removed == 1 && stats.held == 0);
    assert(stats.hits == 1 && stats.misses_removed == 1);
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
    assert(strcmp(SSLCACHE_version(), SSLCACHE_VERSION_STRING) == 0);
    puts(SSLCACHE_version());
    return 0;
}
