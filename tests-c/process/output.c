/*
 * What the library's text may do to a program that closes descriptors, changes its root or its user, limits its files,
 * loses the reader of its standard error, or has its threads cancelled. It says what became of it in the file RESULT.
 */
#include "tls.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static SSL_CTX *server, *client;
static FILE *result;

static void begin(void)
{
    server = tls_server(TLS1_2_VERSION);
    client = tls_client(TLS1_2_VERSION);
}

/* Statistics are written here, if at all. */
static void end(void)
{
    fprintf(result, "visit %d\n", tls_visit(client, server, NULL));
    SSL_CTX_free(server);
    SSL_CTX_free(client);
    tls_discard();
}

/* Opens its data as every descriptor from the lowest free one to the last of `last`, and returns how many. */
static int open_data(int last)
{
    int data, opened = 0;

    do {
        data = open("data", O_RDWR | O_CREAT | O_APPEND, 0600);
        opened++;
    } while (data >= 0 && data < last);
    return opened;
}

static void show_data(void)
{
    FILE *data = fopen("data", "r");
    int byte;

    fprintf(result, "data: ");
    while (data && (byte = fgetc(data)) != EOF)
        fputc(byte, result);
    fprintf(result, "\n");
}

static void close_above(void)
{
    begin();
    for (int i = 3; i < 100; i++)
        if (i != fileno(result))
            close(i);
    open_data(60);
    end();
}

static void close_standard(int before)
{
    if (!before)
        begin();
    for (int i = 0; i < 3; i++)
        close(i);
    open_data(2);
    if (before)
        begin();
    end();
}

static void start_daemon(void)
{
    close_standard(1);
}

static void become_daemon(void)
{
    close_standard(0);
}

/* The numbers that the program's own files get. */
static void numbers(void)
{
    begin();
    fprintf(result, "opened as standard input to error: %d\n", open_data(2));
    end();
}

static volatile sig_atomic_t signals;

static void count(int signal)
{
    (void)signal;
    signals++;
}

static void write_with(int signal)
{
    begin();
    end();
    fprintf(result, "handled %d\n", (int)signals);
    sigset_t pending;
    sigpending(&pending);
    fprintf(result, "pending %d\n", sigismember(&pending, signal));
}

static void reader_gone(void)
{
    write_with(SIGPIPE);
}

static void reader_gone_handled(void)
{
    signal(SIGPIPE, count);
    write_with(SIGPIPE);
}

static void reader_gone_blocked(void)
{
    sigset_t blocked;

    sigemptyset(&blocked);
    sigaddset(&blocked, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &blocked, NULL);
    write_with(SIGPIPE);
}

static void reader_gone_pending(void)
{
    sigset_t blocked;

    sigemptyset(&blocked);
    sigaddset(&blocked, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &blocked, NULL);
    raise(SIGPIPE);
    write_with(SIGPIPE);
}

static void no_room(void)
{
    struct rlimit limit = {100, 100};

    signal(SIGXFSZ, count);
    setrlimit(RLIMIT_FSIZE, &limit);
    write_with(SIGXFSZ);
}

/* The pipe is full, and the program wants no waiting. */
static void reader_asleep(void)
{
    char filling[4096] = {0};

    fcntl(2, F_SETFL, fcntl(2, F_GETFL) | O_NONBLOCK);
    while (write(2, filling, sizeof filling) > 0)
        continue;
    begin();
    end();
}

static int freed;

static void *cancelled(void *unused)
{
    (void)unused;
    pthread_cancel(pthread_self());
    SSL_CTX_free(server);
    freed = 1;
    pthread_testcancel();
    return NULL;
}

static void cancel(void)
{
    pthread_t thread;
    void *ended;

    server = SSL_CTX_new(TLS_method());
    pthread_create(&thread, NULL, cancelled, NULL);
    pthread_join(thread, &ended);
    fprintf(result, "freed %d, cancelled %d\n", freed, ended == PTHREAD_CANCELED);
}

static void keep_errno(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());

    errno = 77;
    SSL_CTX_free(ctx);
    fprintf(result, "errno %d\n", errno);
}

static void change_root(void)
{
    begin();
    if (mkdir("jail", 0755) != 0 || chroot("jail") != 0 || setgid(65534) != 0 || setuid(65534) != 0)
        fprintf(result, "no other root\n");
    end();
}

static const struct {
    const char *name;
    void (*run)(void);
} programs[] = {
    {"close_above", close_above},
    {"start_daemon", start_daemon},
    {"become_daemon", become_daemon},
    {"numbers", numbers},
    {"reader_gone", reader_gone},
    {"reader_gone_handled", reader_gone_handled},
    {"reader_gone_blocked", reader_gone_blocked},
    {"reader_gone_pending", reader_gone_pending},
    {"reader_asleep", reader_asleep},
    {"no_room", no_room},
    {"cancel", cancel},
    {"keep_errno", keep_errno},
    {"change_root", change_root},
};

/* Starts again with a standard error that nobody reads (any more). */
static void start_with_pipe(char **argv, int keeps_reader)
{
    int ends[2];

    if (pipe(ends) != 0 || dup2(ends[1], 2) != 2)
        abort();
    close(ends[1]);
    if (!keeps_reader)
        close(ends[0]);
    execv(argv[0], argv);
    abort();
}

/* output NAME [gone | asleep] */
int main(int argc, char **argv)
{
    if (argc == 3) {
        int asleep = strcmp(argv[2], "asleep") == 0;
        argv[2] = NULL;
        start_with_pipe(argv, asleep);
    }
    /* Out of the way of every other descriptor. */
    int descriptor = open("result", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    result = fdopen(fcntl(descriptor, F_DUPFD, 200), "w");
    close(descriptor);
    for (size_t i = 0; argc > 1 && i < sizeof programs / sizeof *programs; i++)
        if (strcmp(argv[1], programs[i].name) == 0)
            programs[i].run();
    show_data();
    return 0;
}
