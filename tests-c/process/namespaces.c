/*
 * namespaces PLUGIN   has TLS of its own, then loads a plugin into a namespace of its own (dlmopen), where the library is
 *                     not. The C libraries of both count from 0 the keys of the very same threads: all goes well as long
 *                     as both libcryptos take the same keys in the same order, and nobody else takes any.
 */
#include "tls.h"

#include <dlfcn.h>

static SSL_CTX *server, *client;
static SSL_SESSION *session;

static void run_own(void)
{
    int visit = tls_visit(client, server, &session);
    printf("own: visit %d, holds %ld\n", visit, SSL_CTX_sess_number(server));
}

/* What the plugin says it says through a C library of its own. */
static void call(void *plugin, const char *name)
{
    void (*function)(void) = (void (*)(void))dlsym(plugin, name);
    int (*flush)(FILE *) = (int (*)(FILE *))dlsym(plugin, "fflush");
    fflush(stdout);
    function();
    flush(NULL);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    server = tls_server(TLS1_2_VERSION);
    client = tls_client(TLS1_2_VERSION);
    run_own();
    void *plugin = dlmopen(LM_ID_NEWLM, argv[1], RTLD_NOW);
    if (!plugin) {
        puts(dlerror());
        return 1;
    }
    call(plugin, "plugin_begin");
    for (int i = 0; i < 3; i++) {
        call(plugin, "plugin_run");
        run_own();
    }
    call(plugin, "plugin_end");
    run_own();
    SSL_SESSION_free(session);
    SSL_CTX_free(server);
    SSL_CTX_free(client);
    tls_discard();
    return 0;
}
