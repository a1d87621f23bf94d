/*
 * Where the library means to differ from libssl. Each scenario has an expected trace for either
 * side in expected/, made on OpenSSL 3.0; run.sh checks both, and that they are not the same.
 */
#include "harness.h"

static Context *server, *client;

static void set_up(Version version)
{
    server = server_context("server", version);
    client = client_context("client", version);
    SSL_CTX_set_options(server->ctx, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(server->ctx, 1);
    install(server, NEW | REMOVE);
    server->on_new = keep_new;
}

static void tear_down(void)
{
    step("end");
    server->on_remove = NULL;
    release_kept(server);
    context_free(server);
    context_free(client);
    show_live();
    contexts_over();
}

static void make(int count)
{
    while (count-- > 0) {
        Connection c = connection(server, client, NULL);

        handshake(&c);
        close_clean(&c);
    }
}

/*
 * Adding the very session that is cached already: older libssl moves it among those that expire
 * in the same second; newer ones and the library leave it where it is.
 */
static void difference_add_again(Version version)
{
    set_up(version);
    make(3);
    add(server, server->kept[0]);
    step("flushed in this order");
    SSL_CTX_flush_sessions(server->ctx, 0);
    tear_down();
}

/* remove_cb of a flush or an eviction: libssl up to 3.6 holds its lock meanwhile, the library none. */
static void use_the_cache(Context *context, SSL_SESSION *session)
{
    int result;

    context->on_remove = NULL;
    result = SSL_CTX_add_session(context->ctx, session);
    say("  add in remove_cb: %d", result);
    result = SSL_CTX_remove_session(context->ctx, context->kept[2]);
    say("  remove in remove_cb: %d, resumable=%d", result, SSL_SESSION_is_resumable(context->kept[2]));
    result = (int)SSL_SESSION_set_timeout(context->kept[1], 77);
    say("  set_timeout in remove_cb: %d", result);
}

static void difference_flush_reenters(Version version)
{
    set_up(version);
    make(3);
    SSL_SESSION_set_timeout(server->kept[0], 60);
    server->on_remove = use_the_cache;
    flush(server, 100);
    show_all();
    tear_down();
}

static void difference_eviction_reenters(Version version)
{
    set_up(version);
    make(3);
    server->on_remove = use_the_cache;
    set_size(server, 4);
    make(1);
    show_all();
    tear_down();
}

/*
 * A removed session that the application adds again is marked for good. libssl resumes it out of
 * its own cache all the same; from a get callback, and so from the library, it refuses it.
 */
static void difference_added_after_removal(Version version)
{
    SSL_SESSION *session = NULL;

    set_up(version);
    visit(server, client, &session);
    remove_session(server, server->kept[0]);
    add(server, server->kept[0]);
    visit(server, client, &session);
    forget(&session);
    tear_down();
}

/* --- The flush every 255 handshakes, when the 256th is a TLS 1.2 resumption ---------------- */

static void gone(Context *context, SSL_SESSION *session)
{
    (void)session;
    silence(0);
    say("the expired session went: accept_good=%ld", SSL_CTX_sess_accept_good(context->ctx));
    silence(1);
}

/* No callback tells of the end of a resumed TLS 1.2 handshake: the library flushes at the next one that does. */
static void difference_auto_flush_resumed(Version version)
{
    static const unsigned char id[] = "expired";
    SSL_SESSION *session = NULL, *expired;
    int i;

    set_up(version);
    expired = SSL_SESSION_new();
    server->on_new = NULL;
    server->on_remove = gone;
    SSL_SESSION_set1_id(expired, id, sizeof(id));
    SSL_SESSION_set_protocol_version(expired, protocol_of(version));
    SSL_SESSION_set_time(expired, (long)time(NULL) - 100000);
    SSL_CTX_add_session(server->ctx, expired);
    SSL_SESSION_free(expired);
    silence(1);
    for (i = 0; i < 300; i++) {
        Connection c = connection(server, client, session);

        handshake(&c);
        SSL_SESSION_free(session);
        session = SSL_get1_session(c.client);
        close_clean(&c);
    }
    SSL_SESSION_free(session);
    server->on_remove = NULL;
    silence(0);
    show(server);
    tear_down();
}

const Scenario difference_scenarios[] = {
    {"difference_add_again", difference_add_again, TLS12 | TLS13},
    {"difference_flush_reenters", difference_flush_reenters, TLS12},
    {"difference_eviction_reenters", difference_eviction_reenters, TLS12},
    {"difference_added_after_removal", difference_added_after_removal, TLS12 | TLS13},
    {"difference_auto_flush_resumed", difference_auto_flush_resumed, TLS12 | DTLS12},
    {NULL, NULL, 0},
};
