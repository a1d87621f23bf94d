/*
 * fork signal CALL   forks in a signal handler that interrupts CALL again and again; parent and child go on
 * fork storm         threads change one cache while others fork; each child finds it warm and changes it
 * fork pages N       how many pages a fork has the parent copy, with N contexts of one session
 *
 * With ALONE for the library by itself. (In a child of several threads libcrypto's locks may be held for ever: in front
 * the storm calls only what needs none of them. What it changes does take libssl's lock of the context.)
 */
#include <openssl/ssl.h>

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SESSIONS 500

static SSL_CTX *ctx;
static SSL_SESSION *sessions[SESSIONS];

static SSL_SESSION *a_session(int number)
{
    unsigned char id[32] = {0};
    SSL_SESSION *session = SSL_SESSION_new();
    memcpy(id, &number, sizeof number);
    SSL_SESSION_set1_id(session, id, sizeof id);
    SSL_SESSION_set_protocol_version(session, TLS1_2_VERSION);
    return session;
}

static void prepare(void)
{
    ctx = SSL_CTX_new(TLS_method());
    for (int i = 0; i < SESSIONS; i++)
        sessions[i] = a_session(i);
    for (int i = 0; i < SESSIONS; i++)
        SSL_CTX_add_session(ctx, sessions[i]);
}

/* ------------------------------------------------------------------ in a signal handler */

static volatile int forks, bad;

static void on_signal(int signal)
{
    (void)signal;
    int status = -1;
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    if (child < 0)
        return;
    while (waitpid(child, &status, 0) < 0)
        ;
    bad += status != 0;
    forks++;
}

static void remove_and_add(int i)
{
    SSL_CTX_remove_session(ctx, sessions[i]);
    SSL_CTX_add_session(ctx, sessions[i]);
}

static void time_changes(int i) { SSL_SESSION_set_timeout(sessions[i], 1000 + i); }
static void number(int i) { (void)i, SSL_CTX_sess_number(ctx); }
static void flush(int i) { i ? SSL_CTX_flush_sessions(ctx, 1) : SSL_CTX_flush_sessions(ctx, 0), remove_and_add(i); }
static void new_session(int i) { SSL_SESSION_free(a_session(i)); }
static void new_context(int i) { (void)i, SSL_CTX_free(SSL_CTX_new(TLS_method())); }

static void evict(int i)
{
    SSL_CTX_sess_set_cache_size(ctx, 10);
    remove_and_add(i);
}

static const struct { const char *name; void (*call)(int); } calls[] = {
    {"remove_and_add", remove_and_add}, {"time_changes", time_changes}, {"number", number}, {"flush", flush},
    {"new_session", new_session}, {"new_context", new_context}, {"evict", evict},
};

static int interrupted(const char *name)
{
    void (*call)(int) = NULL;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (!strcmp(calls[i].name, name))
            call = calls[i].call;
    if (!call)
        return 2;
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    struct itimerval each = {{0, 2000}, {0, 2000}}, never = {{0, 0}, {0, 0}};
    prepare();
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &each, NULL);
    for (unsigned int i = 0; forks < 200; i++)
        call((int)(i % SESSIONS));
    setitimer(ITIMER_REAL, &never, NULL);
    SSL_CTX_flush_sessions(ctx, 0);
    SSL_CTX_add_session(ctx, sessions[0]);
    printf("forked %s, %d ended badly, then %ld in the cache\n", forks >= 200 ? "enough" : "too little", bad,
        SSL_CTX_sess_number(ctx));
    return 0;
}

/* ------------------------------------------------------------------ while others change the cache */

static atomic_int over;

static void *changer(void *number)
{
    /* Each has sessions of its own: all but the last hundred come and go. */
    for (unsigned int i = (unsigned int)(size_t)number; !over; i += 4)
        remove_and_add((int)(i % (SESSIONS - 100)));
    return NULL;
}

#ifdef ALONE
static void *maker(void *unused)
{
    while (!over)
        SSL_SESSION_free(a_session(1));
    return unused;
}
#endif

/* A child of a fork: the last hundred sessions never left, and the cache can be changed. */
static int works(void)
{
    alarm(5);
    long held = SSL_CTX_sess_number(ctx);
    if (held < 100 || held > SESSIONS)
        return 1;
    for (int i = 0; i < SESSIONS; i++)
        SSL_CTX_add_session(ctx, sessions[i]);
    if (SSL_CTX_sess_number(ctx) != SESSIONS)
        return 2;
    for (int i = 0; i < SESSIONS; i += 2)
        SSL_CTX_remove_session(ctx, sessions[i]);
    if (SSL_CTX_sess_number(ctx) != SESSIONS / 2)
        return 3;
#ifdef ALONE
    new_session(1);
    new_context(1);
#endif
    return 0;
}

static int storm(void)
{
    pthread_t threads[4];
    int cold = 0, stuck = 0, ended_badly = 0, children = 0;
    prepare();
    for (size_t i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, changer, (void *)i);
#ifdef ALONE
    pthread_t making;
    pthread_create(&making, NULL, maker, NULL);
#endif
    for (; children < 300; children++) {
        int status = -1;
        pid_t child = fork();
        if (child == 0)
            _exit(works());
        waitpid(child, &status, 0);
        /* It is empty in a child if a thread was stopped in the middle for as long as a fork waits. */
        int is_cold = WIFEXITED(status) && WEXITSTATUS(status) == 1, is_stuck = 0;
#ifndef ALONE
        /* And it waits for ever if that thread was in libssl, whose lock nobody gives back. */
        is_stuck = WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM;
#endif
        cold += is_cold;
        stuck += is_stuck;
        ended_badly += status != 0 && !is_cold && !is_stuck;
        usleep(500);
    }
    over = 1;
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
#ifdef ALONE
    pthread_join(making, NULL);
#endif
    fprintf(stderr, "%d of %d children found the cache cold, %d were stuck\n", cold, children, stuck);
    printf("%d children ended badly, %s, %s\n", ended_badly,
        stuck * 50 > children ? "many stuck" : cold * 10 < children ? "nearly all warm" : "many cold",
        SSL_CTX_sess_number(ctx) == SESSIONS ? "all there" : "some lost");
    return 0;
}

/* ------------------------------------------------------------------ with many contexts */

static long faults(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_minflt;
}

static int pages(int count)
{
    for (int i = 0; i < count; i++)
        SSL_CTX_add_session(SSL_CTX_new(TLS_method()), a_session(i));
    long before = 0;
    for (int i = 0; i < 2; i++) {
        before = faults();
        pid_t child = fork();
        if (child == 0)
            _exit(0);
        waitpid(child, NULL, 0);
    }
    long copied = faults() - before;
    fprintf(stderr, "a fork with %d contexts has its parent copy %ld pages\n", count, copied);
    printf("%s\n", copied < 200 ? "few pages" : "many pages");
    return 0;
}

int main(int argc, char **argv)
{
    const char *how = argc > 1 ? argv[1] : "";
    if (!strcmp(how, "signal") && argc > 2)
        return interrupted(argv[2]);
    if (!strcmp(how, "storm"))
        return storm();
    if (!strcmp(how, "pages") && argc > 2)
        return pages(atoi(argv[2]));
    fputs("usage: fork signal CALL | storm | pages N\n", stderr);
    return 2;
}
