/*
 * Timeouts and seconds that nobody means, or that are meant: -1 as "expired at once", LONG_MAX as "never". What
 * they come to is another thing in each release of libssl.
 */
#include "harness.h"

#include <limits.h>

static Context *server, *client;

static void set_up(Version version)
{
    server = server_context("server", version);
    client = client_context("client", version);
    SSL_CTX_set_options(server->ctx, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(server->ctx, 1);
    install(server, NEW | REMOVE);
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

static const long timeouts[] = {0,           1,           -1,        -2,       -300, -7200, LONG_MAX, LONG_MAX - 1,
                                LONG_MIN,    LONG_MIN + 1, INT_MAX,  1L << 31, 0xffffffffL, 1L << 40, -(1L << 40)};
enum { TIMEOUTS = sizeof(timeouts) / sizeof(timeouts[0]) };

/* Seconds to flush: of each kind the one that takes least comes first. */
static const long moments[] = {LONG_MIN, LONG_MIN + 1, 1, -1, LONG_MAX, 0};
enum { MOMENTS = sizeof(moments) / sizeof(moments[0]) };

/* A context with each timeout: does its session resume, at once and later, and what takes it? */
static void context_timeouts(Version version)
{
    int i, m;

    for (i = 0; i < TIMEOUTS; i++) {
        SSL_SESSION *session = NULL;
        long before;

        set_up(version);
        before = SSL_CTX_set_timeout(server->ctx, timeouts[i]);
        step("timeout %ld", timeouts[i]);
        say("before %ld, now %ld", before, SSL_CTX_get_timeout(server->ctx));
        visit(server, client, &session);
        visit(server, client, &session);
        clock_forward(1);
        visit(server, client, &session);
        clock_forward(7300);
        visit(server, client, &session);
        say("timeout of the session %ld", SSL_SESSION_get_timeout(session));
        show(server);
        for (m = 0; m < MOMENTS; m++) {
            say("flush %ld", moments[m]);
            SSL_CTX_flush_sessions(server->ctx, moments[m]);
            show(server);
        }
        forget(&session);
        tear_down();
    }
}

/*
 * Sessions of every timeout in one cache, and what each second takes of them. Of those that never expire one is
 * enough: ../differences/never_expires_together.c has two.
 */
static void flush_of_all_kinds(Version version)
{
    int i, m;

    set_up(version);
    for (i = 0; i < TIMEOUTS; i++) {
        SSL_SESSION *session = NULL;

        if (timeouts[i] == LONG_MAX - 1)
            continue;
        SSL_CTX_set_timeout(server->ctx, timeouts[i]);
        visit(server, client, &session);
        forget(&session);
    }
    flush(server, -7000);
    show_all();
    flush(server, 0);
    show_all();
    flush(server, 3);
    show_all();
    for (m = 0; m < MOMENTS; m++) {
        step("flush %ld", moments[m]);
        SSL_CTX_flush_sessions(server->ctx, moments[m]);
        show_all();
    }
    tear_down();
}

/* A small cache: the one that expires first goes, whatever its timeout. */
static void eviction_of_all_kinds(Version version)
{
    static const long kinds[] = {LONG_MAX, 300, -1, LONG_MIN, 100, -300, 1L << 40, 0, -1, 200};
    size_t i;

    set_up(version);
    set_size(server, 4);
    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        SSL_SESSION *session = NULL;

        SSL_CTX_set_timeout(server->ctx, kinds[i]);
        visit(server, client, &session);
        forget(&session);
        show_all();
    }
    tear_down();
}

/* The time of a cached session becomes one of these. */
static void times_of_all_kinds(Version version)
{
    static const long times[] = {-5, LONG_MIN, 0, LONG_MAX, 1L << 40, -1, 1700000000};
    size_t i;

    set_up(version);
    server->on_new = keep_new;
    for (i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        SSL_SESSION *session = NULL, *cached;
        long result;
        int m;

        visit(server, client, &session);
        cached = server->kept[server->kept_count - 1];
        result = SSL_SESSION_set_time(cached, times[i]);
        say("set_time(%ld): %ld, now %ld", times[i], result, SSL_SESSION_get_time(cached));
        for (m = 0; m < MOMENTS; m++) {
            say("flush %ld", moments[m]);
            SSL_CTX_flush_sessions(server->ctx, moments[m]);
            show(server);
        }
        forget(&session);
    }
    tear_down();
}

/* With a timeout of -1 an unlimited cache is kept small by the flush in every 256th handshake, up to 3.1. */
static void many_that_expire_at_once(Version version)
{
    long most = 0;
    int i;

    set_up(version);
    install(server, NEW);
    uninstall(server, REMOVE);
    server->on_new = NULL;
    SSL_CTX_set_timeout(server->ctx, -1);
    set_size(server, 0);
    silence(1);
    for (i = 0; i < 600; i++) {
        Connection c = connection(server, client, NULL);
        long number;

        handshake(&c);
        close_clean(&c);
        number = SSL_CTX_sess_number(server->ctx);
        most = number > most ? number : most;
    }
    silence(0);
    say("most sessions at once %ld", most);
    flush(server, 0);
    show_all();
    tear_down();
}

/* A client that keeps its own sessions. */
static void client_timeouts(Version version)
{
    int i;

    for (i = 0; i < TIMEOUTS; i++) {
        SSL_SESSION *session = NULL;

        set_up(version);
        set_mode(client, SSL_SESS_CACHE_CLIENT);
        install(client, NEW | REMOVE);
        step("timeout %ld", timeouts[i]);
        SSL_CTX_set_timeout(client->ctx, timeouts[i]);
        visit(server, client, &session);
        say("timeout of the session %ld", SSL_SESSION_get_timeout(session));
        SSL_CTX_flush_sessions(client->ctx, 1);
        show(client);
        flush(client, 5);
        show(client);
        forget(&session);
        tear_down();
    }
}

const Scenario time_scenarios[] = {
    {"context_timeouts", context_timeouts, ALL},
    {"flush_of_all_kinds", flush_of_all_kinds, TLS},
    {"eviction_of_all_kinds", eviction_of_all_kinds, TLS},
    {"times_of_all_kinds", times_of_all_kinds, TLS},
    {"many_that_expire_at_once", many_that_expire_at_once, ALL},
    {"client_timeouts", client_timeouts, TLS},
    {NULL, NULL, 0},
};
