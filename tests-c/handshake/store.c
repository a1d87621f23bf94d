/* Which sessions the server's cache takes: the mode bits, tickets, and the application that adds by itself. */
#include "harness.h"

static void full_and_three_resumed(Context *server, Context *client)
{
    SSL_SESSION *session = NULL;
    int i;

    for (i = 0; i < 4; i++)
        visit(server, client, &session);
    forget(&session);
}

/* Every combination of what decides about storing, one after the other in one process. */
static void table(Version version, int remove_cb)
{
    static const long modes[] = {SSL_SESS_CACHE_OFF, SSL_SESS_CACHE_SERVER, SSL_SESS_CACHE_CLIENT, SSL_SESS_CACHE_BOTH};
    int tickets, internal, m;

    for (tickets = 0; tickets < 2; tickets++) {
        for (internal = 0; internal < 2; internal++) {
            Context *server = server_context(tickets ? internal ? "tickets+internal" : "tickets" : internal ? "internal" : "nothing", version);
            Context *client = client_context("client", version);

            install(server, NEW | (remove_cb ? REMOVE : 0));
            if (!tickets)
                SSL_CTX_set_options(server->ctx, SSL_OP_NO_TICKET);
            for (m = 0; m < 4; m++) {
                step("tickets %d, remove_cb %d, internal %d, mode 0x%lx", tickets, remove_cb, internal, modes[m]);
                set_mode(server, modes[m] | (internal ? 0 : SSL_SESS_CACHE_NO_INTERNAL));
                full_and_three_resumed(server, client);
            }
            step("end");
            context_free(server);
            context_free(client);
            show_live();
            contexts_over();
        }
    }
}

static void table_without_remove_cb(Version version)
{
    table(version, 0);
}

static void table_with_remove_cb(Version version)
{
    table(version, 1);
}

/* Nobody listens: no callback of the application is set at all. */
static void table_without_callbacks(Version version)
{
    Context *server = server_context("server", version);
    Context *client = client_context("client", version);

    SSL_CTX_set_options(server->ctx, SSL_OP_NO_TICKET);
    full_and_three_resumed(server, client);
    step("tickets");
    SSL_CTX_clear_options(server->ctx, SSL_OP_NO_TICKET);
    full_and_three_resumed(server, client);
    context_free(server);
    context_free(client);
    show_live();
}

static void num_tickets(Version version)
{
    static const size_t counts[] = {0, 1, 2, 5};
    int i, stateful;

    for (stateful = 0; stateful < 2; stateful++) {
        Context *server = server_context("server", version);
        Context *client = client_context("client", version);

        install(server, NEW | REMOVE);
        if (stateful)
            SSL_CTX_set_options(server->ctx, SSL_OP_NO_TICKET);
        for (i = 0; i < 4; i++) {
            step("stateful %d, %zu tickets", stateful, counts[i]);
            SSL_CTX_set_num_tickets(server->ctx, counts[i]);
            full_and_three_resumed(server, client);
        }
        context_free(server);
        context_free(client);
        show_live();
        contexts_over();
    }
}

/* A ticket the server sends when it likes (SSL_new_session_ticket). */
static void extra_ticket(Version version)
{
    Context *server = server_context("server", version);
    Context *client = client_context("client", version);
    SSL_SESSION *session = NULL;
    Connection c;

    install(server, NEW | REMOVE);
    SSL_CTX_set_options(server->ctx, SSL_OP_NO_TICKET);
    c = connection(server, client, NULL);
    handshake(&c);
    say("SSL_new_session_ticket: %d", SSL_new_session_ticket(c.server));
    talk(&c);
    session = SSL_get1_session(c.client);
    describe(&c);
    close_clean(&c);
    show_all();
    visit(server, client, &session);
    forget(&session);
    context_free(server);
    context_free(client);
    show_live();
}

static void with_mode(Version version, long mode, int add_myself)
{
    Context *server = server_context("server", version);
    Context *client = client_context("client", version);

    install(server, NEW | REMOVE);
    SSL_CTX_set_options(server->ctx, SSL_OP_NO_TICKET);
    set_mode(server, mode);
    if (add_myself)
        server->on_new = add_new;
    full_and_three_resumed(server, client);
    full_and_three_resumed(server, client);
    step("end");
    context_free(server);
    context_free(client);
    show_live();
}

static void no_internal_store(Version version)
{
    with_mode(version, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL_STORE, 0);
}

static void no_internal_lookup(Version version)
{
    with_mode(version, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL_LOOKUP, 0);
}

static void no_internal(Version version)
{
    with_mode(version, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL, 0);
}

static void no_auto_clear(Version version)
{
    with_mode(version, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_AUTO_CLEAR, 0);
}

static void update_time(Version version)
{
    with_mode(version, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_UPDATE_TIME, 0);
}

/* stunnel: the library may look up but not store; new_cb stores. */
static void application_adds(Version version)
{
    with_mode(version, SSL_SESS_CACHE_BOTH | SSL_SESS_CACHE_NO_INTERNAL_STORE, 1);
}

static void application_adds_too(Version version)
{
    with_mode(version, SSL_SESS_CACHE_SERVER, 1);
}

static void mode_changes(Version version)
{
    static const long modes[] = {
        SSL_SESS_CACHE_SERVER, SSL_SESS_CACHE_OFF, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL_LOOKUP,
        SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL_STORE, SSL_SESS_CACHE_CLIENT, SSL_SESS_CACHE_BOTH,
        SSL_SESS_CACHE_NO_INTERNAL, SSL_SESS_CACHE_SERVER};
    Context *server = server_context("server", version);
    Context *client = client_context("client", version);
    SSL_SESSION *session = NULL;
    size_t i;

    install(server, CALLBACKS);
    SSL_CTX_set_options(server->ctx, SSL_OP_NO_TICKET);
    for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        step("mode 0x%lx", modes[i]);
        set_mode(server, modes[i]);
        visit(server, client, &session);
        visit(server, client, &session);
    }
    step("bits nobody knows");
    set_mode(server, -1);
    set_mode(server, 0x7000 | SSL_SESS_CACHE_SERVER);
    visit(server, client, &session);
    forget(&session);
    context_free(server);
    context_free(client);
    show_live();
}

/* The time of a session that is resumed out of the cache does not move, whatever UPDATE_TIME's page says. */
static void update_time_on_add(Version version)
{
    Context *server = server_context("server", version);
    Context *client = client_context("client", version);
    SSL_SESSION *session = NULL, *cached;
    long old = (long)time(NULL) - 1000;

    install(server, NEW | REMOVE);
    server->on_new = keep_new;
    SSL_CTX_set_options(server->ctx, SSL_OP_NO_TICKET);
    set_mode(server, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_UPDATE_TIME);
    visit(server, client, &session);
    cached = server->kept[server->kept_count - 1];
    SSL_SESSION_set_time(cached, old);
    visit(server, client, &session);
    say("moved by the resumption: %d", SSL_SESSION_get_time(cached) != old);
    SSL_SESSION_set_time(cached, old);
    add(server, cached);
    say("moved by add: %d", SSL_SESSION_get_time(cached) != old);
    SSL_SESSION_set_time(cached, old);
    set_mode(server, SSL_SESS_CACHE_SERVER);
    add(server, cached);
    say("moved by add without the mode: %d", SSL_SESSION_get_time(cached) != old);
    release_kept(server);
    forget(&session);
    context_free(server);
    context_free(client);
    show_live();
}

/* Left alive at the end of the process: its exit handlers must cope, and its counters are read there. */
static void alive_at_exit(Version version)
{
    static SSL_SESSION *session;
    Context *server = server_context("server", version);
    Context *client = client_context("client", version);

    SSL_CTX_set_options(server->ctx, SSL_OP_NO_TICKET);
    install(server, CALLBACKS);
    visit(server, client, &session);
    visit(server, client, &session);
    visit(server, client, &session);
    abandon_sessions();
}

const Scenario store_scenarios[] = {
    {"table_without_remove_cb", table_without_remove_cb, ALL},
    {"table_with_remove_cb", table_with_remove_cb, ALL},
    {"table_without_callbacks", table_without_callbacks, ALL},
    {"num_tickets", num_tickets, TLS13},
    {"extra_ticket", extra_ticket, TLS13},
    {"no_internal_store", no_internal_store, ALL},
    {"no_internal_lookup", no_internal_lookup, ALL},
    {"no_internal", no_internal, ALL},
    {"no_auto_clear", no_auto_clear, ALL},
    {"update_time", update_time, ALL},
    {"update_time_on_add", update_time_on_add, ALL},
    {"application_adds", application_adds, ALL},
    {"application_adds_too", application_adds_too, ALL},
    {"mode_changes", mode_changes, ALL},
    {"alive_at_exit", alive_at_exit, ALL},
    {NULL, NULL, 0},
};
