/* As Qt, .NET, ctypes and others do: every function of libssl is taken from its handle.
 *
 *   count LIBSSL       how many sessions a context holds
 *   settings LIBSSL    what a context reads back
 *   handshakes LIBSSL  visits, with callbacks
 *
 * With -DLINKED it also calls one by its name: the other constructor.
 */
#include <dlfcn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *handle;

#define TAKE(type, name, arguments) static type (*f_##name) arguments
#define FOUND(name) (f_##name = (__typeof__(f_##name))dlsym(handle, #name))

typedef int (*new_cb)(SSL *, SSL_SESSION *);
typedef void (*remove_cb)(SSL_CTX *, SSL_SESSION *);
TAKE(const SSL_METHOD *, TLS_method, (void));
TAKE(SSL_CTX *, SSL_CTX_new, (const SSL_METHOD *));
TAKE(void, SSL_CTX_free, (SSL_CTX *));
TAKE(long, SSL_CTX_ctrl, (SSL_CTX *, int, long, void *));
TAKE(int, SSL_CTX_add_session, (SSL_CTX *, SSL_SESSION *));
TAKE(int, SSL_CTX_remove_session, (SSL_CTX *, SSL_SESSION *));
TAKE(void, SSL_CTX_flush_sessions, (SSL_CTX *, long));
TAKE(new_cb, SSL_CTX_sess_get_new_cb, (SSL_CTX *));
TAKE(void, SSL_CTX_sess_set_new_cb, (SSL_CTX *, new_cb));
TAKE(remove_cb, SSL_CTX_sess_get_remove_cb, (SSL_CTX *));
TAKE(void, SSL_CTX_sess_set_remove_cb, (SSL_CTX *, remove_cb));
TAKE(SSL_SESSION *, SSL_SESSION_new, (void));
TAKE(void, SSL_SESSION_free, (SSL_SESSION *));
TAKE(int, SSL_SESSION_set1_id, (SSL_SESSION *, const unsigned char *, unsigned));
TAKE(int, SSL_SESSION_set_protocol_version, (SSL_SESSION *, int));
TAKE(int, SSL_CTX_set_cipher_list, (SSL_CTX *, const char *));
TAKE(SSL *, SSL_new, (SSL_CTX *));
TAKE(void, SSL_free, (SSL *));
TAKE(void, SSL_set_bio, (SSL *, BIO *, BIO *));
TAKE(void, SSL_set_connect_state, (SSL *));
TAKE(void, SSL_set_accept_state, (SSL *));
TAKE(int, SSL_do_handshake, (SSL *));
TAKE(int, SSL_session_reused, (const SSL *));
TAKE(SSL_SESSION *, SSL_get1_session, (SSL *));
TAKE(int, SSL_set_session, (SSL *, SSL_SESSION *));
TAKE(int, SSL_shutdown, (SSL *));
TAKE(int, BIO_new_bio_pair, (BIO **, size_t, BIO **, size_t));
TAKE(int, SSL_CTX_set_session_id_context, (SSL_CTX *, const unsigned char *, unsigned));
TAKE(uint64_t, SSL_CTX_set_options, (SSL_CTX *, uint64_t));

static void take(const char *libssl)
{
    handle = dlopen(libssl, RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        puts(dlerror());
        exit(3);
    }
    FOUND(TLS_method), FOUND(SSL_CTX_new), FOUND(SSL_CTX_free), FOUND(SSL_CTX_ctrl), FOUND(SSL_CTX_add_session);
    FOUND(SSL_CTX_remove_session), FOUND(SSL_CTX_flush_sessions), FOUND(SSL_CTX_sess_get_new_cb);
    FOUND(SSL_CTX_sess_set_new_cb), FOUND(SSL_CTX_sess_get_remove_cb), FOUND(SSL_CTX_sess_set_remove_cb);
    FOUND(SSL_SESSION_new), FOUND(SSL_SESSION_free), FOUND(SSL_SESSION_set1_id), FOUND(SSL_SESSION_set_protocol_version);
    FOUND(SSL_CTX_set_cipher_list), FOUND(SSL_new), FOUND(SSL_free), FOUND(SSL_set_bio), FOUND(SSL_set_connect_state);
    FOUND(SSL_set_accept_state), FOUND(SSL_do_handshake), FOUND(SSL_session_reused), FOUND(SSL_get1_session);
    FOUND(SSL_set_session), FOUND(SSL_shutdown), FOUND(BIO_new_bio_pair), FOUND(SSL_CTX_set_session_id_context);
    FOUND(SSL_CTX_set_options);
}

static int stored, removed;
static int on_new(SSL *ssl, SSL_SESSION *session) { (void)ssl, (void)session; stored++; return 0; }
static void on_remove(SSL_CTX *ctx, SSL_SESSION *session) { (void)ctx, (void)session; removed++; }

static SSL_SESSION *session(int number)
{
    SSL_SESSION *made = f_SSL_SESSION_new();
    unsigned char id[32] = {0};
    memcpy(id, &number, sizeof number);
    f_SSL_SESSION_set1_id(made, id, sizeof id);
    f_SSL_SESSION_set_protocol_version(made, TLS1_2_VERSION);
    return made;
}

static long control(SSL_CTX *ctx, int command, long value) { return f_SSL_CTX_ctrl(ctx, command, value, NULL); }

/* The size is bounded: the oldest make room. */
static void count(SSL_CTX *ctx)
{
    control(ctx, SSL_CTRL_SET_SESS_CACHE_MODE, SSL_SESS_CACHE_SERVER); /* the default, said once more */
    for (int i = 0; i < 30000; i++) {
        SSL_SESSION *one = session(i);
        f_SSL_CTX_add_session(ctx, one);
        f_SSL_SESSION_free(one);
    }
    printf("of 30000 it holds %ld, full %ld\n", control(ctx, SSL_CTRL_SESS_NUMBER, 0), control(ctx, SSL_CTRL_SESS_CACHE_FULL, 0));
}

static void settings(SSL_CTX *ctx)
{
    printf("mode %ld, size %ld, new_cb %d, remove_cb %d\n", control(ctx, SSL_CTRL_GET_SESS_CACHE_MODE, 0),
           control(ctx, SSL_CTRL_GET_SESS_CACHE_SIZE, 0), f_SSL_CTX_sess_get_new_cb(ctx) != NULL,
           f_SSL_CTX_sess_get_remove_cb(ctx) != NULL);
    f_SSL_CTX_sess_set_remove_cb(ctx, on_remove);
    printf("was %ld", control(ctx, SSL_CTRL_SET_SESS_CACHE_MODE, SSL_SESS_CACHE_BOTH));
    printf(", was %ld", control(ctx, SSL_CTRL_SET_SESS_CACHE_SIZE, 10));
    printf(", mode %ld, size %ld, remove_cb %d\n", control(ctx, SSL_CTRL_GET_SESS_CACHE_MODE, 0),
           control(ctx, SSL_CTRL_GET_SESS_CACHE_SIZE, 0), f_SSL_CTX_sess_get_remove_cb(ctx) == on_remove);
    SSL_SESSION *twice = session(1);
    printf("add %d", f_SSL_CTX_add_session(ctx, twice));
    printf(", again %d", f_SSL_CTX_add_session(ctx, twice));
    printf(", remove %d", f_SSL_CTX_remove_session(ctx, twice));
    printf(", again %d, removals %d\n", f_SSL_CTX_remove_session(ctx, twice), removed);
    f_SSL_SESSION_free(twice);
    for (int i = 0; i < 20; i++) {
        SSL_SESSION *one = session(i);
        f_SSL_CTX_add_session(ctx, one);
        f_SSL_SESSION_free(one);
    }
    printf("removals %d", removed);
    f_SSL_CTX_flush_sessions(ctx, 0);
    printf(", flushed %d, holds %ld\n", removed, control(ctx, SSL_CTRL_SESS_NUMBER, 0));
}

static int visit(SSL_CTX *ctx, SSL_SESSION **kept)
{
    SSL *client = f_SSL_new(ctx), *server = f_SSL_new(ctx);
    BIO *a, *b;
    if (*kept)
        f_SSL_set_session(client, *kept);
    f_BIO_new_bio_pair(&a, 0, &b, 0);
    f_SSL_set_bio(client, a, a);
    f_SSL_set_bio(server, b, b);
    f_SSL_set_connect_state(client);
    f_SSL_set_accept_state(server);
    int done = 0;
    for (int i = 0; i < 20 && done != 3; i++)
        done = (f_SSL_do_handshake(client) == 1) | (f_SSL_do_handshake(server) == 1) << 1;
    int reused = f_SSL_session_reused(server);
    f_SSL_SESSION_free(*kept);
    *kept = f_SSL_get1_session(client);
    f_SSL_shutdown(client);
    f_SSL_shutdown(server);
    f_SSL_free(client);
    f_SSL_free(server);
    return done == 3 ? 1 + reused : 0;
}

/* Without a certificate: anonymous, in TLS 1.2. */
static void handshakes(SSL_CTX *ctx)
{
    SSL_SESSION *kept = NULL;
    f_SSL_CTX_set_cipher_list(ctx, "ADH-AES128-SHA256:AECDH-AES128-SHA:@SECLEVEL=0");
    control(ctx, SSL_CTRL_SET_MAX_PROTO_VERSION, TLS1_2_VERSION);
    control(ctx, SSL_CTRL_SET_DH_AUTO, 1);
    f_SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    f_SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"handles", 7);
    f_SSL_CTX_sess_set_new_cb(ctx, on_new);
    f_SSL_CTX_sess_set_remove_cb(ctx, on_remove);
    for (int i = 0; i < 3; i++)
        printf("visit %d ", visit(ctx, &kept));
    printf("stored %d removed %d hits %ld\n", stored, removed, control(ctx, SSL_CTRL_SESS_HIT, 0));
    f_SSL_SESSION_free(kept);
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    take(argv[2]);
#ifdef LINKED
    SSL_CTX_free(SSL_CTX_new(TLS_method()));
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
    SSL_CTX_free(SSL_CTX_new_ex(NULL, NULL, TLS_method()));
#endif
#endif
    SSL_CTX *ctx = f_SSL_CTX_new(f_TLS_method());
    if (strcmp(argv[1], "count") == 0)
        count(ctx);
    else if (strcmp(argv[1], "settings") == 0)
        settings(ctx);
    else
        handshakes(ctx);
    removed = 0;
    f_SSL_CTX_free(ctx);
    printf("removed at the end %d\n", removed);
    return 0;
}
