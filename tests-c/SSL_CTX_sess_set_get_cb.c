/* SSL_CTX_sess_set_get_cb(3): the three callbacks are stored and given back as they are. */
#include "conformance.h"

static void another_remove(SSL_CTX *ctx UNUSED, SSL_SESSION *session)
{
    trace_inside("the other remove_cb %s", name_of(session));
}

/* Function pointers are compared, never printed. */
static const char *new_cb_of(SSL_CTX *ctx)
{
    return SSL_CTX_sess_get_new_cb(ctx) == NULL      ? "none"
           : SSL_CTX_sess_get_new_cb(ctx) == say_new ? "say_new"
                                                     : "something else";
}

static const char *remove_cb_of(SSL_CTX *ctx)
{
    return SSL_CTX_sess_get_remove_cb(ctx) == NULL             ? "none"
           : SSL_CTX_sess_get_remove_cb(ctx) == say_removed    ? "say_removed"
           : SSL_CTX_sess_get_remove_cb(ctx) == another_remove ? "another_remove"
                                                               : "something else";
}

static const char *get_cb_of(SSL_CTX *ctx)
{
    return SSL_CTX_sess_get_get_cb(ctx) == NULL      ? "none"
           : SSL_CTX_sess_get_get_cb(ctx) == say_get ? "say_get"
                                                     : "something else";
}

int main(void)
{
    SSL_CTX *ctx = context_new();
    SSL_CTX *other = context_new();

    section("a fresh context has none");
    TRACE(new_cb_of(ctx));
    TRACE(remove_cb_of(ctx));
    TRACE(get_cb_of(ctx));

    section("each is given back, in its own context only");
    CALL(SSL_CTX_sess_set_new_cb(ctx, say_new));
    CALL(SSL_CTX_sess_set_remove_cb(ctx, say_removed));
    CALL(SSL_CTX_sess_set_get_cb(ctx, say_get));
    TRACE(new_cb_of(ctx));
    TRACE(remove_cb_of(ctx));
    TRACE(get_cb_of(ctx));
    TRACE(new_cb_of(other));
    TRACE(remove_cb_of(other));
    TRACE(get_cb_of(other));

    section("neither new_cb nor get_cb belongs to the application's own calls");
    SSL_SESSION *a = session_new("a", TLS1_2_VERSION, T0, 100);
    TRACE(SSL_CTX_add_session(ctx, a));
    TRACE(SSL_CTX_remove_session(ctx, a));

    section("remove_cb can be exchanged and taken away at any time");
    TRACE(SSL_CTX_add_session(ctx, a));
    CALL(SSL_CTX_sess_set_remove_cb(ctx, another_remove));
    TRACE(remove_cb_of(ctx));
    TRACE(SSL_CTX_remove_session(ctx, a));
    TRACE(SSL_CTX_add_session(ctx, a));
    CALL(SSL_CTX_sess_set_remove_cb(ctx, NULL));
    TRACE(remove_cb_of(ctx));
    TRACE(SSL_CTX_remove_session(ctx, a));

    section("all taken away");
    CALL(SSL_CTX_sess_set_new_cb(ctx, NULL));
    CALL(SSL_CTX_sess_set_get_cb(ctx, NULL));
    TRACE(new_cb_of(ctx));
    TRACE(remove_cb_of(ctx));
    TRACE(get_cb_of(ctx));

    section("the callback is given the context that it was set on");
    context_name(ctx, "first");
    CALL(SSL_CTX_sess_set_remove_cb(ctx, say_removed));
    TRACE(SSL_CTX_remove_session(ctx, a));
    TRACE(name_of_context(ctx));

    CALL(SSL_SESSION_free(a));
    CALL(SSL_CTX_free(ctx));
    CALL(SSL_CTX_free(other));
    return 0;
}
