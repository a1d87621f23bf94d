/*
 * A remove_cb that uses the cache. From SSL_CTX_remove_session this works with every libssl: no lock is
 * held there. (From a flush or an eviction it does not: differences/reentrant_in_flush_and_eviction.c.)
 */
#include "conformance.h"

static SSL_SESSION *next_to_remove, *to_add;

static void removes_another(SSL_CTX *ctx, SSL_SESSION *session)
{
    say_removed(ctx, session);
    SSL_SESSION *next = next_to_remove;
    next_to_remove = NULL;
    if (next != NULL) {
        int result = SSL_CTX_remove_session(ctx, next);
        trace_inside("inside: SSL_CTX_remove_session %s = %d", name_of(next), result);
    }
}

static void removes_itself_again(SSL_CTX *ctx, SSL_SESSION *session)
{
    static int depth;

    say_removed(ctx, session);
    if (depth == 0) {
        depth++;
        int result = SSL_CTX_remove_session(ctx, session);
        trace_inside("inside: SSL_CTX_remove_session again = %d", result);
        depth--;
    }
}

static void adds(SSL_CTX *ctx, SSL_SESSION *session)
{
    say_removed(ctx, session);
    if (to_add == NULL)
        return;
    int result = SSL_CTX_add_session(ctx, to_add);
    long number = SSL_CTX_sess_number(ctx);
    trace_inside("inside: SSL_CTX_add_session %s = %d, number %ld", name_of(to_add), result, number);
}

static void flushes(SSL_CTX *ctx, SSL_SESSION *session)
{
    say_removed(ctx, session);
    SSL_CTX_sess_set_remove_cb(ctx, say_removed);
    SSL_CTX_flush_sessions(ctx, 0);
    long number = SSL_CTX_sess_number(ctx);
    trace_inside("inside: flushed, number %ld", number);
}

static void changes_timeout(SSL_CTX *ctx, SSL_SESSION *session)
{
    say_removed(ctx, session);
    if (to_add == NULL)
        return;
    int result = SSL_SESSION_set_timeout(to_add, 1000);
    trace_inside("inside: SSL_SESSION_set_timeout %s = %d", name_of(to_add), result);
}

static SSL_CTX *other_context;

static void moves_to_the_other_context(SSL_CTX *ctx, SSL_SESSION *session)
{
    say_removed(ctx, session);
    int result = SSL_CTX_add_session(other_context, session);
    trace_inside("inside: SSL_CTX_add_session to the other = %d", result);
}

int main(void)
{
    SSL_CTX *ctx = context_new();
    SSL_SESSION *a = session_new("a", TLS1_2_VERSION, T0, 100);
    SSL_SESSION *b = session_new("b", TLS1_2_VERSION, T0, 200);
    SSL_SESSION *c = session_new("c", TLS1_2_VERSION, T0, 300);

    section("remove_cb removes another session");
    SSL_CTX_sess_set_remove_cb(ctx, removes_another);
    TRACE(SSL_CTX_add_session(ctx, a));
    TRACE(SSL_CTX_add_session(ctx, b));
    next_to_remove = b;
    TRACE(SSL_CTX_remove_session(ctx, a));
    TRACE(SSL_CTX_sess_number(ctx));

    section("the inner result does not become the outer one");
    TRACE(SSL_CTX_add_session(ctx, a));
    next_to_remove = b;
    TRACE(SSL_CTX_remove_session(ctx, a));
    TRACE(SSL_CTX_add_session(ctx, b));
    next_to_remove = b;
    TRACE(SSL_CTX_remove_session(ctx, a));

    section("remove_cb removes the same session again");
    SSL_CTX_sess_set_remove_cb(ctx, removes_itself_again);
    TRACE(SSL_CTX_add_session(ctx, a));
    TRACE(SSL_CTX_remove_session(ctx, a));

    section("remove_cb adds another session");
    SSL_CTX_sess_set_remove_cb(ctx, adds);
    TRACE(SSL_CTX_add_session(ctx, a));
    to_add = b;
    TRACE(SSL_CTX_remove_session(ctx, a));
    TRACE(SSL_CTX_sess_number(ctx));

    section("remove_cb puts the session back");
    TRACE(SSL_CTX_add_session(ctx, a));
    to_add = a;
    TRACE(SSL_CTX_remove_session(ctx, a));
    TRACE(SSL_CTX_sess_number(ctx));
    to_add = NULL;
    TRACE(SSL_CTX_remove_session(ctx, a));

    section("remove_cb flushes");
    SSL_CTX_sess_set_remove_cb(ctx, flushes);
    TRACE(SSL_CTX_add_session(ctx, c));
    TRACE(SSL_CTX_remove_session(ctx, a));
    TRACE(SSL_CTX_sess_number(ctx));

    section("remove_cb changes a cached session's timeout");
    SSL_CTX_sess_set_remove_cb(ctx, changes_timeout);
    TRACE(SSL_CTX_add_session(ctx, b));
    TRACE(SSL_CTX_add_session(ctx, c));
    to_add = b;
    TRACE(SSL_CTX_remove_session(ctx, a));
    to_add = NULL;
    CALL(SSL_CTX_flush_sessions(ctx, 0));

    section("remove_cb hands the session to another context");
    other_context = context_that_says_removed();
    SSL_CTX_sess_set_remove_cb(ctx, moves_to_the_other_context);
    TRACE(SSL_CTX_add_session(ctx, a));
    TRACE(SSL_CTX_remove_session(ctx, a));
    TRACE(SSL_CTX_sess_number(ctx));
    TRACE(SSL_CTX_sess_number(other_context));
    CALL(SSL_CTX_free(other_context));

    CALL(SSL_SESSION_free(a));
    CALL(SSL_SESSION_free(b));
    CALL(SSL_SESSION_free(c));
    CALL(SSL_CTX_free(ctx));
    return 0;
}
