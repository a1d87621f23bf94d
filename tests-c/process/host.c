/* Loads plugins and runs them in turns. With -DOWN it has TLS of its own as well.
 *
 *   host PLUGIN ...        begin each, run each three times, end each
 *   host -again PLUGIN ... and all that three times, each time loaded anew
 */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#ifdef OWN
#include "tls.h"

static SSL_CTX *server, *client;
static SSL_SESSION *session;

static void run_own(void)
{
    int visit = tls_visit(client, server, &session);
    printf("host: visit %d, holds %ld\n", visit, SSL_CTX_sess_number(server));
}
#endif

enum { MOST = 4 };

static void *handles[MOST];
static int count;

static void call(int plugin, const char *name)
{
    void (*function)(void) = (void (*)(void))dlsym(handles[plugin], name);
    function();
}

static int all(char **plugins)
{
    for (count = 0; plugins[count]; count++) {
        handles[count] = dlopen(plugins[count], RTLD_NOW | RTLD_LOCAL);
        if (!handles[count]) {
            puts(dlerror());
            return 1;
        }
    }
    for (int i = 0; i < count; i++)
        call(i, "plugin_begin");
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < count; i++)
            call(i, "plugin_run");
#ifdef OWN
        run_own();
#endif
    }
    void *given[MOST];
    for (int i = 0; i < count; i++)
        given[i] = ((void *(*)(void))dlsym(handles[i], "plugin_session"))();
    for (int i = 0; i < count; i++) {
        printf("given %d\n", given[i] != NULL);
        ((void (*)(void *))dlsym(handles[i], "plugin_give_back"))(given[i]);
    }
    for (int i = count - 1; i >= 0; i--)
        call(i, "plugin_end");
    for (int i = 0; i < count; i++)
        dlclose(handles[i]);
    return 0;
}

int main(int argc, char **argv)
{
    int again = argc > 1 && strcmp(argv[1], "-again") == 0;
#ifdef OWN
    server = tls_server(TLS1_2_VERSION);
    client = tls_client(TLS1_2_VERSION);
#endif
    for (int times = again ? 3 : 1; times > 0; times--)
        if (all(argv + 1 + again))
            return 1;
#ifdef OWN
    SSL_SESSION_free(session);
    SSL_CTX_free(server);
    SSL_CTX_free(client);
    tls_discard();
#endif
    return 0;
}
