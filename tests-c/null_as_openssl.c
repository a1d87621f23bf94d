/* NULL and absurd values where OpenSSL answers instead of crashing: the same answers. */
#undef SHARED /* its session is to have no encoding */
#include "der.h"

#include <openssl/pem.h>

int main(void)
{
    SSL_CTX *ctx = context_new();
    SSL_SESSION *session = session_new("session", TLS1_2_VERSION, T0, 100);
    unsigned char bytes[64] = {0};
    unsigned char *none = NULL;

    section("nothing to free");
    CALL(SSL_CTX_free(NULL));
    CALL(SSL_SESSION_free(NULL));
    CALL(SSL_free(NULL));

    section("nothing to make it from");
    TRACE(SSL_CTX_new(NULL) == NULL);
    print_errors();
    TRACE(SSL_new(NULL) == NULL);
    print_errors();

    section("contexts");
    TRACE(SSL_CTX_remove_session(NULL, NULL));
    TRACE(SSL_CTX_remove_session(ctx, NULL));
    TRACE(SSL_CTX_set_timeout(NULL, 5));
    TRACE(SSL_CTX_get_timeout(NULL));
    TRACE(SSL_CTX_sess_number(NULL));
    TRACE(SSL_CTX_sess_set_cache_size(NULL, 5));
    TRACE(SSL_CTX_sess_get_cache_size(NULL));
    TRACE(SSL_CTX_set_session_cache_mode(NULL, 5));
    TRACE(SSL_CTX_get_session_cache_mode(NULL));
    TRACE(SSL_CTX_set_session_id_context(ctx, NULL, 33));
    print_errors();
    TRACE(SSL_CTX_set_session_id_context(NULL, NULL, 33));
    print_errors();

    section("sessions");
    TRACE(SSL_SESSION_get_time(NULL));
    TRACE(SSL_SESSION_set_time(NULL, 5));
    TRACE(SSL_SESSION_get_timeout(NULL));
    TRACE(SSL_SESSION_set_timeout(NULL, 5));
    TRACE(SSL_SESSION_set1_id(NULL, bytes, 33));
    print_errors();
    TRACE(SSL_SESSION_set1_id_context(NULL, NULL, 33));
    print_errors();
    TRACE(SSL_SESSION_set1_master_key(NULL, NULL, 513));
    print_errors();
    TRACE(SSL_SESSION_print(NULL, NULL));
    TRACE(SSL_SESSION_print_fp(stdout, NULL));
    TRACE(SSL_SESSION_print_fp(NULL, NULL));
    TRACE(SSL_SESSION_print_keylog(NULL, NULL));
    ERR_clear_error();

    section("encodings");
    TRACE(i2d_SSL_SESSION(NULL, NULL));
    TRACE(i2d_SSL_SESSION(NULL, &none));
    TRACE(none == NULL);

    BIO *memory = BIO_new(BIO_s_mem());
    const unsigned char *empty = bytes;
    TRACE(d2i_SSL_SESSION(NULL, &empty, 0) == NULL);
    TRACE(empty == bytes);
    TRACE(PEM_read_bio_SSL_SESSION(NULL, NULL, NULL, NULL) == NULL);
    TRACE(PEM_write_bio_SSL_SESSION(NULL, NULL));
    TRACE(PEM_write_bio_SSL_SESSION(NULL, session));
    TRACE(PEM_write_bio_SSL_SESSION(memory, NULL));
    TRACE(PEM_write_SSL_SESSION(NULL, NULL));
    TRACE(PEM_write_SSL_SESSION(stdout, NULL));
    TRACE(PEM_write_SSL_SESSION(NULL, session));
    TRACE(SSL_SESSION_print_keylog(NULL, session));
    TRACE(SSL_SESSION_print_keylog(memory, NULL));
    TRACE(BIO_ctrl_pending(memory));
    BIO_free(memory);
    ERR_clear_error();

    section("ciphers");
    TRACE(SSL_CIPHER_get_name(NULL));
    TRACE(SSL_CIPHER_standard_name(NULL));
    TRACE(SSL_CIPHER_get_version(NULL));

    section("no output wanted");
    TRACE(SSL_SESSION_get_id(session, NULL) != NULL);
    TRACE(SSL_SESSION_get0_id_context(session, NULL) != NULL);
    TRACE(SSL_SESSION_get_master_key(session, NULL, 0));

    section("lengths that no memory holds");
    TRACE(SSL_SESSION_set1_alpn_selected(session, bytes, 3));
    TRACE(SSL_SESSION_set1_alpn_selected(session, bytes, SIZE_MAX));
    const unsigned char *alpn;
    size_t length;
    SSL_SESSION_get0_alpn_selected(session, &alpn, &length);
    TRACE(alpn == NULL);
    TRACE(length);
    TRACE(SSL_SESSION_set1_ticket_appdata(session, bytes, 3));
    TRACE(SSL_SESSION_set1_ticket_appdata(session, bytes, SIZE_MAX));
    void *appdata;
    TRACE(SSL_SESSION_get0_ticket_appdata(session, &appdata, &length));
    TRACE(appdata == NULL);
    TRACE(length);
    ERR_clear_error();

    CALL(SSL_SESSION_free(session));
    CALL(SSL_CTX_free(ctx));
    return 0;
}
