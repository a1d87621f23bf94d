/*
 * A server process that does what it is told. Descriptor 3 is a socket of packets: each is a command, and each is
 * answered by one. A connection comes as a descriptor with its command.
 *
 *   context NAME SETTING...   makes a context, or changes the one that has this name
 *   accept NAME END           a handshake, a byte each way and the end: clean, rude, alert, alerted, kept
 *   end NAME                  ends what was kept, clean
 *   early NAME                waits until the second descriptor ends, then reads early data; answered at "earned"
 *   earned                    how many of those were given early data
 *   remove, add, flush [N], free, counters, timeout N, time N, id, found ID   of the context, or its last session
 *   busy NAME                 from now on a thread adds and removes sessions like its last one
 *   clock N                   the time stands still in this second; 0: it goes on
 *   later                     where it stands still: a second more
 *   connect NAME              a handshake as a client
 */
#include "tls.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/time.h>
#include <time.h>

/* ------------------------------------------------------------------ the time, for libssl and the library alike */

static time_t stands_at; /* 0: the real one */

time_t time(time_t *out)
{
    struct timespec now = {.tv_sec = stands_at};
    if (!stands_at)
        clock_gettime(CLOCK_REALTIME, &now);
    if (out)
        *out = now.tv_sec;
    return now.tv_sec;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    struct timespec now = {.tv_sec = stands_at};
    (void)zone;
    if (!stands_at)
        clock_gettime(CLOCK_REALTIME, &now);
    out->tv_sec = now.tv_sec;
    out->tv_usec = now.tv_nsec / 1000;
    return 0;
}

/* ------------------------------------------------------------------ contexts */

typedef struct {
    char name[24];
    SSL_CTX *ctx;
    int version;
    SSL_SESSION *last;            /* that of the last handshake */
    SSL *kept;                    /* a connection that goes on */
    int verify;                   /* SSL_set_verify of each connection; -1: none */
    char new_does;                /* what the new callback does: a: adds it, k: keeps it for the get callback */
    SSL_SESSION *handed_out;      /* by the get callback */
    int told_new, told_removed, asked;
    char generated[33], switches_to[24], ticket_says[24];
    int servername;
} Context;

static Context contexts[48];
static int count;

static Context *of(const SSL_CTX *ctx)
{
    for (int i = 0; i < count; i++)
        if (contexts[i].ctx == ctx)
            return &contexts[i];
    abort();
}

static Context *named(const char *name)
{
    for (int i = 0; i < count; i++)
        if (!strcmp(contexts[i].name, name))
            return &contexts[i];
    return NULL;
}

static int on_new(SSL *ssl, SSL_SESSION *session)
{
    Context *context = of(SSL_get_SSL_CTX(ssl));
    context->told_new++;
    if (context->new_does == 'a')
        SSL_CTX_add_session(context->ctx, session);
    if (context->new_does != 'k')
        return 0;
    SSL_SESSION_free(context->handed_out);
    context->handed_out = session;
    return 1;
}

static SSL_SESSION *on_get(SSL *ssl, const unsigned char *id, int length, int *copy)
{
    Context *context = of(SSL_get_SSL_CTX(ssl));
    (void)id, (void)length;
    context->asked++;
    *copy = 1;
    return context->handed_out;
}

static void on_remove(SSL_CTX *ctx, SSL_SESSION *session)
{
    (void)session;
    of(ctx)->told_removed++;
}

static int on_servername(SSL *ssl, int *alert, void *argument)
{
    Context *context = argument, *other = named(context->switches_to);
    (void)alert;
    if (other) {
        /* As nginx does. */
        SSL_set_SSL_CTX(ssl, other->ctx);
        SSL_set_verify(ssl, SSL_CTX_get_verify_mode(other->ctx), NULL);
    }
    return context->servername;
}

/* The id that it is told, and the next ones if that is taken. */
static int on_generate(SSL *ssl, unsigned char *id, unsigned int *length)
{
    Context *context = of(SSL_get_SSL_CTX(ssl));
    for (int tries = 0; tries < 10; tries++) {
        memset(id, 0, *length);
        memcpy(id, context->generated, strlen(context->generated));
        id[*length - 1] = (unsigned char)tries;
        if (!SSL_has_matching_session_id(ssl, id, *length))
            return 1;
    }
    return 0;
}

static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *length, const unsigned char *in, unsigned int of,
    void *argument)
{
    (void)ssl, (void)argument;
    return SSL_select_next_proto((unsigned char **)out, length, (const unsigned char *)"\x02h2", 3, in, of) ==
            OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

static int on_ticket(SSL *ssl, void *argument)
{
    Context *context = argument;
    return SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), context->ticket_says, strlen(context->ticket_says));
}

static SSL_TICKET_RETURN on_ticket_back(SSL *ssl, SSL_SESSION *session, const unsigned char *name, size_t length,
    SSL_TICKET_STATUS status, void *argument)
{
    (void)ssl, (void)session, (void)name, (void)length, (void)argument;
    return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_IGNORE;
}

/* One who may be trusted, and nobody else. */
static int trust(SSL_CTX *ctx, const char *names)
{
    X509_STORE *store = X509_STORE_new();
    char list[64], *rest = list;
    snprintf(list, sizeof list, "%s", names);
    for (char *name; (name = strtok_r(rest, "+", &rest));) {
        X509 *certificate = read_certificate(name);
        X509_STORE_add_cert(store, certificate);
        X509_free(certificate);
    }
    SSL_CTX_set_cert_store(ctx, store);
    return 1;
}

/* One more, in the list that is there. */
static int trust_more(SSL_CTX *ctx, const char *name)
{
    X509 *certificate = read_certificate(name);
    int added = X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), certificate);
    X509_free(certificate);
    return added;
}

static int authorities(SSL_CTX *ctx, const char *name)
{
    X509 *certificate = read_certificate(name);
    STACK_OF(X509_NAME) *names = sk_X509_NAME_new_null();
    sk_X509_NAME_push(names, X509_NAME_dup(X509_get_subject_name(certificate)));
    X509_free(certificate);
    SSL_CTX_set_client_CA_list(ctx, names);
    return 1;
}

static int verify_mode(const char *value)
{
    return !strcmp(value, "none") ? SSL_VERIFY_NONE : !strcmp(value, "request") ? SSL_VERIFY_PEER
        : SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
}

static int set(Context *context, const char *what, const char *value)
{
    SSL_CTX *ctx = context->ctx;
    if (!strcmp(what, "cert"))
        return use_certificate(ctx, value);
    if (!strcmp(what, "sid"))
        return SSL_CTX_set_session_id_context(ctx, (const unsigned char *)value, (unsigned int)strlen(value));
    if (!strcmp(what, "verify"))
        return SSL_CTX_set_verify(ctx, verify_mode(value), NULL), 1;
    if (!strcmp(what, "ca"))
        return trust(ctx, value);
    if (!strcmp(what, "more"))
        return trust_more(ctx, value);
    if (!strcmp(what, "names"))
        return authorities(ctx, value);
    if (!strcmp(what, "depth"))
        return SSL_CTX_set_verify_depth(ctx, atoi(value)), 1;
    if (!strcmp(what, "flags"))
        return X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ctx), strtoul(value, NULL, 16));
    if (!strcmp(what, "each"))
        return context->verify = verify_mode(value), 1;
    if (!strcmp(what, "mode"))
        return SSL_CTX_set_session_cache_mode(ctx, strtol(value, NULL, 16)), 1;
    if (!strcmp(what, "size"))
        return SSL_CTX_sess_set_cache_size(ctx, atol(value)), 1;
    if (!strcmp(what, "timeout"))
        return SSL_CTX_set_timeout(ctx, atol(value)), 1;
    if (!strcmp(what, "tickets"))
        return SSL_CTX_clear_options(ctx, SSL_OP_NO_TICKET), 1;
    if (!strcmp(what, "early"))
        return SSL_CTX_set_max_early_data(ctx, 1000) && SSL_CTX_set_recv_max_early_data(ctx, 1000);
    if (!strcmp(what, "replay"))
        return SSL_CTX_set_options(ctx, SSL_OP_NO_ANTI_REPLAY), 1;
    if (!strcmp(what, "new"))
        return context->new_does = *value, 1;
    if (!strcmp(what, "get"))
        return SSL_CTX_sess_set_get_cb(ctx, on_get), 1;
    if (!strcmp(what, "alpn"))
        return SSL_CTX_set_alpn_select_cb(ctx, on_alpn, NULL), 1;
    if (!strcmp(what, "generates")) {
        snprintf(context->generated, sizeof context->generated, "%s", value);
        return SSL_CTX_set_generate_session_id(ctx, on_generate);
    }
    if (!strcmp(what, "ticket")) {
        snprintf(context->ticket_says, sizeof context->ticket_says, "%s", value);
        return SSL_CTX_set_session_ticket_cb(ctx, on_ticket, on_ticket_back, context);
    }
    if (!strcmp(what, "servername")) {
        context->servername = !strcmp(value, "noack") ? SSL_TLSEXT_ERR_NOACK : SSL_TLSEXT_ERR_OK;
        snprintf(context->switches_to, sizeof context->switches_to, "%s", value);
        SSL_CTX_set_tlsext_servername_callback(ctx, on_servername);
        return SSL_CTX_set_tlsext_servername_arg(ctx, context), 1;
    }
    return 0;
}

static Context *free_place(void)
{
    Context *place = named("");
    return place ? place : &contexts[count++];
}

static void make(Context *context, const char *name, const char *version)
{
    int is_dtls = version[0] == 'd', is_any = version[0] == 'a', is_client = version[0] == 'c';
    memset(context, 0, sizeof *context);
    snprintf(context->name, sizeof context->name, "%s", name);
    context->version = is_dtls ? DTLS1_2_VERSION : !strcmp(version, "tls12") ? TLS1_2_VERSION : TLS1_3_VERSION;
    context->verify = -1;
    context->ctx = SSL_CTX_new(is_dtls ? DTLS_server_method() : is_client ? TLS_client_method()
        : is_any ? TLS_method() : TLS_server_method());
    SSL_CTX_set_min_proto_version(context->ctx, context->version);
    SSL_CTX_set_max_proto_version(context->ctx, context->version);
    SSL_CTX_set_options(context->ctx, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(context->ctx, 1);
    SSL_CTX_sess_set_new_cb(context->ctx, on_new);
    SSL_CTX_sess_set_remove_cb(context->ctx, on_remove);
    if (!is_client) {
        set(context, "cert", "server");
        set(context, "sid", "test");
    }
}

/* ------------------------------------------------------------------ connections */

static SSL *connection(Context *context, int descriptor)
{
    SSL *ssl = SSL_new(context->ctx);
    SSL_set_fd(ssl, descriptor);
    if (context->version == DTLS1_2_VERSION)
        prepare_packets(ssl);
    if (context->verify >= 0)
        SSL_set_verify(ssl, context->verify, NULL);
    return ssl;
}

static void describe(SSL *ssl, char *answer, size_t room)
{
    const unsigned char *protocol = NULL;
    unsigned int length = 0;
    X509 *peer = SSL_get1_peer_certificate(ssl);
    SSL_SESSION *session = SSL_get_session(ssl);
    const char *name = SSL_SESSION_get0_hostname(session);
    void *says = NULL;
    size_t says_length = 0;
    char subject[64] = "-";
    if (peer)
        X509_NAME_get_text_by_NID(X509_get_subject_name(peer), NID_commonName, subject, sizeof subject);
    SSL_get0_alpn_selected(ssl, &protocol, &length);
    SSL_SESSION_get0_ticket_appdata(session, &says, &says_length);
    snprintf(answer, room, "%s peer=%s verify=%ld alpn=%.*s name=%s ticket=%.*s early=%u timeout=%ld",
        SSL_session_reused(ssl) ? "resumed" : "full", subject, SSL_get_verify_result(ssl), (int)length,
        protocol ? (const char *)protocol : "", name ? name : "-", (int)says_length, says ? (char *)says : "",
        SSL_SESSION_get_max_early_data(session), SSL_SESSION_get_timeout(session));
    X509_free(peer);
}

static void finish(SSL *ssl, const char *how)
{
    char byte;
    if (!strcmp(how, "alert")) {
        /* The client sends nonsense: this end answers with a fatal alert. */
        SSL_read(ssl, &byte, 1);
        ERR_clear_error();
    } else if (!strcmp(how, "alerted")) {
        /* It is the other end that says so. */
        if (write(SSL_get_fd(ssl), NONSENSE, sizeof NONSENSE - 1) > 0)
            SSL_read(ssl, &byte, 1);
        ERR_clear_error();
    } else if (!strcmp(how, "clean")) {
        SSL_shutdown(ssl);
    }
    SSL_free(ssl);
}

static void accept_one(Context *context, int descriptor, const char *end, char *answer, size_t room)
{
    SSL *ssl = connection(context, descriptor);
    char byte;
    int done = SSL_accept(ssl) == 1 && SSL_read(ssl, &byte, 1) == 1 && SSL_write(ssl, "y", 1) == 1;
    if (!done) {
        snprintf(answer, room, "failed: %s", ERR_reason_error_string(ERR_peek_error()));
        ERR_clear_error();
        SSL_free(ssl);
    } else {
        describe(ssl, answer, room);
        SSL_SESSION_free(context->last);
        context->last = SSL_get1_session(ssl);
        if (!strcmp(end, "kept"))
            context->kept = ssl;
        else
            finish(ssl, end);
    }
    close(descriptor);
}

static void connect_one(Context *context, int descriptor, char *answer, size_t room)
{
    SSL *ssl = connection(context, descriptor);
    char byte;
    int done = SSL_connect(ssl) == 1 && SSL_write(ssl, "x", 1) == 1 && SSL_read(ssl, &byte, 1) == 1;
    SSL_SESSION_free(context->last);
    context->last = done ? SSL_get1_session(ssl) : NULL;
    snprintf(answer, room, "%s, %sadded", done ? "connected" : "failed",
        done && SSL_CTX_add_session(context->ctx, context->last) ? "" : "not ");
    SSL_shutdown(ssl);
    SSL_free(ssl);
    close(descriptor);
}

/* ------------------------------------------------------------------ early data, by many threads at once */

typedef struct {
    Context *context;
    int descriptor, starter;
} Early;

static pthread_t readers[64];
static int reader_count;
static atomic_int were_given;

static void *read_early(void *argument)
{
    Early *early = argument;
    SSL *ssl = connection(early->context, early->descriptor);
    char byte, data[100];
    size_t length = 0;
    /* Nobody writes: the end of it is the sign for all. */
    if (read(early->starter, &byte, 1) == 0 &&
        SSL_read_early_data(ssl, data, sizeof data, &length) == SSL_READ_EARLY_DATA_SUCCESS && length > 0)
        were_given++;
    /* Not to be taken for an unclean end, after which nobody would find the session. */
    SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(ssl);
    ERR_clear_error();
    close(early->descriptor);
    close(early->starter);
    free(early);
    return NULL;
}

static void earned(char *answer, size_t room)
{
    while (reader_count > 0)
        pthread_join(readers[--reader_count], NULL);
    snprintf(answer, room, "%d", atomic_exchange(&were_given, 0));
}

/* ------------------------------------------------------------------ a thread that is never done */

enum { STORED = 50 };
static SSL_SESSION *stored[STORED];

static void *store(void *argument)
{
    Context *context = argument;
    for (unsigned int i = 0;; i++) {
        SSL_CTX_add_session(context->ctx, stored[i % STORED]);
        SSL_CTX_remove_session(context->ctx, stored[i % STORED]);
    }
    return NULL;
}

static void be_busy(Context *context)
{
    pthread_t thread;
    for (int i = 0; i < STORED; i++) {
        unsigned char id[32] = {(unsigned char)i};
        stored[i] = SSL_SESSION_dup(context->last);
        SSL_SESSION_set1_id(stored[i], id, sizeof id);
    }
    pthread_create(&thread, NULL, store, context);
}

/* ------------------------------------------------------------------ commands */

static int bytes_of(const char *text, unsigned char *bytes)
{
    int length = 0;
    for (unsigned int byte; sscanf(text + 2 * length, "%2x", &byte) == 1; length++)
        bytes[length] = (unsigned char)byte;
    return length;
}

static void text_of(const SSL_SESSION *session, char *text)
{
    unsigned int length;
    const unsigned char *id = SSL_SESSION_get_id(session, &length);
    for (unsigned int i = 0; i < length; i++)
        sprintf(text + 2 * i, "%02x", id[i]);
}

static void obey(char *command, int descriptor, int other, char *answer, size_t room)
{
    char *rest = command, *verb = strtok_r(rest, " ", &rest), *name = strtok_r(rest, " ", &rest);
    char *argument = strtok_r(rest, " ", &rest);
    Context *context = name ? named(name) : NULL;
    strcpy(answer, "done");
    if (!strcmp(verb, "context")) {
        if (!context)
            make(context = free_place(), name, argument), argument = strtok_r(rest, " ", &rest);
        for (; argument; argument = strtok_r(rest, " ", &rest)) {
            char *value = strchr(argument, '=');
            *value = 0;
            if (!set(context, argument, value + 1))
                snprintf(answer, room, "%s is not to be set", argument);
        }
    } else if (!strcmp(verb, "clock")) {
        stands_at = atol(name);
    } else if (!strcmp(verb, "later")) {
        stands_at++;
    } else if (!strcmp(verb, "earned")) {
        earned(answer, room);
    } else if (!context) {
        strcpy(answer, "no such context");
    } else if (!strcmp(verb, "accept")) {
        accept_one(context, descriptor, argument, answer, room);
    } else if (!strcmp(verb, "connect")) {
        connect_one(context, descriptor, answer, room);
    } else if (!strcmp(verb, "busy")) {
        be_busy(context);
    } else if (!strcmp(verb, "end")) {
        finish(context->kept, "clean");
    } else if (!strcmp(verb, "early")) {
        Early *early = malloc(sizeof *early);
        *early = (Early){context, descriptor, other};
        pthread_create(&readers[reader_count++], NULL, read_early, early);
    } else if (!strcmp(verb, "remove")) {
        snprintf(answer, room, "%d", SSL_CTX_remove_session(context->ctx, context->last));
    } else if (!strcmp(verb, "add")) {
        snprintf(answer, room, "%d", SSL_CTX_add_session(context->ctx, context->last));
    } else if (!strcmp(verb, "flush")) {
        SSL_CTX_flush_sessions(context->ctx, argument ? atol(argument) : 0);
    } else if (!strcmp(verb, "free")) {
        SSL_CTX_free(context->ctx);
        SSL_SESSION_free(context->last);
        SSL_SESSION_free(context->handed_out);
        memset(context, 0, sizeof *context);
    } else if (!strcmp(verb, "timeout")) {
        SSL_SESSION_set_timeout(context->last, atol(argument));
    } else if (!strcmp(verb, "time")) {
        SSL_SESSION_set_time(context->last, (long)time(NULL) + atol(argument));
    } else if (!strcmp(verb, "id")) {
        text_of(context->last, answer);
    } else if (!strcmp(verb, "found")) {
        unsigned char id[32];
        int length = bytes_of(argument, id);
        SSL *ssl = SSL_new(context->ctx);
        snprintf(answer, room, "%d", SSL_has_matching_session_id(ssl, id, (unsigned int)length));
        SSL_free(ssl);
    } else if (!strcmp(verb, "counters")) {
        SSL_CTX *ctx = context->ctx;
        snprintf(answer, room,
            "number=%ld hits=%ld misses=%ld timeouts=%ld full=%ld cb_hits=%ld new=%d removed=%d asked=%d",
            SSL_CTX_sess_number(ctx), SSL_CTX_sess_hits(ctx), SSL_CTX_sess_misses(ctx), SSL_CTX_sess_timeouts(ctx),
            SSL_CTX_sess_cache_full(ctx), SSL_CTX_sess_cb_hits(ctx), context->told_new, context->told_removed,
            context->asked);
    } else {
        strcpy(answer, "no such command");
    }
}

int main(void)
{
    char command[600], answer[600];
    int descriptors[2];
    signal(SIGPIPE, SIG_IGN);
    while (receive(3, command, sizeof command, descriptors) > 0) {
        obey(command, descriptors[0], descriptors[1], answer, sizeof answer);
        if (send(3, answer, strlen(answer) + 1, 0) < 0)
            return 1;
    }
    for (int i = 0; i < count; i++) {
        SSL_SESSION_free(contexts[i].last);
        SSL_SESSION_free(contexts[i].handed_out);
        SSL_CTX_free(contexts[i].ctx);
    }
    return 0;
}
