/*
 * Callbacks that leave otherwise than by return, each from every call that may reach it.
 *
 *   unwind list               all pairs of a callback and a call, one a line
 *   unwind CALLBACK CALL      how each way ends, and how many sessions are left
 *   unwind CALLBACK CALL on   the same, and whether everything goes on afterwards
 *   unwind always             callbacks that always leave, all of them
 *   unwind nested             a callback that calls what leaves another, and returns
 *   unwind pending            a thread that was cancelled goes on to the next point where that is noticed
 */
#include "leaving.h"

extern "C" {
#ifdef STANDALONE
#include "no_tls.h"
#else
#include "tls.h"
#endif
}
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

/* ------------------------------------------------------------------------------- the callbacks */

/* The newest that was offered. */
static SSL_SESSION *offered;
static int on_new(SSL *, SSL_SESSION *session)
{
    offered = session;
    reached("new");
    return 0;
}

static SSL_SESSION *external;
static SSL_SESSION *on_get(SSL *, const unsigned char *, int, int *copy)
{
    reached("get");
    *copy = 1;
    return external;
}

static int removals;
static void on_remove(SSL_CTX *, SSL_SESSION *)
{
    removals++;
    reached("remove");
}

static int on_generate(SSL *, unsigned char *id, unsigned int *len)
{
    static int next;
    memset(id, 0xff, *len);
    memcpy(id, &++next, sizeof next);
    reached("generate");
    return 1;
}

static int frees;
static void ex_new(void *, void *, CRYPTO_EX_DATA *, int, long, void *name)
{
    reached((const char *)name);
}

static int ex_dup(CRYPTO_EX_DATA *, const CRYPTO_EX_DATA *,
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
                  void **,
#else
                  void *,
#endif
                  int, long, void *)
{
    reached("session_dup");
    return 1;
}

static void ex_free(void *, void *, CRYPTO_EX_DATA *, int, long, void *name)
{
    frees++;
    reached((const char *)name);
}

static int session_index;
static void ex_functions(int of)
{
    static const char *const names[][2] = {{"ssl_new", "ssl_free"}, {"ctx_new", "ctx_free"}, {"session_new", "session_free"}};
    CRYPTO_get_ex_new_index(of, 0, (void *)names[of][0], ex_new, NULL, NULL);
    session_index = CRYPTO_get_ex_new_index(of, 0, (void *)names[of][1], NULL, of == CRYPTO_EX_INDEX_SSL_SESSION ? ex_dup : NULL, ex_free);
}

static int on_password(char *to, int size, int, void *)
{
    reached("password");
    return snprintf(to, size, "secret");
}

static int bio_write(BIO *, const char *, int len)
{
    reached("bio_write");
    return len;
}

static BIO *bio_source;
static int bio_read(BIO *, char *to, int len)
{
    reached("bio_read");
    return BIO_read(bio_source, to, len);
}

static int bio_gets(BIO *, char *to, int len)
{
    reached("bio_read");
    return BIO_gets(bio_source, to, len);
}

static long bio_ctrl(BIO *, int command, long, void *)
{
    return command == BIO_CTRL_FLUSH;
}

static BIO *own_bio()
{
    static BIO_METHOD *method;
    if (!method) {
        method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "own");
        BIO_meth_set_write(method, bio_write);
        BIO_meth_set_puts(method, [](BIO *bio, const char *line) { return bio_write(bio, line, (int)strlen(line)); });
        BIO_meth_set_read(method, bio_read);
        BIO_meth_set_gets(method, bio_gets);
        BIO_meth_set_ctrl(method, bio_ctrl);
    }
    BIO *bio = BIO_new(method);
    BIO_set_init(bio, 1);
    return bio;
}

static ssize_t stream_read(void *, char *to, size_t size)
{
    reached("stream_read");
    return BIO_read(bio_source, to, (int)size);
}

static ssize_t stream_write(void *, const char *, size_t size)
{
    reached("stream_write");
    return size;
}

static FILE *own_stream(const char *mode)
{
    cookie_io_functions_t functions = {stream_read, stream_write, NULL, NULL};
    FILE *stream = fopencookie(NULL, mode, functions);
    setvbuf(stream, NULL, _IONBF, 0);
    return stream;
}

#ifndef STANDALONE
static int on_ticket(SSL *, void *)
{
    reached("ticket_made");
    return 1;
}

static SSL_TICKET_RETURN on_ticket_read(SSL *, SSL_SESSION *, const unsigned char *, size_t, SSL_TICKET_STATUS status, void *)
{
    reached("ticket_read");
    return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_IGNORE_RENEW;
}
#endif

#if OPENSSL_VERSION_NUMBER >= 0x30000000L
static void on_visit(SSL_SESSION *, void *)
#else
static void on_visit(SSL_SESSION *)
#endif
{
    reached("visit");
}

/* ------------------------------------------------------------------------------- the calls */

static SSL_CTX *server, *client;
/* Kept by the application: the sessions 0 to 9 that are in the server's cache, in this order. */
static SSL_SESSION *session[10];
static SSL_SESSION *one, *resumed;
static SSL *connection;

static const long T0 = 1700000000;

static SSL_SESSION *lasting(int number, long timeout)
{
    SSL_SESSION *made = tls_session(number);
    SSL_SESSION_set_time(made, T0);
    SSL_SESSION_set_timeout(made, timeout);
    return made;
}

/* The cache of `ctx` alone keeps them. */
static void fill(SSL_CTX *ctx)
{
    for (int i = 0; i < 10; i++) {
        SSL_SESSION *made = lasting(i, 100 + i);
        SSL_CTX_add_session(ctx, made);
        SSL_SESSION_free(made);
    }
}

static void fill_and_keep()
{
    for (int i = 0; i < 10; i++) {
        session[i] = lasting(i, 100 + i);
        SSL_CTX_add_session(server, session[i]);
    }
}

static void filled() { fill(server); }
static void kept() { fill_and_keep(); }
static void lone() { one = lasting(99, 1000); SSL_SESSION_set_ex_data(one, session_index, &mark); }
static void full() { fill(server); SSL_CTX_sess_set_cache_size(server, 10); lone(); }
static void over_full() { fill(server); SSL_CTX_sess_set_cache_size(server, 5); lone(); }
static void visited() { tls_visit(client, server, &resumed); }
static void outside()
{
    visited();
    external = SSL_SESSION_dup(resumed);
    SSL_CTX_set_session_cache_mode(server, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL_LOOKUP);
    fill(server);
    SSL_CTX_sess_set_cache_size(server, 5);
}
static void expired() { visited(); SSL_SESSION_set_time(offered, T0); }
static void connected() { connection = SSL_new(server); }
static void with_session() { connected(); one = lasting(99, 1000); SSL_set_session(connection, one); SSL_SESSION_free(one); lone(); }
static void last_of_context() { fill(server); connected(); SSL_CTX_free(server); }
static SSL_CTX *other;
static void switched()
{
    connected();
    other = tls_server(TLS1_2_VERSION);
    SSL_CTX_sess_set_remove_cb(other, on_remove);
    fill(other);
    SSL_set_SSL_CTX(connection, other);
    SSL_CTX_free(other);
}
#ifndef STANDALONE
static void established()
{
    SSL *c = SSL_new(client);
    connection = SSL_new(server);
    tls_shake(c, connection);
}
static void tickets()
{
    SSL_CTX_clear_options(server, SSL_OP_NO_TICKET);
    SSL_CTX_set_session_ticket_cb(server, on_ticket, on_ticket_read, NULL);
}
static void ticket() { tickets(); visited(); }
static void early_data()
{
    SSL_CTX_free(server);
    SSL_CTX_free(client);
    server = tls_server(TLS1_3_VERSION);
    client = tls_client(TLS1_3_VERSION);
    SSL_CTX_set_max_early_data(server, 1000);
    SSL_CTX_sess_set_remove_cb(server, on_remove);
    visited();
}
static void newest_protocol()
{
    SSL_CTX_free(server);
    SSL_CTX_free(client);
    server = tls_server(TLS1_3_VERSION);
    client = tls_client(TLS1_3_VERSION);
    SSL_CTX_sess_set_new_cb(server, on_new);
}
static void as_client()
{
    SSL_CTX_set_session_cache_mode(client, SSL_SESS_CACHE_CLIENT);
    SSL_CTX_sess_set_new_cb(server, NULL);
    SSL_CTX_sess_set_new_cb(client, on_new);
}
#endif
static void nearly_256()
{
    fill(server);
    for (int i = 0; i < 255; i++) {
        SSL_SESSION *ended = NULL;
        tls_visit(client, server, &ended);
        SSL_SESSION_free(ended);
    }
}
static unsigned char encoded[2000];
static long encoded_size;
static void encode()
{
    visited();
    unsigned char *end = encoded;
    encoded_size = i2d_SSL_SESSION(resumed, &end);
}
static void text()
{
    visited();
    bio_source = BIO_new(BIO_s_mem());
    PEM_write_bio_SSL_SESSION(bio_source, resumed);
}
static void encrypted()
{
    visited();
    bio_source = BIO_new(BIO_s_mem());
    PEM_ASN1_write_bio((i2d_of_void *)i2d_SSL_SESSION, PEM_STRING_SSL_SESSION, bio_source, resumed, EVP_aes_128_cbc(),
                       (unsigned char *)"secret", 6, NULL, NULL);
}

static void add() { SSL_CTX_add_session(server, one); }
static void replace() { one = lasting(3, 1000); SSL_CTX_add_session(server, one); }
static void remove_it() { SSL_CTX_remove_session(server, session[3]); }
static void flush() { SSL_CTX_flush_sessions(server, T0 + 1000); }
static void flush_all() { SSL_CTX_flush_sessions(server, 0); }
static void free_context() { SSL_CTX_free(server); }
static void free_session() { SSL_SESSION_free(one); }
static void free_connection() { SSL_free(connection); }
static void set_session() { SSL_set_session(connection, one); }
static void copy_session()
{
    SSL *from = SSL_new(server);
    SSL_copy_session_id(connection, from);
}
static void switch_back() { SSL_set_SSL_CTX(connection, NULL); }
static void visit() { SSL_SESSION *none = NULL; tls_visit(client, server, &none); }
static void revisit()
{
    SSL_SESSION *offered = resumed;
    SSL_SESSION_up_ref(offered);
    tls_visit(client, server, &offered);
}
static void make_session() { SSL_SESSION_new(); }
static void dup_session() { SSL_SESSION_dup(one); }
static void make_context() { SSL_CTX_new(TLS_method()); }
static void make_connection() { SSL_new(server); }
static void decode() { const unsigned char *at = encoded; d2i_SSL_SESSION(NULL, &at, encoded_size); }
static void print() { SSL_SESSION_print(own_bio(), resumed); }
static void print_keylog() { SSL_SESSION_print_keylog(own_bio(), resumed); }
static void print_fp() { SSL_SESSION_print_fp(own_stream("w"), resumed); }
static void write_text() { PEM_write_bio_SSL_SESSION(own_bio(), resumed); }
static void write_text_fp() { PEM_write_SSL_SESSION(own_stream("w"), resumed); }
static void read_text() { PEM_read_bio_SSL_SESSION(own_bio(), NULL, on_password, NULL); }
static void read_text_fp() { PEM_read_SSL_SESSION(own_stream("r"), NULL, on_password, NULL); }
static void walk()
{
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
    /* The typed walk is a function that gets a typed function: by way of the untyped one. */
    OPENSSL_LH_doall_arg((OPENSSL_LHASH *)SSL_CTX_sessions(server), (OPENSSL_LH_DOALL_FUNCARG)on_visit, NULL);
#else
    OPENSSL_LH_doall((OPENSSL_LHASH *)SSL_CTX_sessions(server), (OPENSSL_LH_DOALL_FUNC)on_visit);
#endif
}

/* ------------------------------------------------------------------------------- the pairs */

struct Pair {
    const char *callback, *call;
    void (*prepare)(), (*go)();
    /* Which call of the callback leaves. */
    int at;
};

static const Pair pairs[] = {
    {"new", "handshake", NULL, visit, 1},
#ifndef STANDALONE
    {"new", "handshake_tls13", newest_protocol, visit, 2},
    {"new", "handshake_as_client", as_client, visit, 1},
    {"remove", "single_use", early_data, revisit, 1},
    {"remove", "bad_end", established, free_connection, 1},
    {"session_new", "handshake", NULL, visit, 2},
    {"ticket_made", "handshake", tickets, visit, 1},
    {"ticket_read", "handshake", ticket, revisit, 1},
#endif
    {"get", "handshake", outside, revisit, 1},
    {"remove", "remove", kept, remove_it, 1},
    {"remove", "expired_in_handshake", expired, revisit, 1},
    {"remove", "context_free", filled, free_context, 3},
    {"remove", "last_of_context", last_of_context, free_connection, 3},
    {"remove", "switch_back", switched, switch_back, 3},
    {"remove", "flush", kept, flush, 3},
    {"remove", "flush_all", filled, flush_all, 1},
    {"remove", "auto_flush", nearly_256, visit, 3},
    {"remove", "evict", full, add, 1},
    {"remove", "evict_several", over_full, add, 3},
    {"remove", "evict_in_handshake", full, visit, 1},
    {"remove", "evict_after_get", outside, revisit, 2},
    {"generate", "handshake", NULL, visit, 1},
    {"session_free", "free", lone, free_session, 1},
    {"session_free", "set_session", with_session, set_session, 1},
    {"session_free", "copy_session_id", with_session, copy_session, 1},
    {"session_free", "connection_free", with_session, free_connection, 1},
    {"session_free", "context_free", filled, free_context, 2},
    {"session_free", "flush", filled, flush, 2},
    {"session_free", "evict", full, add, 1},
    {"session_free", "replace", filled, replace, 1},
    {"session_new", "new", NULL, make_session, 1},
    {"session_new", "dup", lone, dup_session, 1},
    {"session_new", "decode", encode, decode, 1},
    {"session_new", "read_text", text, read_text, 1},
    {"session_dup", "dup", lone, dup_session, 1},
    {"ctx_new", "new", NULL, make_context, 1},
    {"ctx_free", "free", filled, free_context, 1},
    {"ssl_new", "new", NULL, make_connection, 1},
    {"ssl_free", "free", connected, free_connection, 1},
    {"password", "read_text", encrypted, read_text, 1},
    {"bio_write", "print", visited, print, 1},
    {"bio_write", "print_keylog", visited, print_keylog, 1},
    {"bio_write", "write_text", visited, write_text, 1},
    {"bio_read", "read_text", text, read_text, 2},
    {"stream_write", "print_fp", visited, print_fp, 1},
    {"stream_write", "write_text_fp", visited, write_text_fp, 1},
    {"stream_read", "read_text_fp", text, read_text_fp, 1},
    {"visit", "sessions", filled, walk, 3},
};

static void callbacks(bool set)
{
    SSL_CTX_sess_set_new_cb(server, set ? on_new : NULL);
    SSL_CTX_sess_set_get_cb(server, set ? on_get : NULL);
    SSL_CTX_sess_set_remove_cb(server, set ? on_remove : NULL);
    SSL_CTX_set_generate_session_id(server, set ? on_generate : NULL);
}

/* The C library's own output ends a thread that was cancelled. */
static char said[1000];
static void say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    size_t len = strlen(said);
    vsnprintf(said + len, sizeof said - len, format, arguments);
    va_end(arguments);
}

static void tell()
{
    puts(said);
    fflush(stdout);
    *said = 0;
}

/* Whether a context can be used; it has none of the callbacks. */
static void goes_on(SSL_CTX *ctx)
{
    SSL_SESSION *made = tls_session(1000), *again = NULL;
    SSL_CTX *visitor = tls_client(0);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER);
    SSL_CTX_sess_set_cache_size(ctx, 0);
    long before = SSL_CTX_sess_number(ctx);
    say(" add %d", SSL_CTX_add_session(ctx, made));
    say(" number %+ld", SSL_CTX_sess_number(ctx) - before);
    say(" remove %d", SSL_CTX_remove_session(ctx, made));
    say(" visits %d", tls_visit(visitor, ctx, &again));
    say("%d", tls_visit(visitor, ctx, &again));
    SSL_CTX_flush_sessions(ctx, 0);
    say(" flushed to %ld", SSL_CTX_sess_number(ctx));
    SSL_SESSION_free(made);
    SSL_SESSION_free(again);
    SSL_CTX_free(visitor);
}

static void run(const Pair &pair, bool on)
{
    bool context_is_gone = pair.go == free_context || strcmp(pair.call, "last_of_context") == 0;
    server = tls_server(TLS1_2_VERSION);
    client = tls_client(TLS1_2_VERSION);
    external = resumed = NULL;
    bool sets = strncmp(pair.callback, "session_", 8) != 0;
    callbacks(false);
    if (sets && pair.prepare != outside)
        callbacks(true);
    if (pair.prepare)
        pair.prepare();
    if (sets && pair.prepare == outside)
        callbacks(true);
    removals = frees = 0;
    leaver = pair.callback;
    leaves_at = pair.at;
    say("%s:", attempt(pair.go));
    leaver = NULL;
    say(" removals %d", removals);
    if (!context_is_gone) {
        say(" left %ld full %ld", SSL_CTX_sess_number(server), SSL_CTX_sess_cache_full(server));
        if (on) {
            callbacks(false);
            goes_on(server);
        }
    }
    if (on) {
        SSL_CTX *fresh = tls_server(TLS1_2_VERSION);
        say(", another");
        goes_on(fresh);
        SSL_CTX_free(fresh);
    }
    tell();
}

/* What is there in the end was removed one by one, and each call ended in the first callback. */
static void always()
{
    server = tls_server(TLS1_2_VERSION);
    SSL_CTX_sess_set_remove_cb(server, on_remove);
    fill(server);
    SSL_CTX_sess_set_cache_size(server, 5);
    removals = frees = 0;
    leaver = "";
    int adds = 0, flushes = 0;
    for (; adds < 3; adds++) {
        one = lasting(50 + adds, 10000);
        attempt(add);
    }
    say("%s: %d adds: removals %d frees %d left %ld", way_names[way], adds, removals, frees, SSL_CTX_sess_number(server));
    while (SSL_CTX_sess_number(server) > 0 && ++flushes < 20)
        attempt(flush_all);
    say(", %d flushes: removals %d frees %d left %ld", flushes, removals, frees, SSL_CTX_sess_number(server));
    leaver = NULL;
    fill(server);
    leaver = "";
    say(", free: %s", attempt(free_context));
    say(" removals %d frees %d", removals, frees);
    leaver = NULL;
    server = tls_server(TLS1_2_VERSION);
    fill(server);
    leaver = "";
    removals = frees = 0;
    say(", no remove_cb: %s", attempt(flush_all));
    say(" frees %d left %ld", frees, SSL_CTX_sess_number(server));
    leaver = NULL;
    say(",");
    goes_on(server);
    tell();
}

static SSL_CTX *inner;
static void remove_inner() { SSL_CTX_remove_session(inner, one); }
static void on_outer_remove(SSL_CTX *, SSL_SESSION *)
{
    leaver = "remove";
    leaves_at = 1;
    say(" inside: %s", attempt(remove_inner));
}

static void nested()
{
    inner = tls_server(TLS1_2_VERSION);
    SSL_CTX_sess_set_remove_cb(inner, on_remove);
    fill(inner);
    one = lasting(50, 1000);
    SSL_CTX_add_session(inner, one);
    server = tls_server(TLS1_2_VERSION);
    SSL_CTX_sess_set_remove_cb(server, on_outer_remove);
    fill_and_keep();
    say("%s:", way_names[way]);
    say(" removed %d", SSL_CTX_remove_session(server, session[3]));
    say(" left %ld %ld", SSL_CTX_sess_number(server), SSL_CTX_sess_number(inner));
    SSL_CTX_sess_set_remove_cb(server, NULL);
    goes_on(server);
    goes_on(inner);
    tell();
}

static void use_all()
{
    server = tls_server(TLS1_2_VERSION);
    client = tls_client(TLS1_2_VERSION);
    SSL_CTX_sess_set_remove_cb(server, on_remove);
    kept();
    full();
    add();
    remove_it();
    visited();
    revisit();
    flush();
    goes_on(server);
    say(", left %ld", SSL_CTX_sess_number(server));
    SSL_CTX_free(server);
    SSL_CTX_free(client);
}

static void *cancelled_already(void *)
{
    pthread_cancel(pthread_self());
    use_all();
    pthread_testcancel();
    return NULL;
}

static void pending()
{
#ifndef STANDALONE
    /* The first use of libssl notices it. */
    use_all();
    *said = 0;
#endif
    pthread_t thread;
    void *end;
    pthread_create(&thread, NULL, cancelled_already, NULL);
    pthread_join(thread, &end);
    say(", %s", end == PTHREAD_CANCELED ? "cancelled at the end" : "returned");
    tell();
}

int main(int argc, char **argv)
{
    /* A libssl that was linked with -Bsymbolic runs the free functions of indexes that were taken before the first
     * context earlier than remove_cb. */
    SSL_CTX_free(SSL_CTX_new(TLS_method()));
    ex_functions(CRYPTO_EX_INDEX_SSL);
    ex_functions(CRYPTO_EX_INDEX_SSL_CTX);
    ex_functions(CRYPTO_EX_INDEX_SSL_SESSION);
    if (strcmp(argv[1], "pending") == 0)
        pending();
    void (*all)() = strcmp(argv[1], "always") == 0 ? always : strcmp(argv[1], "nested") == 0 ? nested : NULL;
    for (int i = 0; i < WAYS && all; i++) {
        way = (Way)i;
        all();
    }
    for (const Pair &pair : pairs) {
        if (argc == 2 && strcmp(argv[1], "list") == 0)
            printf("%s %s\n", pair.callback, pair.call);
        else if (argc > 2 && strcmp(pair.callback, argv[1]) == 0 && strcmp(pair.call, argv[2]) == 0)
            for (int i = 0; i < WAYS; i++) {
                way = (Way)i;
                run(pair, argc > 3);
            }
    }
    return 0;
}
