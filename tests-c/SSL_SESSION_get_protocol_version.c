/* SSL_SESSION_get_protocol_version(3): any number is stored, none is checked. */
#include "conformance.h"

int main(void)
{
    SSL_SESSION *session = SSL_SESSION_new();

    TRACE(SSL_SESSION_get_protocol_version(session));
    TRACE(SSL_SESSION_set_protocol_version(session, TLS1_2_VERSION));
    TRACE(SSL_SESSION_get_protocol_version(session));
    TRACE(SSL_SESSION_set_protocol_version(session, TLS1_3_VERSION));
    TRACE(SSL_SESSION_get_protocol_version(session));
    TRACE(SSL_SESSION_set_protocol_version(session, DTLS1_2_VERSION));
    TRACE(SSL_SESSION_get_protocol_version(session));
    TRACE(SSL_SESSION_set_protocol_version(session, 0));
    TRACE(SSL_SESSION_get_protocol_version(session));
    TRACE(SSL_SESSION_set_protocol_version(session, -1));
    TRACE(SSL_SESSION_get_protocol_version(session));
    TRACE(SSL_SESSION_set_protocol_version(session, INT_MAX));
    TRACE(SSL_SESSION_get_protocol_version(session));
    TRACE(SSL_SESSION_set_protocol_version(session, INT_MIN));
    TRACE(SSL_SESSION_get_protocol_version(session));
    SSL_SESSION_free(session);

    section("versions that nobody speaks make entries of their own");
    SSL_CTX *ctx = context_that_says_removed();
    SSL_SESSION *negative = session_new("a", -1, T0, 100);
    SSL_SESSION *zero = session_new("a", 0, T0, 200);
    SSL_SESSION *low16 = session_new("a", 0x10303, T0, 300);
    SSL_SESSION *tls12 = session_new("a", 0x0303, T0, 400);
    session_name(negative, "negative");
    session_name(zero, "zero");
    session_name(low16, "0x10303");
    session_name(tls12, "0x0303");
    TRACE(SSL_CTX_add_session(ctx, negative));
    TRACE(SSL_CTX_add_session(ctx, zero));
    TRACE(SSL_CTX_add_session(ctx, low16));
    TRACE(SSL_CTX_add_session(ctx, tls12));
    TRACE(SSL_CTX_sess_number(ctx));
    TRACE(SSL_CTX_remove_session(ctx, low16));
    TRACE(SSL_SESSION_is_resumable(tls12));
    CALL(SSL_CTX_free(ctx));
    CALL(SSL_SESSION_free(negative));
    CALL(SSL_SESSION_free(zero));
    CALL(SSL_SESSION_free(low16));
    CALL(SSL_SESSION_free(tls12));
    return 0;
}
