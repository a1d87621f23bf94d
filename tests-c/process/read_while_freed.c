/* Reads the counters of a context while it is freed; its index is taken before or after the first context is made. */
#include "tls.h"

static void on_free(void *ctx, void *data, CRYPTO_EX_DATA *ad, int index, long argl, void *argp)
{
    (void)ad, (void)index, (void)argl, (void)argp;
    if (data)
        printf("hits %ld, of the callback %ld\n", SSL_CTX_sess_hits((SSL_CTX *)ctx), SSL_CTX_sess_cb_hits((SSL_CTX *)ctx));
}

int main(int argc, char **argv)
{
    int before = argc > 1 && strcmp(argv[1], "before") == 0, data = 0;
    int index = before ? SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, on_free) : -1;
    SSL_CTX *client = tls_client(TLS1_2_VERSION), *server = tls_server(TLS1_2_VERSION);
    if (!before)
        index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, on_free);
    SSL_CTX_set_ex_data(server, index, &data);
    SSL_SESSION *session = NULL;
    tls_visit(client, server, &session);
    tls_visit(client, server, &session);
    SSL_SESSION_free(session);
    SSL_CTX_free(server);
    SSL_CTX_free(client);
    tls_discard();
    return 0;
}
