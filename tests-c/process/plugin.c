/* A plugin with TLS of its own. What it makes stays between two calls: others come in between. Built linked to libssl,
 * to a copy of it under another name, and with a private OpenSSL inside; NAME tells them apart. */
#include "tls.h"

#ifndef NAME
#define NAME "plugin"
#endif

static SSL_CTX *server, *client;
static SSL_SESSION *session, *own;
static int removed;

static void on_remove(SSL_CTX *ctx, SSL_SESSION *gone) { (void)ctx, (void)gone; removed++; }

__attribute__((visibility("default"))) void plugin_begin(void)
{
    server = tls_server(TLS1_2_VERSION);
    client = tls_client(TLS1_2_VERSION);
    SSL_CTX_sess_set_remove_cb(server, on_remove);
    own = tls_session(7);
}

__attribute__((visibility("default"))) void plugin_run(void)
{
    int visit = tls_visit(client, server, &session), added = SSL_CTX_add_session(server, own);
    printf("%s: visit %d, added %d, holds %ld, timeout %ld, cipher %s\n", NAME, visit, added, SSL_CTX_sess_number(server),
           SSL_SESSION_get_timeout(own), SSL_CIPHER_get_name(SSL_SESSION_get0_cipher(session)));
    SSL_SESSION_set_timeout(own, SSL_SESSION_get_timeout(own) + 1);
    unsigned char *der = NULL;
    int length = i2d_SSL_SESSION(session, &der);
    const unsigned char *at = der;
    SSL_SESSION *copy = d2i_SSL_SESSION(NULL, &at, length);
    printf("%s: removed %d, %d, copy %s\n", NAME, SSL_CTX_remove_session(server, own), removed, copy ? "decoded" : "not decoded");
    SSL_SESSION_free(copy);
    OPENSSL_free(der);
}

/* Calls that are the last of their function: what they call returns to whoever called the plugin. */
__attribute__((visibility("default"))) SSL_SESSION *plugin_session(void) { return SSL_SESSION_new(); }
__attribute__((visibility("default"))) void plugin_give_back(SSL_SESSION *given) { SSL_SESSION_free(given); }
__attribute__((visibility("default"))) long plugin_timeout(SSL_SESSION *given) { return SSL_SESSION_get_timeout(given); }

__attribute__((visibility("default"))) void plugin_end(void)
{
    SSL_SESSION_free(session);
    SSL_SESSION_free(own);
    SSL_CTX_free(server);
    SSL_CTX_free(client);
    printf("%s: removed in all %d\n", NAME, removed);
    session = own = NULL;
    tls_discard();
}
