/* SSL_CTX_sess_number(3): the counters, and SSL_CTX_ctrl(3) with all its sixteen session commands. */
#include "conformance.h"

struct command {
    const char *name;
    int number;
};

static const struct command commands[] = {
    {"SSL_CTRL_SESS_NUMBER", SSL_CTRL_SESS_NUMBER},
    {"SSL_CTRL_SESS_CONNECT", SSL_CTRL_SESS_CONNECT},
    {"SSL_CTRL_SESS_CONNECT_GOOD", SSL_CTRL_SESS_CONNECT_GOOD},
    {"SSL_CTRL_SESS_CONNECT_RENEGOTIATE", SSL_CTRL_SESS_CONNECT_RENEGOTIATE},
    {"SSL_CTRL_SESS_ACCEPT", SSL_CTRL_SESS_ACCEPT},
    {"SSL_CTRL_SESS_ACCEPT_GOOD", SSL_CTRL_SESS_ACCEPT_GOOD},
    {"SSL_CTRL_SESS_ACCEPT_RENEGOTIATE", SSL_CTRL_SESS_ACCEPT_RENEGOTIATE},
    {"SSL_CTRL_SESS_HIT", SSL_CTRL_SESS_HIT},
    {"SSL_CTRL_SESS_CB_HIT", SSL_CTRL_SESS_CB_HIT},
    {"SSL_CTRL_SESS_MISSES", SSL_CTRL_SESS_MISSES},
    {"SSL_CTRL_SESS_TIMEOUTS", SSL_CTRL_SESS_TIMEOUTS},
    {"SSL_CTRL_SESS_CACHE_FULL", SSL_CTRL_SESS_CACHE_FULL},
    {"SSL_CTRL_SET_SESS_CACHE_SIZE", SSL_CTRL_SET_SESS_CACHE_SIZE},
    {"SSL_CTRL_GET_SESS_CACHE_SIZE", SSL_CTRL_GET_SESS_CACHE_SIZE},
    {"SSL_CTRL_SET_SESS_CACHE_MODE", SSL_CTRL_SET_SESS_CACHE_MODE},
    {"SSL_CTRL_GET_SESS_CACHE_MODE", SSL_CTRL_GET_SESS_CACHE_MODE},
};

static void ask_all(SSL_CTX *ctx, long argument)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        long answer = SSL_CTX_ctrl(ctx, commands[i].number, argument, NULL);
        printf("%-34s %2d: %ld\n", commands[i].name, commands[i].number, answer);
    }
}

int main(void)
{
    SSL_CTX *ctx = context_new();

    section("a fresh context, argument 0 (which then is the size and the mode)");
    ask_all(ctx, 0);
    section("the same again, argument 7");
    ask_all(ctx, 7);
    section("and once more");
    ask_all(ctx, 7);
    section("no context");
    ask_all(NULL, 7);
    SSL_CTX_free(ctx);

    section("each macro of a fresh context");
    ctx = context_new();
    TRACE(SSL_CTX_sess_number(ctx));
    TRACE(SSL_CTX_sess_connect(ctx));
    TRACE(SSL_CTX_sess_connect_good(ctx));
    TRACE(SSL_CTX_sess_connect_renegotiate(ctx));
    TRACE(SSL_CTX_sess_accept(ctx));
    TRACE(SSL_CTX_sess_accept_good(ctx));
    TRACE(SSL_CTX_sess_accept_renegotiate(ctx));
    TRACE(SSL_CTX_sess_hits(ctx));
    TRACE(SSL_CTX_sess_cb_hits(ctx));
    TRACE(SSL_CTX_sess_misses(ctx));
    TRACE(SSL_CTX_sess_timeouts(ctx));
    TRACE(SSL_CTX_sess_cache_full(ctx));
    TRACE(SSL_CTX_sess_get_cache_size(ctx));
    TRACE(SSL_CTX_get_session_cache_mode(ctx));

    section("the number follows every add, replacement, remove and flush");
    SSL_SESSION *a = session_new("a", TLS1_2_VERSION, T0, 100);
    SSL_SESSION *twin = session_twin("twin of a", a);
    TRACE(SSL_CTX_add_session(ctx, a));
    TRACE(SSL_CTX_sess_number(ctx));
    TRACE(SSL_CTX_add_session(ctx, a));
    TRACE(SSL_CTX_sess_number(ctx));
    TRACE(SSL_CTX_add_session(ctx, twin));
    TRACE(SSL_CTX_sess_number(ctx));
    add_new(ctx, "b", T0, 200);
    TRACE(SSL_CTX_sess_number(ctx));
    TRACE(SSL_CTX_remove_session(ctx, a));
    TRACE(SSL_CTX_sess_number(ctx));
    TRACE(SSL_CTX_remove_session(ctx, a));
    TRACE(SSL_CTX_sess_number(ctx));
    CALL(SSL_CTX_flush_sessions(ctx, 0));
    TRACE(SSL_CTX_sess_number(ctx));
    CALL(SSL_SESSION_free(a));
    CALL(SSL_SESSION_free(twin));

    section("nothing of that moved a counter");
    TRACE(SSL_CTX_sess_hits(ctx));
    TRACE(SSL_CTX_sess_misses(ctx));
    TRACE(SSL_CTX_sess_timeouts(ctx));
    TRACE(SSL_CTX_sess_cache_full(ctx));

    section("cache_full counts each victim and is never set back");
    SSL_CTX_sess_set_cache_size(ctx, 2);
    for (int i = 0; i < 5; i++) {
        char id[2] = {(char)('a' + i), 0};
        SSL_SESSION *session = SSL_SESSION_new();
        session_id(session, id);
        REQUIRE(SSL_CTX_add_session(ctx, session) == 1);
        SSL_SESSION_free(session);
    }
    TRACE(SSL_CTX_sess_cache_full(ctx));
    CALL(SSL_CTX_flush_sessions(ctx, 0));
    TRACE(SSL_CTX_sess_cache_full(ctx));
    TRACE(SSL_CTX_sess_set_cache_size(ctx, 100));
    TRACE(SSL_CTX_sess_cache_full(ctx));

    section("unknown commands");
    TRACE(SSL_CTX_ctrl(ctx, -1, 0, NULL));
    TRACE(SSL_CTX_ctrl(ctx, 9999, 0, NULL));
    TRACE(SSL_CTX_ctrl(ctx, INT_MAX, 0, NULL));
    TRACE(SSL_CTX_ctrl(ctx, INT_MIN, 0, NULL));
    TRACE(SSL_CTX_ctrl(NULL, 9999, 0, NULL));

    section("SSL_ctrl does not know the commands: they belong to the context");
    SSL *ssl = SSL_new(ctx);
    REQUIRE(ssl != NULL);
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        printf("%s: %ld\n", commands[i].name, SSL_ctrl(ssl, commands[i].number, 5, NULL));
    TRACE(SSL_CTX_sess_get_cache_size(ctx));
    TRACE(SSL_CTX_get_session_cache_mode(ctx));
    SSL_free(ssl);

    section("two contexts do not share a number");
    SSL_CTX *other = context_new();
    add_new(ctx, "only here", T0, 100);
    TRACE(SSL_CTX_sess_number(ctx));
    TRACE(SSL_CTX_sess_number(other));
    CALL(SSL_CTX_free(ctx));
    CALL(SSL_CTX_free(other));
    return 0;
}
