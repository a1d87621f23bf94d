/* Uses the library standing alone and says whether the kernel started it with more rights
 * than its caller has. */
#include <openssl/ssl.h>

#include <stdio.h>
#include <sys/auxv.h>

int main(void) {
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    SSL_SESSION *session = SSL_SESSION_new();

    SSL_SESSION_set1_id(session, (const unsigned char *)"id", 2);
    printf("secure %lu, added %d\n", getauxval(AT_SECURE), SSL_CTX_add_session(ctx, session));
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
    return 0;
}
