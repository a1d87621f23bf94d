/* SSL_SESSION_get0_cipher(3), SSL_SESSION_set_cipher, and the names that a cipher has. */
#include "der.h"

static void print_cipher(const SSL_CIPHER *cipher)
{
    const char *name = SSL_CIPHER_get_name(cipher);
    const char *standard = SSL_CIPHER_standard_name(cipher);
    const char *version = SSL_CIPHER_get_version(cipher);
    uint32_t id = SSL_CIPHER_get_id(cipher);
    uint16_t protocol_id = SSL_CIPHER_get_protocol_id(cipher);

    printf("    %08x %04x %s %s %s\n", id, protocol_id, name, standard, version);
}

int main(void)
{
    static const unsigned char codes[][2] = {
        {0x13, 0x01}, {0x13, 0x02}, {0x13, 0x03}, {0xc0, 0x2f}, {0xc0, 0x30}, {0xc0, 0x2b},
        {0xcc, 0xa8}, {0x00, 0x9c}, {0x00, 0x9e}, {0x00, 0x2f}, {0x00, 0x35}, {0xc0, 0x13},
    };
    SSL_CTX *ctx = context_new();
    SSL *ssl = SSL_new(ctx);

    section("ciphers by their two bytes");
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        const SSL_CIPHER *cipher = SSL_CIPHER_find(ssl, codes[i]);
        REQUIRE(cipher != NULL);
        print_cipher(cipher);
    }
    static const unsigned char nobody[2] = {0xfe, 0xfe};
    TRACE(SSL_CIPHER_find(ssl, nobody) == NULL);
    TRACE(SSL_CIPHER_find(ssl, codes[0]) == SSL_CIPHER_find(ssl, codes[0]));

    section("a session keeps the pointer");
    SSL_SESSION *session = SSL_SESSION_new();
    SSL_SESSION_set_time(session, T0);
    SSL_SESSION_set_protocol_version(session, TLS1_2_VERSION);
    const SSL_CIPHER *c02f = SSL_CIPHER_find(ssl, codes[3]);
    TRACE(SSL_SESSION_get0_cipher(session) == NULL);
    TRACE(i2d_SSL_SESSION(session, NULL));
    TRACE(SSL_SESSION_set_cipher(session, c02f));
    TRACE(SSL_SESSION_get0_cipher(session) == c02f);
    print_der(session);
    TRACE(SSL_SESSION_set_cipher(session, SSL_CIPHER_find(ssl, codes[0])));
    print_der(session);

    section("and can lose it; without a cipher there is no encoding");
    TRACE(SSL_SESSION_set_cipher(session, NULL));
    TRACE(SSL_SESSION_get0_cipher(session) == NULL);
    TRACE(i2d_SSL_SESSION(session, NULL));
    SSL_SESSION_free(session);

    section("a decoded session has the cipher of its two bytes");
    session = session_of("decoded", TLS13 TIMES "a4020400 b303020100");
    print_cipher(SSL_SESSION_get0_cipher(session));
    TRACE(SSL_SESSION_get0_cipher(session) == SSL_CIPHER_find(ssl, codes[0]));

    section("and remembers them when the pointer is taken away");
    TRACE(SSL_SESSION_set_cipher(session, NULL));
    print_der(session);
    SSL_SESSION_free(session);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    return 0;
}
