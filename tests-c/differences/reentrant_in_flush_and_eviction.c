/*
 * A remove_cb that uses the cache while the cache is flushed or full. Libssl up to 3.6 holds the context's
 * lock there: with glibc every call inside answers 0 and does nothing (elsewhere it hangs). The library
 * holds no lock, so the calls do what they do anywhere, as in 4.0.3.
 */
#include "conformance.h"

static SSL_SESSION *cached, *fresh;
static int inside;

static void uses_the_cache(SSL_CTX *ctx, SSL_SESSION *session)
{
    say_removed(ctx, session);
    if (inside)
        return;
    inside = 1;
    int added = SSL_CTX_add_session(ctx, fresh);
    trace_inside("inside: SSL_CTX_add_session fresh = %d", added);
    int changed = SSL_SESSION_set_timeout(cached, 5000);
    trace_inside("inside: SSL_SESSION_set_timeout cached = %d", changed);
    int removed = SSL_CTX_remove_session(ctx, cached);
    int resumable = SSL_SESSION_is_resumable(cached);
    trace_inside("inside: SSL_CTX_remove_session cached = %d, resumable %d", removed, resumable);
    SSL_CTX_flush_sessions(ctx, 0);
    trace_inside("inside: SSL_CTX_flush_sessions");
}

int main(void)
{
    cached = session_new("cached", TLS1_2_VERSION, T0, 1000);
    fresh = session_new("fresh", TLS1_2_VERSION, T0, 900);

    section("from a flush");
    SSL_CTX *ctx = context_new();
    SSL_CTX_sess_set_remove_cb(ctx, uses_the_cache);
    add_new(ctx, "a", T0, 100);
    TRACE(SSL_CTX_add_session(ctx, cached));
    CALL(SSL_CTX_flush_sessions(ctx, T0 + 101));
    TRACE(SSL_CTX_sess_number(ctx));
    TRACE(SSL_SESSION_get_timeout(cached));
    inside = 1;
    CALL(SSL_CTX_free(ctx));
    CALL(SSL_SESSION_free(cached));
    CALL(SSL_SESSION_free(fresh));

    section("from an eviction");
    cached = session_new("cached", TLS1_2_VERSION, T0, 1000);
    fresh = session_new("fresh", TLS1_2_VERSION, T0, 900);
    ctx = context_new();
    inside = 0;
    SSL_CTX_sess_set_cache_size(ctx, 3);
    SSL_CTX_sess_set_remove_cb(ctx, uses_the_cache);
    add_new(ctx, "a", T0, 100);
    TRACE(SSL_CTX_add_session(ctx, cached));
    SSL_SESSION *pusher = session_new("pusher", TLS1_2_VERSION, T0, 2000);
    TRACE(SSL_CTX_add_session(ctx, pusher));
    TRACE(SSL_CTX_sess_number(ctx));
    inside = 1;
    CALL(SSL_CTX_free(ctx));
    CALL(SSL_SESSION_free(pusher));
    CALL(SSL_SESSION_free(cached));
    CALL(SSL_SESSION_free(fresh));
    return 0;
}
