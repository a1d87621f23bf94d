/*
 * A server forks with a warm cache, and parent and children go on.
 *
 *   fork            one thread
 *   fork threads    other threads of the parent sleep at the time of the fork
 *   fork busy       other threads work on the very context at the time of the fork. A child may
 *                   then inherit a lock that nobody will release, and wait until its alarm: plain
 *                   libssl does so nearly always. It must not crash, and the parent must go on.
 */
#include "handshake.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static atomic_int stop;

static void *sleeper(void *unused) {
    (void)unused;
    while (!atomic_load(&stop))
        usleep(1000);
    return NULL;
}

/* Adds and removes sessions of its own: short operations, so that a fork often hits one. */
static void *worker(void *argument) {
    SSL_CTX *server = argument;
    unsigned char id[32] = {0};

    for (unsigned int n = 0; !atomic_load(&stop); n++) {
        SSL_SESSION *session = SSL_SESSION_new();
        memcpy(id, &n, sizeof(n));
        SSL_SESSION_set_protocol_version(session, TLS1_2_VERSION);
        SSL_SESSION_set1_id(session, id, sizeof(id));
        SSL_CTX_add_session(server, session);
        if (n % 2)
            SSL_CTX_remove_session(server, session);
        SSL_SESSION_free(session);
    }
    return NULL;
}

/* Resumes what the parent's cache had before the fork, then makes a session of its own. */
static int child(SSL_CTX *server, SSL_CTX *client, SSL_SESSION **session) {
    SSL_SESSION *fresh = NULL;
    int first = handshake(server, client, session), second = handshake(server, client, session);
    int third = handshake(server, client, &fresh), fourth = handshake(server, client, &fresh);

    SSL_SESSION_free(fresh);
    SSL_SESSION_free(*session);
    /* Where processes share their sessions, this flush is everybody's. */
    int shares = getenv("SSLCACHE_SHARED") != NULL;
    if (!shares)
        SSL_CTX_flush_sessions(server, 0);
    long left = shares ? 0 : SSL_CTX_sess_number(server);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
    return first == 1 && second == 1 && third == 0 && fourth == 1 && left == 0 ? 0 : 1;
}

int main(int argc, char **argv) {
    const char *how = argc > 1 ? argv[1] : "";
    int busy = strcmp(how, "busy") == 0, threads = busy || strcmp(how, "threads") == 0;
    int children = busy ? 12 : 4, good = 0, crashed = 0;
    SSL_CTX *server = server_context(), *client = client_context(TLS1_2_VERSION);
    SSL_SESSION *session = NULL;
    pthread_t thread[2];

    SSL_CTX_sess_set_cache_size(server, 100000);
    must(handshake(server, client, &session) == 0, "the first handshake");
    must(handshake(server, client, &session) == 1, "the second handshake");
    if (threads)
        for (int i = 0; i < 2; i++)
            pthread_create(&thread[i], NULL, busy ? worker : sleeper, server);
    for (int i = 0; i < children; i++) {
        pid_t pid = fork();
        int status = 0;
        if (pid == 0) {
            alarm(busy ? 1 : 20);
            exit(child(server, client, &session));
        }
        if (busy)
            usleep(500);
        waitpid(pid, &status, 0);
        good += status == 0;
        crashed += WIFSIGNALED(status) && WTERMSIG(status) != SIGALRM;
    }
    atomic_store(&stop, 1);
    if (threads)
        for (int i = 0; i < 2; i++)
            pthread_join(thread[i], NULL);
    if (busy)
        good = children - crashed;
    printf("children that did well: %d of %d\n", good, children);
    printf("the parent resumes: %d\n", handshake(server, client, &session));
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
    return good == children ? 0 : 1;
}
