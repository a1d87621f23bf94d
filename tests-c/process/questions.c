/* Calls that make nothing, and then what only the first to use libcrypto may have. */
#include <openssl/opensslv.h>

#include "tls.h"

static int allocations;

static void *counted_malloc(size_t size, const char *file, int line) { (void)file, (void)line; allocations++; return malloc(size); }
static void *counted_realloc(void *p, size_t size, const char *file, int line) { (void)file, (void)line; return realloc(p, size); }
static void counted_free(void *p, const char *file, int line) { (void)file, (void)line; free(p); }

static void ask(void)
{
    const SSL_METHOD *methods[] = {TLS_method(), TLS_client_method(), TLS_server_method(), DTLS_method()};
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        printf("%d", methods[i] != NULL);
    SSL_CTX_free(NULL);
    SSL_free(NULL);
    SSL_SESSION_free(NULL);
    printf(" %s %d\n", SSL_CIPHER_get_name(NULL), SSL_CIPHER_get_bits(NULL, NULL));
}

int main(int argc, char **argv)
{
    const char *wish = argc > 1 ? argv[1] : "";
    ask();
    if (strcmp(wish, "memory") == 0)
        printf("CRYPTO_set_mem_functions %d\n", CRYPTO_set_mem_functions(counted_malloc, counted_realloc, counted_free));
    else if (strcmp(wish, "index") == 0) {
        printf("first index of contexts %d", SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL));
        printf(", of connections %d", SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL));
        printf(", of sessions %d\n", SSL_SESSION_get_ex_new_index(0, NULL, NULL, NULL, NULL));
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
    } else if (strcmp(wish, "library_context") == 0) {
        OSSL_LIB_CTX *own = OSSL_LIB_CTX_new();
        OSSL_LIB_CTX *before = OSSL_LIB_CTX_set0_default(own);
        printf("first index of contexts %d\n", SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL));
        OSSL_LIB_CTX_set0_default(before);
        OSSL_LIB_CTX_free(own);
#endif
    }
    ask();
    SSL_CTX *server = tls_server(TLS1_2_VERSION), *client = tls_client(TLS1_2_VERSION);
    SSL_SESSION *session = NULL;
    int first = tls_visit(client, server, &session), second = tls_visit(client, server, &session);
    printf("visits %d %d, allocations %s\n", first, second, allocations ? "its own" : "libcrypto's");
    SSL_SESSION_free(session);
    SSL_CTX_free(server);
    SSL_CTX_free(client);
    tls_discard();
    return 0;
}
