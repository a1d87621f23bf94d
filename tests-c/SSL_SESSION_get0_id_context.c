/* SSL_SESSION_get0_id_context(3), SSL_SESSION_set1_id_context. */
#include "conformance.h"

static void print_context(const SSL_SESSION *session)
{
    unsigned int length = 77;
    const unsigned char *context = SSL_SESSION_get0_id_context(session, &length);

    REQUIRE(context != NULL && length <= SSL_MAX_SID_CTX_LENGTH);
    print_hex("id context", context, length);
}

int main(void)
{
    SSL_SESSION *session = SSL_SESSION_new();
    unsigned char bytes[64];

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (unsigned char)(0xa0 + i);

    section("contexts of 0 to 32 bytes");
    print_context(session);
    TRACE(SSL_SESSION_set1_id_context(session, bytes, 32));
    print_context(session);
    TRACE(SSL_SESSION_set1_id_context(session, bytes + 10, 1));
    print_context(session);
    TRACE(SSL_SESSION_set1_id_context(session, bytes, 0));
    print_context(session);

    section("the bytes are copied");
    TRACE(SSL_SESSION_set1_id_context(session, bytes, 4));
    bytes[0] = 0xee;
    print_context(session);
    TRACE(SSL_SESSION_get0_id_context(session, NULL) != NULL);

    section("more than 32 bytes are refused and change nothing");
    TRACE(SSL_SESSION_set1_id_context(session, bytes, 33));
    print_errors();
    TRACE(SSL_SESSION_set1_id_context(session, bytes, UINT_MAX));
    print_errors();
    print_context(session);

    section("a context does not make a session resumable");
    TRACE(SSL_SESSION_is_resumable(session));
    SSL_SESSION_free(session);
    return 0;
}
