/*
 * seeded leak|use-after-free|race
 *
 * A mistake on purpose, in the way the soak programs use the library: what a sanitizer must report, or
 * its silence about those programs is worth nothing. Runs in both standings.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/ssl.h>

static SSL_SESSION *new_session(unsigned char first)
{
    unsigned char id[32];
    SSL_SESSION *session = SSL_SESSION_new();

    memset(id, first, sizeof(id));
    SSL_SESSION_set_protocol_version(session, TLS1_2_VERSION);
    SSL_SESSION_set1_id(session, id, sizeof(id));
    return session;
}

/* One reference more than is given back, to a session that was cached meanwhile. */
static void leak(SSL_CTX *ctx)
{
    SSL_SESSION *session = new_session(1);

    SSL_SESSION_up_ref(session);
    SSL_CTX_add_session(ctx, session);
    SSL_CTX_flush_sessions(ctx, 0);
    SSL_SESSION_free(session);
}

/* A session that nobody holds any more. The library reads its id (libssl has no eyes of a sanitizer). */
static void use_after_free(SSL_CTX *ctx)
{
    SSL_SESSION *session = new_session(2);

    SSL_SESSION_free(session);
    SSL_CTX_add_session(ctx, session);
}

/* The remove callback runs without a lock: it must not count like this. */
static long removed;

static void count_removed(SSL_CTX *ctx, SSL_SESSION *session)
{
    (void)ctx, (void)session;
    removed++;
}

static void *add_and_flush(void *ctx)
{
    int i;

    for (i = 0; i < 20000; i++) {
        SSL_SESSION *session = new_session((unsigned char)i);

        SSL_CTX_add_session(ctx, session);
        SSL_SESSION_free(session);
        SSL_CTX_flush_sessions(ctx, 0);
    }
    return NULL;
}

static void race(SSL_CTX *ctx)
{
    pthread_t other;

    SSL_CTX_sess_set_remove_cb(ctx, count_removed);
    pthread_create(&other, NULL, add_and_flush, ctx);
    add_and_flush(ctx);
    pthread_join(other, NULL);
    printf("%ld removed\n", removed);
}

int main(int argc, char **argv)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    const char *what = argc == 2 ? argv[1] : "";

    if (strcmp(what, "leak") == 0) {
        leak(ctx);
    } else if (strcmp(what, "use-after-free") == 0) {
        use_after_free(ctx);
    } else if (strcmp(what, "race") == 0) {
        race(ctx);
    } else {
        fprintf(stderr, "usage: seeded leak|use-after-free|race\n");
        return 2;
    }
    SSL_CTX_free(ctx);
    return 0;
}
