/* A server and a client in one process: full, resumed, counted. */
#include "tls.h"

int main(void)
{
    SSL_CTX *server = tls_server(TLS1_2_VERSION), *client = tls_client(TLS1_2_VERSION);
    SSL_SESSION *session = NULL;
    int first = tls_visit(client, server, &session), second = tls_visit(client, server, &session);
    printf("visits %d %d, held %ld, hits %ld\n", first, second, SSL_CTX_sess_number(server), SSL_CTX_sess_hits(server));
    SSL_SESSION_free(session);
    SSL_CTX_free(server);
    SSL_CTX_free(client);
    tls_discard();
    return 0;
}
