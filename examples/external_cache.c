/*
 * Two servers that share sessions through a store of their own.
 *
 * Each server is one SSL_CTX with its own internal cache. The callbacks keep an encoded
 * copy of every session in a table that stands for a database or a shared memory segment:
 *
 *   new_cb     a handshake made a session   -> encode it and put it into the table
 *   get_cb     the internal cache missed    -> find the encoding and decode it
 *   remove_cb  a session may not be resumed -> take it out of the table
 *
 *   cc -Iinclude examples/external_cache.c -o external_cache -Ltarget/release -lsslcache
 */
#include <openssl/ssl.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ID_LENGTH SSL_MAX_SSL_SESSION_ID_LENGTH

struct stored {
    unsigned char id[ID_LENGTH];
    unsigned int id_len;
    unsigned char *der; /* NULL: this place is free */
    int der_len;
};

static struct stored table[8];
static int lookups; /* how often a server had to ask the table */

static struct stored *find(const unsigned char *id, unsigned int id_len) {
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (table[i].der != NULL && table[i].id_len == id_len && memcmp(table[i].id, id, id_len) == 0)
            return &table[i];
    return NULL;
}

static struct stored *free_place(void) {
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (table[i].der == NULL)
            return &table[i];
    return NULL;
}

static int new_session_cb(SSL *ssl, SSL_SESSION *session) {
    struct stored *place = free_place();
    int der_len = i2d_SSL_SESSION(session, NULL); /* the length only */
    unsigned int id_len;
    const unsigned char *id = SSL_SESSION_get_id(session, &id_len);

    (void)ssl;
    if (place == NULL || der_len <= 0 || (place->der = malloc((size_t)der_len)) == NULL)
        return 0;
    unsigned char *end = place->der; /* i2d moves the pointer it is given */
    place->der_len = i2d_SSL_SESSION(session, &end);
    place->id_len = id_len;
    memcpy(place->id, id, id_len);
    return 0; /* 0: we kept a copy, not the session itself */
}

static SSL_SESSION *get_session_cb(SSL *ssl, const unsigned char *id, int id_len, int *copy) {
    struct stored *place = find(id, (unsigned int)id_len);

    (void)ssl;
    lookups++;
    *copy = 0; /* what d2i returns is a new object: the caller may have our reference */
    if (place == NULL)
        return NULL;
    const unsigned char *start = place->der;
    return d2i_SSL_SESSION(NULL, &start, place->der_len);
}

static void remove_session_cb(SSL_CTX *ctx, SSL_SESSION *session) {
    unsigned int id_len;
    const unsigned char *id = SSL_SESSION_get_id(session, &id_len);
    struct stored *place = find(id, id_len);

    (void)ctx;
    if (place == NULL)
        return;
    free(place->der);
    place->der = NULL;
}

static SSL_CTX *new_server(void) {
    SSL_CTX *ctx = SSL_CTX_new(TLSv1_2_server_method());

    if (ctx == NULL)
        exit(1);
    SSL_CTX_sess_set_new_cb(ctx, new_session_cb);
    SSL_CTX_sess_set_get_cb(ctx, get_session_cb);
    SSL_CTX_sess_set_remove_cb(ctx, remove_session_cb);
    return ctx;
}

/* The session a handshake with `ssl` would end with: an id, a cipher, a master key. */
static SSL_SESSION *new_session(SSL *ssl, const unsigned char *id) {
    static const unsigned char ecdhe_rsa_aes128_gcm_sha256[2] = {0xc0, 0x2f};
    static const unsigned char master_key[48] = {0x6b};
    SSL_SESSION *session = SSL_SESSION_new();

    if (session == NULL || !SSL_SESSION_set1_id(session, id, ID_LENGTH) ||
        !SSL_SESSION_set_protocol_version(session, TLS1_2_VERSION) ||
        !SSL_SESSION_set_cipher(session, SSL_CIPHER_find(ssl, ecdhe_rsa_aes128_gcm_sha256)) ||
        !SSL_SESSION_set1_master_key(session, master_key, sizeof(master_key)))
        exit(1);
    return session;
}

/* A client comes to this server and names the session `id`: is it resumed? */
static int resumes(SSL *ssl, const unsigned char *id) {
    SSL_SESSION *session = SSLCACHE_accept_session(ssl, id, ID_LENGTH);

    SSL_SESSION_free(session);
    return session != NULL;
}

static int surprises;

static void step(const char *what, int answer, int expected) {
    printf("%-58s %d%s\n", what, answer, answer == expected ? "" : "   <- unexpected");
    if (answer != expected)
        surprises++;
}

int main(void) {
    static const unsigned char id[ID_LENGTH] = "a session made by server A";
    SSL_CTX *ctx_a = new_server(), *ctx_b = new_server();
    SSL *ssl_a = SSL_new(ctx_a), *ssl_b = SSL_new(ctx_b);

    if (ssl_a == NULL || ssl_b == NULL)
        return 1;
    SSL_SESSION *session = new_session(ssl_a, id);

    SSLCACHE_negotiated(ssl_a, session);
    step("server A ends a handshake; its session is in the table", find(id, ID_LENGTH) != NULL, 1);
    step("server A resumes it", resumes(ssl_a, id), 1);
    step("... from its own cache, without asking the table", lookups, 0);
    step("server B resumes it", resumes(ssl_b, id), 1);
    step("... because the table had it", lookups, 1);
    step("server B resumes it once more", resumes(ssl_b, id), 1);
    step("... now from its own cache", lookups, 1);

    step("server A removes it", SSL_CTX_remove_session(ctx_a, session), 1);
    step("... and it left the table", find(id, ID_LENGTH) == NULL, 1);
    step("server A does not resume it any more", resumes(ssl_a, id), 0);

    SSL_SESSION_free(session);
    SSL_free(ssl_a);
    SSL_free(ssl_b);
    SSL_CTX_free(ctx_a);
    SSL_CTX_free(ctx_b);
    return surprises != 0;
}
