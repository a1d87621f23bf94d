/*
 * memory_late LIBRARY [KEYS]
 *
 * The library comes by dlopen, and a thread uses it first when there is no memory for what is each thread's own. With
 * KEYS of pthread_key_create taken before, the C library needs memory for the next.
 */
#include <openssl/ssl.h>

#include <dlfcn.h>
#include <pthread.h>

#include "memory.h"

#define SESSIONS 4
static SSL_CTX *ctx;
static SSL_SESSION *sessions[SESSIONS];
static int removals;

static int (*add_session)(SSL_CTX *, SSL_SESSION *);
static int (*remove_session)(SSL_CTX *, SSL_SESSION *);
static void (*flush_sessions)(SSL_CTX *, long);
static SSL_CTX *(*new_context)(const SSL_METHOD *);
static void (*free_context)(SSL_CTX *);
static void (*set_remove_cb)(SSL_CTX *, void (*)(SSL_CTX *, SSL_SESSION *));

static void remove_cb(SSL_CTX *from, SSL_SESSION *session) { (void)from, (void)session, removals++; }

static void *without_memory(void *unused)
{
    memory_runs_out(FROM_THE_NTH, 1);
    SSL_CTX *other = new_context(TLS_method());
    free_context(other);
    int removed = remove_session(ctx, sessions[0]);
    flush_sessions(ctx, 0);
    memory_runs_out(MEMORY_IS_THERE, 0);
    printf("made %d, removed %d, %d removals\n", other != NULL, removed, removals);
    return unused;
}

int main(int argc, char **argv)
{
    void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    pthread_key_t key;
    pthread_t thread;
    if (!library)
        return puts(dlerror()), 1;
    for (int i = argc > 2 ? atoi(argv[2]) : 0; i > 0; i--)
        pthread_key_create(&key, NULL);
    add_session = dlsym(library, "SSL_CTX_add_session");
    remove_session = dlsym(library, "SSL_CTX_remove_session");
    flush_sessions = dlsym(library, "SSL_CTX_flush_sessions");
    new_context = dlsym(library, "SSL_CTX_new");
    free_context = dlsym(library, "SSL_CTX_free");
    set_remove_cb = dlsym(library, "SSL_CTX_sess_set_remove_cb");
    memory_of("libsslcache");
    ctx = new_context(TLS_method());
    set_remove_cb(ctx, remove_cb);
    for (int i = 0; i < SESSIONS; i++) {
        sessions[i] = SSL_SESSION_new();
        SSL_SESSION_set1_id(sessions[i], (const unsigned char *)&i, sizeof i);
        printf("added %d\n", add_session(ctx, sessions[i]));
    }
    pthread_create(&thread, NULL, without_memory, NULL);
    pthread_join(thread, NULL);
    for (int i = 0; i < SESSIONS; i++)
        SSL_SESSION_free(sessions[i]);
    free_context(ctx);
    return 0;
}
