/* SSL_SESSION_set1_id(3): SSL_SESSION_get_id, SSL_SESSION_set1_id. */
#include "conformance.h"

static void print_id(const SSL_SESSION *session)
{
    unsigned int length = 77;
    const unsigned char *id = SSL_SESSION_get_id(session, &length);

    REQUIRE(id != NULL && length <= SSL_MAX_SSL_SESSION_ID_LENGTH);
    print_hex("id", id, length);
}

int main(void)
{
    SSL_SESSION *session = SSL_SESSION_new();
    unsigned char bytes[64];

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (unsigned char)(i + 1);

    section("ids of 0 to 32 bytes");
    print_id(session);
    TRACE(SSL_SESSION_set1_id(session, bytes, 32));
    print_id(session);
    TRACE(SSL_SESSION_set1_id(session, bytes + 10, 1));
    print_id(session);
    TRACE(SSL_SESSION_set1_id(session, bytes, 0));
    print_id(session);
    TRACE(SSL_SESSION_set1_id(session, bytes, 16));
    TRACE(SSL_SESSION_set1_id(session, NULL, 0));
    print_id(session);

    section("the bytes are copied");
    TRACE(SSL_SESSION_set1_id(session, bytes, 4));
    bytes[0] = 0xee;
    print_id(session);

    section("its own id");
    TRACE(SSL_SESSION_set1_id(session, SSL_SESSION_get_id(session, NULL), 4));
    print_id(session);

    section("the pointer stays the same while the id changes");
    const unsigned char *first = SSL_SESSION_get_id(session, NULL);
    TRACE(SSL_SESSION_set1_id(session, bytes, 32));
    const unsigned char *second = SSL_SESSION_get_id(session, NULL);
    TRACE(first == second);

    section("more than 32 bytes are refused and change nothing");
    TRACE(SSL_SESSION_set1_id(session, bytes, 5));
    print_errors();
    TRACE(SSL_SESSION_set1_id(session, bytes, 33));
    print_errors();
    print_id(session);
    TRACE(SSL_SESSION_set1_id(session, bytes, UINT_MAX));
    print_errors();
    print_id(session);

    section("the id makes a session resumable");
    TRACE(SSL_SESSION_is_resumable(session));
    TRACE(SSL_SESSION_set1_id(session, bytes, 0));
    TRACE(SSL_SESSION_is_resumable(session));
    SSL_SESSION_free(session);
    return 0;
}
