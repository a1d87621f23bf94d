/*
 * TLS and DTLS handshakes in memory, and a trace of everything an application can see of the
 * session cache while they run.
 *
 * The trace must be the same bytes on every run and with every library that claims to be
 * libssl's session cache, so it holds no address, no session id and no time: sessions are
 * called S1, S2, ... in the order their ids were first seen, contexts and connections have
 * names of their own.
 */
#ifndef HANDSHAKE_HARNESS_H
#define HANDSHAKE_HARNESS_H

#include <openssl/err.h>
#include <openssl/lhash.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#if OPENSSL_VERSION_NUMBER < 0x30000000L
/* What 1.1.1 does not have. Scenarios that need it are left out there (releases.tsv), but must compile. */
#define SSL_SESS_CACHE_UPDATE_TIME 0x0400
#define SSL_OP_ALLOW_CLIENT_RENEGOTIATION 0
#define SSL_new_session_ticket(ssl) 0
#define SSL_get1_peer_certificate SSL_get_peer_certificate
#endif

typedef enum { TLS12 = 1, TLS13 = 2, DTLS12 = 4 } Version;

#define TLS (TLS12 | TLS13)
#define ALL (TLS12 | TLS13 | DTLS12)

typedef struct {
    const char *name;
    void (*run)(Version version);
    int versions; /* it runs once for each of these */
} Scenario;

/* The tables of the scenario files, each closed by a NULL name. */
extern const Scenario store_scenarios[], callback_scenarios[], end_scenarios[], early_data_scenarios[],
    client_scenarios[], switch_scenarios[], order_scenarios[], time_scenarios[], external_scenarios[], difference_scenarios[];

/* --- Trace ------------------------------------------------------------------------------ */

void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void step(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* While silent, callbacks still do their work but leave no line. */
void silence(int on);

/* "S3", "no id", or "none" for NULL; the same id always has the same name. */
const char *session_name(const SSL_SESSION *session);
const char *id_name(const unsigned char *id, unsigned int length);

/* The reason text of the first queued error, "no error" if there is none; empties the queue. */
const char *take_error(void);

/* Time stands still but for this (clock.c). */
void clock_forward(long seconds);

/* --- Contexts --------------------------------------------------------------------------- */

typedef struct Context Context;

struct Context {
    SSL_CTX *ctx;
    OPENSSL_LHASH *table; /* asked for once: it follows the cache */
    char name[24];
    int slot; /* which set of callbacks belongs to this context */

    /* What the callbacks do beside leaving a line; NULL: nothing. */
    int (*on_new)(Context *context, SSL *ssl, SSL_SESSION *session);
    SSL_SESSION *(*on_get)(Context *context, SSL *ssl, const unsigned char *id, int length, int *copy);
    void (*on_remove)(Context *context, SSL_SESSION *session);

    SSL_SESSION *hand_out; /* for on_get functions of the scenarios */
    int copy;
    int new_result;

    SSL_SESSION *kept[64]; /* references that keep_new took */
    int kept_count;
    Context *other; /* where a servername or client-hello callback switches to */
};

Context *server_context(const char *name, Version version);
Context *client_context(const char *name, Version version);
void context_free(Context *context); /* the application's reference */
void take_indexes(void);             /* of ex_data, before the first context: it is done with that */
extern int show_while_freed;         /* the ex_data free function of a context shows all it can still read */
void contexts_over(void);            /* all are freed: their places may be used again */

enum { NEW = 1, GET = 2, REMOVE = 4, CALLBACKS = 7 };
void install(Context *context, int callbacks);   /* these are set, the others left alone */
void uninstall(Context *context, int callbacks); /* these become NULL */

void set_mode(Context *context, long mode);
void set_size(Context *context, long size);
void flush(Context *context, long seconds_from_now);
int add(Context *context, SSL_SESSION *session);
int remove_session(Context *context, SSL_SESSION *session);

/* Every counter, mode, size and callback pointer as the application reads them back. */
void show(Context *context);
/* The same for all contexts, and the session objects that are still alive. */
void show_all(void);
void show_live(void);
/* Objects of sessions, with or without an id. */
int live_sessions(void);
void abandon_sessions(void); /* those alive now are meant to live until the process ends */

/* on_new functions */
int keep_new(Context *context, SSL *ssl, SSL_SESSION *session); /* keeps the reference in kept[], returns 1 */
int add_new(Context *context, SSL *ssl, SSL_SESSION *session);  /* calls SSL_CTX_add_session, as stunnel does */
void release_kept(Context *context);

/* --- Connections ------------------------------------------------------------------------ */

typedef struct {
    SSL *client, *server;
} Connection;

/* Names both ends for the trace; session, if not NULL, is offered by the client. */
Connection connection(Context *server, Context *client, SSL_SESSION *session);
Connection connect_ends(SSL *client, SSL *server); /* the same with ends that exist already */
int handshake(Connection *c);   /* runs it to the end, and a few bytes each way; 1: both succeeded */
int shake_hands(Connection *c); /* only the handshake, without a line */
int talk(Connection *c);        /* bytes both ways, which also delivers tickets and alerts */
void describe(Connection *c);   /* versions, reuse, sessions of both ends */
void close_clean(Connection *c);
void close_rudely(Connection *c); /* SSL_free without a close_notify, on both ends */
void free_server(Connection *c, int clean);
void free_client(Connection *c, int clean);

/*
 * One whole visit: connect, resuming *session if it is there, talk, close, and put the client's
 * new session in *session. Returns 1 if the server resumed.
 */
int visit(Context *server, Context *client, SSL_SESSION **session);
void forget(SSL_SESSION **session); /* free and NULL */

/* As handshake(), but the client sends early data when the session allows it. */
int handshake_early(Connection *c);
int shake_hands_early(Connection *c); /* without a line; 1: early data was accepted */

const char *version_name(Version version);
int protocol_of(Version version);

X509 *certificate(void);
EVP_PKEY *private_key(void);

#endif
