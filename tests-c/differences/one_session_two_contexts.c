/* oracle: none: libssl keeps one pair of list links in a session; the second add writes into the first context's list */
/*
 * One session in two contexts. Each holds a reference and reports the session on its own.
 */
#include "conformance.h"

static void say_removed_from(SSL_CTX *ctx, SSL_SESSION *session)
{
    trace_inside("remove_cb %s of %s", name_of(session), name_of_context(ctx));
}

static SSL_CTX *named(const char *name)
{
    SSL_CTX *ctx = context_new();

    context_name(ctx, name);
    SSL_CTX_sess_set_remove_cb(ctx, say_removed_from);
    return ctx;
}

int main(void)
{
    SSL_CTX *first = named("first");
    SSL_CTX *second = named("second");
    SSL_SESSION *shared = session_new("shared", TLS1_2_VERSION, T0, 200);

    section("both add it");
    add_new(first, "before", T0, 100);
    TRACE(SSL_CTX_add_session(first, shared));
    add_new(first, "behind", T0, 300);
    TRACE(SSL_CTX_add_session(second, shared));
    add_new(second, "alone", T0, 400);
    TRACE(SSL_CTX_sess_number(first));
    TRACE(SSL_CTX_sess_number(second));
    TRACE(SSL_CTX_add_session(first, shared));
    TRACE(SSL_CTX_add_session(second, shared));

    section("a changed timeout moves it in both");
    TRACE(SSL_SESSION_set_timeout(shared, 50));
    CALL(SSL_CTX_flush_sessions(first, T0 + 51));
    TRACE(SSL_CTX_sess_number(first));
    TRACE(SSL_CTX_sess_number(second));
    CALL(SSL_CTX_flush_sessions(second, T0 + 51));
    TRACE(SSL_CTX_sess_number(second));

    section("removed from one it stays in the other");
    TRACE(SSL_CTX_add_session(first, shared));
    TRACE(SSL_CTX_add_session(second, shared));
    TRACE(SSL_CTX_remove_session(first, shared));
    TRACE(SSL_CTX_sess_number(first));
    TRACE(SSL_CTX_sess_number(second));

    section("the contexts hold it when the owner lets go, each until its end");
    TRACE(SSL_CTX_add_session(first, shared));
    CALL(SSL_SESSION_free(shared));
    CALL(SSL_CTX_free(first));
    TRACE(SSL_CTX_sess_number(second));
    CALL(SSL_CTX_free(second));
    return 0;
}
