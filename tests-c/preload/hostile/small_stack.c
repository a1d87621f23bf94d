/* Threads with little stack: the cache calls on the least there can be and 16 KiB, whole
 * handshakes on 64 KiB more. */
#include "handshake.h"

#include <limits.h>
#include <pthread.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static SSL_CTX *server;

static void *cache_calls(void *unused) {
    unsigned char id[32] = {0};
    long added = 0, removed = 0;

    (void)unused;
    for (unsigned int n = 0; n < 3000; n++) {
        SSL_SESSION *session = SSL_SESSION_new();
        memcpy(id, &n, sizeof(n));
        SSL_SESSION_set_protocol_version(session, TLS1_2_VERSION);
        SSL_SESSION_set1_id(session, id, sizeof(id));
        added += SSL_CTX_add_session(server, session);
        if (n % 3 == 0)
            removed += SSL_CTX_remove_session(server, session);
        SSL_SESSION_free(session);
    }
    printf("added %ld, removed %ld, ", added, removed);
    SSL_CTX_flush_sessions(server, (long)time(NULL) + 100000);
    printf("left %ld\n", SSL_CTX_sess_number(server));
    return NULL;
}

static void *handshakes(void *unused) {
    (void)unused;
    six_handshakes("small stack", server, TLS1_2_VERSION);
    six_handshakes("small stack", server, TLS1_3_VERSION);
    return NULL;
}

static void run(void *(*what)(void *), size_t extra) {
    pthread_attr_t attributes;
    pthread_t thread;

    pthread_attr_init(&attributes);
    must(pthread_attr_setstacksize(&attributes, (size_t)sysconf(_SC_THREAD_STACK_MIN) + extra) == 0, "stack size");
    must(pthread_create(&thread, &attributes, what, NULL) == 0, "thread");
    pthread_join(thread, NULL);
}

int main(void) {
    server = server_context();
    SSL_CTX_sess_set_cache_size(server, 500);
    run(cache_calls, 16 * 1024);
    run(handshakes, 64 * 1024);
    SSL_CTX_free(server);
    return 0;
}
