/* How a session leaves: timeouts, fatal alerts, connections that end badly, contexts that are freed. */
#include "harness.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct {
    Context *server, *client;
} Pair;

/* Stateful, every callback installed, new sessions kept. */
static Pair pair(Version version)
{
    Pair p = {server_context("server", version), client_context("client", version)};

    SSL_CTX_set_options(p.server->ctx, SSL_OP_NO_TICKET);
    install(p.server, CALLBACKS);
    p.server->on_new = keep_new;
    return p;
}

static void pair_over(Pair *p)
{
    step("end");
    release_kept(p->server);
    release_kept(p->client);
    context_free(p->server);
    context_free(p->client);
    show_live();
    contexts_over();
}

static SSL_SESSION *newest(Pair *p)
{
    return p->server->kept[p->server->kept_count - 1];
}

static void expired_by_time(Version version)
{
    Pair p = pair(version);
    SSL_SESSION *session = NULL;

    visit(p.server, p.client, &session);
    step("its time is long ago");
    SSL_SESSION_set_time(newest(&p), (long)time(NULL) - 100000);
    visit(p.server, p.client, &session);
    say("the old one: resumable=%d", SSL_SESSION_is_resumable(p.server->kept[0]));
    visit(p.server, p.client, &session);
    forget(&session);
    pair_over(&p);
}

static void expired_by_timeout(Version version)
{
    Pair p = pair(version);
    SSL_SESSION *session = NULL;

    visit(p.server, p.client, &session);
    step("its timeout is short");
    SSL_SESSION_set_time(newest(&p), (long)time(NULL) - 100);
    SSL_SESSION_set_timeout(newest(&p), 10);
    visit(p.server, p.client, &session);
    step("and long again, before it is asked for");
    SSL_SESSION_set_time(newest(&p), (long)time(NULL) - 100);
    SSL_SESSION_set_timeout(newest(&p), 10);
    SSL_SESSION_set_timeout(newest(&p), 1000);
    visit(p.server, p.client, &session);
    forget(&session);
    pair_over(&p);
}

/* The timeout of the context is what new sessions get; 0 stands for the default. */
static void context_timeout(Version version)
{
    static const long timeouts[] = {300, 0, 5, 100000};
    Pair p = pair(version);
    SSL_SESSION *session = NULL;
    size_t i;

    say("default %ld", SSL_CTX_get_timeout(p.server->ctx));
    for (i = 0; i < sizeof(timeouts) / sizeof(timeouts[0]); i++) {
        say("was %ld", SSL_CTX_set_timeout(p.server->ctx, timeouts[i]));
        visit(p.server, p.client, &session);
        say("context %ld, session %ld", SSL_CTX_get_timeout(p.server->ctx), SSL_SESSION_get_timeout(newest(&p)));
        forget(&session);
    }
    flush(p.server, 200);
    show_all();
    flush(p.server, 5000);
    show_all();
    pair_over(&p);
}

/* Expired while two connections are about to ask for it: the first takes it away, the second misses. */
static void expired_for_two(Version version)
{
    Pair p = pair(version);
    SSL_SESSION *session = NULL;
    Connection a, b;

    visit(p.server, p.client, &session);
    SSL_SESSION_set_time(newest(&p), (long)time(NULL) - 100000);
    a = connection(p.server, p.client, session);
    b = connection(p.server, p.client, session);
    SSL_do_handshake(a.client);
    SSL_do_handshake(b.client);
    step("first");
    handshake(&a);
    step("second");
    handshake(&b);
    close_clean(&a);
    close_clean(&b);
    show_all();
    forget(&session);
    pair_over(&p);
}

/* Junk instead of a record, which the receiver answers with a fatal alert. */
static void spoil_input(SSL *reader)
{
    static const unsigned char junk[] = {23, 3, 3, 0, 32, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
                                         14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31};

    BIO_write(SSL_get_rbio(reader), junk, sizeof(junk));
}

static int read_some(const char *who, SSL *ssl)
{
    char buffer[16];
    int n, error;

    ERR_clear_error();
    n = SSL_read(ssl, buffer, sizeof(buffer));
    error = SSL_get_error(ssl, n);
    say("%s reads %d, error %d: %s", who, n, error, take_error());
    return n;
}

/* The server sends a fatal alert; meanwhile another connection has resumed the same session, a third is resuming. */
static void fatal_alert_sent(Version version)
{
    Pair p = pair(version);
    SSL_SESSION *session = NULL, *offered;
    Connection bad, other, late;

    visit(p.server, p.client, &session);
    offered = session;
    SSL_SESSION_up_ref(offered);
    step("two connections with it");
    other = connection(p.server, p.client, offered);
    handshake(&other);
    bad = connection(p.server, p.client, offered);
    handshake(&bad);
    show_all();
    step("a third one has said hello");
    late = connection(p.server, p.client, offered);
    SSL_do_handshake(late.client);
    step("junk arrives at the second");
    spoil_input(bad.server);
    read_some("server", bad.server);
    read_some("client", bad.client);
    show_all();
    describe(&bad);
    step("the third goes on");
    handshake(&late);
    step("the first is still well");
    say("talk: %d", talk(&other));
    describe(&other);
    close_clean(&bad);
    close_clean(&other);
    close_clean(&late);
    show_all();
    step("and later");
    visit(p.server, p.client, &session);
    SSL_SESSION_free(offered);
    forget(&session);
    pair_over(&p);
}

static void fatal_alert_received(Version version)
{
    Pair p = pair(version);
    SSL_SESSION *session = NULL, *offered;
    Connection bad, other;

    visit(p.server, p.client, &session);
    offered = SSL_SESSION_dup(session);
    other = connection(p.server, p.client, session);
    handshake(&other);
    bad = connection(p.server, p.client, session);
    handshake(&bad);
    step("junk arrives at the client");
    spoil_input(bad.client);
    read_some("client", bad.client);
    read_some("server", bad.server);
    show_all();
    step("the other is still well");
    say("talk: %d", talk(&other));
    close_clean(&bad);
    close_clean(&other);
    show_all();
    visit(p.server, p.client, &offered);
    forget(&offered);
    forget(&session);
    pair_over(&p);
}

/* One connection is in the middle of resuming when another one with the same session ends badly. */
static void rude_while_resuming(Version version)
{
    Pair p = pair(version);
    SSL_SESSION *session = NULL;
    Connection rude, slow;

    visit(p.server, p.client, &session);
    rude = connection(p.server, p.client, session);
    handshake(&rude);
    slow = connection(p.server, p.client, session);
    step("client hello and server hello of the slow one");
    SSL_do_handshake(slow.client);
    SSL_do_handshake(slow.server);
    show_all();
    step("the other server end is freed without a shutdown");
    free_server(&rude, 0);
    free_client(&rude, 1);
    show_all();
    step("the slow one goes on");
    handshake(&slow);
    show_all();
    close_clean(&slow);
    show_all();
    step("later");
    visit(p.server, p.client, &session);
    forget(&session);
    pair_over(&p);
}

/* Every way a connection can end. */
static void close_plain(SSL *ssl)
{
    (void)ssl;
}

static void close_shutdown(SSL *ssl)
{
    SSL_shutdown(ssl);
}

static void close_set_sent(SSL *ssl)
{
    SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN);
}

static void close_set_received(SSL *ssl)
{
    SSL_set_shutdown(ssl, SSL_RECEIVED_SHUTDOWN);
}

static void close_quiet(SSL *ssl)
{
    SSL_set_quiet_shutdown(ssl, 1);
    SSL_shutdown(ssl);
}

static void close_quiet_without(SSL *ssl)
{
    SSL_set_quiet_shutdown(ssl, 1);
}

static void close_clear(SSL *ssl)
{
    int result = SSL_clear(ssl);

    say("SSL_clear: %d, session %s", result, session_name(SSL_get_session(ssl)));
}

static void close_set_null_session(SSL *ssl)
{
    int result = SSL_set_session(ssl, NULL);

    say("SSL_set_session(NULL): %d, session %s", result, session_name(SSL_get_session(ssl)));
}

static void close_set_own_session(SSL *ssl)
{
    int result = SSL_set_session(ssl, SSL_get_session(ssl));

    say("SSL_set_session(own): %d, session %s", result, session_name(SSL_get_session(ssl)));
}

static const struct {
    const char *name;
    void (*end)(SSL *ssl);
} ways[] = {
    {"SSL_free alone", close_plain},
    {"SSL_shutdown", close_shutdown},
    {"SSL_set_shutdown(SENT)", close_set_sent},
    {"SSL_set_shutdown(RECEIVED)", close_set_received},
    {"quiet shutdown", close_quiet},
    {"quiet but no shutdown", close_quiet_without},
    {"SSL_clear", close_clear},
    {"SSL_set_session(NULL)", close_set_null_session},
    {"SSL_set_session(own)", close_set_own_session},
};

static void ways_to_close(Version version, int at_server, int resumed)
{
    size_t i;

    for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        Pair p = pair(version);
        SSL_SESSION *session = NULL;
        Connection c;

        step("%s, %s, %s", ways[i].name, at_server ? "server" : "client", resumed ? "resumed" : "full");
        set_mode(p.client, SSL_SESS_CACHE_CLIENT);
        install(p.client, CALLBACKS);
        if (resumed)
            visit(p.server, p.client, &session);
        c = connection(p.server, p.client, session);
        handshake(&c);
        SSL_SESSION_free(session);
        session = SSL_get1_session(c.client);
        ways[i].end(at_server ? c.server : c.client);
        take_error();
        show_all();
        if (at_server) {
            free_server(&c, 0);
            free_client(&c, 1);
        } else {
            free_client(&c, 0);
            free_server(&c, 1);
        }
        say("the client's: resumable=%d", SSL_SESSION_is_resumable(session));
        show_all();
        visit(p.server, p.client, &session);
        forget(&session);
        pair_over(&p);
    }
}

static void server_closes(Version version)
{
    ways_to_close(version, 1, 0);
}

static void server_closes_resumed(Version version)
{
    ways_to_close(version, 1, 1);
}

static void client_closes(Version version)
{
    ways_to_close(version, 0, 0);
}

static void client_closes_resumed(Version version)
{
    ways_to_close(version, 0, 1);
}

/* Freed in the middle of a handshake: nothing is removed. */
static void freed_in_handshake(Version version)
{
    Pair p = pair(version);
    SSL_SESSION *session = NULL;
    Connection c;

    visit(p.server, p.client, &session);
    c = connection(p.server, p.client, session);
    SSL_do_handshake(c.client);
    SSL_do_handshake(c.server);
    close_rudely(&c);
    show_all();
    visit(p.server, p.client, &session);
    forget(&session);
    pair_over(&p);
}

/* No cipher in common: the alert comes before there is a session. Then a version the server does not speak. */
static void handshake_fails(Version version)
{
    Pair p = pair(version);
    SSL_SESSION *session = NULL;
    Connection c;

    visit(p.server, p.client, &session);
    step("no cipher in common");
    c = connection(p.server, p.client, session);
    if (version == TLS13) {
        SSL_set_ciphersuites(c.client, "TLS_CHACHA20_POLY1305_SHA256");
        SSL_set_ciphersuites(c.server, "TLS_AES_128_GCM_SHA256");
    } else {
        SSL_set_cipher_list(c.client, "ECDHE-ECDSA-AES256-SHA");
        SSL_set_cipher_list(c.server, "ECDHE-ECDSA-AES128-SHA");
    }
    handshake(&c);
    close_clean(&c);
    show_all();
    if (version != DTLS12) {
        step("no version in common");
        c = connection(p.server, p.client, session);
        SSL_set_min_proto_version(c.server, version == TLS13 ? TLS1_2_VERSION : TLS1_3_VERSION);
        SSL_set_max_proto_version(c.server, version == TLS13 ? TLS1_2_VERSION : TLS1_3_VERSION);
        handshake(&c);
        close_clean(&c);
        show_all();
    }
    visit(p.server, p.client, &session);
    forget(&session);
    pair_over(&p);
}

/* The cipher of the cached session is no longer offered: found, counted as a hit, and then fatal (TLS <= 1.2). */
static void cipher_not_offered(Version version)
{
    Pair p = pair(version);
    SSL_SESSION *session = NULL;
    Connection c;

    SSL_CTX_set_cipher_list(p.server->ctx, "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384");
    SSL_CTX_set_ciphersuites(p.server->ctx, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384");
    visit(p.server, p.client, &session);
    c = connection(p.server, p.client, session);
    SSL_set_cipher_list(c.client, "ECDHE-ECDSA-AES256-GCM-SHA384");
    SSL_set_ciphersuites(c.client, "TLS_AES_256_GCM_SHA384");
    handshake(&c);
    close_clean(&c);
    show_all();
    visit(p.server, p.client, &session);
    forget(&session);
    pair_over(&p);
}

static void context_freed_with_sessions(Version version)
{
    Pair p = pair(version);
    SSL_SESSION *session = NULL;
    int i;

    for (i = 0; i < 3; i++) {
        visit(p.server, p.client, &session);
        forget(&session);
    }
    step("the first one expires last, the last one first");
    SSL_SESSION_set_timeout(p.server->kept[0], 30000);
    SSL_SESSION_set_timeout(newest(&p), 3000);
    context_free(p.server);
    for (i = 0; i < p.server->kept_count; i++)
        say("%s resumable=%d", session_name(p.server->kept[i]), SSL_SESSION_is_resumable(p.server->kept[i]));
    release_kept(p.server);
    context_free(p.client);
    show_live();
}

/*
 * In the ex_data free function of a context its callbacks, mode, size and counters can still be read, where the index
 * was taken before the first context.
 */
static void context_read_while_freed(Version version)
{
    SSL_SESSION *session = NULL;
    Pair p;

    take_indexes();
    p = pair(version);
    set_size(p.server, 100);
    visit(p.server, p.client, &session);
    visit(p.server, p.client, &session);
    forget(&session);
    show_while_freed = 1;
    pair_over(&p);
    show_while_freed = 0;
}

static void context_outlived_by_connection(Version version)
{
    Pair p = pair(version);
    Connection a = connection(p.server, p.client, NULL), b = connection(p.server, p.client, NULL);

    handshake(&a);
    step("the application gives both contexts up");
    SSL_CTX_free(p.server->ctx);
    SSL_CTX_free(p.client->ctx);
    say("talk: %d", talk(&a));
    step("a handshake on a context nobody else holds");
    handshake(&b);
    show_all();
    step("the connections go");
    close_clean(&a);
    show_all();
    p.server->ctx = p.client->ctx = NULL;
    free_client(&b, 1);
    free_server(&b, 1);
    release_kept(p.server);
    show_live();
}

static void context_up_ref(Version version)
{
    Pair p = pair(version);
    SSL_SESSION *session = NULL;

    visit(p.server, p.client, &session);
    say("up_ref: %d", SSL_CTX_up_ref(p.server->ctx));
    SSL_CTX_free(p.server->ctx);
    step("still there");
    show_all();
    visit(p.server, p.client, &session);
    forget(&session);
    pair_over(&p);
}

/* Two contexts with the same keys and sid_ctx do not see each other's sessions. */
static void two_contexts(Version version)
{
    Pair p = pair(version);
    Context *second = server_context("second", version);
    SSL_SESSION *session = NULL, *other = NULL;

    SSL_CTX_set_options(second->ctx, SSL_OP_NO_TICKET);
    install(second, CALLBACKS);
    visit(p.server, p.client, &session);
    step("offered to the second");
    other = session;
    SSL_SESSION_up_ref(other);
    visit(second, p.client, &other);
    step("each to its own");
    visit(second, p.client, &other);
    visit(p.server, p.client, &session);
    step("the second is freed");
    context_free(second);
    visit(p.server, p.client, &session);
    forget(&session);
    forget(&other);
    pair_over(&p);
}

/* A new context may get the address of a freed one: nothing of the old may shine through. */
static void context_after_context(Version version)
{
    int i;

    for (i = 0; i < 3; i++) {
        Pair p = {server_context("server", version), client_context("client", version)};
        SSL_SESSION *session = NULL;

        show_all();
        SSL_CTX_set_options(p.server->ctx, SSL_OP_NO_TICKET);
        set_mode(p.server, SSL_SESS_CACHE_BOTH);
        set_size(p.server, 7 + i);
        install(p.server, CALLBACKS);
        visit(p.server, p.client, &session);
        visit(p.server, p.client, &session);
        forget(&session);
        pair_over(&p);
    }
}

/* A worker process inherits a warm cache, and what it does to it is its own affair. */
static void inherited_by_fork(Version version)
{
    Pair p = pair(version);
    SSL_SESSION *session = NULL;
    pid_t worker;
    int status = -1, i;

    visit(p.server, p.client, &session);
    for (i = 0; i < 2; i++) {
        step("worker %d", i);
        worker = fork();
        if (worker == 0) {
            visit(p.server, p.client, &session);
            visit(p.server, p.client, &session);
            SSL_CTX_flush_sessions(p.server->ctx, 0);
            visit(p.server, p.client, &session);
            forget(&session);
            pair_over(&p);
            exit(7);
        }
        waitpid(worker, &status, 0);
        say("worker ended with %d", WIFEXITED(status) ? WEXITSTATUS(status) : -1);
    }
    step("the parent's is as it was");
    visit(p.server, p.client, &session);
    forget(&session);
    pair_over(&p);
}

static void renegotiate(Pair *p, SSL_SESSION **session, int at_server, int abbreviated)
{
    Connection c = connection(p->server, p->client, *session);
    SSL *asking;
    int started;

    handshake(&c);
    asking = at_server ? c.server : c.client;
    started = abbreviated ? SSL_renegotiate_abbreviated(asking) : SSL_renegotiate(asking);
    say("renegotiate by %s, abbreviated %d: %d", at_server ? "server" : "client", abbreviated, started);
    if (at_server) {
        SSL_do_handshake(c.server); /* the request */
        talk(&c);
    }
    shake_hands(&c);
    talk(&c);
    talk(&c);
    describe(&c);
    SSL_SESSION_free(*session);
    *session = SSL_get1_session(c.client);
    close_clean(&c);
    show_all();
}

static void renegotiation_with(Version version, uint64_t options)
{
    int at_server, abbreviated;

    for (at_server = 0; at_server < 2; at_server++) {
        for (abbreviated = 0; abbreviated < 2; abbreviated++) {
            Pair p = pair(version);
            SSL_SESSION *session = NULL;

            SSL_CTX_set_options(p.server->ctx, SSL_OP_ALLOW_CLIENT_RENEGOTIATION | options);
            step("renegotiation of a full handshake");
            renegotiate(&p, &session, at_server, abbreviated);
            step("of a resumed one");
            renegotiate(&p, &session, at_server, abbreviated);
            visit(p.server, p.client, &session);
            forget(&session);
            pair_over(&p);
        }
    }
}

static void renegotiation(Version version)
{
    renegotiation_with(version, 0);
}

static void renegotiation_never_resumes(Version version)
{
    renegotiation_with(version, SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION);
}

const Scenario end_scenarios[] = {
    {"expired_by_time", expired_by_time, ALL},
    {"expired_by_timeout", expired_by_timeout, ALL},
    {"context_timeout", context_timeout, ALL},
    {"expired_for_two", expired_for_two, ALL},
    {"fatal_alert_sent", fatal_alert_sent, TLS},
    {"fatal_alert_received", fatal_alert_received, TLS},
    {"rude_while_resuming", rude_while_resuming, ALL},
    {"server_closes", server_closes, ALL},
    {"server_closes_resumed", server_closes_resumed, ALL},
    {"client_closes", client_closes, ALL},
    {"client_closes_resumed", client_closes_resumed, ALL},
    {"freed_in_handshake", freed_in_handshake, ALL},
    {"handshake_fails", handshake_fails, ALL},
    {"cipher_not_offered", cipher_not_offered, ALL},
    {"context_freed_with_sessions", context_freed_with_sessions, ALL},
    {"context_read_while_freed", context_read_while_freed, ALL},
    {"context_outlived_by_connection", context_outlived_by_connection, ALL},
    {"context_up_ref", context_up_ref, ALL},
    {"two_contexts", two_contexts, ALL},
    {"context_after_context", context_after_context, ALL},
    {"inherited_by_fork", inherited_by_fork, ALL},
    {"renegotiation", renegotiation, TLS12 | DTLS12},
    {"renegotiation_never_resumes", renegotiation_never_resumes, TLS12 | DTLS12},
    {NULL, NULL, 0},
};
