/* Contexts from both constructors, called by their names. */
#include "tls.h"

int main(void)
{
    SSL_CTX *first = SSL_CTX_new(TLS_method());
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
    SSL_CTX *second = SSL_CTX_new_ex(NULL, NULL, TLS_method());
#else
    SSL_CTX *second = SSL_CTX_new(TLS_method());
#endif
    printf("%d %d\n", first != NULL, second != NULL);
    SSL_CTX_free(first);
    SSL_CTX_free(second);
    return 0;
}
