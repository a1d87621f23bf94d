/*
 * Without a libssl: the library's own objects, and its own handshakes.
 *
 *   alone WORD...   make ID [SID_CTX]     a session that a server has negotiated
 *                   accept ID [SID_CTX]   what a server makes of that id
 *                   add, remove, flush ID
 *                   timeout ID N          of what it accepts
 */
#include <openssl/ssl.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static SSL_CTX *new_server(const char *sid_ctx)
{
    SSL_CTX *ctx = SSL_CTX_new(TLSv1_2_server_method());
    SSL_CTX_set_session_id_context(ctx, (const unsigned char *)sid_ctx, (unsigned int)strlen(sid_ctx));
    return ctx;
}

static SSL_SESSION *new_session(SSL *ssl, const char *id, const char *sid_ctx)
{
    SSL_SESSION *session = SSL_SESSION_new();
    SSL_SESSION_set1_id(session, (const unsigned char *)id, (unsigned int)strlen(id));
    SSL_SESSION_set1_id_context(session, (const unsigned char *)sid_ctx, (unsigned int)strlen(sid_ctx));
    SSL_SESSION_set_protocol_version(session, TLS1_2_VERSION);
    SSL_SESSION_set1_master_key(session, (const unsigned char *)"a secret of forty-eight bytes, more or less......", 48);
    SSL_SESSION_set_timeout(session, 300);
    SSL_SESSION_set_cipher(session, SSL_CIPHER_find(ssl, (const unsigned char *)"\xc0\x2f"));
    return session;
}

static SSL_SESSION *accepted(SSL_CTX *ctx, const char *id)
{
    SSL *ssl = SSL_new(ctx);
    SSL_SESSION *session = SSLCACHE_accept_session(ssl, (const unsigned char *)id, (unsigned int)strlen(id));
    SSL_set_session(ssl, NULL);
    SSL_free(ssl);
    return session;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "", *id = argc > 2 ? argv[2] : "", *more = argc > 3 ? argv[3] : "sid";
    SSL_CTX *ctx = new_server(strcmp(what, "timeout") ? more : "sid");
    SSL *ssl = SSL_new(ctx);
    if (!strcmp(what, "make")) {
        SSL_SESSION *session = new_session(ssl, id, more);
        printf("%d\n", SSLCACHE_negotiated(ssl, session));
        SSL_set_session(ssl, NULL);
        SSL_SESSION_free(session);
    } else if (!strcmp(what, "add") || !strcmp(what, "remove")) {
        SSL_SESSION *session = new_session(ssl, id, more);
        printf("%d\n", *what == 'a' ? SSL_CTX_add_session(ctx, session) : SSL_CTX_remove_session(ctx, session));
        SSL_SESSION_free(session);
    } else if (!strcmp(what, "flush")) {
        SSL_CTX_flush_sessions(ctx, 0);
        puts("flushed");
    } else {
        SSL_SESSION *session = accepted(ctx, id);
        unsigned char key[64] = "";
        if (session && !strcmp(what, "timeout"))
            SSL_SESSION_set_timeout(session, atol(more));
        if (session)
            SSL_SESSION_get_master_key(session, key, sizeof key);
        if (session)
            printf("good for %ld s, %.8s\n", SSL_SESSION_get_timeout(session), key);
        else
            puts("unknown");
        SSL_SESSION_free(session);
    }
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    return 0;
}
