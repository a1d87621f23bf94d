/* The application's own new, get and remove callbacks, and whose sessions they may hand out. */
#include "harness.h"

static SSL_SESSION *hand_out(Context *context, SSL *ssl, const unsigned char *id, int length, int *copy)
{
    (void)ssl, (void)id, (void)length;
    *copy = context->copy;
    if (!*copy && context->hand_out != NULL)
        SSL_SESSION_up_ref(context->hand_out); /* this reference is given away */
    return context->hand_out;
}

/*
 * A server whose internal cache is empty but for what the get callback brings, one session that
 * is known outside (kept[0] and outside), and a client that offers it.
 */
typedef struct {
    Context *server, *client;
    SSL_SESSION *outside, *offered;
} Scene;

static Scene scene(Version version, long mode)
{
    Scene s = {server_context("server", version), client_context("client", version), NULL, NULL};

    SSL_CTX_set_options(s.server->ctx, SSL_OP_NO_TICKET);
    install(s.server, CALLBACKS);
    set_mode(s.server, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL_STORE);
    s.server->on_new = keep_new;
    step("a session that only the application knows");
    visit(s.server, s.client, &s.offered);
    s.outside = s.server->kept[s.server->kept_count - 1];
    s.server->on_new = NULL;
    s.server->on_get = hand_out;
    set_mode(s.server, mode);
    return s;
}

static void scene_over(Scene *s)
{
    step("end");
    s->server->hand_out = NULL;
    release_kept(s->server);
    forget(&s->offered);
    context_free(s->server);
    context_free(s->client);
    show_live();
}

/* The callback keeps its reference (copy 1), or gives one away each time (copy 0). */
static void hand_out_twice(Version version, int copy, long mode)
{
    Scene s = scene(version, mode);
    int i;

    /* Handed out again it may be added again; whether that moves it among its equals is not asked here
       (difference_add_again): it expires before them. */
    SSL_SESSION_set_time(s.outside, (long)time(NULL) - 100);
    s.server->copy = copy;
    s.server->hand_out = s.outside;
    for (i = 0; i < 2; i++) {
        SSL_SESSION *offered = s.offered;

        step("handed out with copy %d", copy);
        SSL_SESSION_up_ref(offered); /* the same one is offered twice */
        visit(s.server, s.client, &offered);
        forget(&offered);
    }
    step("the callback knows it no more");
    s.server->hand_out = NULL;
    visit(s.server, s.client, &s.offered);
    scene_over(&s);
}

static void get_copy(Version version)
{
    hand_out_twice(version, 1, SSL_SESS_CACHE_SERVER);
}

static void get_no_copy(Version version)
{
    hand_out_twice(version, 0, SSL_SESS_CACHE_SERVER);
}

static void get_copy_external_only(Version version)
{
    hand_out_twice(version, 1, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL);
}

static void get_no_copy_external_only(Version version)
{
    hand_out_twice(version, 0, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL);
}

static void get_with_mode_off(Version version)
{
    hand_out_twice(version, 1, SSL_SESS_CACHE_OFF);
}

static void get_no_lookup(Version version)
{
    hand_out_twice(version, 1, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL_LOOKUP);
}

static void get_null(Version version)
{
    Scene s = scene(version, SSL_SESS_CACHE_SERVER);

    step("the callback finds nothing");
    visit(s.server, s.client, &s.offered);
    visit(s.server, s.client, &s.offered);
    scene_over(&s);
}

/* Something is wrong with the session that the callback hands out. */
static void hand_out_bad(Version version, int copy, void (*spoil)(Scene *s, SSL_SESSION *session))
{
    static const long modes[] = {SSL_SESS_CACHE_SERVER, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL};
    int m;

    for (m = 0; m < 2; m++) {
        Scene s = scene(version, modes[m]);
        SSL_SESSION *bad = SSL_SESSION_dup(s.outside);

        spoil(&s, bad);
        step("handed out spoiled, copy %d, mode 0x%lx", copy, modes[m]);
        s.server->copy = copy;
        s.server->hand_out = bad;
        visit(s.server, s.client, &s.offered);
        s.server->hand_out = NULL;
        SSL_SESSION_free(bad);
        show_live();
        step("offered once more");
        visit(s.server, s.client, &s.offered);
        scene_over(&s);
        contexts_over();
    }
}

static void another_version(Scene *s, SSL_SESSION *session)
{
    (void)s;
    SSL_SESSION_set_protocol_version(session, SSL_SESSION_get_protocol_version(session) == TLS1_3_VERSION
                                                  ? TLS1_2_VERSION
                                                  : TLS1_3_VERSION);
}

static void not_resumable(Scene *s, SSL_SESSION *session)
{
    /* Removing is the one public way to mark a session. */
    remove_session(s->server, session);
}

static void expired(Scene *s, SSL_SESSION *session)
{
    (void)s;
    SSL_SESSION_set_time(session, (long)time(NULL) - 10000);
}

static void another_sid_ctx(Scene *s, SSL_SESSION *session)
{
    (void)s;
    SSL_SESSION_set1_id_context(session, (const unsigned char *)"elsewhere", 9);
}

static void get_another_version(Version version)
{
    hand_out_bad(version, 1, another_version);
    hand_out_bad(version, 0, another_version);
}

static void get_not_resumable(Version version)
{
    hand_out_bad(version, 1, not_resumable);
}

/* Not resumable and given away: libssl frees it. */
static void get_not_resumable_no_copy(Version version)
{
    hand_out_bad(version, 0, not_resumable);
}

static void get_expired(Version version)
{
    hand_out_bad(version, 1, expired);
    hand_out_bad(version, 0, expired);
}

static void get_another_sid_ctx(Version version)
{
    hand_out_bad(version, 1, another_sid_ctx);
    hand_out_bad(version, 0, another_sid_ctx);
}

/* The callback hands out a copy of what the cache lost a moment ago. */
static void get_what_was_cached(Version version)
{
    Context *server = server_context("server", version);
    Context *client = client_context("client", version);
    SSL_SESSION *offered = NULL, *copy;

    SSL_CTX_set_options(server->ctx, SSL_OP_NO_TICKET);
    install(server, CALLBACKS);
    server->on_new = keep_new;
    visit(server, client, &offered);
    server->on_get = hand_out;
    server->copy = 1;
    step("a copy of the removed one");
    copy = SSL_SESSION_dup(server->kept[server->kept_count - 1]);
    remove_session(server, server->kept[server->kept_count - 1]);
    server->hand_out = copy;
    visit(server, client, &offered);
    SSL_SESSION_free(copy);
    step("the cache has it: no question asked");
    server->hand_out = NULL;
    visit(server, client, &offered);
    release_kept(server);
    forget(&offered);
    context_free(server);
    context_free(client);
    show_live();
}

/* What new_cb answers decides about the reference alone, never about the cache. */
static void new_result(Version version)
{
    int result;

    for (result = 0; result < 2; result++) {
        Context *server = server_context("server", version);
        Context *client = client_context("client", version);
        SSL_SESSION *offered = NULL;

        SSL_CTX_set_options(server->ctx, SSL_OP_NO_TICKET);
        install(server, CALLBACKS);
        if (result)
            server->on_new = keep_new;
        step("new_cb answers %d", result);
        visit(server, client, &offered);
        visit(server, client, &offered);
        forget(&offered);
        step("flush(0)");
        SSL_CTX_flush_sessions(server->ctx, 0);
        show_all();
        release_kept(server);
        context_free(server);
        context_free(client);
        show_live();
        contexts_over();
    }
}

/* new_cb throws its session out of the cache again. */
static int remove_new(Context *context, SSL *ssl, SSL_SESSION *session)
{
    (void)ssl;
    remove_session(context, session);
    return 0;
}

static int flush_new(Context *context, SSL *ssl, SSL_SESSION *session)
{
    (void)ssl, (void)session;
    say("flush(0) in new_cb");
    SSL_CTX_flush_sessions(context->ctx, 0);
    return 0;
}

static void new_cb_removes(Version version)
{
    Context *server = server_context("server", version);
    Context *client = client_context("client", version);
    SSL_SESSION *offered = NULL;

    SSL_CTX_set_options(server->ctx, SSL_OP_NO_TICKET);
    install(server, CALLBACKS);
    server->on_new = remove_new;
    visit(server, client, &offered);
    visit(server, client, &offered);
    server->on_new = flush_new;
    visit(server, client, &offered);
    visit(server, client, &offered);
    forget(&offered);
    context_free(server);
    context_free(client);
    show_live();
}

/* The remove callback of SSL_CTX_remove_session holds no lock: it may use the cache. */
static void remove_others(Context *context, SSL_SESSION *session)
{
    SSL_SESSION *next;

    (void)session;
    if (context->kept_count == 0)
        return;
    next = context->kept[--context->kept_count];
    remove_session(context, next);
    SSL_SESSION_free(next);
    say("flush(0) in remove_cb");
    SSL_CTX_flush_sessions(context->ctx, 0);
}

static void add_again(Context *context, SSL_SESSION *session)
{
    context->on_remove = NULL;
    add(context, session);
}

static void remove_cb_reenters(Version version)
{
    Context *server = server_context("server", version);
    Context *client = client_context("client", version);
    SSL_SESSION *offered = NULL, *first;
    int i;

    SSL_CTX_set_options(server->ctx, SSL_OP_NO_TICKET);
    install(server, CALLBACKS);
    server->on_new = keep_new;
    for (i = 0; i < 4; i++) {
        visit(server, client, &offered);
        forget(&offered);
    }
    first = server->kept[0];
    SSL_SESSION_up_ref(first);
    step("remove_cb removes the next one, and the next");
    server->on_remove = remove_others;
    remove_session(server, first);
    show_all();
    step("remove_cb adds it again");
    server->on_remove = add_again;
    add(server, first);
    remove_session(server, first);
    show_all();
    SSL_SESSION_free(first);
    release_kept(server);
    context_free(server);
    context_free(client);
    show_live();
}

static void callbacks_come_and_go(Version version)
{
    static const int sets[] = {0, NEW, GET, REMOVE, NEW | GET, CALLBACKS, 0};
    Context *server = server_context("server", version);
    Context *client = client_context("client", version);
    SSL_SESSION *offered = NULL;
    size_t i;
    int tickets;

    for (tickets = 0; tickets < 2; tickets++) {
        if (tickets)
            SSL_CTX_clear_options(server->ctx, SSL_OP_NO_TICKET);
        else
            SSL_CTX_set_options(server->ctx, SSL_OP_NO_TICKET);
        for (i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
            step("tickets %d, callbacks %d", tickets, sets[i]);
            uninstall(server, CALLBACKS);
            install(server, sets[i]);
            show(server);
            visit(server, client, &offered);
            visit(server, client, &offered);
            forget(&offered);
        }
    }
    install(server, REMOVE);
    context_free(server);
    context_free(client);
    show_live();
}

/* new_cb takes the callbacks away under the library's feet. */
static int uninstall_all(Context *context, SSL *ssl, SSL_SESSION *session)
{
    (void)ssl, (void)session;
    uninstall(context, CALLBACKS);
    return 0;
}

static void callbacks_go_inside_new_cb(Version version)
{
    Context *server = server_context("server", version);
    Context *client = client_context("client", version);
    SSL_SESSION *offered = NULL;

    SSL_CTX_set_options(server->ctx, SSL_OP_NO_TICKET);
    install(server, CALLBACKS);
    server->on_new = uninstall_all;
    visit(server, client, &offered);
    visit(server, client, &offered);
    forget(&offered);
    context_free(server);
    context_free(client);
    show_live();
}

/* sid_ctx is no part of the key: the entry is found, refused, and stays. */
static void sid_ctx_isolation(Version version)
{
    Context *server = server_context("server", version);
    Context *client = client_context("client", version);
    SSL_SESSION *offered = NULL, *again;
    Connection c;

    SSL_CTX_set_options(server->ctx, SSL_OP_NO_TICKET);
    install(server, CALLBACKS);
    visit(server, client, &offered);
    again = offered;
    SSL_SESSION_up_ref(again);
    step("another sid_ctx on the connection");
    c = connection(server, client, offered);
    SSL_set_session_id_context(c.server, (const unsigned char *)"elsewhere", 9);
    handshake(&c);
    close_clean(&c);
    show_all();
    step("another sid_ctx on the context");
    SSL_CTX_set_session_id_context(server->ctx, (const unsigned char *)"third", 5);
    visit(server, client, &offered);
    step("the first one still resumes");
    SSL_CTX_set_session_id_context(server->ctx, (const unsigned char *)"handshake", 9);
    visit(server, client, &again);
    forget(&again);
    forget(&offered);
    context_free(server);
    context_free(client);
    show_live();
}

static int accept_any(int ok, X509_STORE_CTX *store)
{
    (void)ok, (void)store;
    return 1;
}

static void verify_peer(Version version, const char *sid_ctx, int with_certificate)
{
    Context *server = server_context("server", version);
    Context *client = client_context("client", version);
    SSL_SESSION *offered = NULL;
    X509 *peer;
    Connection c;

    SSL_CTX_set_options(server->ctx, SSL_OP_NO_TICKET);
    install(server, CALLBACKS);
    server->on_new = keep_new;
    SSL_CTX_set_session_id_context(server->ctx, (const unsigned char *)sid_ctx, (unsigned int)strlen(sid_ctx));
    step("verify, sid_ctx \"%s\", client certificate %d", sid_ctx, with_certificate);
    SSL_CTX_set_verify(server->ctx, SSL_VERIFY_PEER, accept_any);
    if (with_certificate) {
        SSL_CTX_use_certificate(client->ctx, certificate());
        SSL_CTX_use_PrivateKey(client->ctx, private_key());
    }
    visit(server, client, &offered);
    visit(server, client, &offered);
    c = connection(server, client, offered);
    handshake(&c);
    peer = SSL_get1_peer_certificate(c.server);
    say("peer certificate: %d, in the session: %d", peer != NULL,
        SSL_get_session(c.server) != NULL && SSL_SESSION_get0_peer(SSL_get_session(c.server)) != NULL);
    X509_free(peer);
    close_clean(&c);
    release_kept(server);
    forget(&offered);
    context_free(server);
    context_free(client);
    show_live();
    contexts_over();
}

static void client_certificate(Version version)
{
    verify_peer(version, "handshake", 1);
    verify_peer(version, "handshake", 0);
}

static void verify_peer_without_sid_ctx(Version version)
{
    verify_peer(version, "", 0);
    verify_peer(version, "", 1);
}

/* A session stored before the server began to verify: resuming without a sid_ctx is fatal. */
static void verify_peer_begins_later(Version version)
{
    Context *server = server_context("server", version);
    Context *client = client_context("client", version);
    SSL_SESSION *offered = NULL;

    SSL_CTX_set_options(server->ctx, SSL_OP_NO_TICKET);
    install(server, CALLBACKS);
    SSL_CTX_set_session_id_context(server->ctx, (const unsigned char *)"", 0);
    visit(server, client, &offered);
    SSL_CTX_set_verify(server->ctx, SSL_VERIFY_PEER, accept_any);
    visit(server, client, &offered);
    visit(server, client, &offered);
    forget(&offered);
    context_free(server);
    context_free(client);
    show_live();
}

const Scenario callback_scenarios[] = {
    {"get_copy", get_copy, ALL},
    {"get_no_copy", get_no_copy, ALL},
    {"get_copy_external_only", get_copy_external_only, ALL},
    {"get_no_copy_external_only", get_no_copy_external_only, ALL},
    {"get_with_mode_off", get_with_mode_off, ALL},
    {"get_no_lookup", get_no_lookup, ALL},
    {"get_null", get_null, ALL},
    {"get_another_version", get_another_version, ALL},
    {"get_not_resumable", get_not_resumable, ALL},
    {"get_not_resumable_no_copy", get_not_resumable_no_copy, ALL},
    {"get_expired", get_expired, ALL},
    {"get_another_sid_ctx", get_another_sid_ctx, ALL},
    {"get_what_was_cached", get_what_was_cached, ALL},
    {"new_result", new_result, ALL},
    {"new_cb_removes", new_cb_removes, ALL},
    {"remove_cb_reenters", remove_cb_reenters, ALL},
    {"callbacks_come_and_go", callbacks_come_and_go, ALL},
    {"callbacks_go_inside_new_cb", callbacks_go_inside_new_cb, ALL},
    {"sid_ctx_isolation", sid_ctx_isolation, ALL},
    {"client_certificate", client_certificate, ALL},
    {"verify_peer_without_sid_ctx", verify_peer_without_sid_ctx, ALL},
    {"verify_peer_begins_later", verify_peer_begins_later, ALL},
    {NULL, NULL, 0},
};
