/* oracle: none: libssl crashes in most of these calls; those it survives are in null_as_openssl.c */
/* only: standalone: in front of libssl most functions are libssl's own, and crash as they do there */
/* valgrind: no: a process for each call, which ends with everything allocated */
/*
 * Every function with NULL and with absurd values. Each call has its own process: a crash is
 * printed as "crash" and costs nothing else. What is expected: no crash, and the function's
 * documented failure value.
 */
#include "der.h"

#include <openssl/pem.h>
#include <sys/wait.h>
#include <unistd.h>

#define SURVIVES(call)                                                                            \
    do {                                                                                          \
        fflush(stdout);                                                                           \
        pid_t child = fork();                                                                     \
        REQUIRE(child >= 0);                                                                      \
        if (child == 0) {                                                                         \
            call;                                                                                 \
            fflush(stdout);                                                                       \
            _exit(0);                                                                             \
        }                                                                                         \
        say_how_it_ended(child);                                                                  \
    } while (0)

static void say_how_it_ended(pid_t child)
{
    int status;

    REQUIRE(waitpid(child, &status, 0) == child);
    if (status != 0)
        puts(" crash");
}

static SSL_CTX *ctx;
static SSL *ssl;
static SSL_SESSION *session;
static unsigned char bytes[64];
static unsigned int length;
static size_t size;
static const unsigned char *text;
static void *data;

static void the_cache(void)
{
    section("the cache");
    SURVIVES(TRACE(SSL_CTX_add_session(NULL, NULL)));
    SURVIVES(TRACE(SSL_CTX_add_session(NULL, session)));
    SURVIVES(TRACE(SSL_CTX_add_session(ctx, NULL)));
    SURVIVES(TRACE(SSL_CTX_remove_session(NULL, session)));
    SURVIVES(CALL(SSL_CTX_flush_sessions(NULL, 0)));
    SURVIVES(CALL(SSL_CTX_sess_set_new_cb(NULL, say_new)));
    SURVIVES(CALL(SSL_CTX_sess_set_remove_cb(NULL, say_removed)));
    SURVIVES(CALL(SSL_CTX_sess_set_get_cb(NULL, say_get)));
    SURVIVES(TRACE(SSL_CTX_sess_get_new_cb(NULL) == NULL));
    SURVIVES(TRACE(SSL_CTX_sess_get_remove_cb(NULL) == NULL));
    SURVIVES(TRACE(SSL_CTX_sess_get_get_cb(NULL) == NULL));
    SURVIVES(TRACE(SSL_CTX_sessions(NULL) == NULL));
    SURVIVES(TRACE(SSL_CTX_up_ref(NULL)));
    SURVIVES(TRACE(SSL_CTX_set_ex_data(NULL, 0, NULL)));
    SURVIVES(TRACE(SSL_CTX_get_ex_data(NULL, 0) == NULL));
    SURVIVES(TRACE(SSL_CTX_set_generate_session_id(NULL, NULL)));
    SURVIVES(TRACE(SSL_CTX_set_session_id_context(NULL, bytes, 3)));
    SURVIVES(TRACE(SSL_CTX_set_session_id_context(ctx, NULL, 3)));
    SURVIVES(TRACE(SSL_CTX_set_session_id_context(NULL, NULL, 0)));
}

static void the_session(void)
{
    section("no session");
    SURVIVES(TRACE(SSL_SESSION_up_ref(NULL)));
    SURVIVES(TRACE(SSL_SESSION_dup(NULL) == NULL));
    SURVIVES(TRACE(SSL_SESSION_get_id(NULL, &length) == NULL));
    SURVIVES(TRACE(SSL_SESSION_get_id(NULL, NULL) == NULL));
    SURVIVES(TRACE(SSL_SESSION_set1_id(NULL, bytes, 3)));
    SURVIVES(TRACE(SSL_SESSION_set1_id(NULL, NULL, 0)));
    SURVIVES(TRACE(SSL_SESSION_get0_id_context(NULL, &length) == NULL));
    SURVIVES(TRACE(SSL_SESSION_set1_id_context(NULL, bytes, 3)));
    SURVIVES(TRACE(SSL_SESSION_get_protocol_version(NULL)));
    SURVIVES(TRACE(SSL_SESSION_set_protocol_version(NULL, TLS1_2_VERSION)));
    SURVIVES(TRACE(SSL_SESSION_get0_cipher(NULL) == NULL));
    SURVIVES(TRACE(SSL_SESSION_set_cipher(NULL, NULL)));
    SURVIVES(TRACE(SSL_SESSION_get0_hostname(NULL) == NULL));
    SURVIVES(TRACE(SSL_SESSION_set1_hostname(NULL, "a")));
    SURVIVES(TRACE(SSL_SESSION_set1_hostname(NULL, NULL)));
    SURVIVES(CALL(SSL_SESSION_get0_alpn_selected(NULL, &text, &size)));
    SURVIVES(TRACE(SSL_SESSION_set1_alpn_selected(NULL, bytes, 2)));
    SURVIVES(TRACE(SSL_SESSION_has_ticket(NULL)));
    SURVIVES(TRACE(SSL_SESSION_get_ticket_lifetime_hint(NULL)));
    SURVIVES(CALL(SSL_SESSION_get0_ticket(NULL, &text, &size)));
    SURVIVES(TRACE(SSL_SESSION_get_max_early_data(NULL)));
    SURVIVES(TRACE(SSL_SESSION_set_max_early_data(NULL, 1)));
    SURVIVES(TRACE(SSL_SESSION_get_max_fragment_length(NULL)));
    SURVIVES(TRACE(SSL_SESSION_is_resumable(NULL)));
    SURVIVES(TRACE(SSL_SESSION_get0_peer(NULL) == NULL));
    SURVIVES(TRACE(SSL_SESSION_get_compress_id(NULL)));
    SURVIVES(TRACE(SSL_SESSION_get_master_key(NULL, NULL, 0)));
    SURVIVES(TRACE(SSL_SESSION_get_master_key(NULL, bytes, 3)));
    SURVIVES(TRACE(SSL_SESSION_set1_master_key(NULL, bytes, 3)));
    SURVIVES(TRACE(SSL_SESSION_set1_ticket_appdata(NULL, bytes, 3)));
    SURVIVES(TRACE(SSL_SESSION_get0_ticket_appdata(NULL, &data, &size)));
    SURVIVES(TRACE(SSL_SESSION_set_ex_data(NULL, 0, NULL)));
    SURVIVES(TRACE(SSL_SESSION_get_ex_data(NULL, 0) == NULL));
}

static void nothing_to_read_or_write(void)
{
    section("a session, but nothing to read from or to write to");
    SURVIVES(TRACE(SSL_SESSION_set1_id(session, NULL, 3)));
    SURVIVES(TRACE(SSL_SESSION_set1_id_context(session, NULL, 3)));
    SURVIVES(TRACE(SSL_SESSION_set1_master_key(session, NULL, 3)));
    SURVIVES(TRACE(SSL_SESSION_get_master_key(session, NULL, 3)));
    SURVIVES(CALL(SSL_SESSION_get0_alpn_selected(session, NULL, NULL)));
    SURVIVES(CALL(SSL_SESSION_get0_ticket(session, NULL, NULL)));
    SURVIVES(CALL(SSL_SESSION_get0_ticket(session, &text, NULL)));
    SURVIVES(TRACE(SSL_SESSION_get0_ticket_appdata(session, NULL, NULL)));
    SURVIVES(TRACE(d2i_SSL_SESSION(NULL, NULL, 10) == NULL));
    SURVIVES(TRACE(d2i_SSL_SESSION(NULL, NULL, 0) == NULL));
    text = NULL;
    SURVIVES(TRACE(d2i_SSL_SESSION(NULL, &text, 10) == NULL));
    SURVIVES(TRACE(SSL_SESSION_print_fp(NULL, session)));
    SURVIVES(TRACE(PEM_read_SSL_SESSION(NULL, NULL, NULL, NULL) == NULL));
}

static void the_connection(void)
{
    section("no connection");
    SURVIVES(TRACE(SSL_get_session(NULL) == NULL));
    SURVIVES(TRACE(SSL_get1_session(NULL) == NULL));
    SURVIVES(TRACE(SSL_set_session(NULL, session)));
    SURVIVES(TRACE(SSL_set_session(NULL, NULL)));
    SURVIVES(TRACE(SSL_session_reused(NULL)));
    SURVIVES(TRACE(SSL_copy_session_id(NULL, ssl)));
    SURVIVES(TRACE(SSL_copy_session_id(ssl, NULL)));
    SURVIVES(TRACE(SSL_has_matching_session_id(NULL, bytes, 3)));
    SURVIVES(TRACE(SSL_has_matching_session_id(ssl, NULL, 3)));
    SURVIVES(TRACE(SSL_set_session_id_context(NULL, bytes, 3)));
    SURVIVES(TRACE(SSL_set_session_id_context(ssl, NULL, 3)));
    SURVIVES(TRACE(SSL_set_generate_session_id(NULL, NULL)));
    SURVIVES(TRACE(SSL_get_SSL_CTX(NULL) == NULL));
    SURVIVES(TRACE(SSL_set_SSL_CTX(NULL, ctx) == NULL));
    SURVIVES(TRACE(SSL_version(NULL)));
    SURVIVES(TRACE(SSL_get_default_timeout(NULL)));
    SURVIVES(TRACE(SSL_ctrl(NULL, SSL_CTRL_SESS_NUMBER, 0, NULL)));
    SURVIVES(TRACE(SSL_is_server(NULL)));
    SURVIVES(TRACE(SSL_accept(NULL)));
    SURVIVES(CALL(SSL_set_accept_state(NULL)));
    SURVIVES(TRACE(SSL_up_ref(NULL)));
    SURVIVES(TRACE(SSL_set_ex_data(NULL, 0, NULL)));
    SURVIVES(TRACE(SSL_get_ex_data(NULL, 0) == NULL));
    SURVIVES(TRACE(SSL_CTX_callback_ctrl(NULL, 5, NULL)));
    SURVIVES(TRACE(SSL_CIPHER_find(NULL, bytes) == NULL));
    SURVIVES(TRACE(SSL_CIPHER_find(ssl, NULL) == NULL));
    SURVIVES(TRACE(SSL_CIPHER_get_id(NULL)));
    SURVIVES(TRACE(SSL_CIPHER_get_protocol_id(NULL)));
}

int main(void)
{
    ctx = context_new();
    ssl = SSL_new(ctx);
    session = session_new("session", TLS1_2_VERSION, T0, 100);
    REQUIRE(ssl != NULL);
    REQUIRE(SSL_SESSION_set1_master_key(session, bytes, 48) == 1);
    the_cache();
    the_session();
    nothing_to_read_or_write();
    the_connection();
    SSL_free(ssl);
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
    return 0;
}
