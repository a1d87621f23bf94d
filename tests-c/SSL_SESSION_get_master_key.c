/* SSL_get_client_random(3): SSL_SESSION_get_master_key, SSL_SESSION_set1_master_key. */
#include "conformance.h"

static void print_key(const SSL_SESSION *session, size_t room)
{
    unsigned char out[1024];

    memset(out, 0xdd, sizeof(out));
    size_t length = SSL_SESSION_get_master_key(session, out, room);
    printf("    room for %zu\n", room);
    print_hex("key", out, length);
    TRACE(out[length] == 0xdd);
}

int main(void)
{
    SSL_SESSION *session = SSL_SESSION_new();
    unsigned char key[1024];

    for (size_t i = 0; i < sizeof(key); i++)
        key[i] = (unsigned char)i;

    section("no key yet");
    TRACE(SSL_SESSION_get_master_key(session, NULL, 0));
    print_key(session, 48);

    section("48 bytes, read whole, in part and by length only");
    TRACE(SSL_SESSION_set1_master_key(session, key, 48));
    TRACE(SSL_SESSION_get_master_key(session, NULL, 0));
    print_key(session, 48);
    print_key(session, 1000);
    print_key(session, 5);
    print_key(session, 1);

    section("the key is copied");
    key[0] = 0xee;
    print_key(session, 4);

    section("shorter, empty");
    TRACE(SSL_SESSION_set1_master_key(session, key + 100, 3));
    print_key(session, 48);
    TRACE(SSL_SESSION_set1_master_key(session, key, 0));
    print_key(session, 48);

    section("the longest, and longer ones, which change nothing and say nothing");
    TRACE(SSL_SESSION_set1_master_key(session, key, 32));
    TRACE(SSL_SESSION_set1_master_key(session, key, 513));
    print_errors();
    TRACE(SSL_SESSION_get_master_key(session, NULL, 0));
    TRACE(SSL_SESSION_set1_master_key(session, key, SIZE_MAX));
    print_errors();
    TRACE(SSL_SESSION_get_master_key(session, NULL, 0));
    TRACE(SSL_SESSION_set1_master_key(session, key, 512));
    TRACE(SSL_SESSION_get_master_key(session, NULL, 0));
    print_key(session, 600);
    SSL_SESSION_free(session);
    return 0;
}
