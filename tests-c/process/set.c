/*
 * A server that knows nothing of SSLCACHE_SET: what it reads back, what its handshakes do, how many sessions its
 * cache keeps, how long they live, how many tickets a client gets.
 */
#include "tls.h"

static int tickets;
static long life;

static int ticket_comes(SSL *ssl, SSL_SESSION *session)
{
    (void)ssl, (void)session;
    tickets++;
    return 0;
}

/* Like Apache, it may have a timeout of its own for each session. */
static long own_timeout;

static int session_is_made(SSL *ssl, SSL_SESSION *session)
{
    (void)ssl, (void)session;
    if (own_timeout)
        SSL_SESSION_set_timeout(session, own_timeout);
    return 0;
}

/* The life of the session that the server has for the last handshake. */
static void see_life(const SSL *ssl, int where, int value)
{
    (void)value;
    if (where & SSL_CB_HANDSHAKE_DONE)
        life = SSL_SESSION_get_timeout(SSL_get0_session(ssl));
}

static void handshakes(const char *name, int version, SSL_CTX *server)
{
    SSL_CTX *client = tls_client(version);
    SSL_SESSION *session = NULL;
    SSL_CTX_set_session_cache_mode(client, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(client, ticket_comes);
    SSL_CTX_flush_sessions(server, 0);
    tickets = 0;
    for (int i = 0; i < 6; i++) {
        SSL_SESSION_free(session);
        session = NULL;
        tls_visit(client, server, &session);
    }
    printf("%s: %d tickets or ids of 6 handshakes, %ld sessions kept, good for %ld s, ", name, tickets,
           SSL_CTX_sess_number(server), life);
    long before = SSL_CTX_sess_hits(server);
    tls_visit(client, server, &session);
    printf("%s\n", SSL_CTX_sess_hits(server) > before ? "resumed" : "not resumed");
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
}

int main(void)
{
    SSL_CTX *server = tls_server(0);
    SSL_CTX_clear_options(server, SSL_OP_NO_TICKET);
    SSL_CTX_set_info_callback(server, see_life);
    SSL_CTX_sess_set_new_cb(server, session_is_made);
    printf("from the start: size %ld, mode %ld, timeout of %s\n", SSL_CTX_sess_get_cache_size(server),
           SSL_CTX_get_session_cache_mode(server), SSL_CTX_get_timeout(server) > 200 ? "libssl's own" : "another");
    SSL_CTX_sess_set_cache_size(server, 5);
    SSL_CTX_set_timeout(server, 1000);
    printf("before: size %ld, timeout %ld\n", SSL_CTX_sess_set_cache_size(server, 4), SSL_CTX_set_timeout(server, 900));
    printf("after: size %ld, mode %ld, timeout %ld\n", SSL_CTX_sess_get_cache_size(server),
           SSL_CTX_get_session_cache_mode(server), SSL_CTX_get_timeout(server));
    handshakes("TLS 1.2", TLS1_2_VERSION, server);
    handshakes("TLS 1.3", TLS1_3_VERSION, server);
    own_timeout = 500;
    handshakes("a timeout of its own", TLS1_2_VERSION, server);
    SSL_CTX_free(server);
    tls_discard();
    return 0;
}
