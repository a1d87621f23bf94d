/*
 * What tls.h has, for programs on the library alone: no protocol, but what a handshake does with the
 * session cache.
 */
#ifndef NO_TLS_H
#define NO_TLS_H

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sslcache.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A session that nobody negotiated, with the id `number`. */
static SSL_SESSION *tls_session(int number)
{
    SSL_SESSION *session = SSL_SESSION_new();
    unsigned char id[32] = {0};
    memcpy(id, &number, sizeof number);
    SSL_SESSION_set1_id(session, id, sizeof id);
    SSL_SESSION_set_protocol_version(session, TLS1_2_VERSION);
    return session;
}

static SSL_CTX *tls_server(int version)
{
    (void)version;
    SSL_CTX *ctx = SSL_CTX_new(TLSv1_2_server_method());
    SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"test", 4);
    return ctx;
}

static SSL_CTX *tls_client(int version)
{
    (void)version;
    return SSL_CTX_new(TLSv1_2_client_method());
}

/* One connection that resumes *session, if there is one, and leaves its own there. 2: resumed, 1: full, 0: failed. */
static int tls_visit(SSL_CTX *client, SSL_CTX *server, SSL_SESSION **session)
{
    SSL *s = SSL_new(server);
    unsigned int len;
    int result = 2;
    (void)client;
    const unsigned char *id = *session ? SSL_SESSION_get_id(*session, &len) : NULL;
    SSL_SESSION *mine = id ? SSLCACHE_accept_session(s, id, len) : NULL;
    if (!mine) {
        static const unsigned char suite[] = {0xc0, 0x2b}, key[48] = {1};
        result = 1;
        mine = SSL_SESSION_new();
        SSL_SESSION_set_protocol_version(mine, TLS1_2_VERSION);
        SSL_SESSION_set1_id_context(mine, (const unsigned char *)"test", 4);
        SSL_SESSION_set_cipher(mine, SSL_CIPHER_find(s, suite));
        SSL_SESSION_set1_master_key(mine, key, sizeof key);
    }
    SSLCACHE_negotiated(s, mine);
    SSL_SESSION_free(*session);
    *session = mine;
    SSL_free(s);
    return result;
}

#endif
