/*
 * A context made behind the library's back: SSL_CTX_new comes from an own handle of libssl,
 * everything else by the usual names. The library sees a context that it never made.
 */
#include "handshake.h"

#include <dlfcn.h>

static int stored, removed;

static int new_session_cb(SSL *ssl, SSL_SESSION *session) {
    (void)ssl;
    (void)session;
    stored++;
    return 0;
}

static void remove_session_cb(SSL_CTX *ctx, SSL_SESSION *session) {
    (void)ctx;
    (void)session;
    removed++;
}

int main(void) {
    void *libssl = dlopen("libssl.so.3", RTLD_NOW | RTLD_LOCAL);
    SSL_CTX *(*make)(const SSL_METHOD *);
    SSL_CTX *server, *usual;

    must(libssl != NULL, "libssl.so.3");
    *(void **)&make = dlsym(libssl, "SSL_CTX_new");
    server = make(TLS_server_method());
    set_up_server(server);
    SSL_CTX_sess_set_new_cb(server, new_session_cb);
    SSL_CTX_sess_set_remove_cb(server, remove_session_cb);
    must(SSL_CTX_sess_get_new_cb(server) == new_session_cb, "the callback reads back");
    six_handshakes("behind", server, TLS1_2_VERSION);
    six_handshakes("behind", server, TLS1_3_VERSION);
    print_counters("behind", server);

    usual = server_context();
    six_handshakes("usual, beside it", usual, TLS1_2_VERSION);
    print_counters("usual, beside it", usual);

    SSL_SESSION *session = SSL_SESSION_new();
    SSL_SESSION_set_protocol_version(session, TLS1_2_VERSION);
    SSL_SESSION_set1_id(session, (const unsigned char *)"one session, two contexts", 25);
    int added = SSL_CTX_add_session(server, session);
    int again = SSL_CTX_add_session(server, session);
    int gone = SSL_CTX_remove_session(server, session);
    printf("added %d, again %d, removed %d\n", added, again, gone);
    SSL_SESSION_free(session);

    SSL_CTX_flush_sessions(server, 0);
    print_counters("behind", server);
    printf("new callbacks %d, remove callbacks %d\n", stored, removed);
    SSL_CTX_free(usual);
    SSL_CTX_free(server);
    return 0;
}
