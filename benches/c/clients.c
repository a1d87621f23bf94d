/*
 * Clients of a TLS server: threads that connect, shake hands and close, again and again. They use
 * libssl, whatever the server does. TLS 1.2 without tickets: what is resumed is in the server's cache.
 */
#include "measure.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

static const char usage[] =
    "usage: clients --port N [--threads N] [--resume yes] [--seconds S]\n"
    "  --port     of the server, on 127.0.0.1\n"
    "  --threads  1 to 64 (8)\n"
    "  --resume   each thread's first session (default: full handshakes)\n"
    "  --seconds  to go on for (2)\n";
static const char *const names[] = {"--port", "--threads", "--resume", "--seconds", NULL};

static struct sockaddr_in address;
static int resumes;
static atomic_int stop;
static atomic_long handshakes, resumed;

static int connected(void)
{
    int on = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        die("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return fd;
}

static void connect_once(SSL_CTX *ctx, SSL_SESSION **session)
{
    int fd = connected();
    SSL *ssl = SSL_new(ctx);
    struct linger at_once = {1, 0};

    if (ssl == NULL || SSL_set_fd(ssl, fd) != 1)
        die("SSL_new");
    if (*session != NULL)
        SSL_set_session(ssl, *session);
    if (SSL_connect(ssl) != 1) {
        ERR_print_errors_fp(stderr);
        die("SSL_connect");
    }
    atomic_fetch_add(&handshakes, 1);
    atomic_fetch_add(&resumed, SSL_session_reused(ssl));
    if (resumes && *session == NULL)
        *session = SSL_get1_session(ssl);
    SSL_shutdown(ssl);
    SSL_free(ssl);
    /* No port is left waiting: there are not that many. */
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    close(fd);
}

static void *run(void *unused)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL_SESSION *session = NULL;

    (void)unused;
    if (ctx == NULL || !SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION))
        die("SSL_CTX_new");
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    while (!atomic_load(&stop))
        connect_once(ctx, &session);
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t threads[64];
    double begin;
    int i, count;

    options(argc, argv, names, usage);
    count = (int)number("--threads", 8);
    if (count < 1 || count > 64)
        die("--threads");
    resumes = is("--resume", "yes");
    address.sin_family = AF_INET;
    address.sin_port = htons((unsigned short)number("--port", 0));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    begin = wall_now();
    for (i = 0; i < count; i++)
        if (pthread_create(&threads[i], NULL, run, NULL) != 0)
            die("pthread_create");
    sleep_for(real("--seconds", 2));
    atomic_store(&stop, 1);
    for (i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    print("handshakes", (double)atomic_load(&handshakes), "times");
    print("resumed", (double)atomic_load(&resumed), "times");
    print("rate", (double)atomic_load(&handshakes) / (wall_now() - begin) * 1e9, "/s");
    return 0;
}
