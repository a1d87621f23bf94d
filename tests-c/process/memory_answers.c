/* What each function that makes or keeps something says when there is no memory for it, and what it leaves. */
#include <openssl/ssl.h>

#include <openssl/err.h>

#include "memory.h"

static SSL_CTX *ctx;
static SSL_SESSION *session;

static void show(const char *function, long answer)
{
    memory_runs_out(MEMORY_IS_THERE, 0);
    printf("%s: %ld,", function, answer);
    for (unsigned long error; (error = ERR_get_error());)
        printf(" [%d %s]", ERR_GET_LIB(error), ERR_reason_error_string(error));
    puts("");
}

#define FAILS(function, answer) (memory_runs_out(ONLY_THE_NTH, 1), show(function, (long)(answer)))

static SSL_SESSION *a_session(void)
{
    SSL_SESSION *made = SSL_SESSION_new();
    SSL *ssl = SSL_new(ctx);
    SSL_SESSION_set1_id(made, (const unsigned char *)"an id", 5);
    SSL_SESSION_set1_id_context(made, (const unsigned char *)"test", 4);
    SSL_SESSION_set_protocol_version(made, TLS1_2_VERSION);
    SSL_SESSION_set_cipher(made, SSL_CIPHER_find(ssl, (const unsigned char *)"\xC0\x2F"));
    SSL_SESSION_set1_hostname(made, "a name");
    SSL_SESSION_set1_alpn_selected(made, (const unsigned char *)"\2h2", 3);
    SSL_SESSION_set1_ticket_appdata(made, "data", 4);
    SSL_free(ssl);
    return made;
}

static void sessions(void)
{
    const unsigned char *alpn;
    void *data;
    size_t length;
    FAILS("SSL_SESSION_new", SSL_SESSION_new());
    FAILS("SSL_SESSION_dup", SSL_SESSION_dup(session));
    FAILS("SSL_SESSION_set1_hostname", SSL_SESSION_set1_hostname(session, "another"));
    printf("  now: %s\n", SSL_SESSION_get0_hostname(session) ? "a name" : "none");
    FAILS("SSL_SESSION_set1_alpn_selected", SSL_SESSION_set1_alpn_selected(session, (const unsigned char *)"\1a", 2));
    SSL_SESSION_get0_alpn_selected(session, &alpn, &length);
    printf("  now: %s, %zu\n", alpn ? "a protocol" : "none", length);
    FAILS("SSL_SESSION_set1_ticket_appdata", SSL_SESSION_set1_ticket_appdata(session, "other", 5));
    SSL_SESSION_get0_ticket_appdata(session, &data, &length);
    printf("  now: %s, %zu\n", data ? "data" : "none", length);
    FAILS("SSL_SESSION_set_ex_data", SSL_SESSION_set_ex_data(session, 3, session));
}

static void encoded(void)
{
    unsigned char *made = NULL, buffer[1000], *to = buffer;
    const unsigned char *from = buffer;
    FAILS("i2d_SSL_SESSION", i2d_SSL_SESSION(session, &made));
    int length = i2d_SSL_SESSION(session, &to);
    FAILS("d2i_SSL_SESSION", d2i_SSL_SESSION(NULL, &from, length));
    printf("  read: %td\n", from - buffer);
}

static void contexts(void)
{
    FAILS("SSL_CTX_new", SSL_CTX_new(TLS_method()));
    FAILS("SSL_new", SSL_new(ctx));
    FAILS("SSL_CTX_add_session", SSL_CTX_add_session(ctx, session));
    printf("  held: %ld\n", SSL_CTX_sess_number(ctx));
    printf("SSL_CTX_add_session: %d\n", SSL_CTX_add_session(ctx, session));
}

int main(void)
{
    memory_of("libssl|libcrypto");
    ctx = SSL_CTX_new(TLS_server_method());
    session = a_session();
    ERR_clear_error();
    encoded();
    sessions();
    contexts();
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
    return 0;
}
