/* SSL_CTX_set_generate_session_id(3): SSL_has_matching_session_id and the two setters. */
#include "conformance.h"

static int generate(SSL *ssl UNUSED, unsigned char *id, unsigned int *length)
{
    memset(id, 'g', *length);
    return 1;
}

static int has(SSL *ssl, const char *id)
{
    return SSL_has_matching_session_id(ssl, (const unsigned char *)id, (unsigned int)strlen(id));
}

static void setters(void)
{
    section("a generator can be set and taken away, on a context and on a connection");
    SSL_CTX *ctx = context_new();
    SSL *ssl = SSL_new(ctx);

    REQUIRE(ssl != NULL);
    TRACE(SSL_CTX_set_generate_session_id(ctx, generate));
    TRACE(SSL_CTX_set_generate_session_id(ctx, NULL));
    TRACE(SSL_set_generate_session_id(ssl, generate));
    TRACE(SSL_set_generate_session_id(ssl, NULL));
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

static void matching(void)
{
    section("an id matches in the version of the connection: 1.3 before the handshake");
    SSL_CTX *ctx = context_new();
    SSL *ssl = SSL_new(ctx);
    SSL_SESSION *tls12 = session_new("tls12", TLS1_2_VERSION, T0, 100);
    SSL_SESSION *tls13 = session_new("tls13", TLS1_3_VERSION, T0, 100);

    TRACE(SSL_version(ssl));
    TRACE(has(ssl, "tls13"));
    TRACE(SSL_CTX_add_session(ctx, tls12));
    TRACE(SSL_CTX_add_session(ctx, tls13));
    TRACE(has(ssl, "tls12"));
    TRACE(has(ssl, "tls13"));
    TRACE(has(ssl, "tls1"));
    TRACE(has(ssl, "tls133"));
    SSL_free(ssl);

    section("a connection of a fixed version");
    SSL_CTX *fixed = SSL_CTX_new(TLSv1_2_method());
    REQUIRE(fixed != NULL);
    ssl = SSL_new(fixed);
    TRACE(SSL_version(ssl));
    SSL_SESSION *fixed12 = session_new("fixed12", TLS1_2_VERSION, T0, 100);
    SSL_SESSION *fixed13 = session_new("fixed13", TLS1_3_VERSION, T0, 100);
    TRACE(SSL_CTX_add_session(fixed, fixed12));
    TRACE(SSL_CTX_add_session(fixed, fixed13));
    TRACE(has(ssl, "fixed12"));
    TRACE(has(ssl, "fixed13"));
    TRACE(has(ssl, "tls12"));
    SSL_free(ssl);
    CALL(SSL_CTX_free(fixed));
    CALL(SSL_SESSION_free(fixed12));
    CALL(SSL_SESSION_free(fixed13));

    section("neither the mode nor the age of the session nor get_cb matters");
    ssl = SSL_new(ctx);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_get_cb(ctx, say_get);
    TRACE(has(ssl, "tls13"));
    TRACE(has(ssl, "nobody's"));
    TRACE(SSL_CTX_sess_hits(ctx));
    TRACE(SSL_CTX_sess_misses(ctx));
    TRACE(SSL_CTX_sess_cb_hits(ctx));

    section("ids of absurd lengths");
    unsigned char id[64] = {0};
    TRACE(SSL_has_matching_session_id(ssl, id, 33));
    TRACE(SSL_has_matching_session_id(ssl, id, UINT_MAX));
    TRACE(SSL_has_matching_session_id(ssl, id, 32));
    TRACE(SSL_has_matching_session_id(ssl, id, 0));
    SSL_SESSION *empty = session_new("", TLS1_3_VERSION, T0, 100);
    session_name(empty, "empty");
    TRACE(SSL_CTX_add_session(ctx, empty));
    TRACE(SSL_has_matching_session_id(ssl, id, 0));

    section("no longer after a remove");
    TRACE(SSL_CTX_remove_session(ctx, tls13));
    TRACE(has(ssl, "tls13"));
    SSL_free(ssl);
    CALL(SSL_SESSION_free(tls12));
    CALL(SSL_SESSION_free(tls13));
    CALL(SSL_SESSION_free(empty));
    CALL(SSL_CTX_free(ctx));
}

static void after_a_switch_of_context(void)
{
    section("a connection that was switched still looks in the context it came from");
    SSL_CTX *from = context_new();
    SSL_CTX *to = context_new();
    SSL_SESSION *here = session_new("from", TLS1_3_VERSION, T0, 100);
    SSL_SESSION *there = session_new("to", TLS1_3_VERSION, T0, 100);
    SSL *ssl = SSL_new(from);

    TRACE(SSL_CTX_add_session(from, here));
    TRACE(SSL_CTX_add_session(to, there));
    TRACE(SSL_get_SSL_CTX(ssl) == from);
    TRACE(SSL_set_SSL_CTX(ssl, to) == to);
    TRACE(SSL_get_SSL_CTX(ssl) == to);
    TRACE(has(ssl, "from"));
    TRACE(has(ssl, "to"));

    section("and holds it until it ends");
    SSL_CTX_sess_set_remove_cb(from, say_removed);
    SSL_CTX_sess_set_remove_cb(to, say_removed);
    CALL(SSL_CTX_free(from));
    CALL(SSL_CTX_free(to));
    TRACE(has(ssl, "from"));
    CALL(SSL_free(ssl));
    CALL(SSL_SESSION_free(here));
    CALL(SSL_SESSION_free(there));
}

int main(void)
{
    setters();
    matching();
    after_a_switch_of_context();
    return 0;
}
