#include "harness.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>

/* --- Trace ------------------------------------------------------------------------------ */

static int silent;

void silence(int on)
{
    silent = on;
}

void say(const char *format, ...)
{
    va_list args;

    if (silent)
        return;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
    fflush(stdout); /* a crash must not swallow what was seen before it */
}

void step(const char *format, ...)
{
    va_list args;

    printf("-- ");
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
    fflush(stdout);
}

const char *take_error(void)
{
    unsigned long code = ERR_peek_error();
    const char *reason = code == 0 ? "no error" : ERR_reason_error_string(code);

    ERR_clear_error();
    return reason == NULL ? "error without a text" : reason;
}

/* --- Names of sessions ------------------------------------------------------------------ */

#define MOST_SESSIONS 8192

static struct {
    unsigned char id[SSL_MAX_SSL_SESSION_ID_LENGTH];
    unsigned int length;
} seen[MOST_SESSIONS];
static int seen_count;

/* Every session object between its ex_data "new" and "free" function. */
static SSL_SESSION *live[MOST_SESSIONS];
static int live_count;
static pthread_mutex_t registry = PTHREAD_MUTEX_INITIALIZER;

static int id_number(const unsigned char *id, unsigned int length)
{
    int i;

    for (i = 0; i < seen_count; i++)
        if (seen[i].length == length && memcmp(seen[i].id, id, length) == 0)
            return i;
    if (seen_count == MOST_SESSIONS)
        abort();
    memcpy(seen[i].id, id, length);
    seen[i].length = length;
    return seen_count++;
}

const char *id_name(const unsigned char *id, unsigned int length)
{
    static char names[8][16]; /* several names may be in one line */
    static int next;
    char *name;

    if (length == 0)
        return "no-id";
    name = names[next++ % 8];
    snprintf(name, sizeof(names[0]), "S%d", id_number(id, length) + 1);
    return name;
}

const char *session_name(const SSL_SESSION *session)
{
    unsigned int length;
    const unsigned char *id;

    if (session == NULL)
        return "none";
    id = SSL_SESSION_get_id(session, &length);
    return id_name(id, length);
}

static void session_born(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int idx, long argl, void *argp)
{
    (void)ptr, (void)ad, (void)idx, (void)argl, (void)argp;
    pthread_mutex_lock(&registry);
    if (live_count == MOST_SESSIONS)
        abort();
    live[live_count++] = parent;
    pthread_mutex_unlock(&registry);
}

static void session_died(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int idx, long argl, void *argp)
{
    int i;

    (void)ptr, (void)ad, (void)idx, (void)argl, (void)argp;
    pthread_mutex_lock(&registry);
    for (i = 0; i < live_count && live[i] != parent; i++)
        ;
    if (i == live_count)
        printf("!! a session was freed that was never made, or twice\n");
    else /* in the order they were made: names must not depend on the order of frees */
        memmove(&live[i], &live[i + 1], (size_t)(--live_count - i) * sizeof(live[0]));
    pthread_mutex_unlock(&registry);
}

static int abandoned;

int live_sessions(void)
{
    return live_count - abandoned;
}

void abandon_sessions(void)
{
    abandoned = live_count;
}

void show_live(void)
{
    static int objects[MOST_SESSIONS];
    int i, named = 0, nameless = 0;

    if (silent)
        return;
    /* First give a name to whatever has none yet, in the order the objects were made. */
    memset(objects, 0, sizeof(objects));
    for (i = 0; i < live_count; i++) {
        unsigned int length;
        const unsigned char *id = SSL_SESSION_get_id(live[i], &length);

        if (length == 0) {
            nameless++;
        } else {
            objects[id_number(id, length)]++;
            named++;
        }
    }
    if (named > 40) {
        say("live: %d with an id, %d without", named, nameless);
        return;
    }
    printf("live:");
    for (i = 0; i < seen_count; i++) {
        if (objects[i] == 1)
            printf(" S%d", i + 1);
        else if (objects[i] > 1)
            printf(" S%dx%d", i + 1, objects[i]);
    }
    if (nameless > 0)
        printf(" no-id:%d", nameless);
    if (named + nameless == 0)
        printf(" none");
    putchar('\n');
    fflush(stdout);
}

/* --- Contexts --------------------------------------------------------------------------- */

#define MOST_CONTEXTS 4

static Context contexts[MOST_CONTEXTS];
static int context_count;
static int context_index = -1, connection_index, life_index;

static const char *name_of(const SSL_CTX *ctx)
{
    const char *name = ctx == NULL ? NULL : SSL_CTX_get_ex_data(ctx, context_index);

    return name == NULL ? "unknown" : name;
}

static const char *end_name(const SSL *ssl)
{
    const char *name = ssl == NULL ? NULL : SSL_get_ex_data(ssl, connection_index);

    return name == NULL ? "nameless" : name;
}

static int new_session(Context *context, SSL *ssl, SSL_SESSION *session)
{
    say("  %s.new %s by=%s ctx=%s protocol=%x same=%d init=%d reused=%d resumable=%d number=%ld", context->name,
        session_name(session), end_name(ssl), name_of(SSL_get_SSL_CTX(ssl)),
        (unsigned)SSL_SESSION_get_protocol_version(session), SSL_get_session(ssl) == session, SSL_in_init(ssl),
        SSL_session_reused(ssl), SSL_SESSION_is_resumable(session), SSL_CTX_sess_number(SSL_get_SSL_CTX(ssl)));
    if (context->on_new != NULL)
        return context->on_new(context, ssl, session);
    return context->new_result;
}

static SSL_SESSION *get_session(Context *context, SSL *ssl, const unsigned char *id, int length, int *copy)
{
    SSL_SESSION *session = NULL;
    int asked = *copy;

    say("  %s.get %s length=%d by=%s ctx=%s version=%x copy=%d", context->name, id_name(id, length), length,
        end_name(ssl), name_of(SSL_get_SSL_CTX(ssl)), SSL_version(ssl), asked);
    if (context->on_get != NULL)
        session = context->on_get(context, ssl, id, length, copy);
    say("  %s.get -> %s copy=%d", context->name, session_name(session), *copy);
    return session;
}

static void remove_one(Context *context, SSL_CTX *ctx, SSL_SESSION *session)
{
    say("  %s.remove %s ctx=%s resumable=%d", context->name, session_name(session), name_of(ctx),
        SSL_SESSION_is_resumable(session));
    if (context->on_remove != NULL)
        context->on_remove(context, session);
}

/*
 * One set of functions per context: only so can the trace tell whose callback was called when a
 * connection has moved to another context.
 */
#define CALLBACK_SET(n)                                                                              \
    static int new_cb_##n(SSL *ssl, SSL_SESSION *session)                                            \
    {                                                                                                \
        return new_session(&contexts[n], ssl, session);                                              \
    }                                                                                                \
    static SSL_SESSION *get_cb_##n(SSL *ssl, const unsigned char *id, int length, int *copy)         \
    {                                                                                                \
        return get_session(&contexts[n], ssl, id, length, copy);                                     \
    }                                                                                                \
    static void remove_cb_##n(SSL_CTX *ctx, SSL_SESSION *session)                                    \
    {                                                                                                \
        remove_one(&contexts[n], ctx, session);                                                      \
    }

CALLBACK_SET(0)
CALLBACK_SET(1)
CALLBACK_SET(2)
CALLBACK_SET(3)

static const struct {
    int (*new_cb)(SSL *, SSL_SESSION *);
    SSL_SESSION *(*get_cb)(SSL *, const unsigned char *, int, int *);
    void (*remove_cb)(SSL_CTX *, SSL_SESSION *);
} callbacks[MOST_CONTEXTS] = {
    {new_cb_0, get_cb_0, remove_cb_0},
    {new_cb_1, get_cb_1, remove_cb_1},
    {new_cb_2, get_cb_2, remove_cb_2},
    {new_cb_3, get_cb_3, remove_cb_3},
};

int show_while_freed;

static void context_died(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int idx, long argl, void *argp)
{
    int i;

    (void)ad, (void)idx, (void)argl, (void)argp;
    if (ptr == NULL)
        return;
    say("  %s freed, number=%ld", (const char *)ptr, SSL_CTX_sess_number((SSL_CTX *)parent));
    for (i = 0; show_while_freed && i < context_count; i++)
        if (contexts[i].ctx == parent)
            show(&contexts[i]);
}

void take_indexes(void)
{
    if (context_index >= 0)
        return;
    context_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, context_died);
    connection_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    life_index = SSL_SESSION_get_ex_new_index(0, NULL, session_born, NULL, session_died);
    (void)life_index;
}

/* The free functions of ex_data run in the order of their indexes, and the library takes its own with the first
 * context: in front of a libssl linked with -Bsymbolic it hears by that of the end of a context. */
static void take_indexes_after_a_context(void)
{
    if (context_index < 0)
        SSL_CTX_free(SSL_CTX_new(TLS_method()));
    take_indexes();
}

int protocol_of(Version version)
{
    return version == TLS12 ? TLS1_2_VERSION : version == TLS13 ? TLS1_3_VERSION : DTLS1_2_VERSION;
}

const char *version_name(Version version)
{
    return version == TLS12 ? "tls12" : version == TLS13 ? "tls13" : "dtls12";
}

static Context *new_context(const char *name, Version version)
{
    const SSL_METHOD *method = version == DTLS12 ? DTLS_method() : TLS_method();
    Context *context;

    take_indexes_after_a_context();
    if (context_count == MOST_CONTEXTS)
        abort();
    context = &contexts[context_count];
    memset(context, 0, sizeof(*context));
    context->slot = context_count++;
    snprintf(context->name, sizeof(context->name), "%s", name);
    context->ctx = SSL_CTX_new(method);
    if (context->ctx == NULL) {
        say("SSL_CTX_new failed: %s", take_error());
        exit(1);
    }
    context->table = (OPENSSL_LHASH *)SSL_CTX_sessions(context->ctx);
    SSL_CTX_set_ex_data(context->ctx, context_index, context->name);
    SSL_CTX_set_min_proto_version(context->ctx, protocol_of(version));
    SSL_CTX_set_max_proto_version(context->ctx, protocol_of(version));
    return context;
}

Context *server_context(const char *name, Version version)
{
    Context *context = new_context(name, version);

    SSL_CTX_use_certificate(context->ctx, certificate());
    SSL_CTX_use_PrivateKey(context->ctx, private_key());
    SSL_CTX_set_session_id_context(context->ctx, (const unsigned char *)"handshake", 9);
    return context;
}

Context *client_context(const char *name, Version version)
{
    return new_context(name, version);
}

void context_free(Context *context)
{
    SSL_CTX_free(context->ctx);
    context->ctx = NULL;
}

void contexts_over(void)
{
    context_count = 0;
}

void install(Context *context, int which)
{
    if (which & NEW)
        SSL_CTX_sess_set_new_cb(context->ctx, callbacks[context->slot].new_cb);
    if (which & GET)
        SSL_CTX_sess_set_get_cb(context->ctx, callbacks[context->slot].get_cb);
    if (which & REMOVE)
        SSL_CTX_sess_set_remove_cb(context->ctx, callbacks[context->slot].remove_cb);
}

void uninstall(Context *context, int which)
{
    if (which & NEW)
        SSL_CTX_sess_set_new_cb(context->ctx, NULL);
    if (which & GET)
        SSL_CTX_sess_set_get_cb(context->ctx, NULL);
    if (which & REMOVE)
        SSL_CTX_sess_set_remove_cb(context->ctx, NULL);
}

void set_mode(Context *context, long mode)
{
    long previous = SSL_CTX_set_session_cache_mode(context->ctx, mode);

    say("%s mode 0x%lx, was 0x%lx", context->name, SSL_CTX_get_session_cache_mode(context->ctx), previous);
}

void set_size(Context *context, long size)
{
    long previous = SSL_CTX_sess_set_cache_size(context->ctx, size);

    say("%s size %ld, was %ld", context->name, SSL_CTX_sess_get_cache_size(context->ctx), previous);
}

void flush(Context *context, long seconds_from_now)
{
    say("flush %s at now%+ld", context->name, seconds_from_now);
    SSL_CTX_flush_sessions(context->ctx, (long)time(NULL) + seconds_from_now);
}

int add(Context *context, SSL_SESSION *session)
{
    int result = SSL_CTX_add_session(context->ctx, session);

    say("add %s to %s: %d", session_name(session), context->name, result);
    return result;
}

int remove_session(Context *context, SSL_SESSION *session)
{
    int result = SSL_CTX_remove_session(context->ctx, session);

    say("remove %s from %s: %d, resumable=%d", session_name(session), context->name, result,
        session == NULL ? 0 : SSL_SESSION_is_resumable(session));
    return result;
}

static const char *whose(int is_null, int is_own)
{
    return is_null ? "-" : is_own ? "own" : "FOREIGN";
}

static int walked;

static void walk(void *session)
{
    unsigned int length;

    SSL_SESSION_get_id(session, &length);
    walked += length <= 32;
}

/* A line only where the table does not have as many sessions as the cache: it is the cache. */
static void compare_with_table(Context *context)
{
    long number = SSL_CTX_sess_number(context->ctx);

    walked = 0;
    OPENSSL_LH_doall(context->table, walk);
    if (walked != number || OPENSSL_LH_num_items(context->table) != (unsigned long)number)
        say("%s: number=%ld, in the table %lu, walked %d", context->name, number,
            OPENSSL_LH_num_items(context->table), walked);
}

void show(Context *context)
{
    SSL_CTX *ctx = context->ctx;
    int (*new_cb)(SSL *, SSL_SESSION *);
    SSL_SESSION *(*get_cb)(SSL *, const unsigned char *, int, int *);
    void (*remove_cb)(SSL_CTX *, SSL_SESSION *);

    if (ctx == NULL)
        return;
    new_cb = SSL_CTX_sess_get_new_cb(ctx);
    get_cb = SSL_CTX_sess_get_get_cb(ctx);
    remove_cb = SSL_CTX_sess_get_remove_cb(ctx);
    say("%s: number=%ld connect=%ld/%ld/%ld accept=%ld/%ld/%ld hits=%ld cb_hits=%ld misses=%ld timeouts=%ld full=%ld "
        "mode=0x%lx size=%ld new=%s get=%s remove=%s",
        context->name, SSL_CTX_sess_number(ctx), SSL_CTX_sess_connect(ctx), SSL_CTX_sess_connect_good(ctx),
        SSL_CTX_sess_connect_renegotiate(ctx), SSL_CTX_sess_accept(ctx), SSL_CTX_sess_accept_good(ctx),
        SSL_CTX_sess_accept_renegotiate(ctx), SSL_CTX_sess_hits(ctx), SSL_CTX_sess_cb_hits(ctx),
        SSL_CTX_sess_misses(ctx), SSL_CTX_sess_timeouts(ctx), SSL_CTX_sess_cache_full(ctx),
        SSL_CTX_get_session_cache_mode(ctx), SSL_CTX_sess_get_cache_size(ctx),
        whose(new_cb == NULL, new_cb == callbacks[context->slot].new_cb),
        whose(get_cb == NULL, get_cb == callbacks[context->slot].get_cb),
        whose(remove_cb == NULL, remove_cb == callbacks[context->slot].remove_cb));
    compare_with_table(context);
}

void show_all(void)
{
    int i;

    for (i = 0; i < context_count; i++)
        show(&contexts[i]);
    show_live();
}

int keep_new(Context *context, SSL *ssl, SSL_SESSION *session)
{
    (void)ssl;
    if (context->kept_count == (int)(sizeof(context->kept) / sizeof(context->kept[0])))
        return 0;
    context->kept[context->kept_count++] = session;
    return 1;
}

int add_new(Context *context, SSL *ssl, SSL_SESSION *session)
{
    (void)ssl;
    add(context, session);
    return context->new_result;
}

void release_kept(Context *context)
{
    while (context->kept_count > 0)
        SSL_SESSION_free(context->kept[--context->kept_count]);
}

/* --- Certificate ------------------------------------------------------------------------ */

static EVP_PKEY *key;
static X509 *cert;

static EVP_PKEY *new_key(void)
{
    EVP_PKEY_CTX *making = EVP_PKEY_CTX_new_id(EVP_PKEY_EC, NULL);
    EVP_PKEY *made = NULL;

    EVP_PKEY_keygen_init(making);
    EVP_PKEY_CTX_set_ec_paramgen_curve_nid(making, NID_X9_62_prime256v1);
    EVP_PKEY_keygen(making, &made);
    EVP_PKEY_CTX_free(making);
    return made;
}

EVP_PKEY *private_key(void)
{
    if (key == NULL)
        key = new_key();
    return key;
}

X509 *certificate(void)
{
    X509_NAME *name;

    if (cert != NULL)
        return cert;
    cert = X509_new();
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(cert), 24 * 3600);
    X509_set_pubkey(cert, private_key());
    name = X509_NAME_new();
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1, -1, 0);
    X509_set_subject_name(cert, name);
    X509_set_issuer_name(cert, name);
    X509_NAME_free(name);
    X509_sign(cert, private_key(), EVP_sha256());
    return cert;
}

/* --- Connections ------------------------------------------------------------------------ */

static BIO *memory(void)
{
    BIO *bio = BIO_new(BIO_s_mem());

    BIO_set_mem_eof_return(bio, -1);
    return bio;
}

Connection connect_ends(SSL *client, SSL *server)
{
    Connection c = {client, server};
    BIO *up = memory(), *down = memory();
    SSL *ends[2] = {c.client, c.server};
    int i;

    BIO_up_ref(up);
    BIO_up_ref(down);
    SSL_set_bio(c.client, down, up);
    SSL_set_bio(c.server, up, down);
    SSL_set_connect_state(c.client);
    SSL_set_accept_state(c.server);
    if (connection_index > 0) { /* contexts made elsewhere (rate, soak) need no names */
        SSL_set_ex_data(c.client, connection_index, "client-end");
        SSL_set_ex_data(c.server, connection_index, "server-end");
    }
    for (i = 0; i < 2; i++) {
        if (!SSL_is_dtls(ends[i]))
            continue;
        SSL_set_options(ends[i], SSL_OP_NO_QUERY_MTU);
        SSL_set_mtu(ends[i], 1400);
    }
    return c;
}

Connection connection(Context *server, Context *client, SSL_SESSION *session)
{
    Connection c = connect_ends(SSL_new(client->ctx), SSL_new(server->ctx));

    if (session != NULL)
        SSL_set_session(c.client, session);
    return c;
}

static int wants_more(SSL *ssl, int result)
{
    int error = SSL_get_error(ssl, result);

    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE || error == SSL_ERROR_WANT_CLIENT_HELLO_CB;
}

/* Per thread: replays shake hands at the same moment. */
static _Thread_local char client_error[128], server_error[128];

int shake_hands(Connection *c)
{
    int client = 0, server = 0, client_stuck = 0, server_stuck = 0, turn;

    /* Bounded: no handshake needs this many turns. After one end has failed the other still runs, to see the alert. */
    for (turn = 0; turn < 20 && !((client || client_stuck) && (server || server_stuck)); turn++) {
        if (!client && !client_stuck) {
            ERR_clear_error();
            client = SSL_do_handshake(c->client);
            if (client != 1) {
                client_stuck = !wants_more(c->client, client);
                if (client_stuck)
                    snprintf(client_error, sizeof(client_error), "%s", take_error());
                client = 0;
            }
        }
        if (!server && !server_stuck) {
            ERR_clear_error();
            server = SSL_do_handshake(c->server);
            if (server != 1) {
                server_stuck = !wants_more(c->server, server);
                if (server_stuck)
                    snprintf(server_error, sizeof(server_error), "%s", take_error());
                server = 0;
            }
        }
    }
    if (!client && !client_stuck)
        snprintf(client_error, sizeof(client_error), "waiting");
    if (!server && !server_stuck)
        snprintf(server_error, sizeof(server_error), "waiting");
    if (client)
        snprintf(client_error, sizeof(client_error), "ok");
    if (server)
        snprintf(server_error, sizeof(server_error), "ok");
    ERR_clear_error();
    return client && server;
}

int talk(Connection *c)
{
    char buffer[16];
    int up, down;

    SSL_write(c->server, "from server", 11);
    down = SSL_read(c->client, buffer, sizeof(buffer));
    SSL_write(c->client, "from client", 11);
    up = SSL_read(c->server, buffer, sizeof(buffer));
    if (up == 11 && down == 11)
        return 1;
    say("talk: client read %d, server read %d: %s", down, up, take_error());
    return 0;
}

void describe(Connection *c)
{
    SSL_SESSION *mine = SSL_get_session(c->server), *theirs = SSL_get_session(c->client);

    say("handshake: %s reused %d/%d session %s/%s resumable %d/%d", SSL_get_version(c->server),
        SSL_session_reused(c->server), SSL_session_reused(c->client), session_name(mine), session_name(theirs),
        mine != NULL && SSL_SESSION_is_resumable(mine), theirs != NULL && SSL_SESSION_is_resumable(theirs));
}

int handshake(Connection *c)
{
    if (!shake_hands(c)) {
        say("handshake failed: server: %s; client: %s", server_error, client_error);
        return 0;
    }
    talk(c);
    describe(c);
    return 1;
}

void free_client(Connection *c, int clean)
{
    if (clean)
        SSL_shutdown(c->client);
    SSL_free(c->client);
    c->client = NULL;
    ERR_clear_error();
}

void free_server(Connection *c, int clean)
{
    if (clean)
        SSL_shutdown(c->server);
    SSL_free(c->server);
    c->server = NULL;
    ERR_clear_error();
}

void close_clean(Connection *c)
{
    free_client(c, 1);
    free_server(c, 1);
}

void close_rudely(Connection *c)
{
    free_client(c, 0);
    free_server(c, 0);
}

void forget(SSL_SESSION **session)
{
    SSL_SESSION_free(*session);
    *session = NULL;
}

int visit(Context *server, Context *client, SSL_SESSION **session)
{
    Connection c = connection(server, client, *session);
    int reused = 0;

    if (handshake(&c)) {
        reused = SSL_session_reused(c.server);
        SSL_SESSION_free(*session);
        *session = SSL_get1_session(c.client);
    }
    close_clean(&c);
    show_all();
    return reused;
}

int shake_hands_early(Connection *c)
{
    SSL_SESSION *offered = SSL_get_session(c->client);
    char buffer[32];
    size_t written, got;
    int turn, server = SSL_READ_EARLY_DATA_ERROR;

    if (offered != NULL && SSL_SESSION_get_max_early_data(offered) > 0
        && SSL_write_early_data(c->client, "early", 5, &written) != 1 && !wants_more(c->client, 0))
        snprintf(client_error, sizeof(client_error), "%s", take_error());
    for (turn = 0; turn < 8; turn++) {
        server = SSL_read_early_data(c->server, buffer, sizeof(buffer), &got);
        if (server == SSL_READ_EARLY_DATA_FINISH || (server == SSL_READ_EARLY_DATA_ERROR && !wants_more(c->server, 0)))
            break;
        if (server == SSL_READ_EARLY_DATA_ERROR)
            SSL_do_handshake(c->client);
    }
    ERR_clear_error();
    return shake_hands(c) && SSL_get_early_data_status(c->server) == SSL_EARLY_DATA_ACCEPTED;
}

int handshake_early(Connection *c)
{
    static const char *const status[] = {"not sent", "rejected", "accepted"};

    shake_hands_early(c);
    if (!SSL_is_init_finished(c->server) || !SSL_is_init_finished(c->client)) {
        say("handshake failed: server: %s; client: %s", server_error, client_error);
        return 0;
    }
    talk(c);
    say("early data: server %s, client %s", status[SSL_get_early_data_status(c->server) % 3],
        status[SSL_get_early_data_status(c->client) % 3]);
    describe(c);
    return 1;
}
