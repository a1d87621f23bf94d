/* Sessions that leave as bytes and come back, tickets of the application's own, ids of its own making. */
#include "harness.h"

#include <stdlib.h>

/* A cache of encoded sessions, as Apache's and nginx's shared memory are. */
#define STORE_SIZE 64

static struct {
    unsigned char id[SSL_MAX_SSL_SESSION_ID_LENGTH];
    unsigned int id_length;
    unsigned char *bytes;
    int length;
} store[STORE_SIZE];
static int stored;

static int find(const unsigned char *id, unsigned int length)
{
    int i;

    for (i = 0; i < stored; i++)
        if (store[i].id_length == length && memcmp(store[i].id, id, length) == 0)
            return i;
    return -1;
}

static void drop(int i)
{
    free(store[i].bytes);
    store[i] = store[--stored];
}

static int encode_new(Context *context, SSL *ssl, SSL_SESSION *session)
{
    unsigned char *p;
    const unsigned char *id;

    (void)context, (void)ssl;
    if (stored == STORE_SIZE)
        return 0;
    id = SSL_SESSION_get_id(session, &store[stored].id_length);
    memcpy(store[stored].id, id, store[stored].id_length);
    store[stored].length = i2d_SSL_SESSION(session, NULL);
    p = store[stored].bytes = malloc((size_t)store[stored].length);
    i2d_SSL_SESSION(session, &p);
    stored++;
    return 0;
}

static SSL_SESSION *decode(Context *context, SSL *ssl, const unsigned char *id, int length, int *copy)
{
    int i = find(id, (unsigned int)length);
    const unsigned char *p;

    (void)context, (void)ssl;
    *copy = 0;
    if (i < 0)
        return NULL;
    p = store[i].bytes;
    return d2i_SSL_SESSION(NULL, &p, store[i].length);
}

static void drop_removed(Context *context, SSL_SESSION *session)
{
    unsigned int length;
    const unsigned char *id = SSL_SESSION_get_id(session, &length);
    int i = find(id, length);

    say("  outside: %s", i < 0 ? "unknown" : "dropped");
    if (i >= 0)
        drop(i);
    (void)context;
}

static Context *external_server(const char *name, Version version, long mode)
{
    Context *server = server_context(name, version);

    SSL_CTX_set_options(server->ctx, SSL_OP_NO_TICKET);
    install(server, CALLBACKS);
    server->on_new = encode_new;
    server->on_get = decode;
    server->on_remove = drop_removed;
    set_mode(server, mode);
    return server;
}

static void round_trip(Version version, long mode)
{
    Context *server = external_server("server", version, mode);
    Context *worker = external_server("worker", version, mode); /* a second process, as it were */
    Context *client = client_context("client", version);
    SSL_SESSION *session = NULL, *dropped = NULL;
    Connection c;
    int i;

    for (i = 0; i < 3; i++)
        visit(server, client, &session);
    step("the other worker");
    for (i = 0; i < 2; i++)
        visit(worker, client, &session);
    visit(server, client, &session);
    step("a bad end at the worker");
    dropped = session;
    SSL_SESSION_up_ref(dropped);
    c = connection(worker, client, session);
    handshake(&c);
    free_server(&c, 0);
    free_client(&c, 1);
    show_all();
    step("what is left of it at the other");
    visit(server, client, &session);
    SSL_SESSION_free(dropped);
    SSL_SESSION_free(session);
    step("end");
    say("outside: %d", stored);
    context_free(server);
    context_free(worker);
    context_free(client);
    show_live();
    while (stored > 0)
        drop(0);
    contexts_over();
}

static void encoded(Version version)
{
    round_trip(version, SSL_SESS_CACHE_SERVER);
}

static void encoded_external_only(Version version)
{
    round_trip(version, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL);
}

static void encoded_no_lookup(Version version)
{
    round_trip(version, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL_LOOKUP);
}

static void encoded_no_store(Version version)
{
    round_trip(version, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL_STORE | SSL_SESS_CACHE_NO_AUTO_CLEAR);
}

/* A client that keeps its session as bytes. */
static void client_encodes(Version version)
{
    Context *server = server_context("server", version);
    Context *client = client_context("client", version);
    SSL_SESSION *session = NULL;
    int tickets, i;

    install(server, NEW | REMOVE);
    for (tickets = 0; tickets < 2; tickets++) {
        step("tickets %d", tickets);
        if (!tickets)
            SSL_CTX_set_options(server->ctx, SSL_OP_NO_TICKET);
        else
            SSL_CTX_clear_options(server->ctx, SSL_OP_NO_TICKET);
        for (i = 0; i < 3; i++) {
            unsigned char *bytes = NULL;
            const unsigned char *p;
            int length;

            visit(server, client, &session);
            length = i2d_SSL_SESSION(session, &bytes);
            SSL_SESSION_free(session);
            p = bytes;
            session = d2i_SSL_SESSION(NULL, &p, length);
            OPENSSL_free(bytes);
        }
        forget(&session);
    }
    context_free(server);
    context_free(client);
    show_live();
}

/* --- Tickets ------------------------------------------------------------------------------ */

static SSL_TICKET_RETURN verdict;

static int ticket_made(SSL *ssl, void *argument)
{
    SSL_SESSION *session = SSL_get_session(ssl);

    say("  ticket made for %s, argument %d", session_name(session), argument == &verdict);
    SSL_SESSION_set1_ticket_appdata(session, "appdata", 7);
    return 1;
}

static SSL_TICKET_RETURN ticket_read(SSL *ssl, SSL_SESSION *session, const unsigned char *key_name, size_t length,
                                     SSL_TICKET_STATUS status, void *argument)
{
    void *data = NULL;
    size_t data_length = 0;

    (void)ssl, (void)key_name, (void)argument;
    if (session != NULL)
        SSL_SESSION_get0_ticket_appdata(session, &data, &data_length);
    say("  ticket read, status %d, key name %zu, appdata %zu", (int)status, length, data_length);
    if (status == SSL_TICKET_EMPTY || status == SSL_TICKET_NO_DECRYPT)
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    return verdict;
}

static void ticket_callbacks(Version version)
{
    static const SSL_TICKET_RETURN verdicts[] = {SSL_TICKET_RETURN_USE, SSL_TICKET_RETURN_USE_RENEW,
                                                 SSL_TICKET_RETURN_IGNORE, SSL_TICKET_RETURN_IGNORE_RENEW};
    Context *server = server_context("server", version);
    Context *client = client_context("client", version);
    SSL_SESSION *session = NULL;
    int v, i;

    install(server, CALLBACKS);
    set_mode(client, SSL_SESS_CACHE_CLIENT);
    install(client, CALLBACKS);
    SSL_CTX_set_session_ticket_cb(server->ctx, ticket_made, ticket_read, &verdict);
    for (v = 0; v < 4; v++) {
        verdict = verdicts[v];
        step("verdict %d", (int)verdict);
        for (i = 0; i < 2; i++)
            visit(server, client, &session);
    }
    forget(&session);
    context_free(client);
    context_free(server);
    show_live();
}

/* Stateless tickets, yet with a remove callback their sessions are stored; and looked up never. */
static void tickets_and_remove_cb(Version version)
{
    Context *server = server_context("server", version);
    Context *client = client_context("client", version);
    SSL_SESSION *session = NULL;
    int i;

    install(server, NEW | REMOVE);
    server->on_new = keep_new;
    visit(server, client, &session);
    step("the cache is emptied, the ticket is still good");
    SSL_CTX_flush_sessions(server->ctx, 0);
    visit(server, client, &session);
    step("removed by the application");
    for (i = 0; i < server->kept_count; i++)
        remove_session(server, server->kept[i]);
    visit(server, client, &session);
    step("without remove_cb from now on");
    uninstall(server, REMOVE);
    visit(server, client, &session);
    step("and with it again");
    install(server, REMOVE);
    visit(server, client, &session);
    release_kept(server);
    forget(&session);
    context_free(client);
    context_free(server);
    show_live();
}

/* Stateful tickets offered to a server that has become stateless, and the other way round. */
static void tickets_come_and_go(Version version)
{
    Context *server = server_context("server", version);
    Context *client = client_context("client", version);
    SSL_SESSION *session = NULL;
    int i;

    install(server, CALLBACKS);
    for (i = 0; i < 4; i++) {
        if (i % 2)
            SSL_CTX_clear_options(server->ctx, SSL_OP_NO_TICKET);
        else
            SSL_CTX_set_options(server->ctx, SSL_OP_NO_TICKET);
        step("tickets %d", i % 2);
        visit(server, client, &session);
        visit(server, client, &session);
    }
    step("the client wants none");
    SSL_CTX_set_options(client->ctx, SSL_OP_NO_TICKET);
    forget(&session);
    visit(server, client, &session);
    visit(server, client, &session);
    forget(&session);
    context_free(client);
    context_free(server);
    show_live();
}

/* --- Ids of the application's own making -------------------------------------------------- */

static int generated;

static int with_prefix(SSL *ssl, unsigned char *id, unsigned int *length)
{
    unsigned int i;

    say("  generate: length %u, in init %d", *length, SSL_in_init(ssl));
    memset(id, 0, *length);
    memcpy(id, "server-7", 8);
    for (i = 8; i < *length; i++)
        id[i] = (unsigned char)(generated >> (8 * (i % 4)));
    generated++;
    return 1;
}

static int always_the_same(SSL *ssl, unsigned char *id, unsigned int *length)
{
    (void)ssl;
    memset(id, 'x', *length);
    return 1;
}

static int short_id(SSL *ssl, unsigned char *id, unsigned int *length)
{
    (void)ssl;
    id[0] = (unsigned char)('a' + generated++);
    *length = 1;
    return 1;
}

static int fails(SSL *ssl, unsigned char *id, unsigned int *length)
{
    (void)ssl, (void)id, (void)length;
    return 0;
}

static int too_long(SSL *ssl, unsigned char *id, unsigned int *length)
{
    (void)ssl, (void)id;
    *length = 33;
    return 1;
}

/* Checks by itself, as the manual page shows, with the cache as it is. */
static int checks_itself(SSL *ssl, unsigned char *id, unsigned int *length)
{
    int tries;

    for (tries = 0; tries < 26; tries++) {
        memset(id, 'a' + tries, *length);
        if (!SSL_has_matching_session_id(ssl, id, *length))
            break;
    }
    say("  generate: %d taken", tries);
    return 1;
}

static void generator(Version version, GEN_SESSION_CB generate, int visits)
{
    Context *server = server_context("server", version);
    Context *client = client_context("client", version);
    SSL_SESSION *session = NULL;
    int i;

    generated = 0;
    SSL_CTX_set_options(server->ctx, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(server->ctx, 1);
    install(server, CALLBACKS);
    SSL_CTX_set_generate_session_id(server->ctx, generate);
    for (i = 0; i < visits; i++) {
        visit(server, client, &session); /* full */
        if (i % 2)
            forget(&session);
    }
    SSL_SESSION_free(session);
    step("end");
    context_free(client);
    context_free(server);
    show_live();
    contexts_over();
}

static void generator_prefix(Version version)
{
    generator(version, with_prefix, 6);
}

static void generator_short(Version version)
{
    generator(version, short_id, 4);
}

static void generator_fails(Version version)
{
    generator(version, fails, 2);
    generator(version, too_long, 2);
}

static void generator_checks_itself(Version version)
{
    generator(version, checks_itself, 6);
}

/*
 * The same id twice is a fatal error when the cache holds it. A libssl linked with -Bsymbolic
 * looks only into its own cache, where nothing is: there the second session takes the place of
 * the first, and run.sh compares with expected traces, as for an intended difference.
 */
static void generator_conflict(Version version)
{
    generator(version, always_the_same, 4);
}

/* The connection's own generator wins. */
static void generator_of_connection(Version version)
{
    Context *server = server_context("server", version);
    Context *client = client_context("client", version);
    Connection c;

    generated = 0;
    SSL_CTX_set_options(server->ctx, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(server->ctx, 1);
    install(server, CALLBACKS);
    SSL_CTX_set_generate_session_id(server->ctx, fails);
    c = connection(server, client, NULL);
    SSL_set_generate_session_id(c.server, with_prefix);
    handshake(&c);
    close_clean(&c);
    show_all();
    context_free(client);
    context_free(server);
    show_live();
}

/* --- References --------------------------------------------------------------------------- */

static void copy_session_id(Version version)
{
    Context *server = server_context("server", version);
    Context *client = client_context("client", version);
    Connection a, b;
    SSL *copy;
    int result;

    SSL_CTX_set_options(server->ctx, SSL_OP_NO_TICKET);
    install(server, CALLBACKS);
    a = connection(server, client, NULL);
    handshake(&a);
    copy = SSL_new(client->ctx);
    result = SSL_copy_session_id(copy, a.client);
    say("copied: %d, the same object: %d", result, SSL_get_session(copy) == SSL_get_session(a.client));
    b = connect_ends(copy, SSL_new(server->ctx));
    handshake(&b);
    close_clean(&a);
    close_clean(&b);
    show_all();
    context_free(client);
    context_free(server);
    show_live();
}

/* Which references there are, and that the cache's is one of them. */
static void references(Version version)
{
    Context *server = server_context("server", version);
    Context *client = client_context("client", version);
    SSL_SESSION *session = NULL, *mine;
    Connection c;

    SSL_CTX_set_options(server->ctx, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(server->ctx, 1);
    install(server, NEW | REMOVE);
    c = connection(server, client, NULL);
    handshake(&c);
    mine = SSL_get1_session(c.server);
    say("get0 is get1: %d", SSL_get_session(c.server) == mine);
    close_clean(&c);
    show_live();
    step("only the cache's is left");
    SSL_SESSION_free(mine);
    show_live();
    step("mine once more, and the cache's goes");
    c = connection(server, client, session);
    handshake(&c);
    mine = SSL_get1_session(c.server);
    close_clean(&c);
    remove_session(server, mine);
    show_live();
    step("added twice is one reference");
    add(server, mine);
    add(server, mine);
    SSL_SESSION_free(mine);
    show_live();
    SSL_CTX_flush_sessions(server->ctx, 0);
    show_live();
    context_free(client);
    context_free(server);
    show_live();
}

/* ex_data of a session stays with the object through the cache. */
static void session_ex_data(Version version)
{
    Context *server = server_context("server", version);
    Context *client = client_context("client", version);
    SSL_SESSION *session = NULL;
    Connection c;
    int index = SSL_SESSION_get_ex_new_index(0, NULL, NULL, NULL, NULL), i;

    SSL_CTX_set_options(server->ctx, SSL_OP_NO_TICKET);
    install(server, NEW | REMOVE);
    for (i = 0; i < 3; i++) {
        const char *mark;

        c = connection(server, client, session);
        handshake(&c);
        mark = SSL_SESSION_get_ex_data(SSL_get_session(c.server), index);
        say("mark: %s", mark == NULL ? "none" : mark);
        SSL_SESSION_set_ex_data(SSL_get_session(c.server), index, "set by the first");
        SSL_SESSION_free(session);
        session = SSL_get1_session(c.client);
        close_clean(&c);
    }
    SSL_SESSION_free(session);
    context_free(client);
    context_free(server);
    show_live();
}

const Scenario external_scenarios[] = {
    {"encoded", encoded, ALL},
    {"encoded_external_only", encoded_external_only, ALL},
    {"encoded_no_lookup", encoded_no_lookup, ALL},
    {"encoded_no_store", encoded_no_store, ALL},
    {"client_encodes", client_encodes, ALL},
    {"ticket_callbacks", ticket_callbacks, ALL},
    {"tickets_and_remove_cb", tickets_and_remove_cb, ALL},
    {"tickets_come_and_go", tickets_come_and_go, ALL},
    {"generator_prefix", generator_prefix, ALL},
    {"generator_short", generator_short, ALL},
    {"generator_fails", generator_fails, ALL},
    {"generator_checks_itself", generator_checks_itself, ALL},
    {"generator_conflict", generator_conflict, ALL},
    {"generator_of_connection", generator_of_connection, ALL},
    {"copy_session_id", copy_session_id, ALL},
    {"references", references, ALL},
    {"session_ex_data", session_ex_data, ALL},
    {NULL, NULL, 0},
};
