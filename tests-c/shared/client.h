/*
 * The other side of server.c: starts such processes, tells them what to do, and connects to them. A program that
 * includes this is never behind the library itself. TEST is the name that its results have.
 */
#ifndef CLIENT_H
#define CLIENT_H

#include "tls.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

/* ------------------------------------------------------------------ results */

static int failures;

__attribute__((format(printf, 2, 3))) static int check(int good, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    printf("%s shared/%s: ", good ? "ok" : "FAIL", TEST);
    vprintf(format, arguments);
    putchar('\n');
    fflush(stdout);
    va_end(arguments);
    failures += !good;
    return good;
}

/* ------------------------------------------------------------------ certificates */

/* NAME.pem: a key, and a certificate with this subject, signed by another or by itself. */
static void make_certificate(const char *name, const char *subject, const char *issuer)
{
    static long serial = 1;
    char path[64];
    EVP_PKEY *key = NULL, *signs = NULL;
    EVP_PKEY_CTX *making = EVP_PKEY_CTX_new_id(EVP_PKEY_EC, NULL);
    EVP_PKEY_keygen_init(making);
    EVP_PKEY_CTX_set_ec_paramgen_curve_nid(making, NID_X9_62_prime256v1);
    EVP_PKEY_keygen(making, &key);
    EVP_PKEY_CTX_free(making);
    X509 *certificate = X509_new();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -86400L * 365 * 10);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 86400 * 30);
    X509_set_pubkey(certificate, key);
    X509_NAME *named = X509_NAME_new();
    X509_NAME_add_entry_by_txt(named, "CN", MBSTRING_ASC, (const unsigned char *)subject, -1, -1, 0);
    X509_set_subject_name(certificate, named);
    if (issuer) {
        X509 *authority = read_certificate(issuer);
        X509_set_issuer_name(certificate, X509_get_subject_name(authority));
        X509_free(authority);
        snprintf(path, sizeof path, "%s.pem", issuer);
        FILE *file = fopen(path, "r");
        signs = PEM_read_PrivateKey(file, NULL, NULL, NULL);
        fclose(file);
    } else {
        X509_set_issuer_name(certificate, named);
        X509V3_CTX about;
        X509V3_set_ctx(&about, certificate, certificate, NULL, NULL, 0);
        X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &about, NID_basic_constraints, "critical,CA:TRUE");
        X509_add_ext(certificate, extension, -1);
        X509_EXTENSION_free(extension);
    }
    X509_NAME_free(named);
    X509_sign(certificate, signs ? signs : key, EVP_sha256());
    snprintf(path, sizeof path, "%s.pem", name);
    FILE *file = fopen(path, "w");
    PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL);
    PEM_write_X509(file, certificate);
    fclose(file);
    X509_free(certificate);
    EVP_PKEY_free(key);
    EVP_PKEY_free(signs);
}

static void make_certificates(void)
{
    make_certificate("server", "server", NULL);
    make_certificate("server2", "server", NULL);
    make_certificate("ca", "one who is trusted", NULL);
    make_certificate("ca2", "another", NULL);
    make_certificate("client", "client", "ca");
}

/* ------------------------------------------------------------------ servers */

typedef struct {
    pid_t pid;
    int control;
    char said[600]; /* its last answer */
} Server;

/* Starts PROGRAM with SSLCACHE_SHARED (NULL: without), and NAME=VALUE if there is one. */
static Server start_with(const char *program, const char *shared, const char *variable)
{
    Server server = {0};
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        abort();
    server.control = ends[0];
    server.pid = fork();
    if (server.pid == 0) {
        setenv("LD_PRELOAD", getenv("SSLCACHE_LIBRARY"), 1);
        if (shared)
            setenv("SSLCACHE_SHARED", shared, 1);
        if (variable)
            putenv((char *)variable);
        dup2(ends[1], 3);
        execl(program, program, NULL);
        _exit(127);
    }
    close(ends[1]);
    return server;
}

static Server start(const char *shared)
{
    return start_with("./server", shared, NULL);
}

static const char *answer(Server *server)
{
    int none[2];
    if (receive(server->control, server->said, sizeof server->said, none) <= 0)
        strcpy(server->said, "gone");
    return server->said;
}

__attribute__((format(printf, 2, 3))) static const char *tell(Server *server, const char *format, ...)
{
    char command[600];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(command, sizeof command, format, arguments);
    va_end(arguments);
    pass(server->control, command, NULL, 0);
    return answer(server);
}

/* How it ended. */
static int over(Server *server, int kills)
{
    int status = -1;
    if (kills)
        kill(server->pid, SIGKILL);
    close(server->control);
    waitpid(server->pid, &status, 0);
    return status;
}

/* One of the numbers in what it says. */
static long number(Server *server, const char *context, const char *which)
{
    char wanted[32];
    snprintf(wanted, sizeof wanted, "%s=", which);
    const char *found = strstr(tell(server, "counters %s", context), wanted);
    return found ? atol(found + strlen(wanted)) : -1;
}

/* ------------------------------------------------------------------ a client */

typedef struct {
    int version;
    const char *name;        /* SNI, or none */
    const char *certificate; /* or none */
    int alpn;
    SSL_SESSION *session;    /* is offered, and followed by the new one */
    int stays;               /* but for this */
} Client;

static const struct { int version; const char *name; } versions[] = {
    {TLS1_2_VERSION, "tls12"}, {TLS1_3_VERSION, "tls13"}, {DTLS1_2_VERSION, "dtls12"},
};

static SSL_CTX *client_ctx(int version)
{
    static SSL_CTX *known[3];
    int which = version == TLS1_2_VERSION ? 0 : version == TLS1_3_VERSION ? 1 : 2;
    if (!known[which]) {
        known[which] = SSL_CTX_new(which == 2 ? DTLS_client_method() : TLS_client_method());
        SSL_CTX_set_min_proto_version(known[which], version);
        SSL_CTX_set_max_proto_version(known[which], version);
        SSL_CTX_set_options(known[which], version == TLS1_3_VERSION ? 0 : SSL_OP_NO_TICKET);
    }
    return known[which];
}

static SSL *client_end(const Client *client)
{
    SSL *ssl = SSL_new(client_ctx(client->version));
    if (client->name)
        SSL_set_tlsext_host_name(ssl, client->name);
    if (client->alpn)
        SSL_set_alpn_protos(ssl, (const unsigned char *)"\x02h2", 3);
    if (client->session)
        SSL_set_session(ssl, client->session);
    if (client->certificate) {
        char path[64];
        snprintf(path, sizeof path, "%s.pem", client->certificate);
        SSL_use_certificate_file(ssl, path, SSL_FILETYPE_PEM);
        SSL_use_PrivateKey_file(ssl, path, SSL_FILETYPE_PEM);
    }
    return ssl;
}

static void sockets(int ends[2], int version)
{
    int type = version == DTLS1_2_VERSION ? SOCK_SEQPACKET : SOCK_STREAM;
    struct timeval patience = {10, 0};
    if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends) < 0)
        abort();
    for (int i = 0; i < 2; i++)
        setsockopt(ends[i], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
}

/* One connection. 2: resumed, 1: a full handshake, 0: failed, or the ends do not agree. */
static int visit_until(Server *server, const char *context, Client *client, const char *end)
{
    int ends[2];
    char command[64], byte;
    sockets(ends, client->version);
    snprintf(command, sizeof command, "accept %s %s", context, end);
    pass(server->control, command, &ends[1], 1);
    close(ends[1]);
    SSL *ssl = client_end(client);
    SSL_set_fd(ssl, ends[0]);
    if (client->version == DTLS1_2_VERSION)
        prepare_packets(ssl);
    int done = SSL_connect(ssl) == 1 && SSL_write(ssl, "x", 1) == 1 && SSL_read(ssl, &byte, 1) == 1;
    int reused = SSL_session_reused(ssl);
    if (done && !client->stays) {
        SSL_SESSION_free(client->session);
        /* A copy: a bad end makes the client's own not resumable. */
        client->session = SSL_SESSION_dup(SSL_get_session(ssl));
    }
    if (!strcmp(end, "alert") && write(ends[0], NONSENSE, sizeof NONSENSE - 1) < 0)
        abort();
    if (!strcmp(end, "alerted"))
        SSL_read(ssl, &byte, 1);
    answer(server);
    SSL_shutdown(ssl);
    SSL_free(ssl);
    close(ends[0]);
    ERR_clear_error();
    int said = !strncmp(server->said, "resumed ", 8) ? 2 : !strncmp(server->said, "full ", 5) ? 1 : 0;
    return done && said == 1 + reused ? said : 0;
}

static int visit(Server *server, const char *context, Client *client)
{
    return visit_until(server, context, client, "clean");
}

/* Offers the session that it has, and keeps it. */
static int offer(Server *server, const char *context, const Client *client)
{
    Client same = *client;
    same.stays = 1;
    return visit(server, context, &same);
}

static void forget(Client *client)
{
    SSL_SESSION_free(client->session);
    client->session = NULL;
}

/* ------------------------------------------------------------------ the memory */

static char shared[64]; /* SSLCACHE_SHARED of the test */

static void no_memory(void)
{
    char path[80];
    snprintf(path, sizeof path, "/dev/shm/%s-%d.v1", TEST, (int)getpid());
    unlink(path);
    snprintf(path, sizeof path, "/dev/shm/%s-%d.key", TEST, (int)getpid());
    unlink(path);
}

/* Nothing of an earlier test is in it. */
static void new_memory(void)
{
    no_memory();
    atexit(no_memory);
    snprintf(shared, sizeof shared, "/dev/shm/%s-%d,size=1m", TEST, (int)getpid());
}

#endif
