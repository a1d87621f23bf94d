/* SSL_SESSION_get0_peer(3): the certificate of the other side, which comes and goes with the encoding. */
#include "der.h"

#include <openssl/x509.h>

/* A self-signed Ed25519 certificate of CN=peer. */
#define CERTIFICATE                                                                                       \
    "308201213081d4a003020102020101300506032b6570300f310d300b06035504030c04706565723020170d32363131323330" \
    "34323535325a180f32313236313033303034323535325a300f310d300b06035504030c0470656572302a300506032b657003" \
    "210096e249b698074508708edee6f1fcb79c7a6054e4a6c01395096f309f38c52e06a3533051301d0603551d0e04160414f9" \
    "8702f376348fdb3ba227bd0fad409b0690bad3301f0603551d23041830168014f98702f376348fdb3ba227bd0fad409b0690" \
    "bad3300f0603551d130101ff040530030101ff300506032b6570034100ab97de86eced4b760fc0307f6bd4a0ac9eb0ac35be" \
    "ff5138a59f4206da2381f3c61c5826ac42135c6be1f27edb0f441e607396baf2a1017b657008003b6d4705"

static void print_peer(SSL_SESSION *session)
{
    X509 *peer = SSL_SESSION_get0_peer(session);
    char name[100];

    if (peer == NULL) {
        puts("    no peer");
        return;
    }
    X509_NAME_oneline(X509_get_subject_name(peer), name, sizeof(name));
    printf("    peer %s\n", name);
}

int main(void)
{
    section("none");
    SSL_SESSION *session = SSL_SESSION_new();
    print_peer(session);
    SSL_SESSION_free(session);

    section("decoded, encoded");
    session = session_of("a", TLS12_ID TIMES "a3820125" CERTIFICATE "a4020400 a503020112 b303020100");
    print_peer(session);
    print_der(session);

    section("a duplicate shares it");
    SSL_SESSION *copy = SSL_SESSION_dup(session);
    session_name(copy, "copy");
    print_peer(copy);
    TRACE(SSL_SESSION_get0_peer(copy) == SSL_SESSION_get0_peer(session));
    CALL(SSL_SESSION_free(session));
    print_peer(copy);

    section("decoding an encoding without one drops it");
    unsigned char der[200];
    size_t length = sequence(TLS12_ID TIMES "a4020400 b303020100", der, sizeof(der));
    const unsigned char *next = der;
    TRACE(d2i_SSL_SESSION(&copy, &next, (long)length) == copy);
    print_peer(copy);
    CALL(SSL_SESSION_free(copy));
    return 0;
}
