/* SSL_CTX_sessions(3): what libcrypto's OPENSSL_LH functions see of a context's sessions. */
#include "conformance.h"

#include <openssl/lhash.h>

static int seen_a, seen_b, seen_others;

static void note(void *session)
{
    const char *name = name_of(session);

    if (strcmp(name, "a") == 0)
        seen_a++;
    else if (strcmp(name, "b") == 0)
        seen_b++;
    else
        seen_others++;
}

/* The order of a hash table is nobody's business: only how often each was seen. */
static void look(SSL_CTX *ctx)
{
    OPENSSL_LHASH *table = (OPENSSL_LHASH *)SSL_CTX_sessions(ctx);

    seen_a = seen_b = seen_others = 0;
    TRACE(table != NULL);
    TRACE(OPENSSL_LH_num_items(table));
    OPENSSL_LH_doall(table, note);
    TRACE(seen_a);
    TRACE(seen_b);
    TRACE(seen_others);
}

int main(void)
{
    SSL_CTX *ctx = context_new();
    SSL_SESSION *a = session_new("a", TLS1_2_VERSION, T0, 100);

    look(ctx);
    TRACE(SSL_CTX_add_session(ctx, a));
    look(ctx);
    add_new(ctx, "b", T0, 200);
    add_new(ctx, "c", T0, 300);
    look(ctx);
    TRACE(SSL_CTX_remove_session(ctx, a));
    look(ctx);
    CALL(SSL_CTX_flush_sessions(ctx, 0));
    look(ctx);

    section("each context has its own");
    SSL_CTX *other = context_new();
    TRACE(SSL_CTX_sessions(ctx) == SSL_CTX_sessions(other));
    add_new(ctx, "b", T0, 200);
    look(ctx);
    look(other);
    CALL(SSL_SESSION_free(a));
    CALL(SSL_CTX_free(ctx));
    CALL(SSL_CTX_free(other));
    return 0;
}
