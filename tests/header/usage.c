/*
 * A program that uses every macro of the session API, compiled (never run) by tests/header.rs in each
 * dialect of C and of C++, with and without OpenSSL's own headers.
 */
#include <openssl/ssl.h>
#include <sslcache.h>

static int new_cb(SSL *ssl, SSL_SESSION *sess)
{
    return SSL_get0_session(ssl) == sess;
}

static void remove_cb(SSL_CTX *ctx, SSL_SESSION *sess)
{
    SSL_CTX_set_app_data(ctx, NULL);
    SSL_SESSION_set_app_data(sess, NULL);
}

static SSL_SESSION *get_cb(SSL *ssl, const unsigned char *id, int id_len, int *copy)
{
    *copy = id != NULL && id_len <= SSL_MAX_SSL_SESSION_ID_LENGTH;
    return (SSL_SESSION *)SSL_get_app_data(ssl);
}

static int generate(SSL *ssl, unsigned char *id, unsigned int *id_len)
{
    return id != NULL && *id_len >= 16 && SSL_set_app_data(ssl, NULL);
}

static void free_data(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int idx, long argl, void *argp)
{
    (void)parent, (void)ptr, (void)ad, (void)idx, (void)argl, (void)argp;
}

static int dup_data(CRYPTO_EX_DATA *to, const CRYPTO_EX_DATA *from, void **from_d, int idx,
                    long argl, void *argp)
{
    (void)to, (void)from, (void)from_d, (void)idx, (void)argl, (void)argp;
    return 1;
}

static long counters(SSL_CTX *ctx)
{
    return SSL_CTX_sess_number(ctx) + SSL_CTX_sess_connect(ctx) + SSL_CTX_sess_connect_good(ctx)
        + SSL_CTX_sess_connect_renegotiate(ctx) + SSL_CTX_sess_accept(ctx)
        + SSL_CTX_sess_accept_good(ctx) + SSL_CTX_sess_accept_renegotiate(ctx)
        + SSL_CTX_sess_hits(ctx) + SSL_CTX_sess_cb_hits(ctx) + SSL_CTX_sess_misses(ctx)
        + SSL_CTX_sess_timeouts(ctx) + SSL_CTX_sess_cache_full(ctx);
}

static int indexes(void)
{
    return SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL)
        + SSL_CTX_get_ex_new_index(0, NULL, free_data, dup_data, free_data)
        + SSL_SESSION_get_ex_new_index(0, NULL, NULL, dup_data, NULL);
}

static int encoded(BIO *bio, SSL_SESSION *sess)
{
    SSL_SESSION *copy = d2i_SSL_SESSION_bio(bio, &sess);

    return i2d_SSL_SESSION_bio(bio, copy);
}

int main(void)
{
    const SSL_METHOD *methods[3];
    SSLCACHE_STATS stats;
    SSLCACHE_NEW_CB set_new = new_cb;
    SSL_CTX *ctx;
    SSL *ssl;
    SSL_SESSION *sess = SSL_SESSION_new();
    uint64_t options = SSL_OP_NO_TICKET | SSL_OP_NO_ANTI_REPLAY
        | SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION;
    long sum;

    SSL_library_init();
    SSL_load_error_strings();
    OpenSSL_add_ssl_algorithms();
    SSLeay_add_ssl_algorithms();
    OPENSSL_init_ssl(OPENSSL_INIT_SSL_DEFAULT | OPENSSL_INIT_NO_LOAD_SSL_STRINGS
                     | OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS, NULL);
    methods[0] = SSLv23_method();
    methods[1] = SSLv23_server_method();
    methods[2] = SSLv23_client_method();
    ctx = SSL_CTX_new(methods[SSLCACHE_VERSION_NUMBER % 3]);
    ssl = SSL_new(ctx);
    SSL_CTX_sess_set_new_cb(ctx, set_new);
    SSL_CTX_sess_set_remove_cb(ctx, remove_cb);
    SSL_CTX_sess_set_get_cb(ctx, get_cb);
    SSL_CTX_set_generate_session_id(ctx, generate);
    sum = SSL_CTX_sess_set_cache_size(ctx, SSL_SESSION_CACHE_MAX_SIZE_DEFAULT)
        + SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_BOTH | SSL_SESS_CACHE_NO_INTERNAL)
        + SSL_CTX_sess_get_cache_size(ctx) + SSL_CTX_get_session_cache_mode(ctx);
    sum += SSL_set_time(sess, 1) + SSL_get_time(sess) + SSL_set_timeout(sess, 1)
        + SSL_get_timeout(sess);
    sum += counters(ctx) + indexes() + encoded(NULL, sess) + (options != 0);
    sum += SSLCACHE_stats(ctx, &stats, sizeof(SSLCACHE_STATS)) + (stats.held > 0);
    sum += SSL_CTX_get_app_data(ctx) == SSL_SESSION_get_app_data(sess);
    sum += SSLCACHE_accept_session(ssl, NULL, 0) == SSLCACHE_get1_session(ctx, TLS1_3_VERSION, NULL, 0);
    SSL_CTX_add_session(ctx, sess);
    SSL_CTX_flush_sessions(ctx, 0);
    SSL_SESSION_free(sess);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    puts(SSLCACHE_version()), puts(SSLCACHE_VERSION_STRING);
    return sum > 0 && SSL_R_SSL_SESSION_ID_TOO_LONG != SSL_VERIFY_PEER;
}
