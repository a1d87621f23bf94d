/*
 * TLS in memory, for the programs of this directory: a client and a server in one process,
 * the certificate and key from the files that CERT and KEY name. No tickets: a session lies
 * in the server's cache or nowhere.
 */
#ifndef HANDSHAKE_H
#define HANDSHAKE_H

#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>

static inline void must(int condition, const char *what) {
    if (!condition) {
        fprintf(stderr, "failed: %s\n", what);
        exit(3);
    }
}

/* Settles a new context; split from its making, which one program does in an odd way. */
static inline void set_up_server(SSL_CTX *ctx) {
    must(ctx != NULL, "server context");
    must(SSL_CTX_use_certificate_file(ctx, getenv("CERT"), SSL_FILETYPE_PEM) == 1, "CERT");
    must(SSL_CTX_use_PrivateKey_file(ctx, getenv("KEY"), SSL_FILETYPE_PEM) == 1, "KEY");
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
}

static inline SSL_CTX *server_context(void) {
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    set_up_server(ctx);
    return ctx;
}

static inline SSL_CTX *client_context(int version) {
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    must(ctx != NULL, "client context");
    SSL_CTX_set_min_proto_version(ctx, version);
    SSL_CTX_set_max_proto_version(ctx, version);
    return ctx;
}

/* One connection that offers *session (if any) and puts the new one in its place.
 * 1: resumed, 0: a full handshake, -1: failed. */
static inline int handshake(SSL_CTX *server_ctx, SSL_CTX *client_ctx, SSL_SESSION **session) {
    SSL *server = SSL_new(server_ctx), *client = SSL_new(client_ctx);
    BIO *server_bio, *client_bio;
    char byte;
    int result = -1;

    must(server != NULL && client != NULL, "SSL_new");
    must(BIO_new_bio_pair(&server_bio, 0, &client_bio, 0) == 1, "BIO_new_bio_pair");
    SSL_set_bio(server, server_bio, server_bio);
    SSL_set_bio(client, client_bio, client_bio);
    if (*session != NULL)
        SSL_set_session(client, *session);
    SSL_set_accept_state(server);
    SSL_set_connect_state(client);
    for (int round = 0; round < 20; round++) {
        SSL_do_handshake(client);
        SSL_do_handshake(server);
        if (SSL_is_init_finished(client) && SSL_is_init_finished(server))
            break;
    }
    if (SSL_is_init_finished(client) && SSL_is_init_finished(server)) {
        SSL_write(server, "x", 1); /* reading it, the client sees the TLS 1.3 tickets first */
        SSL_read(client, &byte, 1);
        result = SSL_session_reused(server);
        SSL_SESSION_free(*session);
        *session = SSL_get1_session(client);
        SSL_shutdown(client);
        SSL_shutdown(server);
    }
    SSL_free(client);
    SSL_free(server);
    return result;
}

/* A client comes six times: "1N 5R" when all is well. */
static inline void six_handshakes(const char *what, SSL_CTX *server, int version) {
    SSL_CTX *client = client_context(version);
    SSL_SESSION *session = NULL;
    int fresh = 0, reused = 0;

    for (int i = 0; i < 6; i++) {
        int result = handshake(server, client, &session);
        fresh += result == 0;
        reused += result == 1;
    }
    printf("%s %s %dN %dR\n", what, version == TLS1_2_VERSION ? "TLS1.2" : "TLS1.3", fresh, reused);
    fflush(stdout);
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
}

static inline void print_counters(const char *what, SSL_CTX *ctx) {
    long number = SSL_CTX_sess_number(ctx), hits = SSL_CTX_sess_hits(ctx), misses = SSL_CTX_sess_misses(ctx);
    printf("%s number %ld hits %ld misses %ld\n", what, number, hits, misses);
    fflush(stdout);
}

#endif
