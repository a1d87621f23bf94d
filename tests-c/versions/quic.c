/*
 * QUIC connections over loopback UDP, client and server in one thread, and a trace of what an
 * application sees of the session cache. The trace must be the same bytes with the library in front.
 *
 * OpenSSL has a QUIC server from 3.5 on. A session callback of a QUIC connection runs under the
 * connection's lock, which is not recursive: what asks the connection for it there never returns.
 * So each scenario has a process and a time limit of its own.
 *
 *   quic [--list] [--no-fork] [NAME...]
 */
#include "../handshake/harness.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/quic.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define TIME_LIMIT 60 /* seconds */
#define TURNS 2000    /* of at most 5 ms each */
#define MOST_KEPT 32

/* --- Two contexts, each with its callbacks ------------------------------------------------ */

typedef struct {
    const char *name;
    SSL_CTX *ctx;
    void (*on_new)(SSL_SESSION *session); /* NULL: nothing */
    SSL_SESSION *kept[MOST_KEPT];
    int kept_count;
    int told; /* how often new_cb was called */
} Side;

static Side server = {.name = "server"}, client = {.name = "client"};
static int socket_of_server;
static struct sockaddr_in address_of_server;
static SSL *listener;

static const char *name_of_context(const SSL_CTX *ctx)
{
    return ctx == server.ctx ? "server" : ctx == client.ctx ? "client" : "unknown";
}

static int say_new(Side *side, SSL *ssl, SSL_SESSION *session)
{
    side->told++;
    say("  %s.new %s ctx=%s quic=%d version=%x is_server=%d protocol=%x same=%d reused=%d resumable=%d early=%u number=%ld",
        side->name, session_name(session), name_of_context(SSL_get_SSL_CTX(ssl)), SSL_is_quic(ssl), SSL_version(ssl),
        SSL_is_server(ssl), SSL_SESSION_get_protocol_version(session), SSL_get_session(ssl) == session,
        SSL_session_reused(ssl), SSL_SESSION_is_resumable(session), SSL_get_max_early_data(ssl),
        SSL_CTX_sess_number(side->ctx));
    if (side->on_new != NULL)
        side->on_new(session);
    if (side->kept_count == MOST_KEPT)
        return 0;
    side->kept[side->kept_count++] = session;
    return 1;
}

static SSL_SESSION *say_get(Side *side, SSL *ssl, const unsigned char *id, int length, int *copy)
{
    const unsigned char *known;
    unsigned int known_length;
    int i;

    say("  %s.get %s length=%d version=%x copy=%d", side->name, id_name(id, (unsigned int)length), length,
        SSL_version(ssl), *copy);
    for (i = 0; i < side->kept_count; i++) {
        known = SSL_SESSION_get_id(side->kept[i], &known_length);
        if (known_length == (unsigned int)length && memcmp(known, id, known_length) == 0)
            return side->kept[i];
    }
    return NULL;
}

static void say_removed(Side *side, SSL_CTX *ctx, SSL_SESSION *session)
{
    say("  %s.remove %s ctx=%s resumable=%d", side->name, session_name(session), name_of_context(ctx),
        SSL_SESSION_is_resumable(session));
}

static int server_new(SSL *ssl, SSL_SESSION *session) { return say_new(&server, ssl, session); }
static int client_new(SSL *ssl, SSL_SESSION *session) { return say_new(&client, ssl, session); }
static SSL_SESSION *server_get(SSL *ssl, const unsigned char *id, int length, int *copy)
{
    return say_get(&server, ssl, id, length, copy);
}
static void server_removed(SSL_CTX *ctx, SSL_SESSION *session) { say_removed(&server, ctx, session); }
static void client_removed(SSL_CTX *ctx, SSL_SESSION *session) { say_removed(&client, ctx, session); }

static void show_side(const Side *side)
{
    SSL_CTX *ctx = side->ctx;

    say("%s: number=%ld connect=%ld/%ld accept=%ld/%ld hits=%ld cb_hits=%ld misses=%ld timeouts=%ld full=%ld mode=0x%lx "
        "size=%ld told=%d new=%d get=%d remove=%d",
        side->name, SSL_CTX_sess_number(ctx), SSL_CTX_sess_connect(ctx), SSL_CTX_sess_connect_good(ctx),
        SSL_CTX_sess_accept(ctx), SSL_CTX_sess_accept_good(ctx), SSL_CTX_sess_hits(ctx), SSL_CTX_sess_cb_hits(ctx),
        SSL_CTX_sess_misses(ctx), SSL_CTX_sess_timeouts(ctx), SSL_CTX_sess_cache_full(ctx),
        SSL_CTX_get_session_cache_mode(ctx), SSL_CTX_sess_get_cache_size(ctx), side->told,
        SSL_CTX_sess_get_new_cb(ctx) != NULL, SSL_CTX_sess_get_get_cb(ctx) != NULL,
        SSL_CTX_sess_get_remove_cb(ctx) != NULL);
}

/* --- Sockets and contexts ----------------------------------------------------------------- */

static void require(int condition, const char *what)
{
    if (condition)
        return;
    say("!! %s: %s", what, take_error());
    exit(1);
}

static int udp_socket(struct sockaddr_in *address)
{
    socklen_t length = sizeof(*address);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    memset(address, 0, sizeof(*address));
    address->sin_family = AF_INET;
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    require(fd >= 0 && bind(fd, (struct sockaddr *)address, sizeof(*address)) == 0, "bind");
    require(getsockname(fd, (struct sockaddr *)address, &length) == 0, "getsockname");
    return fd;
}

static const unsigned char protocols[] = "\x04test";

static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *length, const unsigned char *offered,
                           unsigned int offered_length, void *unused)
{
    unsigned char *chosen;

    (void)ssl, (void)unused;
    if (SSL_select_next_proto(&chosen, length, protocols, sizeof(protocols) - 1, offered, offered_length) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

enum { STATEFUL = 1, NO_CALLBACKS = 2 };

static void set_up(int how)
{
    server.ctx = SSL_CTX_new(OSSL_QUIC_server_method());
    client.ctx = SSL_CTX_new(OSSL_QUIC_client_method());
    require(server.ctx != NULL && client.ctx != NULL, "SSL_CTX_new");
    SSL_CTX_use_certificate(server.ctx, certificate());
    SSL_CTX_use_PrivateKey(server.ctx, private_key());
    SSL_CTX_set_session_id_context(server.ctx, (const unsigned char *)"quic", 4);
    SSL_CTX_set_alpn_select_cb(server.ctx, choose_protocol, NULL);
    if (how & STATEFUL)
        SSL_CTX_set_options(server.ctx, SSL_OP_NO_TICKET);
    SSL_CTX_set_session_cache_mode(client.ctx, SSL_SESS_CACHE_CLIENT);
    SSL_CTX_sess_set_new_cb(client.ctx, client_new);
    SSL_CTX_sess_set_remove_cb(client.ctx, client_removed);
    if (!(how & NO_CALLBACKS)) {
        SSL_CTX_sess_set_new_cb(server.ctx, server_new);
        SSL_CTX_sess_set_get_cb(server.ctx, server_get);
        SSL_CTX_sess_set_remove_cb(server.ctx, server_removed);
    }

    socket_of_server = udp_socket(&address_of_server);
    listener = SSL_new_listener(server.ctx, 0);
    require(listener != NULL && SSL_set_fd(listener, socket_of_server) == 1, "SSL_new_listener");
    require(SSL_set_blocking_mode(listener, 0) == 1 && SSL_listen(listener) == 1, "SSL_listen");
}

static void release(Side *side)
{
    while (side->kept_count > 0)
        SSL_SESSION_free(side->kept[--side->kept_count]);
}

static void tear_down(void)
{
    step("end");
    show_side(&server);
    show_side(&client);
    SSL_free(listener);
    close(socket_of_server);
    release(&server);
    release(&client);
    SSL_CTX_free(server.ctx);
    SSL_CTX_free(client.ctx);
}

/* --- Connections -------------------------------------------------------------------------- */

typedef struct {
    SSL *near, *far; /* the client's and the server's end */
    int socket;
} Pair;

/* Lets both ends do what is due, and waits a little for what is under way. */
static void turn(Pair *pair)
{
    struct pollfd sockets[] = {{pair->socket, POLLIN, 0}, {socket_of_server, POLLIN, 0}};

    SSL_handle_events(pair->near);
    SSL_handle_events(listener);
    if (pair->far == NULL)
        pair->far = SSL_accept_connection(listener, SSL_ACCEPT_CONNECTION_NO_BLOCK);
    if (pair->far != NULL)
        SSL_handle_events(pair->far);
    poll(sockets, 2, 5);
}

static Pair connect_pair(SSL_SESSION *session)
{
    Pair pair = {NULL, NULL, -1};
    struct sockaddr_in own;
    BIO_ADDR *peer = BIO_ADDR_new();
    int turns, near = 0, far = 0;

    pair.socket = udp_socket(&own);
    pair.near = SSL_new(client.ctx);
    BIO_ADDR_rawmake(peer, AF_INET, &address_of_server.sin_addr, sizeof(address_of_server.sin_addr),
                     address_of_server.sin_port);
    require(SSL_set_fd(pair.near, pair.socket) == 1, "SSL_set_fd");
    require(SSL_set1_initial_peer_addr(pair.near, peer) == 1, "SSL_set1_initial_peer_addr");
    BIO_ADDR_free(peer);
    SSL_set_alpn_protos(pair.near, protocols, sizeof(protocols) - 1);
    SSL_set_blocking_mode(pair.near, 0);
    if (session != NULL)
        SSL_set_session(pair.near, session);
    for (turns = 0; turns < TURNS && !(near && far); turns++) {
        near = near || SSL_connect(pair.near) == 1;
        turn(&pair);
        far = far || (pair.far != NULL && SSL_do_handshake(pair.far) == 1);
    }
    require(near && far, "handshake");
    ERR_clear_error();
    SSL_set_blocking_mode(pair.far, 0);
    return pair;
}

static void send_and_receive(Pair *pair, SSL *from, SSL *to, const char *text)
{
    char buffer[32];
    size_t size = 0;
    int turns;

    require(SSL_write_ex(from, text, strlen(text), &size) == 1, "SSL_write_ex");
    for (turns = 0; turns < TURNS; turns++) {
        turn(pair);
        if (SSL_read_ex(to, buffer, sizeof(buffer), &size) == 1)
            break;
    }
    require(turns < TURNS && size == strlen(text), "SSL_read_ex");
    ERR_clear_error();
}

/* The tickets come after the handshake: waits until the client was told of this many. */
static void receive_tickets(Pair *pair, int wanted)
{
    int turns;

    for (turns = 0; turns < TURNS && client.told < wanted; turns++)
        turn(pair);
    require(client.told >= wanted, "tickets");
}

/*
 * An end that says goodbye keeps its session, one that is only freed loses it. Both say it before either
 * hears of the other: an end that was closed by its peer may be gone for good when it is asked to close.
 */
static void close_pair(Pair *pair, int clean)
{
    const uint64_t at_once = SSL_SHUTDOWN_FLAG_RAPID | SSL_SHUTDOWN_FLAG_NO_STREAM_FLUSH;

    if (clean) {
        require(SSL_shutdown_ex(pair->far, at_once, NULL, 0) >= 0, "SSL_shutdown_ex");
        require(SSL_shutdown_ex(pair->near, at_once, NULL, 0) >= 0, "SSL_shutdown_ex");
    }
    SSL_free(pair->near);
    SSL_free(pair->far);
    close(pair->socket);
    ERR_clear_error();
}

enum { CLEANLY = 1, RUDELY = 0 };

/* One whole connection that offers session, or nothing; how many tickets the server sends by it. */
static void visit_quic(SSL_SESSION *session, int tickets, int clean)
{
    int before = client.told;
    Pair pair;

    say("connect with %s", session_name(session));
    pair = connect_pair(session);
    send_and_receive(&pair, pair.near, pair.far, "ping");
    send_and_receive(&pair, pair.far, pair.near, "pong");
    receive_tickets(&pair, before + tickets);
    say("connected: reused %d/%d session %s/%s", SSL_session_reused(pair.far), SSL_session_reused(pair.near),
        session_name(SSL_get_session(pair.far)), session_name(SSL_get_session(pair.near)));
    close_pair(&pair, clean);
    show_side(&server);
    show_side(&client);
}

/* The client's n-th ticket. */
static SSL_SESSION *ticket(int n)
{
    return client.kept[n];
}

/* --- Scenarios ---------------------------------------------------------------------------- */

/* Stateless tickets, as every QUIC server begins: the cache has no part in it. */
static void tickets(void)
{
    set_up(NO_CALLBACKS);
    visit_quic(NULL, 2, CLEANLY);
    visit_quic(ticket(1), 1, CLEANLY);
    tear_down();
}

static void tickets_with_callbacks(void)
{
    set_up(0);
    visit_quic(NULL, 2, CLEANLY);
    visit_quic(ticket(1), 1, CLEANLY);
    tear_down();
}

/* Resumed out of the internal cache. */
static void stateful(void)
{
    set_up(STATEFUL);
    visit_quic(NULL, 2, CLEANLY);
    visit_quic(ticket(1), 1, CLEANLY);
    visit_quic(ticket(2), 1, CLEANLY);
    visit_quic(ticket(2), 2, CLEANLY);
    tear_down();
}

static void stateful_without_callbacks(void)
{
    set_up(STATEFUL | NO_CALLBACKS);
    visit_quic(NULL, 2, CLEANLY);
    visit_quic(ticket(0), 1, CLEANLY);
    tear_down();
}

/* Resumed out of the application's own cache. */
static void external(void)
{
    set_up(STATEFUL);
    SSL_CTX_set_session_cache_mode(server.ctx, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL);
    visit_quic(NULL, 2, CLEANLY);
    visit_quic(ticket(0), 1, CLEANLY);
    tear_down();
}

/* A session that the server no longer has. */
static void forgotten(void)
{
    set_up(STATEFUL);
    SSL_CTX_sess_set_get_cb(server.ctx, NULL);
    visit_quic(NULL, 2, CLEANLY);
    SSL_CTX_flush_sessions(server.ctx, 0);
    visit_quic(ticket(0), 2, CLEANLY);
    tear_down();
}

static void full(void)
{
    set_up(STATEFUL);
    SSL_CTX_sess_set_cache_size(server.ctx, 3);
    visit_quic(NULL, 2, CLEANLY);
    visit_quic(NULL, 2, CLEANLY);
    visit_quic(ticket(2), 1, CLEANLY);
    tear_down();
}

/* Both ends go without a word: the server forgets the second ticket, by which its end went last. */
static void gone_without_a_word(void)
{
    set_up(STATEFUL);
    visit_quic(NULL, 2, RUDELY);
    visit_quic(ticket(0), 1, RUDELY);
    visit_quic(ticket(1), 2, CLEANLY);
    tear_down();
}

/* The new callback uses the cache, under the connection's lock. */
static void add_and_remove(SSL_SESSION *session)
{
    int added = SSL_CTX_add_session(server.ctx, session), removed;

    say("  add in new_cb: %d, number=%ld", added, SSL_CTX_sess_number(server.ctx));
    if (server.kept_count > 0) {
        removed = SSL_CTX_remove_session(server.ctx, server.kept[0]);
        say("  remove in new_cb: %d, number=%ld", removed, SSL_CTX_sess_number(server.ctx));
    }
    SSL_SESSION_set_timeout(session, 1000);
    SSL_CTX_flush_sessions(server.ctx, 1);
}

static void cache_used_in_callbacks(void)
{
    set_up(STATEFUL);
    server.on_new = add_and_remove;
    visit_quic(NULL, 2, CLEANLY);
    visit_quic(ticket(0), 1, CLEANLY);
    tear_down();
}

/* Repeated ids are refused, or replace: by the TLS version, which a QUIC connection does not tell. */
static int same_id(SSL *ssl, unsigned char *id, unsigned int *length)
{
    static int calls;
    int taken;

    memset(id, 'a' + calls / 2, *length);
    calls++;
    taken = SSL_has_matching_session_id(ssl, id, *length);
    say("  server.generate: taken=%d", taken);
    if (taken)
        id[0]++;
    return 1;
}

static void generated_ids(void)
{
    set_up(STATEFUL);
    SSL_CTX_set_generate_session_id(server.ctx, same_id);
    visit_quic(NULL, 2, CLEANLY);
    visit_quic(NULL, 2, CLEANLY);
    tear_down();
}

/* --- Runner ------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    void (*run)(void);
} scenarios[] = {
    {"quic_tickets", tickets},
    {"quic_tickets_with_callbacks", tickets_with_callbacks},
    {"quic_stateful", stateful},
    {"quic_stateful_without_callbacks", stateful_without_callbacks},
    {"quic_external", external},
    {"quic_forgotten", forgotten},
    {"quic_full", full},
    {"quic_gone_without_a_word", gone_without_a_word},
    {"quic_cache_used_in_callbacks", cache_used_in_callbacks},
    {"quic_generated_ids", generated_ids},
};

static void run_here(size_t i)
{
    say("== %s", scenarios[i].name);
    scenarios[i].run();
    say("== end of %s", scenarios[i].name);
}

static int run_apart(size_t i)
{
    int status = -1;
    pid_t child = fork();

    if (child == 0) {
        alarm(TIME_LIMIT);
        run_here(i);
        exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        return 0;
    if (WIFSIGNALED(status))
        say("!! %s ended by signal %d%s", scenarios[i].name, WTERMSIG(status),
            WTERMSIG(status) == SIGALRM ? " (time limit)" : "");
    return status == 0;
}

int main(int argc, char **argv)
{
    const size_t count = sizeof(scenarios) / sizeof(scenarios[0]);
    int apart = 1, failed = 0;
    size_t i;

    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        for (i = 0; i < count; i++)
            puts(scenarios[i].name);
        return 0;
    }
    if (argc > 1 && strcmp(argv[1], "--no-fork") == 0) {
        apart = 0;
        argv++, argc--;
    }
    for (i = 0; i < count; i++) {
        int named = argc == 1, n;

        for (n = 1; n < argc; n++)
            named |= strcmp(argv[n], scenarios[i].name) == 0;
        if (!named)
            continue;
        if (apart)
            failed += !run_apart(i);
        else
            run_here(i);
    }
    return failed > 0;
}
