/*
 * Early data, recorded and replayed: in each round a session is fetched, a first flight is made of it
 * (ClientHello and a request as early data), and the very same bytes are sent over so many connections
 * at the same moment. The request of round N is GET /roundN: how often the server has taken it as early
 * data is in its log.
 */
#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST = 256 };

static int port, replays;
static SSL_SESSION *given;
static unsigned char flight[16384];
static size_t length;
static pthread_barrier_t together;

static void die(const char *what)
{
    fprintf(stderr, "early: %s\n", what);
    ERR_print_errors_fp(stderr);
    exit(2);
}

static int connected(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    struct timeval patience = {.tv_sec = 2};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_port = htons((unsigned short)port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        die("connect");
    return fd;
}

static int new_session(SSL *ssl, SSL_SESSION *session)
{
    (void)ssl;
    SSL_SESSION_free(given);
    given = session;
    return 1;
}

/* A full handshake; what the server gives is in `given`. */
static void fetch_session(SSL_CTX *ctx)
{
    static const char request[] = "GET /fetch HTTP/1.0\r\n\r\n";
    SSL *ssl = SSL_new(ctx);
    int fd = connected();
    char text[4096];

    SSL_set_fd(ssl, fd);
    SSL_set_tlsext_host_name(ssl, "localhost");
    if (SSL_connect(ssl) != 1 || SSL_write(ssl, request, sizeof(request) - 1) <= 0)
        die("a full handshake");
    while (SSL_read(ssl, text, sizeof(text)) > 0)
        ;
    SSL_shutdown(ssl);
    SSL_free(ssl);
    close(fd);
    if (given == NULL || SSL_SESSION_get_max_early_data(given) == 0)
        die("no session for early data");
}

/* The first flight that offers `given`, without a server. */
static void record_flight(SSL_CTX *ctx, int round)
{
    SSL *ssl = SSL_new(ctx);
    BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
    char request[64], *bytes;
    size_t written;
    long size;

    BIO_set_mem_eof_return(in, -1);
    SSL_set_bio(ssl, in, out);
    SSL_set_connect_state(ssl);
    SSL_set_tlsext_host_name(ssl, "localhost");
    snprintf(request, sizeof(request), "GET /round%d HTTP/1.0\r\n\r\n", round);
    if (SSL_set_session(ssl, given) != 1
        || SSL_write_early_data(ssl, request, strlen(request), &written) != 1)
        die("SSL_write_early_data");
    size = BIO_get_mem_data(out, &bytes);
    if (size <= 0 || (size_t)size > sizeof(flight))
        die("the flight");
    length = (size_t)size;
    memcpy(flight, bytes, length);
    SSL_free(ssl);
}

static void *replay(void *unused)
{
    int fd = connected();
    char answer[4096];

    (void)unused;
    pthread_barrier_wait(&together);
    if (write(fd, flight, length) == (ssize_t)length) {
        shutdown(fd, SHUT_WR);
        while (read(fd, answer, sizeof(answer)) > 0)
            ;
    }
    close(fd);
    return NULL;
}

static void replay_all(void)
{
    pthread_t thread[MOST];
    int i;

    pthread_barrier_init(&together, NULL, (unsigned)replays);
    for (i = 0; i < replays; i++)
        if (pthread_create(&thread[i], NULL, replay, NULL) != 0)
            die("pthread_create");
    for (i = 0; i < replays; i++)
        pthread_join(thread[i], NULL);
    pthread_barrier_destroy(&together);
}

/* usage: early PORT ROUNDS REPLAYS [FLIGHT]: into FLIGHT goes the last flight; with 0 rounds it is what
 * is replayed. */
int main(int argc, char **argv)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    const char *name = argc > 4 ? argv[4] : NULL;
    int round, rounds;
    FILE *file;

    if (argc < 4)
        die("usage: early PORT ROUNDS REPLAYS [FLIGHT]");
    port = atoi(argv[1]);
    rounds = atoi(argv[2]);
    replays = atoi(argv[3]);
    if (replays < 1 || replays > MOST || ctx == NULL)
        die("from 1 to 256 replays");
    signal(SIGPIPE, SIG_IGN);
    SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ctx, new_session);
    for (round = 1; round <= rounds; round++) {
        fetch_session(ctx);
        record_flight(ctx, round);
        replay_all();
    }
    if (name != NULL && (file = fopen(name, rounds > 0 ? "w" : "r")) != NULL) {
        if (rounds > 0)
            fwrite(flight, 1, length, file);
        else
            length = fread(flight, 1, sizeof(flight), file);
        fclose(file);
        if (rounds == 0)
            replay_all();
    }
    SSL_SESSION_free(given);
    SSL_CTX_free(ctx);
    return 0;
}
