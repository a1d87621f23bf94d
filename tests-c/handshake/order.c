/* Which sessions leave, in which order: size, flush, the flush every 255 handshakes, times that change. */
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
    release_kept(server);
    context_free(server);
    context_free(client);
    show_live();
    contexts_over();
}

/* Full handshakes, one session each; the client keeps what it got in sessions. */
static void make(int count, SSL_SESSION **sessions)
{
    int i;

    for (i = 0; i < count; i++) {
        Connection c = connection(server, client, NULL);

        handshake(&c);
        sessions[i] = SSL_get1_session(c.client);
        close_clean(&c);
    }
    show_all();
}

/* Offers each of them once and lets it go; the sessions the answers make are not stored. */
static void who_resumes(int count, SSL_SESSION **sessions)
{
    long mode = SSL_CTX_set_session_cache_mode(server->ctx, SSL_SESS_CACHE_OFF);
    int i, reused[16];

    silence(1);
    for (i = 0; i < count; i++) {
        Connection c = connection(server, client, sessions[i]);

        handshake(&c);
        reused[i] = SSL_session_reused(c.server);
        close_clean(&c);
    }
    silence(0);
    for (i = 0; i < count; i++) {
        say("%s resumes: %d", session_name(sessions[i]), reused[i]);
        forget(&sessions[i]);
    }
    SSL_CTX_set_session_cache_mode(server->ctx, mode);
    show_all();
}

static void small_sizes(Version version)
{
    static const long sizes[] = {1, 2, 3, 4, 0};
    size_t s;

    for (s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
        SSL_SESSION *sessions[6];

        step("size %ld", sizes[s]);
        set_up(version);
        set_size(server, sizes[s]);
        make(6, sessions);
        who_resumes(6, sessions);
        tear_down();
    }
}

/* The one that expires first has to go, not the oldest; but never the one just made. */
static void size_and_timeouts(Version version)
{
    static const long timeouts[] = {5000, 300, 9000, 400, 100, 6000};
    SSL_SESSION *sessions[6];
    int i;

    set_up(version);
    set_size(server, 4);
    for (i = 0; i < 6; i++) {
        SSL_CTX_set_timeout(server->ctx, timeouts[i]);
        step("timeout %ld", timeouts[i]);
        make(1, &sessions[i]);
    }
    who_resumes(6, sessions);
    tear_down();
}

/* The same with timeouts that change while the session is cached. */
static void timeouts_change(Version version)
{
    SSL_SESSION *sessions[6];

    set_up(version);
    set_size(server, 5);
    make(4, sessions);
    step("the newest expires first, the oldest last");
    say("set_timeout: %ld", SSL_SESSION_set_timeout(server->kept[3], 60));
    say("set_timeout: %ld", SSL_SESSION_set_timeout(server->kept[0], 20000));
    say("set_time: %d", SSL_SESSION_set_time(server->kept[1], SSL_SESSION_get_time(server->kept[1]) - 3600) != 0);
    make(2, &sessions[4]);
    who_resumes(6, sessions);
    step("flush goes by the same order");
    flush(server, 300);
    show_all();
    flush(server, 7000);
    show_all();
    flush(server, 8000);
    show_all();
    flush(server, 30000);
    show_all();
    tear_down();
}

static void negative_timeout(Version version)
{
    SSL_SESSION *sessions[2];
    long result;

    set_up(version);
    make(2, sessions);
    result = SSL_SESSION_set_timeout(server->kept[0], -5);
    say("set_timeout(-5): %ld, now %ld", result, SSL_SESSION_get_timeout(server->kept[0]));
    result = SSL_SESSION_set_timeout(server->kept[0], 0);
    say("set_timeout(0): %ld, now %ld", result, SSL_SESSION_get_timeout(server->kept[0]));
    flush(server, 10);
    show_all();
    who_resumes(2, sessions);
    tear_down();
}

static void size_changes(Version version)
{
    SSL_SESSION *sessions[9];

    set_up(version);
    make(6, sessions);
    step("smaller: nothing leaves before the next add");
    set_size(server, 3);
    show_all();
    make(1, &sessions[6]);
    step("negative");
    set_size(server, -1);
    step("larger");
    set_size(server, 10);
    make(2, &sessions[7]);
    who_resumes(9, sessions);
    step("unlimited");
    set_size(server, 0);
    make(3, sessions);
    step("one");
    set_size(server, 1);
    make(1, &sessions[3]);
    who_resumes(4, sessions);
    tear_down();
}

static void flush_by_hand(Version version)
{
    static const long timeouts[] = {100, 500, 300, 200, 400};
    SSL_SESSION *sessions[5];
    int i;

    set_up(version);
    for (i = 0; i < 5; i++) {
        SSL_CTX_set_timeout(server->ctx, timeouts[i]);
        make(1, &sessions[i]);
    }
    for (i = 0; i < 3; i++) {
        flush(server, 150 + 100 * i);
        show_all();
        say("oldest: resumable=%d", SSL_SESSION_is_resumable(server->kept[0]));
    }
    step("everything");
    SSL_CTX_flush_sessions(server->ctx, 0);
    show_all();
    who_resumes(5, sessions);
    tear_down();
}

/* How many sessions are left while the callbacks of a flush run. */
static void count_sessions(Context *context, SSL_SESSION *session)
{
    (void)session;
    say("  number=%ld", SSL_CTX_sess_number(context->ctx));
}

static void number_in_flush(Version version)
{
    SSL_SESSION *sessions[5];
    int i;

    set_up(version);
    server->on_remove = count_sessions;
    make(5, sessions);
    SSL_SESSION_set_timeout(server->kept[1], 50);
    SSL_SESSION_set_timeout(server->kept[3], 40);
    flush(server, 60);
    step("one by hand");
    remove_session(server, server->kept[2]);
    step("the rest by size");
    set_size(server, 1);
    SSL_SESSION_free(sessions[0]);
    make(1, sessions);
    step("the rest by the end of the context");
    for (i = 0; i < 5; i++)
        SSL_SESSION_free(sessions[i]);
    tear_down();
}

/* The table that SSL_CTX_sessions shows has what the cache has. */
static void count_one(void *session, void *count)
{
    (void)session;
    ++*(int *)count;
}

static void show_table(void)
{
    OPENSSL_LHASH *table = (OPENSSL_LHASH *)SSL_CTX_sessions(server->ctx);
    int walked = 0;

    OPENSSL_LH_doall_arg(table, count_one, &walked);
    say("number=%ld, in the table %lu, walked %d", SSL_CTX_sess_number(server->ctx), OPENSSL_LH_num_items(table), walked);
}

static void table_of_sessions(Version version)
{
    SSL_SESSION *sessions[3];
    int i;

    set_up(version);
    show_table();
    make(3, sessions);
    show_table();
    remove_session(server, server->kept[1]);
    show_table();
    SSL_CTX_flush_sessions(server->ctx, 0);
    show_table();
    for (i = 0; i < 3; i++)
        SSL_SESSION_free(sessions[i]);
    tear_down();
}

/* Hours pass. At the last second of its life a session still resumes, one second later not. */
static void hours_pass(Version version)
{
    SSL_SESSION *session = NULL, *other = NULL, *third = NULL;

    set_up(version);
    SSL_CTX_set_timeout(server->ctx, 3600);
    visit(server, client, &session);
    visit(server, client, &other);
    visit(server, client, &third);
    step("at its last second");
    clock_forward(3600);
    visit(server, client, &session);
    step("one second later, another one");
    clock_forward(1);
    visit(server, client, &other);
    step("flushed at the last second of those made since");
    clock_forward(3600);
    SSL_CTX_flush_sessions(server->ctx, (long)time(NULL));
    show_all();
    step("and one later");
    clock_forward(1);
    SSL_CTX_flush_sessions(server->ctx, (long)time(NULL));
    show_all();
    step("the clock goes back");
    clock_forward(-7000);
    visit(server, client, &third);
    visit(server, client, &other);
    SSL_SESSION_free(session);
    SSL_SESSION_free(other);
    SSL_SESSION_free(third);
    tear_down();
}

/* A flush drops the cache's reference, not that of a live connection. */
static void flush_under_a_connection(Version version)
{
    Connection c;

    set_up(version);
    server->on_new = NULL;
    c = connection(server, client, NULL);
    handshake(&c);
    SSL_CTX_flush_sessions(server->ctx, 0);
    show_all();
    say("talk: %d", talk(&c));
    describe(&c);
    close_clean(&c);
    show_all();
    tear_down();
}

/* Evicted or flushed sessions may be added again; the mark of not being resumable stays with the object. */
static void add_after_leaving(Version version)
{
    SSL_SESSION *sessions[3];

    set_up(version);
    make(3, sessions);
    SSL_CTX_flush_sessions(server->ctx, 0);
    add(server, server->kept[1]);
    add(server, server->kept[1]);
    show_all();
    remove_session(server, server->kept[0]);
    remove_session(server, server->kept[1]);
    remove_session(server, server->kept[1]);
    show_all();
    while (server->kept_count > 0)
        SSL_SESSION_free(server->kept[--server->kept_count]);
    forget(&sessions[0]);
    forget(&sessions[1]);
    forget(&sessions[2]);
    tear_down();
}

/* Another object with the same key takes the place without a word. */
static void replaced_by_copy(Version version)
{
    SSL_SESSION *sessions[2], *copy;

    set_up(version);
    make(2, sessions);
    copy = SSL_SESSION_dup(server->kept[0]);
    add(server, copy);
    say("the replaced one: resumable=%d", SSL_SESSION_is_resumable(server->kept[0]));
    show_all();
    who_resumes(1, sessions);
    step("removing by the object that was replaced");
    remove_session(server, server->kept[0]);
    say("the copy: resumable=%d", SSL_SESSION_is_resumable(copy));
    show_all();
    SSL_SESSION_free(copy);
    forget(&sessions[1]);
    tear_down();
}

/* --- The flush every 255 handshakes ------------------------------------------------------- */

static int planted;

static SSL_SESSION *expired_session(Version version)
{
    static unsigned char id[32] = "planted";
    SSL_SESSION *session = SSL_SESSION_new();

    id[31]++;
    SSL_SESSION_set1_id(session, id, sizeof(id));
    SSL_SESSION_set_protocol_version(session, protocol_of(version));
    SSL_SESSION_set_time(session, (long)time(NULL) - 100000);
    return session;
}

static void plant(Context *context, Version version)
{
    SSL_SESSION *session = expired_session(version);

    SSL_CTX_add_session(context->ctx, session);
    SSL_SESSION_free(session);
    planted = 1;
}

static void harvest(Context *context, SSL_SESSION *session)
{
    const unsigned char *id = SSL_SESSION_get_id(session, NULL);

    if (memcmp(id, "planted", 7) != 0)
        return;
    planted = 0;
    silence(0);
    say("the planted session went: accept_good=%ld connect_good=%ld", SSL_CTX_sess_accept_good(context->ctx),
        SSL_CTX_sess_connect_good(context->ctx));
    silence(1);
}

/* What is planted in the cache of this context leaves when libssl flushes by itself. */
static void many_handshakes(Context *watched, Version version, int count, int resumed)
{
    SSL_SESSION *session = NULL;
    int i;

    server->on_new = NULL;
    install(watched, REMOVE);
    watched->on_remove = harvest;
    plant(watched, version);
    silence(1);
    for (i = 0; i < count; i++) {
        Connection c = connection(server, client, session);

        if (!handshake(&c)) {
            silence(0);
            say("handshake %d failed", i);
            silence(1);
        }
        if (resumed) {
            SSL_SESSION_free(session);
            session = SSL_get1_session(c.client);
        }
        close_clean(&c);
        if (!planted)
            plant(watched, version);
    }
    watched->on_remove = NULL;
    SSL_SESSION_free(session);
    SSL_CTX_flush_sessions(server->ctx, 0);
    SSL_CTX_flush_sessions(client->ctx, 0);
    silence(0);
    show_all();
}

static void auto_flush(Version version)
{
    set_up(version);
    many_handshakes(server, version, 530, 0);
    tear_down();
}

static void auto_flush_two_tickets(Version version)
{
    set_up(version);
    SSL_CTX_set_num_tickets(server->ctx, 2);
    many_handshakes(server, version, 260, 0);
    tear_down();
}

/* TLS 1.3 makes a new session on each resumption, and so looks at the counter each time. */
static void auto_flush_resumed(Version version)
{
    set_up(version);
    many_handshakes(server, version, 530, 1);
    tear_down();
}

/* A session every minute: each flush takes those that are older than two hours. */
static void auto_flush_aged(Version version)
{
    int i;

    set_up(version);
    server->on_new = NULL;
    silence(1);
    for (i = 0; i < 520; i++) {
        Connection c = connection(server, client, NULL);
        long before = SSL_CTX_sess_number(server->ctx);

        handshake(&c);
        close_clean(&c);
        clock_forward(60);
        if (SSL_CTX_sess_number(server->ctx) < before) {
            silence(0);
            say("handshake %d: %ld sessions before, %ld after", i + 1, before, SSL_CTX_sess_number(server->ctx));
            silence(1);
        }
    }
    silence(0);
    show(server);
    uninstall(server, REMOVE);
    tear_down();
}

static void auto_flush_off(Version version)
{
    set_up(version);
    set_mode(server, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_AUTO_CLEAR);
    many_handshakes(server, version, 260, 0);
    tear_down();
}

static void auto_flush_mode_off(Version version)
{
    set_up(version);
    set_mode(server, SSL_SESS_CACHE_OFF);
    many_handshakes(server, version, 260, 0);
    tear_down();
}

static void auto_flush_no_internal(Version version)
{
    set_up(version);
    set_mode(server, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL);
    many_handshakes(server, version, 260, 0);
    tear_down();
}

/* TLS 1.2 with tickets has no session id, and never comes to the flush. */
static void auto_flush_tickets(Version version)
{
    set_up(version);
    SSL_CTX_clear_options(server->ctx, SSL_OP_NO_TICKET);
    many_handshakes(server, version, 260, 0);
    tear_down();
}

static void auto_flush_client(Version version)
{
    set_up(version);
    set_mode(client, SSL_SESS_CACHE_CLIENT);
    set_mode(server, SSL_SESS_CACHE_OFF);
    SSL_CTX_clear_options(server->ctx, SSL_OP_NO_TICKET);
    many_handshakes(client, version, 530, 0);
    tear_down();
}

/* --- What upstream's own tests ask -------------------------------------------------------- */

/* Cache size 1: A expires early, B late; A again, and A must be in. */
static void upstream_size_one(Version version)
{
    SSL_SESSION *a, *b;
    static const unsigned char ids[2][4] = {"AAAA", "BBBB"};

    set_up(version);
    set_size(server, 1);
    a = SSL_SESSION_new();
    b = SSL_SESSION_new();
    SSL_SESSION_set1_id(a, ids[0], 4);
    SSL_SESSION_set1_id(b, ids[1], 4);
    SSL_SESSION_set_protocol_version(a, protocol_of(version));
    SSL_SESSION_set_protocol_version(b, protocol_of(version));
    SSL_SESSION_set_timeout(a, 1000);
    SSL_SESSION_set_timeout(b, 2000);
    add(server, a);
    add(server, b);
    add(server, a);
    show_all();
    remove_session(server, a);
    remove_session(server, b);
    SSL_SESSION_free(a);
    SSL_SESSION_free(b);
    tear_down();
}

/* Three sessions whose times are shifted while they are cached. */
static void upstream_three_times(Version version)
{
    long now = (long)time(NULL);
    SSL_SESSION *three[3];
    unsigned char id = 'a';
    int i;

    set_up(version);
    for (i = 0; i < 3; i++) {
        three[i] = SSL_SESSION_new();
        SSL_SESSION_set1_id(three[i], &id, 1);
        id++;
        SSL_SESSION_set_protocol_version(three[i], protocol_of(version));
        add(server, three[i]);
    }
    SSL_SESSION_set_time(three[0], now + 1000 - 10 - SSL_SESSION_get_timeout(three[0]));
    SSL_SESSION_set_time(three[1], now + 1000 - SSL_SESSION_get_timeout(three[1]));
    SSL_SESSION_set_time(three[2], now + 1000 + 10 - SSL_SESSION_get_timeout(three[2]));
    for (i = 0; i < 3; i++) {
        static const long when[] = {1000 - 1, 1000 + 1, 1000 + 11};

        say("flush %d", i);
        SSL_CTX_flush_sessions(server->ctx, now + when[i]);
        show_all();
    }
    for (i = 0; i < 3; i++)
        add(server, three[i]);
    SSL_CTX_flush_sessions(server->ctx, 0);
    show_all();
    set_mode(server, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_UPDATE_TIME);
    SSL_SESSION_set_time(three[0], now - 10);
    add(server, three[0]);
    say("time moved: %d", SSL_SESSION_get_time(three[0]) >= now);
    for (i = 0; i < 3; i++)
        SSL_SESSION_free(three[i]);
    tear_down();
}

/* Size 1 and a first session that never expires: the second handshake's session still resumes. */
static void upstream_never_expires(Version version)
{
    SSL_SESSION *sessions[2];

    set_up(version);
    set_size(server, 1);
    make(1, &sessions[0]);
    SSL_SESSION_set_timeout(server->kept[0], 0x7fffffffL);
    make(1, &sessions[1]);
    who_resumes(2, sessions);
    tear_down();
}

/* A client cache after a full handshake and after a resumption. */
static void upstream_client_cache(Version version)
{
    SSL_SESSION *session = NULL, *old;
    Connection c;

    set_up(version);
    set_mode(client, SSL_SESS_CACHE_CLIENT);
    install(client, NEW | REMOVE);
    visit(server, client, &session);
    add(client, session);
    old = session;
    SSL_SESSION_up_ref(old);
    visit(server, client, &session);
    add(client, session);
    step("a session set on an open connection");
    c = connection(server, client, NULL);
    handshake(&c);
    SSL_SESSION_free(old);
    old = SSL_get1_session(c.client);
    say("set_session: %d", SSL_set_session(c.client, session));
    add(client, old);
    remove_session(client, old);
    remove_session(client, old);
    close_clean(&c);
    show_all();
    SSL_SESSION_free(old);
    forget(&session);
    tear_down();
}

/* With the mode OFF the 256th handshake flushes nothing, and owes nothing once the mode is back. */
static void auto_flush_after_off(Version version)
{
    static const unsigned char id[] = "expired";
    SSL_SESSION *session = NULL, *expired;
    int i;

    set_up(version);
    server->on_new = NULL;
    visit(server, client, &session);
    set_mode(server, SSL_SESS_CACHE_OFF);
    silence(1);
    for (i = 0; i < 300; i++) {
        Connection c = connection(server, client, NULL);

        handshake(&c);
        close_clean(&c);
    }
    silence(0);
    expired = SSL_SESSION_new();
    SSL_SESSION_set1_id(expired, id, sizeof(id));
    SSL_SESSION_set_protocol_version(expired, protocol_of(version));
    SSL_SESSION_set_time(expired, (long)time(NULL) - 100000);
    add(server, expired);
    SSL_SESSION_free(expired);
    set_mode(server, SSL_SESS_CACHE_SERVER);
    visit(server, client, &session);
    forget(&session);
    tear_down();
}

const Scenario order_scenarios[] = {
    {"small_sizes", small_sizes, ALL},
    {"size_and_timeouts", size_and_timeouts, ALL},
    {"timeouts_change", timeouts_change, ALL},
    {"negative_timeout", negative_timeout, ALL},
    {"size_changes", size_changes, ALL},
    {"flush_by_hand", flush_by_hand, ALL},
    {"number_in_flush", number_in_flush, ALL},
    {"table_of_sessions", table_of_sessions, TLS},
    {"hours_pass", hours_pass, ALL},
    {"flush_under_a_connection", flush_under_a_connection, ALL},
    {"add_after_leaving", add_after_leaving, ALL},
    {"replaced_by_copy", replaced_by_copy, ALL},
    {"auto_flush", auto_flush, ALL},
    {"auto_flush_two_tickets", auto_flush_two_tickets, TLS13},
    {"auto_flush_resumed", auto_flush_resumed, TLS13},
    {"auto_flush_aged", auto_flush_aged, ALL},
    {"auto_flush_off", auto_flush_off, ALL},
    {"auto_flush_mode_off", auto_flush_mode_off, ALL},
    {"auto_flush_after_off", auto_flush_after_off, TLS12 | TLS13},
    {"auto_flush_no_internal", auto_flush_no_internal, ALL},
    {"auto_flush_tickets", auto_flush_tickets, TLS},
    {"auto_flush_client", auto_flush_client, ALL},
    {"upstream_size_one", upstream_size_one, ALL},
    {"upstream_three_times", upstream_three_times, ALL},
    {"upstream_never_expires", upstream_never_expires, ALL},
    {"upstream_client_cache", upstream_client_cache, ALL},
    {NULL, NULL, 0},
};
