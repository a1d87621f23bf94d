/* The cache of a client: libssl fills and empties it, but only the application looks into it. */
#include "harness.h"

static Context *client_cache(Version version, long mode)
{
    Context *client = client_context("client", version);

    set_mode(client, mode);
    install(client, CALLBACKS);
    return client;
}

static void over(Context *server, Context *client)
{
    step("end");
    release_kept(client);
    context_free(client);
    context_free(server);
    show_live();
    contexts_over();
}

/* Whatever session the client's new_cb was given last is used next, as curl does. */
static void use_newest(Version version, long mode, int server_tickets, int (*on_new)(Context *, SSL *, SSL_SESSION *))
{
    Context *server = server_context("server", version);
    Context *client = client_cache(version, mode);
    int i;

    client->on_new = on_new;
    if (!server_tickets)
        SSL_CTX_set_options(server->ctx, SSL_OP_NO_TICKET);
    for (i = 0; i < 4; i++) {
        SSL_SESSION *session = client->kept_count > 0 ? client->kept[--client->kept_count] : NULL;
        Connection c = connection(server, client, session);

        handshake(&c);
        close_clean(&c);
        if (session != NULL)
            say("used %s: resumable=%d", session_name(session), SSL_SESSION_is_resumable(session));
        SSL_SESSION_free(session);
        show_all();
    }
    over(server, client);
}

static void client_mode(Version version)
{
    use_newest(version, SSL_SESS_CACHE_CLIENT, 1, keep_new);
    use_newest(version, SSL_SESS_CACHE_CLIENT, 0, keep_new);
}

static void client_mode_both(Version version)
{
    use_newest(version, SSL_SESS_CACHE_BOTH, 1, keep_new);
    use_newest(version, SSL_SESS_CACHE_BOTH, 0, keep_new);
}

/* curl: CLIENT and NO_INTERNAL_STORE */
static void client_no_internal_store(Version version)
{
    use_newest(version, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE, 1, keep_new);
    use_newest(version, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE, 0, keep_new);
}

static void client_no_internal(Version version)
{
    use_newest(version, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL, 1, keep_new);
}

static void client_mode_off(Version version)
{
    use_newest(version, SSL_SESS_CACHE_OFF, 1, keep_new);
    use_newest(version, SSL_SESS_CACHE_SERVER, 1, keep_new);
}

/* The session of the connection, offered again and again. */
static void same_session(Version version, long mode, int server_tickets)
{
    Context *server = server_context("server", version);
    Context *client = client_cache(version, mode);
    SSL_SESSION *session = NULL, *first;
    int i;

    if (!server_tickets)
        SSL_CTX_set_options(server->ctx, SSL_OP_NO_TICKET);
    visit(server, client, &session);
    first = session;
    for (i = 0; i < 3; i++) {
        SSL_SESSION *offered = first;

        SSL_SESSION_up_ref(offered);
        visit(server, client, &offered);
        say("the first: resumable=%d", SSL_SESSION_is_resumable(first));
        SSL_SESSION_free(offered);
    }
    SSL_SESSION_free(first);
    over(server, client);
}

static void client_offers_again(Version version)
{
    same_session(version, SSL_SESS_CACHE_CLIENT, 1);
    same_session(version, SSL_SESS_CACHE_CLIENT, 0);
}

static void client_offers_again_uncached(Version version)
{
    same_session(version, SSL_SESS_CACHE_OFF, 1);
    same_session(version, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE, 1);
}

/* A new TLS 1.2 ticket for a session that had an id: the old one leaves the client's cache. */
static void client_gets_ticket_later(Version version)
{
    Context *server = server_context("server", version);
    Context *client = client_cache(version, SSL_SESS_CACHE_CLIENT);
    SSL_SESSION *session = NULL;
    unsigned char keys[80];

    client->on_new = keep_new;
    visit(server, client, &session);
    step("the server has other ticket keys now");
    memset(keys, 7, sizeof(keys));
    SSL_CTX_set_tlsext_ticket_keys(server->ctx, keys, sizeof(keys));
    visit(server, client, &session);
    visit(server, client, &session);
    step("and then no tickets any more");
    SSL_CTX_set_options(server->ctx, SSL_OP_NO_TICKET);
    visit(server, client, &session);
    visit(server, client, &session);
    forget(&session);
    over(server, client);
}

/* A small cache: what is evicted can be offered no more. */
static void client_small_cache(Version version)
{
    Context *server = server_context("server", version);
    Context *client = client_cache(version, SSL_SESS_CACHE_CLIENT);
    SSL_SESSION *sessions[4] = {NULL};
    int i;

    SSL_CTX_set_options(server->ctx, SSL_OP_NO_TICKET);
    set_size(client, 3);
    for (i = 0; i < 4; i++)
        visit(server, client, &sessions[i]);
    for (i = 0; i < 4; i++)
        say("%s resumable=%d", session_name(sessions[i]), SSL_SESSION_is_resumable(sessions[i]));
    for (i = 0; i < 4; i++) {
        visit(server, client, &sessions[i]);
        forget(&sessions[i]);
    }
    over(server, client);
}

/* One context for both ends. */
static void one_context(Version version)
{
    Context *both = server_context("both", version);
    SSL_SESSION *session = NULL;
    int i;

    SSL_CTX_set_options(both->ctx, SSL_OP_NO_TICKET);
    set_mode(both, SSL_SESS_CACHE_BOTH);
    install(both, CALLBACKS);
    for (i = 0; i < 3; i++)
        visit(both, both, &session);
    forget(&session);
    step("end");
    context_free(both);
    show_live();
}

/* The application keeps the sessions in the cache itself and removes what it uses. */
static void client_application_adds(Version version)
{
    Context *server = server_context("server", version);
    Context *client = client_cache(version, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
    SSL_SESSION *session = NULL;

    client->on_new = add_new;
    visit(server, client, &session);
    visit(server, client, &session);
    remove_session(client, session);
    visit(server, client, &session);
    forget(&session);
    over(server, client);
}

/* Sessions that may not be offered: removed, of another version, never finished. */
static void client_offers_unfit(Version version)
{
    Context *server = server_context("server", version);
    Context *client = client_cache(version, SSL_SESS_CACHE_CLIENT);
    SSL_SESSION *session = NULL, *unfit;

    SSL_CTX_set_options(server->ctx, SSL_OP_NO_TICKET);
    visit(server, client, &session);
    step("of another version");
    unfit = SSL_SESSION_dup(session);
    SSL_SESSION_set_protocol_version(unfit, version == TLS13 ? TLS1_2_VERSION : TLS1_3_VERSION);
    visit(server, client, &unfit);
    forget(&unfit);
    step("empty");
    unfit = SSL_SESSION_new();
    visit(server, client, &unfit);
    forget(&unfit);
    step("expired on the client alone");
    unfit = SSL_SESSION_dup(session);
    SSL_SESSION_set_time(unfit, (long)time(NULL) - 100000);
    visit(server, client, &unfit);
    forget(&unfit);
    step("unknown to the server");
    SSL_CTX_flush_sessions(server->ctx, 0);
    unfit = SSL_SESSION_dup(session);
    visit(server, client, &unfit);
    forget(&unfit);
    step("removed");
    remove_session(client, session);
    visit(server, client, &session);
    forget(&session);
    over(server, client);
}

const Scenario client_scenarios[] = {
    {"client_mode", client_mode, ALL},
    {"client_mode_both", client_mode_both, ALL},
    {"client_no_internal_store", client_no_internal_store, ALL},
    {"client_no_internal", client_no_internal, ALL},
    {"client_mode_off", client_mode_off, ALL},
    {"client_offers_again", client_offers_again, ALL},
    {"client_offers_again_uncached", client_offers_again_uncached, ALL},
    {"client_gets_ticket_later", client_gets_ticket_later, ALL},
    {"client_small_cache", client_small_cache, ALL},
    {"client_application_adds", client_application_adds, ALL},
    {"client_offers_unfit", client_offers_unfit, ALL},
    {"one_context", one_context, ALL},
    {NULL, NULL, 0},
};
