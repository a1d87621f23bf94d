/*
 * Virtual hosts: a connection moves to another context, but its sessions, callbacks and most
 * counters stay with the context it was made from.
 */
#include "harness.h"

static Context *first, *second, *client;

static void set_up(Version version)
{
    first = server_context("first", version);
    second = server_context("second", version);
    client = client_context("client", version);
    SSL_CTX_set_options(first->ctx, SSL_OP_NO_TICKET);
    SSL_CTX_set_options(second->ctx, SSL_OP_NO_TICKET);
    SSL_CTX_set_session_id_context(second->ctx, (const unsigned char *)"second", 6);
    install(first, CALLBACKS);
    install(second, CALLBACKS);
}

static void tear_down(void)
{
    step("end");
    release_kept(first);
    release_kept(second);
    context_free(first);
    show_live();
    context_free(second);
    context_free(client);
    show_live();
    contexts_over();
}

static int on_servername(SSL *ssl, int *alert, void *argument)
{
    (void)alert, (void)argument;
    SSL_set_SSL_CTX(ssl, second->ctx);
    return SSL_TLSEXT_ERR_OK;
}

static int on_client_hello(SSL *ssl, int *alert, void *argument)
{
    (void)alert, (void)argument;
    SSL_set_SSL_CTX(ssl, second->ctx);
    return SSL_CLIENT_HELLO_SUCCESS;
}

static int on_servername_there_and_back(SSL *ssl, int *alert, void *argument)
{
    (void)alert, (void)argument;
    SSL_set_SSL_CTX(ssl, second->ctx);
    say("  back with NULL: %d", SSL_set_SSL_CTX(ssl, NULL) == first->ctx);
    return SSL_TLSEXT_ERR_OK;
}

static const char *name_of_ctx(SSL_CTX *ctx)
{
    return ctx == first->ctx ? "first" : ctx == second->ctx ? "second" : ctx == client->ctx ? "client" : "unknown";
}

static void visit_host(Context *server, SSL_SESSION **session)
{
    Connection c = connection(server, client, *session);
    unsigned int length;
    const unsigned char *id;

    SSL_set_tlsext_host_name(c.client, "second.example");
    if (handshake(&c)) {
        SSL_SESSION_free(*session);
        *session = SSL_get1_session(c.client);
        id = SSL_SESSION_get_id(SSL_get_session(c.server), &length);
        say("server end is on %s, its session known there: %d", name_of_ctx(SSL_get_SSL_CTX(c.server)),
            length > 0 && SSL_has_matching_session_id(c.server, id, length));
    }
    close_clean(&c);
    show_all();
}

static void switched(Version version, int by_hello, long first_mode, long second_mode, int tickets)
{
    SSL_SESSION *session = NULL;
    int i;

    set_up(version);
    step("%s, modes 0x%lx 0x%lx, tickets %d", by_hello ? "client hello" : "server name", first_mode, second_mode, tickets);
    if (tickets) {
        SSL_CTX_clear_options(first->ctx, SSL_OP_NO_TICKET);
        SSL_CTX_clear_options(second->ctx, SSL_OP_NO_TICKET);
    }
    if (by_hello)
        SSL_CTX_set_client_hello_cb(first->ctx, on_client_hello, NULL);
    else
        SSL_CTX_set_tlsext_servername_callback(first->ctx, on_servername);
    set_mode(first, first_mode);
    set_mode(second, second_mode);
    for (i = 0; i < 3; i++)
        visit_host(first, &session);
    step("straight to the second");
    visit_host(second, &session);
    visit_host(second, &session);
    step("and to the first again");
    visit_host(first, &session);
    SSL_SESSION_free(session);
    tear_down();
}

static void every_mode(Version version, int by_hello)
{
    switched(version, by_hello, SSL_SESS_CACHE_SERVER, SSL_SESS_CACHE_SERVER, 0);
    switched(version, by_hello, SSL_SESS_CACHE_SERVER, SSL_SESS_CACHE_SERVER, 1);
    switched(version, by_hello, SSL_SESS_CACHE_SERVER, SSL_SESS_CACHE_OFF, 0);
    switched(version, by_hello, SSL_SESS_CACHE_OFF, SSL_SESS_CACHE_SERVER, 0);
    switched(version, by_hello, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL, SSL_SESS_CACHE_SERVER, 0);
    switched(version, by_hello, SSL_SESS_CACHE_SERVER, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL, 0);
}

static void switched_by_servername(Version version)
{
    every_mode(version, 0);
}

static void switched_by_client_hello(Version version)
{
    every_mode(version, 1);
}

static void switched_and_back(Version version)
{
    SSL_SESSION *session = NULL;
    int i;

    set_up(version);
    SSL_CTX_set_tlsext_servername_callback(first->ctx, on_servername_there_and_back);
    for (i = 0; i < 3; i++)
        visit_host(first, &session);
    SSL_SESSION_free(session);
    tear_down();
}

/* Switched before the handshake began, and after it ended. */
static void switched_by_application(Version version)
{
    SSL_SESSION *session = NULL;
    Connection c;
    int i;

    set_up(version);
    for (i = 0; i < 2; i++) {
        step("before the handshake");
        c = connection(first, client, session);
        SSL_set_SSL_CTX(c.server, second->ctx);
        handshake(&c);
        SSL_SESSION_free(session);
        session = SSL_get1_session(c.client);
        close_clean(&c);
        show_all();
    }
    for (i = 0; i < 2; i++) {
        step("after it");
        c = connection(first, client, session);
        handshake(&c);
        SSL_set_SSL_CTX(c.server, second->ctx);
        step("freed without a shutdown");
        free_client(&c, 1);
        free_server(&c, 0);
        show_all();
    }
    SSL_SESSION_free(session);
    tear_down();
}

/* A copy of a switched connection belongs to the context it was switched to. */
static void switched_then_duplicated(Version version)
{
    SSL_SESSION *session = NULL;
    Connection c;
    SSL *original, *copy;
    unsigned int length;
    const unsigned char *id;
    int i;

    set_up(version);
    for (i = 0; i < 2; i++) {
        original = SSL_new(first->ctx);
        SSL_set_SSL_CTX(original, second->ctx);
        copy = SSL_dup(original);
        say("copy is on %s", name_of_ctx(SSL_get_SSL_CTX(copy)));
        c = connect_ends(SSL_new(client->ctx), copy);
        if (session != NULL)
            SSL_set_session(c.client, session);
        handshake(&c);
        SSL_SESSION_free(session);
        session = SSL_get1_session(c.client);
        id = SSL_SESSION_get_id(SSL_get_session(c.server), &length);
        say("known to the copy: %d", SSL_has_matching_session_id(c.server, id, length));
        say("copy back with NULL: %s", name_of_ctx(SSL_set_SSL_CTX(c.server, NULL)));
        close_clean(&c);
        SSL_free(original);
        show_all();
    }
    step("a switched original that was never copied");
    visit_host(first, &session);
    SSL_SESSION_free(session);
    tear_down();
}

/* The application lets the first context go while connections on the second still belong to it. */
static void switched_context_freed(Version version)
{
    SSL_SESSION *session = NULL;
    Connection c;

    set_up(version);
    SSL_CTX_set_tlsext_servername_callback(first->ctx, on_servername);
    c = connection(first, client, NULL);
    SSL_set_tlsext_host_name(c.client, "second.example");
    handshake(&c);
    session = SSL_get1_session(c.client);
    step("the first context loses the application's reference");
    SSL_CTX_free(first->ctx);
    show_all();
    step("the connection ends badly");
    free_client(&c, 1);
    free_server(&c, 0);
    first->ctx = NULL;
    show_all();
    visit_host(second, &session);
    SSL_SESSION_free(session);
    tear_down();
}

/* Bad ends on a switched connection: the session leaves the first context. */
static void switched_ends_badly(Version version)
{
    SSL_SESSION *session = NULL;
    Connection c;

    set_up(version);
    SSL_CTX_set_tlsext_servername_callback(first->ctx, on_servername);
    visit_host(first, &session);
    c = connection(first, client, session);
    SSL_set_tlsext_host_name(c.client, "second.example");
    handshake(&c);
    free_server(&c, 0);
    free_client(&c, 1);
    show_all();
    visit_host(first, &session);
    SSL_SESSION_free(session);
    tear_down();
}

/* SSL_has_matching_session_id before the handshake, where the version is not known yet. */
static void matching_session_id(Version version)
{
    SSL_SESSION *session = NULL, *cached;
    const unsigned char *id;
    unsigned int length;
    SSL *ssl;

    set_up(version);
    first->on_new = keep_new;
    visit_host(first, &session);
    cached = first->kept[first->kept_count - 1];
    id = SSL_SESSION_get_id(cached, &length);
    ssl = SSL_new(first->ctx);
    say("version %x: %d", SSL_version(ssl), SSL_has_matching_session_id(ssl, id, length));
    say("no id: %d, one too long: %d", SSL_has_matching_session_id(ssl, id, 0),
        SSL_has_matching_session_id(ssl, id, length + 1));
    SSL_set_SSL_CTX(ssl, second->ctx);
    say("switched: %d", SSL_has_matching_session_id(ssl, id, length));
    set_mode(first, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL);
    say("with NO_INTERNAL: %d", SSL_has_matching_session_id(ssl, id, length));
    remove_session(first, cached);
    say("removed: %d", SSL_has_matching_session_id(ssl, id, length));
    SSL_free(ssl);
    ssl = SSL_new(second->ctx);
    say("another context: %d", SSL_has_matching_session_id(ssl, id, length));
    SSL_free(ssl);
    SSL_SESSION_free(session);
    tear_down();
}

const Scenario switch_scenarios[] = {
    {"switched_by_servername", switched_by_servername, ALL},
    {"switched_by_client_hello", switched_by_client_hello, ALL},
    {"switched_and_back", switched_and_back, ALL},
    {"switched_by_application", switched_by_application, ALL},
    {"switched_then_duplicated", switched_then_duplicated, ALL},
    {"switched_context_freed", switched_context_freed, ALL},
    {"switched_ends_badly", switched_ends_badly, ALL},
    {"matching_session_id", matching_session_id, ALL},
    {NULL, NULL, 0},
};
