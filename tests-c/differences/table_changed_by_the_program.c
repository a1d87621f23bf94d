/*
 * A program changes the table that SSL_CTX_sessions shows. With libssl it is the cache; with the library nothing
 * happens to the cache, and what is in the cache can be taken out of it as ever.
 */
#include "conformance.h"

#include <openssl/lhash.h>

static void show(SSL_CTX *ctx, OPENSSL_LHASH *table)
{
    printf("    in the table %lu, in the cache %ld\n", OPENSSL_LH_num_items(table), SSL_CTX_sess_number(ctx));
}

int main(void)
{
    SSL_CTX *ctx = context_that_says_removed();
    SSL_SESSION *a = session_new("a", TLS1_2_VERSION, T0, 100), *b = session_new("b", TLS1_2_VERSION, T0, 200);
    OPENSSL_LHASH *table = (OPENSSL_LHASH *)SSL_CTX_sessions(ctx);

    TRACE(SSL_CTX_add_session(ctx, a));
    TRACE(SSL_CTX_add_session(ctx, b));
    section("taken out of the table");
    TRACE(OPENSSL_LH_delete(table, a) == a);
    show(ctx, table);
    TRACE(SSL_CTX_remove_session(ctx, a));
    show(ctx, table);
    TRACE(SSL_CTX_remove_session(ctx, b));
    show(ctx, table);
    section("taken out, then added again");
    TRACE(SSL_CTX_add_session(ctx, b));
    TRACE(OPENSSL_LH_delete(table, b) == b);
    CALL(SSL_CTX_flush_sessions(ctx, 0));
    TRACE(SSL_CTX_add_session(ctx, b));
    show(ctx, table);
    CALL(SSL_SESSION_free(a));
    CALL(SSL_SESSION_free(b));
    CALL(SSL_CTX_free(ctx));
    return 0;
}
