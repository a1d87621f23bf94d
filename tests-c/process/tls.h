/* Contexts with a certificate of their own, and handshakes in memory. */
#ifndef TLS_H
#define TLS_H

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static EVP_PKEY *tls_key;
static X509 *tls_certificate;

/* The key and the certificate of every server. */
static void tls_prepare(void)
{
    if (tls_key)
        return;
    EVP_PKEY_CTX *making = EVP_PKEY_CTX_new_id(EVP_PKEY_EC, NULL);
    EVP_PKEY_keygen_init(making);
    EVP_PKEY_CTX_set_ec_paramgen_curve_nid(making, NID_X9_62_prime256v1);
    EVP_PKEY_keygen(making, &tls_key);
    EVP_PKEY_CTX_free(making);
    tls_certificate = X509_new();
    X509_set_version(tls_certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(tls_certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(tls_certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(tls_certificate), 86400);
    X509_set_pubkey(tls_certificate, tls_key);
    X509_NAME *name = X509_NAME_new();
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1, -1, 0);
    X509_set_subject_name(tls_certificate, name);
    X509_set_issuer_name(tls_certificate, name);
    X509_NAME_free(name);
    X509_sign(tls_certificate, tls_key, EVP_sha256());
}

static void tls_discard(void)
{
    EVP_PKEY_free(tls_key);
    X509_free(tls_certificate);
    tls_key = NULL;
    tls_certificate = NULL;
}

/* Makes a context a server of one version (0: any) that keeps its sessions itself. */
static void tls_serve(SSL_CTX *ctx, int version)
{
    tls_prepare();
    SSL_CTX_use_certificate(ctx, tls_certificate);
    SSL_CTX_use_PrivateKey(ctx, tls_key);
    SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"test", 4);
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    SSL_CTX_set_min_proto_version(ctx, version);
    SSL_CTX_set_max_proto_version(ctx, version);
}

static SSL_CTX *tls_server(int version)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    if (ctx)
        tls_serve(ctx, version);
    return ctx;
}

static SSL_CTX *tls_client(int version)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    if (ctx) {
        SSL_CTX_set_min_proto_version(ctx, version);
        SSL_CTX_set_max_proto_version(ctx, version);
    }
    return ctx;
}

/* Runs both ends until both are done, and one byte each way; 1: done. */
static int tls_shake(SSL *client, SSL *server)
{
    BIO *a, *b;
    char byte;
    BIO_new_bio_pair(&a, 0, &b, 0);
    SSL_set_bio(client, a, a);
    SSL_set_bio(server, b, b);
    SSL_set_connect_state(client);
    SSL_set_accept_state(server);
    for (int i = 0; i < 50; i++) {
        int c = SSL_do_handshake(client), s = SSL_do_handshake(server);
        if (c == 1 && s == 1)
            break;
        if ((c != 1 && SSL_get_error(client, c) == SSL_ERROR_SSL) || (s != 1 && SSL_get_error(server, s) == SSL_ERROR_SSL))
            return 0;
    }
    return SSL_is_init_finished(client) && SSL_is_init_finished(server) && SSL_write(server, "x", 1) == 1 &&
           SSL_read(client, &byte, 1) == 1 && SSL_write(client, "y", 1) == 1 && SSL_read(server, &byte, 1) == 1;
}

/* One connection that resumes *session, if there is one, and leaves its own there. 2: resumed, 1: full, 0: failed. */
static int tls_visit(SSL_CTX *client, SSL_CTX *server, SSL_SESSION **session)
{
    SSL *c = SSL_new(client), *s = SSL_new(server);
    if (session && *session)
        SSL_set_session(c, *session);
    int done = tls_shake(c, s), result = !done ? 0 : SSL_session_reused(s) ? 2 : 1;
    if (session) {
        SSL_SESSION_free(*session);
        *session = done ? SSL_get1_session(c) : NULL;
    }
    SSL_shutdown(c);
    SSL_shutdown(s);
    SSL_shutdown(c);
    SSL_free(c);
    SSL_free(s);
    return result;
}

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

#endif
