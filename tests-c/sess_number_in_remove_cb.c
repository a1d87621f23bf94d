/*
 * SSL_CTX_sess_number(3), and the table of SSL_CTX_sessions(3), inside remove_cb while several sessions leave in one
 * call: it falls from one to the next.
 */
#include "conformance.h"

#include <openssl/lhash.h>

static OPENSSL_LHASH *table;

static void says_number(SSL_CTX *ctx, SSL_SESSION *session)
{
    long number = SSL_CTX_sess_number(ctx);

    trace_inside("remove_cb %s, number %ld, in the table %lu, it too %d", name_of(session), number,
                 OPENSSL_LH_num_items(table), OPENSSL_LH_retrieve(table, session) != NULL);
}

int main(void)
{
    SSL_CTX *ctx = context_new();

    table = (OPENSSL_LHASH *)SSL_CTX_sessions(ctx);
    SSL_CTX_sess_set_remove_cb(ctx, says_number);
    add_new(ctx, "a", T0, 100);
    add_new(ctx, "b", T0, 200);
    add_new(ctx, "c", T0, 300);
    add_new(ctx, "d", T0, 400);
    CALL(SSL_CTX_flush_sessions(ctx, T0 + 301));
    CALL(SSL_CTX_flush_sessions(ctx, 0));

    section("an eviction of several");
    add_new(ctx, "a", T0, 100);
    add_new(ctx, "b", T0, 200);
    add_new(ctx, "c", T0, 300);
    SSL_CTX_sess_set_cache_size(ctx, 2);
    trace_begin("adding d");
    add_new(ctx, "d", T0, 400);
    trace_end("done");
    SSL_CTX_sess_set_remove_cb(ctx, NULL);
    CALL(SSL_CTX_free(ctx));
    return 0;
}
