/*
 * A client like a browser: several connections at once, every session that a server gives is kept,
 * and of TLS 1.3 each is offered once (RFC 8446, C.4). After a first round, which fetches sessions,
 * it prints how many connections resumed one, and how many there were.
 *
 * With --from it offers what an earlier run has left in a file, and only that: so it is seen what
 * outlives what has happened to the server in between. Then only connections that offered count.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
    "usage: client --port N [--tls 1.2|1.3] [--name NAME] [--rounds N] [--at-once N] [--no-ticket]\n"
    "              [--starttls mysql|postgres] [--send TEXT] [--from FILE] [--to FILE]\n"
    "              [--cert FILE] [--wait MS] [--to-the-end]\n"
    "  --rounds    so often (6) it connects --at-once (4) times at once\n"
    "  --send      what it sends when connected; without it, it waits for the server to speak\n"
    "  --from      offers only the sessions in this file, once each with TLS 1.3\n"
    "  --to        leaves its unused sessions in this file\n"
    "  --cert      its certificate and key, for a server that asks\n"
    "  --to-the-end   it is the server that closes\n"
    "  --wait      a session comes within so many milliseconds (400)\n";

static struct {
    const char *port, *tls, *name, *rounds, *at_once, *starttls, *send, *from, *to, *cert, *wait;
} options = {.tls = "1.3", .name = "localhost", .rounds = "6", .at_once = "4", .wait = "400"};

enum { MOST = 512 };

/* The sessions that may be offered: the oldest first. */
static struct {
    pthread_mutex_t lock;
    SSL_SESSION *session[MOST];
    int number;
} known = {.lock = PTHREAD_MUTEX_INITIALIZER}, fresh = {.lock = PTHREAD_MUTEX_INITIALIZER};

static SSL_CTX *ctx;
static int is_tls13, no_ticket, to_the_end, offered, resumed, failed;
static pthread_mutex_t counts = PTHREAD_MUTEX_INITIALIZER;
static int got_session; /* ex_data: has this connection been given one? */

static void die(const char *what)
{
    fprintf(stderr, "client: %s\n", what);
    ERR_print_errors_fp(stderr);
    exit(2);
}

static void keep(SSL_SESSION *session)
{
    pthread_mutex_lock(&fresh.lock);
    if (fresh.number < MOST)
        fresh.session[fresh.number++] = session;
    else
        SSL_SESSION_free(session);
    pthread_mutex_unlock(&fresh.lock);
}

static int new_session(SSL *ssl, SSL_SESSION *session)
{
    SSL_set_ex_data(ssl, got_session, session);
    keep(session);
    return 1;
}

/* The next session to offer. With TLS 1.2 it stays: a browser offers the same one again. */
static SSL_SESSION *next_session(void)
{
    SSL_SESSION *session = NULL;

    pthread_mutex_lock(&known.lock);
    if (known.number > 0) {
        session = known.session[0];
        known.number--;
        memmove(known.session, known.session + 1, known.number * sizeof(session));
        if (!is_tls13) {
            SSL_SESSION_up_ref(session);
            known.session[known.number++] = session;
        }
    }
    pthread_mutex_unlock(&known.lock);
    return session;
}

/* TLS 1.2: one that was not resumed is not offered again. */
static void forget(SSL_SESSION *session)
{
    int i, kept = 0;

    pthread_mutex_lock(&known.lock);
    for (i = 0; i < known.number; i++) {
        if (known.session[i] == session)
            SSL_SESSION_free(session);
        else
            known.session[kept++] = known.session[i];
    }
    known.number = kept;
    pthread_mutex_unlock(&known.lock);
}

static long milliseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* What protocols say before TLS begins. */
static int start_tls(int fd)
{
    static const unsigned char postgres[8] = {0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f};
    /* CLIENT_SSL, PROTOCOL_41, SECURE_CONNECTION; packet 1 of 32 bytes. */
    static const unsigned char mysql[36] = {32, 0, 0, 1, 0x00, 0x8a, 0, 0, 0, 0, 0, 1, 33};
    char answer[512];

    if (options.starttls == NULL)
        return 1;
    if (strcmp(options.starttls, "postgres") == 0)
        return write(fd, postgres, sizeof(postgres)) == sizeof(postgres)
               && read(fd, answer, 1) == 1 && answer[0] == 'S';
    return read(fd, answer, sizeof(answer)) > 0 && write(fd, mysql, sizeof(mysql)) == sizeof(mysql);
}

static int connected(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    struct timeval patience = {.tv_sec = 3};
    int on = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_port = htons((unsigned short)atoi(options.port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 && start_tls(fd))
        return fd;
    close(fd);
    return -1;
}

/* Reads until the server has said something and, with TLS 1.3, given a session; until it has closed,
 * or time is over. */
static void listen_to(SSL *ssl, int fd)
{
    long end = milliseconds() + atoi(options.wait);
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    char text[4096];
    int said = 0;

    while (to_the_end || !(said && (!is_tls13 || SSL_get_ex_data(ssl, got_session) != NULL))) {
        long left = end - milliseconds();
        int bytes;

        if (SSL_pending(ssl) == 0 && (left <= 0 || poll(&ready, 1, (int)left) <= 0))
            return;
        bytes = SSL_read(ssl, text, sizeof(text));
        if (bytes <= 0 && SSL_get_error(ssl, bytes) != SSL_ERROR_WANT_READ)
            return;
        said = bytes > 0 || said;
    }
}

/* Says goodbye, and waits a moment for the server's: an unclean end would cost the session. */
static void close_properly(SSL *ssl, int fd)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    char text[4096];

    if (SSL_shutdown(ssl) != 0)
        return;
    shutdown(fd, SHUT_WR);
    while (poll(&ready, 1, 200) > 0 && SSL_read(ssl, text, sizeof(text)) > 0)
        ;
}

static void *one_connection(void *unused)
{
    SSL_SESSION *session = next_session();
    SSL *ssl = SSL_new(ctx);
    int fd = connected(), good = 0, flags;

    (void)unused;
    if (fd >= 0 && ssl != NULL && SSL_set_fd(ssl, fd) == 1) {
        if (strcmp(options.name, "none") != 0)
            SSL_set_tlsext_host_name(ssl, options.name);
        if (session != NULL)
            SSL_set_session(ssl, session);
        good = SSL_connect(ssl) == 1;
    }
    pthread_mutex_lock(&counts);
    failed += !good;
    offered += session != NULL;
    resumed += good && session != NULL && SSL_session_reused(ssl);
    pthread_mutex_unlock(&counts);
    if (good) {
        if (!is_tls13 && session != NULL && !SSL_session_reused(ssl))
            forget(session);
        if (options.send != NULL)
            SSL_write(ssl, options.send, (int)strlen(options.send));
        flags = SSL_get_mode(ssl);
        SSL_set_mode(ssl, flags & ~SSL_MODE_AUTO_RETRY);
        listen_to(ssl, fd);
        close_properly(ssl, fd);
    }
    SSL_SESSION_free(session);
    SSL_free(ssl);
    if (fd >= 0)
        close(fd);
    return NULL;
}

/* What was given in this round may be offered in the next. */
static void take_fresh(void)
{
    int i;

    for (i = 0; i < fresh.number && known.number < MOST; i++)
        known.session[known.number++] = fresh.session[i];
    fresh.number = 0;
}

static void one_round(int at_once)
{
    pthread_t thread[64];
    int i;

    for (i = 0; i < at_once; i++)
        if (pthread_create(&thread[i], NULL, one_connection, NULL) != 0)
            die("pthread_create");
    for (i = 0; i < at_once; i++)
        pthread_join(thread[i], NULL);
}

static void read_sessions(void)
{
    FILE *file = fopen(options.from, "r");
    SSL_SESSION *session;

    if (file == NULL)
        die(options.from);
    while (known.number < MOST && (session = PEM_read_SSL_SESSION(file, NULL, NULL, NULL)) != NULL)
        known.session[known.number++] = session;
    ERR_clear_error();
    fclose(file);
}

static void write_sessions(void)
{
    FILE *file = fopen(options.to, "w");
    int i;

    if (file == NULL)
        die(options.to);
    for (i = 0; i < known.number; i++)
        PEM_write_SSL_SESSION(file, known.session[i]);
    fclose(file);
}

static void read_options(char **argv)
{
    static const struct {
        const char *name, **value;
    } all[] = {
        {"--port", &options.port},     {"--tls", &options.tls},           {"--name", &options.name},
        {"--rounds", &options.rounds}, {"--at-once", &options.at_once},   {"--send", &options.send},
        {"--from", &options.from},     {"--starttls", &options.starttls}, {"--to", &options.to},
        {"--cert", &options.cert},     {"--wait", &options.wait},
    };
    size_t i;

    for (argv++; *argv != NULL; argv++) {
        if (strcmp(*argv, "--no-ticket") == 0 || strcmp(*argv, "--to-the-end") == 0) {
            *(argv[0][2] == 'n' ? &no_ticket : &to_the_end) = 1;
            continue;
        }
        for (i = 0; i < sizeof(all) / sizeof(*all) && strcmp(all[i].name, *argv) != 0; i++)
            ;
        if (i == sizeof(all) / sizeof(*all) || argv[1] == NULL)
            break;
        *all[i].value = *++argv;
    }
    if (*argv != NULL || options.port == NULL) {
        fputs(usage, stderr);
        exit(2);
    }
}

int main(int argc, char **argv)
{
    int version, round, rounds, at_once;

    (void)argc;
    read_options(argv);
    signal(SIGPIPE, SIG_IGN);
    is_tls13 = strcmp(options.tls, "1.3") == 0;
    version = is_tls13 ? TLS1_3_VERSION : TLS1_2_VERSION;
    rounds = atoi(options.rounds);
    at_once = atoi(options.at_once);
    if (at_once > 64)
        at_once = 64;
    ctx = SSL_CTX_new(TLS_client_method());
    got_session = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    if (ctx == NULL || !SSL_CTX_set_min_proto_version(ctx, version)
        || !SSL_CTX_set_max_proto_version(ctx, version))
        die("SSL_CTX_new");
    if (options.cert != NULL && (SSL_CTX_use_certificate_file(ctx, options.cert, SSL_FILETYPE_PEM) != 1
        || SSL_CTX_use_PrivateKey_file(ctx, options.cert, SSL_FILETYPE_PEM) != 1))
        die(options.cert);
    if (no_ticket)
        SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ctx, new_session);
    if (options.from != NULL)
        read_sessions();
    else {
        one_round(at_once); /* the first come with nothing */
        take_fresh();
    }
    for (round = 0; round < rounds; round++) {
        one_round(at_once);
        if (options.from == NULL)
            take_fresh();
    }
    if (options.from != NULL && is_tls13)
        known.number = 0; /* what was not offered is of before */
    take_fresh();
    if (options.to != NULL)
        write_sessions();
    printf("%d %d%s\n", resumed, options.from != NULL ? offered : rounds * at_once,
           failed > 0 ? " failed" : "");
    return failed > 0;
}
