/*
 * Early data: libssl accepts a session with early data once, by asking whether its cache still
 * held it when it was taken out.
 */
#include "harness.h"

#include <pthread.h>
#include <stdlib.h>

static Context *early_server(Version version)
{
    Context *server = server_context("server", version);

    SSL_CTX_set_max_early_data(server->ctx, 1000);
    SSL_CTX_set_recv_max_early_data(server->ctx, 1000);
    install(server, CALLBACKS);
    return server;
}

static int early_visit(Context *server, Context *client, SSL_SESSION **session)
{
    Connection c = connection(server, client, *session);
    int reused = 0;

    if (handshake_early(&c)) {
        reused = SSL_session_reused(c.server);
        SSL_SESSION_free(*session);
        *session = SSL_get1_session(c.client);
    }
    close_clean(&c);
    show_all();
    return reused;
}

/* The same session offered again, leaving it alone. */
static void early_again(Context *server, Context *client, SSL_SESSION *session)
{
    SSL_SESSION *offered = session;

    SSL_SESSION_up_ref(offered);
    early_visit(server, client, &offered);
    SSL_SESSION_free(offered);
}

static void over(Context *server, Context *client, SSL_SESSION *session)
{
    step("end");
    SSL_SESSION_free(session);
    server->on_get = NULL;
    release_kept(server);
    context_free(server);
    context_free(client);
    show_live();
    contexts_over();
}

static void single_use(Version version, uint64_t options, int callbacks)
{
    Context *server = early_server(version);
    Context *client = client_context("client", version);
    SSL_SESSION *session = NULL;
    int i;

    uninstall(server, CALLBACKS & ~callbacks);
    SSL_CTX_set_options(server->ctx, options);
    early_visit(server, client, &session);
    step("the second use of the same falls back");
    for (i = 0; i < 3; i++)
        early_again(server, client, session);
    step("each new one works");
    for (i = 0; i < 3; i++)
        early_visit(server, client, &session);
    over(server, client, session);
}

static void early_single_use(Version version)
{
    single_use(version, 0, CALLBACKS);
}

static void early_single_use_no_callbacks(Version version)
{
    single_use(version, 0, 0);
}

static void early_single_use_no_ticket(Version version)
{
    single_use(version, SSL_OP_NO_TICKET, CALLBACKS);
}

static void early_no_anti_replay(Version version)
{
    single_use(version, SSL_OP_NO_ANTI_REPLAY, CALLBACKS);
}

static void early_no_anti_replay_no_ticket(Version version)
{
    single_use(version, SSL_OP_NO_ANTI_REPLAY | SSL_OP_NO_TICKET, CALLBACKS);
}

static void early_no_anti_replay_no_callbacks(Version version)
{
    single_use(version, SSL_OP_NO_ANTI_REPLAY, 0);
}

/* The server allows early data, the client sends none: the session is used up all the same. */
static void early_allowed_not_sent(Version version)
{
    Context *server = early_server(version);
    Context *client = client_context("client", version);
    SSL_SESSION *session = NULL, *first;

    visit(server, client, &session);
    first = session;
    SSL_SESSION_up_ref(first);
    visit(server, client, &session);
    visit(server, client, &first);
    SSL_SESSION_free(first);
    over(server, client, session);
}

/* Early data per connection: on some, off others, with the same sessions. */
static void early_on_and_off(Version version)
{
    Context *server = early_server(version);
    Context *client = client_context("client", version);
    SSL_SESSION *session = NULL;
    Connection c;
    int i;

    SSL_CTX_set_options(server->ctx, SSL_OP_NO_TICKET);
    early_visit(server, client, &session);
    for (i = 0; i < 4; i++) {
        step("allowed on this connection: %d", i % 2);
        c = connection(server, client, session);
        SSL_set_max_early_data(c.server, i % 2 ? 1000 : 0);
        SSL_set_recv_max_early_data(c.server, i % 2 ? 1000 : 0);
        handshake_early(&c);
        SSL_SESSION_free(session);
        session = SSL_get1_session(c.client);
        close_clean(&c);
        show_all();
    }
    over(server, client, session);
}

static SSL_SESSION *find_kept(Context *context, SSL *ssl, const unsigned char *id, int length, int *copy)
{
    int i;

    (void)ssl;
    *copy = context->copy;
    for (i = 0; i < context->kept_count; i++) {
        unsigned int kept_length;
        const unsigned char *kept = SSL_SESSION_get_id(context->kept[i], &kept_length);

        if ((int)kept_length != length || memcmp(kept, id, kept_length) != 0)
            continue;
        if (!*copy)
            SSL_SESSION_up_ref(context->kept[i]);
        return context->kept[i];
    }
    return NULL;
}

/* new_cb keeps copies, as an external cache would: the mark of a removed session stays behind. */
static int keep_dup(Context *context, SSL *ssl, SSL_SESSION *session)
{
    (void)ssl;
    context->kept[context->kept_count++] = SSL_SESSION_dup(session);
    return 0;
}

static void external(Version version, long mode, int copy)
{
    Context *server = early_server(version);
    Context *client = client_context("client", version);
    SSL_SESSION *session = NULL;
    int i;

    set_mode(server, mode);
    server->on_new = keep_dup;
    server->on_get = find_kept;
    server->copy = copy;
    early_visit(server, client, &session);
    for (i = 0; i < 2; i++)
        early_again(server, client, session);
    for (i = 0; i < 2; i++)
        early_visit(server, client, &session);
    over(server, client, session);
}

/* By design of libssl this never resumes: its own cache never had the session. */
static void early_external_only(Version version)
{
    external(version, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL, 1);
    external(version, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL, 0);
}

static void early_no_internal_store(Version version)
{
    external(version, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL_STORE, 1);
}

/* Only the look-up goes outside: what the get callback brings is stored, and so can be taken. */
static void early_no_internal_lookup(Version version)
{
    external(version, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL_LOOKUP, 1);
    external(version, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL_LOOKUP, 0);
}

/* Both caches: the copy outside makes a second use possible. */
static void early_both_caches(Version version)
{
    external(version, SSL_SESS_CACHE_SERVER, 1);
    external(version, SSL_SESS_CACHE_SERVER, 0);
}

static void early_mode_off(Version version)
{
    external(version, SSL_SESS_CACHE_OFF, 1);
}

/* The session is looked up again for the second hello; by then it is used up. */
static void hello_retry(Version version, int early)
{
    Context *server = early ? early_server(version) : server_context("server", version);
    Context *client = client_context("client", version);
    SSL_SESSION *session = NULL;
    int i;

    if (!early) {
        install(server, CALLBACKS);
        SSL_CTX_set_options(server->ctx, SSL_OP_NO_TICKET);
    }
    SSL_CTX_set1_groups_list(client->ctx, "X25519:P-384");
    SSL_CTX_set1_groups_list(server->ctx, "P-384");
    for (i = 0; i < 3; i++)
        early_visit(server, client, &session);
    step("no second hello needed");
    SSL_CTX_set1_groups_list(server->ctx, "X25519:P-384");
    early_visit(server, client, &session);
    early_visit(server, client, &session);
    over(server, client, session);
}

static void early_hello_retry(Version version)
{
    hello_retry(version, 1);
}

static void stateful_hello_retry(Version version)
{
    hello_retry(version, 0);
}

/* The session expires, or its sid_ctx changes, after it was taken out. */
static void early_refused_after_taken(Version version)
{
    Context *server = early_server(version);
    Context *client = client_context("client", version);
    SSL_SESSION *session = NULL;
    Connection c;

    server->on_new = keep_new;
    early_visit(server, client, &session);
    step("expired");
    SSL_SESSION_set_time(server->kept[server->kept_count - 1], (long)time(NULL) - 100000);
    early_visit(server, client, &session);
    step("another sid_ctx");
    c = connection(server, client, session);
    SSL_set_session_id_context(c.server, (const unsigned char *)"elsewhere", 9);
    handshake_early(&c);
    close_clean(&c);
    show_all();
    step("gone all the same");
    early_visit(server, client, &session);
    over(server, client, session);
}

static void early_size_one(Version version)
{
    Context *server = early_server(version);
    Context *client = client_context("client", version);
    SSL_SESSION *session = NULL;
    int i;

    set_size(server, 1);
    for (i = 0; i < 3; i++)
        early_visit(server, client, &session);
    over(server, client, session);
}

/* remove_cb runs for the taken session: it may use the cache, even put the session back. */
static void put_back(Context *context, SSL_SESSION *session)
{
    add(context, session);
}

static void early_remove_cb_counts(Version version)
{
    Context *server = early_server(version);
    Context *client = client_context("client", version);
    SSL_SESSION *session = NULL;

    early_visit(server, client, &session);
    server->on_remove = put_back;
    early_visit(server, client, &session);
    server->on_remove = NULL;
    show_all();
    over(server, client, session);
}

/* --- Replays at the same moment ----------------------------------------------------------- */

#define REPLAYS 8
#define ROUNDS 20

typedef struct {
    Connection c;
    int accepted, resumed, finished;
} Replay;

static pthread_barrier_t start_line;

static void *replay(void *argument)
{
    Replay *r = argument;

    pthread_barrier_wait(&start_line);
    r->accepted = shake_hands_early(&r->c);
    r->resumed = SSL_session_reused(r->c.server);
    r->finished = SSL_is_init_finished(r->c.server);
    return NULL;
}

static void race(Version version, int callbacks)
{
    Context *server = early_server(version);
    Context *client = client_context("client", version);
    SSL_SESSION *session = NULL;
    int round, i;

    uninstall(server, CALLBACKS & ~callbacks);
    silence(1); /* the order of the threads' lines is not the same twice */
    pthread_barrier_init(&start_line, NULL, REPLAYS);
    for (round = 0; round < ROUNDS; round++) {
        Replay replays[REPLAYS];
        pthread_t threads[REPLAYS];
        int accepted = 0, resumed = 0, finished = 0;

        forget(&session);
        visit(server, client, &session);
        for (i = 0; i < REPLAYS; i++) {
            SSL_SESSION *own = SSL_SESSION_dup(session);

            replays[i].c = connection(server, client, own);
            SSL_SESSION_free(own);
        }
        for (i = 0; i < REPLAYS; i++)
            pthread_create(&threads[i], NULL, replay, &replays[i]);
        for (i = 0; i < REPLAYS; i++) {
            pthread_join(threads[i], NULL);
            accepted += replays[i].accepted;
            resumed += replays[i].resumed;
            finished += replays[i].finished;
            close_clean(&replays[i].c);
        }
        silence(0);
        say("round %d: early data accepted %d, resumed %d, finished %d", round + 1, accepted, resumed, finished);
        silence(1);
    }
    silence(0);
    pthread_barrier_destroy(&start_line);
    /* How many of the losers missed and how many found it but came late is up to the threads. */
    say("number=%ld accept_good=%ld hits=%ld", SSL_CTX_sess_number(server->ctx), SSL_CTX_sess_accept_good(server->ctx),
        SSL_CTX_sess_hits(server->ctx));
    SSL_CTX_flush_sessions(server->ctx, 0);
    over(server, client, session);
}

static void early_replay_race(Version version)
{
    race(version, 0);
}

const Scenario early_data_scenarios[] = {
    {"early_single_use", early_single_use, TLS13},
    {"early_single_use_no_callbacks", early_single_use_no_callbacks, TLS13},
    {"early_single_use_no_ticket", early_single_use_no_ticket, TLS13},
    {"early_no_anti_replay", early_no_anti_replay, TLS13},
    {"early_no_anti_replay_no_ticket", early_no_anti_replay_no_ticket, TLS13},
    {"early_no_anti_replay_no_callbacks", early_no_anti_replay_no_callbacks, TLS13},
    {"early_allowed_not_sent", early_allowed_not_sent, TLS13},
    {"early_on_and_off", early_on_and_off, TLS13},
    {"early_external_only", early_external_only, TLS13},
    {"early_no_internal_store", early_no_internal_store, TLS13},
    {"early_no_internal_lookup", early_no_internal_lookup, TLS13},
    {"early_both_caches", early_both_caches, TLS13},
    {"early_mode_off", early_mode_off, TLS13},
    {"early_hello_retry", early_hello_retry, TLS13},
    {"stateful_hello_retry", stateful_hello_retry, TLS13},
    {"early_refused_after_taken", early_refused_after_taken, TLS13},
    {"early_size_one", early_size_one, TLS13},
    {"early_remove_cb_counts", early_remove_cb_counts, TLS13},
    {"early_replay_race", early_replay_race, TLS13},
    {NULL, NULL, 0},
};
