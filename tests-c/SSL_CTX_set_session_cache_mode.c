/* SSL_CTX_set_session_cache_mode(3): the bits, and SSL_SESS_CACHE_UPDATE_TIME at an add. */
#include "conformance.h"

static void bits(void)
{
    section("the mode: default, previous value, every bit");
    SSL_CTX *ctx = context_new();

    TRACE(SSL_CTX_get_session_cache_mode(ctx));
    TRACE(SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF));
    TRACE(SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT));
    TRACE(SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER));
    TRACE(SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_BOTH));
    TRACE(SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_NO_AUTO_CLEAR));
    TRACE(SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_NO_INTERNAL_LOOKUP));
    TRACE(SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_NO_INTERNAL_STORE));
    TRACE(SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_NO_INTERNAL));
    TRACE(SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_UPDATE_TIME));
    TRACE(SSL_CTX_get_session_cache_mode(ctx));

    section("bits without a meaning are kept, up to 32 of them");
    TRACE(SSL_CTX_set_session_cache_mode(ctx, 0x7000));
    TRACE(SSL_CTX_get_session_cache_mode(ctx));
    TRACE(SSL_CTX_set_session_cache_mode(ctx, -1));
    TRACE(SSL_CTX_get_session_cache_mode(ctx));
    TRACE(SSL_CTX_set_session_cache_mode(ctx, (1L << 40) | SSL_SESS_CACHE_CLIENT));
    TRACE(SSL_CTX_get_session_cache_mode(ctx));
    TRACE(SSL_CTX_set_session_cache_mode(ctx, LONG_MIN));
    TRACE(SSL_CTX_get_session_cache_mode(ctx));
    TRACE(SSL_CTX_set_session_cache_mode(NULL, 1));
    TRACE(SSL_CTX_get_session_cache_mode(NULL));
    CALL(SSL_CTX_free(ctx));

    section("constants");
    TRACE((long)SSL_SESS_CACHE_OFF);
    TRACE((long)SSL_SESS_CACHE_CLIENT);
    TRACE((long)SSL_SESS_CACHE_SERVER);
    TRACE((long)SSL_SESS_CACHE_BOTH);
    TRACE((long)SSL_SESS_CACHE_NO_AUTO_CLEAR);
    TRACE((long)SSL_SESS_CACHE_NO_INTERNAL_LOOKUP);
    TRACE((long)SSL_SESS_CACHE_NO_INTERNAL_STORE);
    TRACE((long)SSL_SESS_CACHE_NO_INTERNAL);
    TRACE((long)SSL_SESS_CACHE_UPDATE_TIME);
    TRACE((long)SSL_SESSION_CACHE_MAX_SIZE_DEFAULT);
    TRACE((long)SSL_MAX_SSL_SESSION_ID_LENGTH);
    TRACE((long)SSL_MAX_SID_CTX_LENGTH);
}

/* The time of a session that was stamped while `call` ran lies between the two clock readings. */
static int is_now(const SSL_SESSION *session, time_t before)
{
    long stamped = SSL_SESSION_get_time(session);

    return stamped >= (long)before && stamped <= (long)time(NULL);
}

static void update_time(void)
{
    section("without UPDATE_TIME an add leaves the time alone");
    SSL_CTX *ctx = context_that_says_removed();
    SSL_SESSION *a = session_new("a", TLS1_2_VERSION, T0, 100);
    TRACE(SSL_CTX_add_session(ctx, a));
    TRACE(SSL_SESSION_get_time(a));
    TRACE(SSL_CTX_remove_session(ctx, a));

    section("with UPDATE_TIME it becomes the present, the timeout stays");
    TRACE(SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_UPDATE_TIME));
    time_t before = time(NULL);
    TRACE(SSL_CTX_add_session(ctx, a));
    TRACE(is_now(a, before));
    TRACE(SSL_SESSION_get_timeout(a));
    CALL(SSL_CTX_flush_sessions(ctx, T0 + 1000));
    TRACE(SSL_CTX_sess_number(ctx));

    section("also at an add that is refused because the session is there");
    TRACE(SSL_SESSION_set_time(a, T0));
    before = time(NULL);
    TRACE(SSL_CTX_add_session(ctx, a));
    TRACE(is_now(a, before));
    CALL(SSL_CTX_flush_sessions(ctx, T0 + 1000));
    TRACE(SSL_CTX_sess_number(ctx));

    section("and it takes the place of its new expiry");
    SSL_SESSION *b = session_new("b", TLS1_2_VERSION, T0, 100);
    SSL_SESSION *c = session_new("c", TLS1_2_VERSION, T0, 200);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER);
    CALL(SSL_CTX_flush_sessions(ctx, 0));
    TRACE(SSL_CTX_add_session(ctx, b));
    TRACE(SSL_CTX_add_session(ctx, c));
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_UPDATE_TIME);
    TRACE(SSL_CTX_add_session(ctx, b));
    CALL(SSL_CTX_flush_sessions(ctx, T0 + 1000));
    TRACE(SSL_CTX_sess_number(ctx));

    section("the object that is replaced keeps its time");
    SSL_SESSION *old = session_new("old", TLS1_2_VERSION, T0, 100);
    SSL_SESSION *twin = session_twin("twin of old", old);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER);
    TRACE(SSL_CTX_add_session(ctx, old));
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_UPDATE_TIME);
    before = time(NULL);
    TRACE(SSL_CTX_add_session(ctx, twin));
    TRACE(SSL_SESSION_get_time(old));
    TRACE(is_now(twin, before));

    SSL_CTX_sess_set_remove_cb(ctx, NULL);
    CALL(SSL_CTX_free(ctx));
    CALL(SSL_SESSION_free(a));
    CALL(SSL_SESSION_free(b));
    CALL(SSL_SESSION_free(c));
    CALL(SSL_SESSION_free(old));
    CALL(SSL_SESSION_free(twin));
}

int main(void)
{
    bits();
    update_time();
    return 0;
}
