/* oracle: none: these functions are the library's own; what they must do is what libssl does in a TLS 1.2 handshake */
/* only: standalone: in front of a libssl the handshakes are libssl's */
/*
 * SSLCACHE_get1_session, SSLCACHE_accept_session, SSLCACHE_negotiated: the rules of a server's handshake,
 * for TLS 1.2 without tickets.
 */
#define REPORTS_SORTED 0 /* compared with what is written down */
#include "der.h"

#define PAST 1000000000L /* sessions of then have expired, whatever T0 is */

static SSL_CTX *server(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLSv1_2_server_method());

    REQUIRE(ctx != NULL);
    return ctx;
}

/* A session that has not expired yet; its time is never printed. */
static SSL_SESSION *live_session(const char *name)
{
    return session_new(name, TLS1_2_VERSION, (long)time(NULL), 1000);
}

static void accept_id(SSL_CTX *ctx, const char *id)
{
    SSL *ssl = SSL_new(ctx);
    static char text[64];

    snprintf(text, sizeof(text), "accepting %s", id);
    trace_begin(text);
    SSL_SESSION *session = SSLCACHE_accept_session(ssl, (const unsigned char *)id, (unsigned int)strlen(id));
    trace_end("%s", name_of(session));
    REQUIRE(SSL_get_session(ssl) == session);
    SSL_SESSION_free(session);
    SSL_set_session(ssl, NULL);
    SSL_free(ssl);
}

static int negotiate(SSL_CTX *ctx, SSL_SESSION *session)
{
    SSL *ssl = SSL_new(ctx);
    int result = SSLCACHE_negotiated(ssl, session);

    REQUIRE(result == 0 || SSL_get_session(ssl) == session);
    SSL_set_session(ssl, NULL);
    SSL_free(ssl);
    return result;
}

static void print_counters(SSL_CTX *ctx)
{
    long hits = SSL_CTX_sess_hits(ctx);
    long cb_hits = SSL_CTX_sess_cb_hits(ctx);
    long misses = SSL_CTX_sess_misses(ctx);
    long timeouts = SSL_CTX_sess_timeouts(ctx);
    long number = SSL_CTX_sess_number(ctx);

    printf("    hits %ld, cb_hits %ld, misses %ld, timeouts %ld, number %ld\n", hits, cb_hits, misses, timeouts,
           number);
}

static const char *found(SSL_CTX *ctx, int version, const char *id)
{
    SSL_SESSION *session =
        SSLCACHE_get1_session(ctx, version, (const unsigned char *)id, (unsigned int)strlen(id));
    const char *name = session == NULL ? "nothing" : name_of(session);

    SSL_SESSION_free(session);
    return name;
}

static void look_ups(void)
{
    section("a look-up goes by version and id, and asks neither age nor mode");
    SSL_CTX *ctx = server();
    SSL_SESSION *old = session_new("old", TLS1_2_VERSION, PAST, 100);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF | SSL_SESS_CACHE_NO_INTERNAL);
    TRACE(found(ctx, TLS1_2_VERSION, "old"));
    TRACE(SSL_CTX_add_session(ctx, old));
    TRACE(found(ctx, TLS1_2_VERSION, "old"));
    TRACE(found(ctx, TLS1_3_VERSION, "old"));
    TRACE(found(ctx, TLS1_2_VERSION, "ol"));
    print_counters(ctx);
    CALL(SSL_SESSION_free(old));
    CALL(SSL_CTX_free(ctx));
}

static SSL_SESSION *to_give;
static int copy_flag;

static SSL_SESSION *gives(SSL *ssl UNUSED, const unsigned char *id UNUSED, int length UNUSED, int *copy)
{
    trace_inside("get_cb, copy was %d", *copy);
    *copy = copy_flag;
    return to_give;
}

static void accepting(void)
{
    section("the internal cache: hits, misses, what has expired");
    SSL_CTX *ctx = server();
    SSL_CTX_sess_set_remove_cb(ctx, say_removed);
    SSL_SESSION *a = live_session("a");
    TRACE(SSL_CTX_add_session(ctx, a));
    add_new(ctx, "old", PAST, 100);
    accept_id(ctx, "a");
    accept_id(ctx, "a");
    accept_id(ctx, "nobody's");
    print_counters(ctx);
    accept_id(ctx, "old");
    print_counters(ctx);

    section("the SERVER bit is not asked, NO_INTERNAL_LOOKUP is, and then no miss is counted");
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    accept_id(ctx, "a");
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL_LOOKUP);
    accept_id(ctx, "a");
    print_counters(ctx);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER);

    section("another session id context is a miss, and the session stays");
    SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"here", 4);
    accept_id(ctx, "a");
    print_counters(ctx);
    SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"", 0);

    section("get_cb is asked for what is not cached, and what it gives is cached");
    SSL_CTX_sess_set_get_cb(ctx, gives);
    accept_id(ctx, "a");
    to_give = NULL;
    accept_id(ctx, "b");
    to_give = live_session("b");
    copy_flag = 1;
    accept_id(ctx, "b");
    print_counters(ctx);
    accept_id(ctx, "b");
    print_counters(ctx);
    CALL(SSL_SESSION_free(to_give));

    section("with copy 0 the library takes the reference; with NO_INTERNAL_STORE it keeps none");
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL_STORE);
    to_give = live_session("c");
    copy_flag = 0;
    accept_id(ctx, "c");
    print_counters(ctx);

    section("a session that is not resumable is not taken from get_cb");
    to_give = live_session("d");
    TRACE(SSL_CTX_remove_session(ctx, to_give));
    accept_id(ctx, "d");
    print_counters(ctx);

    section("an expired one from get_cb is reported as removed");
    to_give = session_new("e", TLS1_2_VERSION, PAST, 100);
    accept_id(ctx, "e");
    print_counters(ctx);
    to_give = NULL;
    CALL(SSL_SESSION_free(a));
    CALL(SSL_CTX_free(ctx));
}

static void accepting_unusual_times(void)
{
    section("a timeout of -5 was over before it began; what overflows, and a time before 1970, is never over");
    SSL_CTX *ctx = server();
    SSL_CTX_sess_set_remove_cb(ctx, say_removed);
    SSL_SESSION *session = session_of("timeout -5", TLS12_ID "a2030201fb a4020400");
    TRACE(SSL_CTX_add_session(ctx, session));
    add_new(ctx, "no end", (long)time(NULL), LONG_MAX);
    add_new(ctx, "time -5", -5, 100);
    accept_id(ctx, "id");
    accept_id(ctx, "no end");
    accept_id(ctx, "time -5");
    print_counters(ctx);
    CALL(SSL_CTX_flush_sessions(ctx, LONG_MAX));
    print_counters(ctx);
    CALL(SSL_SESSION_free(session));
    CALL(SSL_CTX_free(ctx));
}

static int new_cb_result;

static int takes(SSL *ssl, SSL_SESSION *session)
{
    trace_inside("new_cb %s, the connection's own: %d", name_of(session), SSL_get_session(ssl) == session);
    return new_cb_result;
}

static void negotiating(void)
{
    static const long modes[] = {
        SSL_SESS_CACHE_OFF,
        SSL_SESS_CACHE_CLIENT,
        SSL_SESS_CACHE_SERVER,
        SSL_SESS_CACHE_BOTH,
        SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL_STORE,
        SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL,
        SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL_LOOKUP,
    };

    section("who is stored and offered in each mode");
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        SSL_CTX *ctx = server();
        SSL_CTX_set_session_cache_mode(ctx, modes[i]);
        SSL_CTX_sess_set_new_cb(ctx, takes);
        SSL_SESSION *a = live_session("a");
        printf("mode 0x%03lx: ", modes[i]);
        TRACE(negotiate(ctx, a));
        TRACE(SSL_CTX_sess_number(ctx));
        SSL_SESSION_free(a);
        SSL_CTX_free(ctx);
    }

    section("new_cb may keep the reference; its result does not touch the cache");
    SSL_CTX *ctx = server();
    SSL_CTX_sess_set_new_cb(ctx, takes);
    SSL_SESSION *a = live_session("a");
    new_cb_result = 1;
    TRACE(negotiate(ctx, a));
    TRACE(SSL_CTX_sess_number(ctx));
    CALL(SSL_SESSION_free(a));
    CALL(SSL_CTX_free(ctx));
    CALL(SSL_SESSION_free(a));
    new_cb_result = 0;

    section("a victim is reported before the new session is offered");
    ctx = server();
    SSL_CTX_sess_set_new_cb(ctx, takes);
    SSL_CTX_sess_set_remove_cb(ctx, say_removed);
    SSL_CTX_sess_set_cache_size(ctx, 1);
    add_new(ctx, "victim", PAST, 100);
    a = live_session("a");
    TRACE(negotiate(ctx, a));
    CALL(SSL_SESSION_free(a));

    section("a session that is not resumable is neither stored nor offered");
    SSL_SESSION *removed = live_session("removed");
    TRACE(SSL_CTX_remove_session(ctx, removed));
    TRACE(negotiate(ctx, removed));
    CALL(SSL_SESSION_free(removed));
    CALL(SSL_CTX_free(ctx));
}

static void auto_clear(long mode)
{
    SSL_CTX *ctx = server();
    SSL_CTX_set_session_cache_mode(ctx, mode);
    SSL_SESSION *a = live_session("a");
    int at = 0;

    add_new(ctx, "old", PAST, 100);
    for (int i = 1; i <= 600; i++) {
        negotiate(ctx, a);
        if (at == 0 && strcmp(found(ctx, TLS1_2_VERSION, "old"), "old") != 0)
            at = i;
    }
    TRACE(at);
    CALL(SSL_SESSION_free(a));
    CALL(SSL_CTX_free(ctx));
}

int main(void)
{
    look_ups();
    accepting();
    accepting_unusual_times();
    negotiating();
    section("what has expired is flushed in the 256th handshake, unless NO_AUTO_CLEAR");
    auto_clear(SSL_SESS_CACHE_SERVER);
    auto_clear(SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_AUTO_CLEAR);
    return 0;
}
