/* Contexts that are made and freed under several default library contexts, which each have ex_data indexes of their own. */
#include <openssl/opensslv.h>
#if OPENSSL_VERSION_NUMBER < 0x30000000L
#include <stdio.h>
int main(void) { puts("no library contexts before 3.0"); return 0; }
#else
#include <pthread.h>

#include "tls.h"

static int removed, freed;

static void on_remove(SSL_CTX *ctx, SSL_SESSION *session) { (void)ctx; (void)session; removed++; }

static void on_free(void *ctx, void *data, CRYPTO_EX_DATA *ad, int index, long argl, void *argp)
{
    (void)ctx, (void)ad, (void)index, (void)argl, (void)argp;
    freed += data != NULL;
}

static int data_index(void) { return SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, on_free); }

/* A context with the application's own data and some sessions. */
static SSL_CTX *filled(int index, void *data, int sessions)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_ex_data(ctx, index, data);
    SSL_CTX_sess_set_remove_cb(ctx, on_remove);
    for (int i = 0; i < sessions; i++) {
        SSL_SESSION *session = tls_session(i);
        SSL_CTX_add_session(ctx, session);
        SSL_SESSION_free(session);
    }
    return ctx;
}

static void show(const char *what, SSL_CTX *ctx, int index, const void *data)
{
    printf("%s: holds %ld, data %s, callback %s\n", what, SSL_CTX_sess_number(ctx),
           SSL_CTX_get_ex_data(ctx, index) == data ? "there" : "lost",
           SSL_CTX_sess_get_remove_cb(ctx) == on_remove ? "there" : "lost");
}

static void end(const char *what, SSL_CTX *ctx)
{
    removed = freed = 0;
    SSL_CTX_free(ctx);
    printf("%s: removed %d, freed %d\n", what, removed, freed);
}

/* The first library context has seen contexts before; the second hands out the same indexes again. */
static void own_default(void)
{
    char data[512];
    memset(data, 'A', sizeof data);
    SSL_CTX_free(SSL_CTX_new(TLS_method()));
    OSSL_LIB_CTX *own = OSSL_LIB_CTX_new(), *before = OSSL_LIB_CTX_set0_default(own);
    int index = data_index();
    SSL_CTX *ctx = filled(index, data, 5);
    show("own", ctx, index, data);
    SSL *connection = SSL_new(ctx);
    printf("a connection: %d\n", SSL_get_SSL_CTX(connection) == ctx);
    SSL_free(connection);
    end("own", ctx);
    OSSL_LIB_CTX_set0_default(before);
    OSSL_LIB_CTX_free(own);
}

/* Made under one, freed under another that has never seen a context: whose free functions run is libcrypto's affair. */
static void other_default_at_end(void)
{
    int data = 0, index = data_index();
    SSL_CTX *ctx = filled(index, &data, 5);
    OSSL_LIB_CTX *own = OSSL_LIB_CTX_new(), *before = OSSL_LIB_CTX_set0_default(own);
    show("made under another", ctx, index, &data);
    end("made under another", ctx);
    ctx = filled(index, &data, 3);
    show("made under this", ctx, index, &data);
    OSSL_LIB_CTX_set0_default(before);
    end("made under this", ctx);
    OSSL_LIB_CTX_free(own);
}

/* Library contexts that come and go, at the same addresses perhaps: each begins without indexes. */
static void many_defaults(void)
{
    int data = 0;
    long held = 0;
    removed = freed = 0;
    for (int i = 0; i < 50; i++) {
        OSSL_LIB_CTX *own = OSSL_LIB_CTX_new(), *before = OSSL_LIB_CTX_set0_default(own);
        for (int j = i % 3; j > 0; j--)
            SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
        int index = data_index();
        SSL_CTX *ctx = filled(index, &data, i);
        held += SSL_CTX_sess_number(ctx);
        SSL_CTX_free(ctx);
        OSSL_LIB_CTX_set0_default(before);
        OSSL_LIB_CTX_free(own);
    }
    printf("held %ld, removed %d, freed %d\n", held, removed, freed);
}

static SSL_CTX *handed_over;

static void *make(void *data)
{
    OSSL_LIB_CTX *own = OSSL_LIB_CTX_new();
    OSSL_LIB_CTX_set0_default(own);
    handed_over = filled(data_index(), data, 4);
    OSSL_LIB_CTX_set0_default(NULL);
    return own;
}

/* Made on a thread with a default of its own, freed on another. */
static void threads(void)
{
    int data = 0;
    for (int i = 0; i < 20; i++) {
        pthread_t thread;
        void *own;
        pthread_create(&thread, NULL, make, &data);
        pthread_join(thread, &own);
        if (i == 0 || i == 19) {
            printf("holds %ld\n", SSL_CTX_sess_number(handed_over));
            end("handed over", handed_over);
        } else
            SSL_CTX_free(handed_over);
        OSSL_LIB_CTX_free(own);
    }
}

/* Connections that are switched to another context have the application's data under every index. */
static void app_data_of_connections(void)
{
    char data[8][64];
    SSL_CTX *first = SSL_CTX_new(TLS_server_method()), *second = SSL_CTX_new(TLS_server_method());
    SSL *connection = SSL_new(first);
    SSL_set_SSL_CTX(connection, second);
    SSL_free(connection);
    OSSL_LIB_CTX *own = OSSL_LIB_CTX_new(), *before = OSSL_LIB_CTX_set0_default(own);
    int indexes[8];
    for (int i = 0; i < 8; i++)
        indexes[i] = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    connection = SSL_new(first);
    for (int i = 0; i < 8; i++)
        SSL_set_ex_data(connection, indexes[i], data[i]);
    SSL_set_SSL_CTX(connection, second);
    int there = 0;
    for (int i = 0; i < 8; i++)
        there += SSL_get_ex_data(connection, indexes[i]) == data[i];
    printf("%d of 8 there, switched %d\n", there, SSL_get_SSL_CTX(connection) == second);
    SSL_free(connection);
    SSL_CTX_free(first);
    SSL_CTX_free(second);
    OSSL_LIB_CTX_set0_default(before);
    OSSL_LIB_CTX_free(own);
}

int main(int argc, char **argv)
{
    static const struct { const char *name; void (*run)(void); } kinds[] = {
        {"own_default", own_default},
        {"other_default_at_end", other_default_at_end},
        {"many_defaults", many_defaults},
        {"threads", threads},
        {"app_data_of_connections", app_data_of_connections},
    };
    for (size_t i = 0; argc > 1 && i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].name, argv[1]) == 0) {
            kinds[i].run();
            return 0;
        }
    return 2;
}
#endif
