/*
 * The small fields: SSL_SESSION_get_max_early_data, SSL_SESSION_set_max_early_data (SSL_read_early_data(3)),
 * SSL_SESSION_get_max_fragment_length, SSL_SESSION_get_compress_id, SSL_SESSION_get0_peer.
 */
#include "der.h"

int main(void)
{
    section("early data");
    SSL_SESSION *session = SSL_SESSION_new();
    TRACE(SSL_SESSION_get_max_early_data(session));
    TRACE(SSL_SESSION_set_max_early_data(session, 16384));
    TRACE(SSL_SESSION_get_max_early_data(session));
    TRACE(SSL_SESSION_set_max_early_data(session, UINT32_MAX));
    TRACE(SSL_SESSION_get_max_early_data(session));
    TRACE(SSL_SESSION_set_max_early_data(session, 0));
    TRACE(SSL_SESSION_get_max_early_data(session));

    section("the fragment length: not negotiated reads as 0");
    TRACE(SSL_SESSION_get_max_fragment_length(session));
    SSL_SESSION_free(session);
    static const char *const modes[] = {"b103020101", "b103020102", "b103020104", "b104020200ff", ""};
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        char contents[200];
        snprintf(contents, sizeof(contents), "%s a4020400 %s b303020100", TLS12 TIMES, modes[i]);
        session = decode(contents);
        REQUIRE(session != NULL);
        TRACE(SSL_SESSION_get_max_fragment_length(session));
        print_der(session);
        SSL_SESSION_free(session);
    }

    section("the compression method");
    session = decode(TLS12 TIMES "a4020400 ab03 0401 01 b303020100");
    REQUIRE(session != NULL);
    TRACE(SSL_SESSION_get_compress_id(session));
    print_der(session);
    SSL_SESSION_free(session);

    section("the peer");
    session = SSL_SESSION_new();
    TRACE(SSL_SESSION_get0_peer(session) == NULL);
    SSL_SESSION_free(session);
    return 0;
}
