/*
 * sslcache.h: OpenSSL's session cache as a library of its own, version 0.1.0.
 *
 * The functions, types and macros of OpenSSL's session API, as OpenSSL declares them, and a few of
 * this library's own, which begin with SSLCACHE_. A program includes <sslcache.h> where it included
 * <openssl/ssl.h>, or keeps its #include and has this directory in front of OpenSSL's, and is
 * linked with -lsslcache where it was linked with -lssl. See sslcache(3) and sslcache(7).
 *
 * OpenSSL's headers are used where they are found, and are not needed. Macros and types that they
 * have defined before are left alone.
 *
 * What holds for every function: an object that a comment calls live is one the caller has a
 * reference to. Returned pointers called static are never freed.
 *
 * Made by cbindgen from src/exports and cbindgen.toml. Do not edit; run `make header`.
 */


#ifndef SSLCACHE_H
#define SSLCACHE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#define SSLCACHE_VERSION_MAJOR 0
#define SSLCACHE_VERSION_MINOR 1
#define SSLCACHE_VERSION_PATCH 0
#define SSLCACHE_VERSION_STRING "0.1.0"
/* To compare: major * 10000 + minor * 100 + patch. */
#define SSLCACHE_VERSION_NUMBER \
    (SSLCACHE_VERSION_MAJOR * 10000 + SSLCACHE_VERSION_MINOR * 100 + SSLCACHE_VERSION_PATCH)

/*
 * Types. OpenSSL has those it shares among its headers in a header of its own; used where it is
 * found, so that either may be included first.
 */
#ifdef __has_include
#  if __has_include(<openssl/types.h>)
#    include <openssl/types.h>
#  elif __has_include(<openssl/ossl_typ.h>)
#    include <openssl/ossl_typ.h>
#    include <openssl/asn1.h>
#    include <openssl/crypto.h> /* 1.1.1 declares what is used of it another way */
#  endif
#endif

#if !defined(OPENSSL_TYPES_H) && !defined(HEADER_OPENSSL_TYPES_H)
typedef struct bio_st BIO;
typedef struct crypto_ex_data_st CRYPTO_EX_DATA;
typedef struct evp_pkey_st EVP_PKEY;
typedef struct ossl_init_settings_st OPENSSL_INIT_SETTINGS;
typedef struct ssl_ctx_st SSL_CTX;
typedef struct ssl_st SSL;
typedef struct x509_st X509;
typedef int pem_password_cb(char *buf, int size, int rwflag, void *userdata);
#endif
#ifndef OPENSSL_TYPES_H
typedef struct ossl_lib_ctx_st OSSL_LIB_CTX;
#endif

#if !defined(OPENSSL_SSL_H) && !defined(HEADER_SSL_H)
typedef struct ssl_cipher_st SSL_CIPHER;
typedef struct ssl_method_st SSL_METHOD;
typedef struct ssl_session_st SSL_SESSION;
/* Makes a session id: writes it to id, which has room for *id_len bytes; 1, or 0 on error. */
typedef int (*GEN_SESSION_CB)(SSL *ssl, unsigned char *id, unsigned int *id_len);
#endif

/*
 * The types of the session callbacks, for which OpenSSL has no names.
 *
 * new: offered each session that a handshake made; returns 1 to keep the reference that comes with
 * it, 0 to give it back.
 * remove: told of each session that is removed. No lock is held.
 * get: asked for an id that the internal cache does not hold; *copy is 1 when it is called, and
 * stays so if the session it returns is to get one more reference.
 */
typedef int (*SSLCACHE_NEW_CB)(SSL *ssl, SSL_SESSION *sess);
typedef void (*SSLCACHE_REMOVE_CB)(SSL_CTX *ctx, SSL_SESSION *sess);
typedef SSL_SESSION *(*SSLCACHE_GET_CB)(SSL *ssl, const unsigned char *id, int id_len, int *copy);
/* A pointer to a pem_password_cb. */
typedef int (*SSLCACHE_PEM_PASSWORD_CB)(char *buf, int size, int rwflag, void *userdata);
/* A function whose type depends on the command it goes with. */
typedef void (*SSLCACHE_UNTYPED_CB)(void);

typedef struct SSLCACHE_STATS SSLCACHE_STATS;

/* Protocol versions. */
#ifndef TLS1_VERSION
#define SSL3_VERSION 0x0300
#define TLS1_VERSION 0x0301
#define TLS1_1_VERSION 0x0302
#define TLS1_2_VERSION 0x0303
#define TLS1_3_VERSION 0x0304
#define DTLS1_VERSION 0xFEFF
#define DTLS1_2_VERSION 0xFEFD
#endif

#if !defined(OPENSSL_SSL_H) && !defined(HEADER_SSL_H)

#define SSL_SESSION_ASN1_VERSION 0x0001
#define SSL_MAX_SSL_SESSION_ID_LENGTH 32
#define SSL_MAX_SID_CTX_LENGTH 32
#define SSL_SESSION_CACHE_MAX_SIZE_DEFAULT (1024 * 20)

/* The cache mode, a sum of these. */
#define SSL_SESS_CACHE_OFF 0x0000
#define SSL_SESS_CACHE_CLIENT 0x0001
#define SSL_SESS_CACHE_SERVER 0x0002
#define SSL_SESS_CACHE_BOTH (SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_SERVER)
#define SSL_SESS_CACHE_NO_AUTO_CLEAR 0x0080
#define SSL_SESS_CACHE_NO_INTERNAL_LOOKUP 0x0100
#define SSL_SESS_CACHE_NO_INTERNAL_STORE 0x0200
#define SSL_SESS_CACHE_NO_INTERNAL \
    (SSL_SESS_CACHE_NO_INTERNAL_LOOKUP | SSL_SESS_CACHE_NO_INTERNAL_STORE)
#define SSL_SESS_CACHE_UPDATE_TIME 0x0400

/* The session commands of SSL_CTX_ctrl(), and the macros over them. */
#define SSL_CTRL_SESS_NUMBER 20
#define SSL_CTRL_SESS_CONNECT 21
#define SSL_CTRL_SESS_CONNECT_GOOD 22
#define SSL_CTRL_SESS_CONNECT_RENEGOTIATE 23
#define SSL_CTRL_SESS_ACCEPT 24
#define SSL_CTRL_SESS_ACCEPT_GOOD 25
#define SSL_CTRL_SESS_ACCEPT_RENEGOTIATE 26
#define SSL_CTRL_SESS_HIT 27
#define SSL_CTRL_SESS_CB_HIT 28
#define SSL_CTRL_SESS_MISSES 29
#define SSL_CTRL_SESS_TIMEOUTS 30
#define SSL_CTRL_SESS_CACHE_FULL 31
#define SSL_CTRL_SET_SESS_CACHE_SIZE 42
#define SSL_CTRL_GET_SESS_CACHE_SIZE 43
#define SSL_CTRL_SET_SESS_CACHE_MODE 44
#define SSL_CTRL_GET_SESS_CACHE_MODE 45

/* How many sessions the internal cache holds now. */
#define SSL_CTX_sess_number(ctx) \
    SSL_CTX_ctrl(ctx, SSL_CTRL_SESS_NUMBER, 0, NULL)
/* Handshakes started, finished, and renegotiated: as a client, and as a server. */
#define SSL_CTX_sess_connect(ctx) \
    SSL_CTX_ctrl(ctx, SSL_CTRL_SESS_CONNECT, 0, NULL)
#define SSL_CTX_sess_connect_good(ctx) \
    SSL_CTX_ctrl(ctx, SSL_CTRL_SESS_CONNECT_GOOD, 0, NULL)
#define SSL_CTX_sess_connect_renegotiate(ctx) \
    SSL_CTX_ctrl(ctx, SSL_CTRL_SESS_CONNECT_RENEGOTIATE, 0, NULL)
#define SSL_CTX_sess_accept(ctx) \
    SSL_CTX_ctrl(ctx, SSL_CTRL_SESS_ACCEPT, 0, NULL)
#define SSL_CTX_sess_accept_good(ctx) \
    SSL_CTX_ctrl(ctx, SSL_CTRL_SESS_ACCEPT_GOOD, 0, NULL)
#define SSL_CTX_sess_accept_renegotiate(ctx) \
    SSL_CTX_ctrl(ctx, SSL_CTRL_SESS_ACCEPT_RENEGOTIATE, 0, NULL)
/* Sessions resumed; of those looked up: found by the get callback, not found, found but expired. */
#define SSL_CTX_sess_hits(ctx) \
    SSL_CTX_ctrl(ctx, SSL_CTRL_SESS_HIT, 0, NULL)
#define SSL_CTX_sess_cb_hits(ctx) \
    SSL_CTX_ctrl(ctx, SSL_CTRL_SESS_CB_HIT, 0, NULL)
#define SSL_CTX_sess_misses(ctx) \
    SSL_CTX_ctrl(ctx, SSL_CTRL_SESS_MISSES, 0, NULL)
#define SSL_CTX_sess_timeouts(ctx) \
    SSL_CTX_ctrl(ctx, SSL_CTRL_SESS_TIMEOUTS, 0, NULL)
/* Sessions evicted because the cache was full. */
#define SSL_CTX_sess_cache_full(ctx) \
    SSL_CTX_ctrl(ctx, SSL_CTRL_SESS_CACHE_FULL, 0, NULL)
/* The size, 0 for no limit, and the mode. Setting one returns the one before. */
#define SSL_CTX_sess_set_cache_size(ctx, t) \
    SSL_CTX_ctrl(ctx, SSL_CTRL_SET_SESS_CACHE_SIZE, t, NULL)
#define SSL_CTX_sess_get_cache_size(ctx) \
    SSL_CTX_ctrl(ctx, SSL_CTRL_GET_SESS_CACHE_SIZE, 0, NULL)
#define SSL_CTX_set_session_cache_mode(ctx, m) \
    SSL_CTX_ctrl(ctx, SSL_CTRL_SET_SESS_CACHE_MODE, m, NULL)
#define SSL_CTX_get_session_cache_mode(ctx) \
    SSL_CTX_ctrl(ctx, SSL_CTRL_GET_SESS_CACHE_MODE, 0, NULL)

/* Other names of functions. */
#define SSL_get0_session SSL_get_session
#define SSL_get_time(a) SSL_SESSION_get_time(a)
#define SSL_set_time(a, b) SSL_SESSION_set_time((a), (b))
#define SSL_get_timeout(a) SSL_SESSION_get_timeout(a)
#define SSL_set_timeout(a, b) SSL_SESSION_set_timeout((a), (b))
#define SSLv23_method TLS_method
#define SSLv23_server_method TLS_server_method
#define SSLv23_client_method TLS_client_method

/* Initialisation, as programs for older releases of OpenSSL ask for it. */
#define OPENSSL_INIT_NO_LOAD_SSL_STRINGS 0x00100000L
#define OPENSSL_INIT_LOAD_SSL_STRINGS 0x00200000L
#define OPENSSL_INIT_SSL_DEFAULT \
    (OPENSSL_INIT_LOAD_SSL_STRINGS | OPENSSL_INIT_LOAD_CRYPTO_STRINGS)
#define SSL_library_init() OPENSSL_init_ssl(0, NULL)
#define OpenSSL_add_ssl_algorithms() SSL_library_init()
#define SSLeay_add_ssl_algorithms() SSL_library_init()
#define SSL_load_error_strings() \
    OPENSSL_init_ssl(OPENSSL_INIT_LOAD_SSL_STRINGS | OPENSSL_INIT_LOAD_CRYPTO_STRINGS, NULL)

/* What applications hang on objects. Needs libcrypto for indexes other than 0. */
#define SSL_set_app_data(s, arg) (SSL_set_ex_data(s, 0, (char *)(arg)))
#define SSL_get_app_data(s) (SSL_get_ex_data(s, 0))
#define SSL_CTX_set_app_data(ctx, arg) (SSL_CTX_set_ex_data(ctx, 0, (char *)(arg)))
#define SSL_CTX_get_app_data(ctx) (SSL_CTX_get_ex_data(ctx, 0))
#define SSL_SESSION_set_app_data(s, a) (SSL_SESSION_set_ex_data(s, 0, (char *)(a)))
#define SSL_SESSION_get_app_data(s) (SSL_SESSION_get_ex_data(s, 0))
#define SSL_get_ex_new_index(l, p, newf, dupf, freef) \
    CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL, l, p, newf, dupf, freef)
#define SSL_CTX_get_ex_new_index(l, p, newf, dupf, freef) \
    CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL_CTX, l, p, newf, dupf, freef)
#define SSL_SESSION_get_ex_new_index(l, p, newf, dupf, freef) \
    CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL_SESSION, l, p, newf, dupf, freef)

/* Encoded sessions from and to a BIO. Needs libcrypto. */
#define d2i_SSL_SESSION_bio(bp, s_id) \
    ((SSL_SESSION *)ASN1_d2i_bio( \
        (void *(*)(void))SSL_SESSION_new, \
        (void *(*)(void **, const unsigned char **, long))d2i_SSL_SESSION, \
        bp, (void **)(1 ? (s_id) : (SSL_SESSION **)0)))
#define i2d_SSL_SESSION_bio(bp, s_id) \
    (ASN1_i2d_bio( \
        (int (*)(const void *, unsigned char **))i2d_SSL_SESSION, \
        bp, 1 ? (s_id) : (const SSL_SESSION *)0))

/* Options that decide over resumption, for the SSL_CTX_set_options() of a real libssl. */
#define SSL_OP_BIT(n) ((uint64_t)1 << (uint64_t)n)
#define SSL_OP_NO_TICKET SSL_OP_BIT(14)
#define SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION SSL_OP_BIT(16)
#define SSL_OP_NO_ANTI_REPLAY SSL_OP_BIT(24)

/* With SSL_VERIFY_PEER a server stores no session unless it has a session id context. */
#define SSL_VERIFY_NONE 0x00
#define SSL_VERIFY_PEER 0x01
#define SSL_VERIFY_FAIL_IF_NO_PEER_CERT 0x02
#define SSL_VERIFY_CLIENT_ONCE 0x04
#define SSL_VERIFY_POST_HANDSHAKE 0x08

#endif /* not OpenSSL's ssl.h */

/* The reasons on the error queue, where libcrypto is in the process (library ERR_LIB_SSL). */
#if !defined(OPENSSL_SSLERR_H) && !defined(HEADER_SSLERR_H)
#define SSL_R_ATTEMPT_TO_REUSE_SESSION_IN_DIFFERENT_CONTEXT 272
#define SSL_R_BAD_LENGTH 271
#define SSL_R_INVALID_SESSION_ID 999
#define SSL_R_NULL_SSL_METHOD_PASSED 196
#define SSL_R_SESSION_ID_CONTEXT_UNINITIALIZED 277
#define SSL_R_SSL_SESSION_ID_CALLBACK_FAILED 301
#define SSL_R_SSL_SESSION_ID_CONFLICT 302
#define SSL_R_SSL_SESSION_ID_CONTEXT_TOO_LONG 273
#define SSL_R_SSL_SESSION_ID_HAS_BAD_LENGTH 303
#define SSL_R_SSL_SESSION_ID_TOO_LONG 408
#define SSL_R_SSL_SESSION_VERSION_MISMATCH 210
#define SSL_R_UNKNOWN_SSL_VERSION 254
#define SSL_R_UNSUPPORTED_SSL_VERSION 259
#endif

/* What the macros above use of libcrypto. */
#if !defined(OPENSSL_CRYPTO_H) && !defined(HEADER_CRYPTO_H)
#define CRYPTO_EX_INDEX_SSL 0
#define CRYPTO_EX_INDEX_SSL_CTX 1
#define CRYPTO_EX_INDEX_SSL_SESSION 2
#define OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS 0x00000001L
#define OPENSSL_INIT_LOAD_CRYPTO_STRINGS 0x00000002L
#endif

#ifdef __cplusplus
extern "C" {
#endif
#if !defined(OPENSSL_CRYPTO_H) && !defined(HEADER_CRYPTO_H)
int CRYPTO_get_ex_new_index(
    int class_index, long argl, void *argp,
    void (*new_func)(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int idx, long argl, void *argp),
    int (*dup_func)(CRYPTO_EX_DATA *to, const CRYPTO_EX_DATA *from, void **from_d, int idx,
                    long argl, void *argp),
    void (*free_func)(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int idx, long argl, void *argp));
#endif
#if !defined(OPENSSL_ASN1_H) && !defined(HEADER_ASN1_H)
void *ASN1_d2i_bio(void *(*xnew)(void), void *(*d2i)(void **, const unsigned char **, long),
                   BIO *in, void **x);
int ASN1_i2d_bio(int (*i2d)(const void *, unsigned char **), BIO *out, const void *x);
#endif
#ifdef __cplusplus
}
#endif


/*
 * What happened in a cache so far. The fields only ever grow, but for `held`, and are all of one
 * moment. Later versions may add fields at the end.
 *
 * Why a session is missed is known for a while after it left; later it counts as unknown. From the
 * first call on, or with SSLCACHE_STATS, that is 100,000 departures and more, before it some
 * hundred. So the four `misses_` are exact as a sum, and one by one for as long as that.
 */
struct SSLCACHE_STATS {
    /* Sessions in the cache now. */
    uint64_t held;
    /* Sessions that were put in, replacements included. */
    uint64_t stored;
    /* Look-ups that found a session. */
    uint64_t hits;
    /* Look-ups of an id that was not there, and had not been lately. */
    uint64_t misses_unknown;
    /* Look-ups of an id that had been flushed because it expired. */
    uint64_t misses_expired;
    /* Look-ups of an id that had been removed, replaced or taken. */
    uint64_t misses_removed;
    /* Look-ups of an id that had been evicted because the cache was full. */
    uint64_t misses_evicted;
    /* Sessions replaced by another with the same id. */
    uint64_t replaced;
    /* Sessions removed one by one: by the program, or by handshakes that went wrong. */
    uint64_t removed;
    /* Sessions taken for their one resumption. */
    uint64_t taken;
    /* Sessions evicted because the cache was full. */
    uint64_t evicted;
    /* Sessions flushed, expired or not. */
    uint64_t flushed;
};

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Reads a session from the DER at `*pp`, of which there are `length` bytes at most.
 *
 * Ownership: with `a` or `*a` NULL the session is new, the caller has its one reference, and it is
 * stored in `*a` too unless `a` is NULL. Else the session at `*a` takes the values that are read,
 * keeps its references and ex_data, and is returned. A cached session stays where it is, under the
 * id it was added with. Returns NULL with an error queued (without one for an unknown cipher
 * suite, or an id or key that is too long); nothing has changed then. On success `*pp` moves
 * behind the session.
 *
 * Without a libssl in the process only DER is read, no other form of BER; libcrypto checks the
 * peer's certificate, if it is there. See d2i_SSL_SESSION(3).
 * Arguments: `a` is NULL or points to NULL or to a live session; `pp` is NULL or points to NULL or to
 * `length` readable bytes.
 */
SSL_SESSION *d2i_SSL_SESSION(SSL_SESSION **a,
                             const unsigned char **pp,
                             long length);

/*
 * The same as d2i_SSL_SESSION(), with a library context for the peer's key. Without a libssl in
 * the process, and in front of one before 3.2, it is always the default one.
 *
 * See d2i_SSL_SESSION_ex(3); since OpenSSL 3.2, and in front of any release.
 * Arguments: As for d2i_SSL_SESSION(); `libctx` is NULL or live, `propq` NULL or a C string.
 */
SSL_SESSION *d2i_SSL_SESSION_ex(SSL_SESSION **a,
                                const unsigned char **pp,
                                long length,
                                OSSL_LIB_CTX *libctx,
                                const char *propq);

/*
 * Writes `in_` as DER to `*pp`.
 *
 * Ownership: with `*pp` NULL a buffer is allocated, which the caller frees with OPENSSL_free()
 * (without libcrypto in the process: free()), and `*pp` points to its start. Else there must be
 * room at `*pp`, which moves behind what is written. With `pp` NULL nothing is written. Returns
 * the length; 0 for NULL, and for a session that never had a cipher suite.
 *
 * See i2d_SSL_SESSION(3).
 * Arguments: `in_` is NULL or live; `pp` is NULL or points to NULL or to enough writable bytes.
 */
int i2d_SSL_SESSION(const SSL_SESSION *in_,
                    unsigned char **pp);

/*
 * Reads the next session in PEM, "SSL SESSION PARAMETERS", from `bp`; `cb` or `u` give the pass
 * phrase if it is encrypted, as for every PEM function.
 *
 * Ownership: as for d2i_SSL_SESSION() with `x`.
 * Returns NULL with an error queued if there is none.
 * Without libcrypto in the process there are no BIOs: NULL.
 * See PEM_read_bio_SSL_SESSION(3).
 * Arguments: `bp` is NULL or live; `x` is NULL or points to NULL or to a live session; `u` is what `cb`
 * wants.
 */
SSL_SESSION *PEM_read_bio_SSL_SESSION(BIO *bp,
                                      SSL_SESSION **x,
                                      SSLCACHE_PEM_PASSWORD_CB cb,
                                      void *u);

/*
 * The same as PEM_read_bio_SSL_SESSION() from a stream. Without libcrypto in the process an
 * encrypted text is refused.
 *
 * See PEM_read_SSL_SESSION(3).
 * Arguments: `fp` is NULL or an open stream; `x` and `u` as for PEM_read_bio_SSL_SESSION().
 */
SSL_SESSION *PEM_read_SSL_SESSION(FILE *fp,
                                  SSL_SESSION **x,
                                  SSLCACHE_PEM_PASSWORD_CB cb,
                                  void *u);

/*
 * Writes `x` in PEM, unencrypted, to `bp`.
 *
 * Returns 1; 0 if it could not be written, for NULL, and for a session that never had a cipher
 * suite.
 * Without libcrypto in the process there are no BIOs: 0.
 * See PEM_write_bio_SSL_SESSION(3).
 * Arguments: `bp` and `x` are NULL or live.
 */
int PEM_write_bio_SSL_SESSION(BIO *bp,
                              const SSL_SESSION *x);

/*
 * Writes `x` in PEM, unencrypted, to `fp`.
 *
 * Returns 1; 0 if it could not be written, for NULL, and for a session that never had a cipher
 * suite.
 * See PEM_write_SSL_SESSION(3).
 * Arguments: `fp` is NULL or an open stream, `x` NULL or live.
 */
int PEM_write_SSL_SESSION(FILE *fp,
                          const SSL_SESSION *x);

/*
 * Waits for a client's handshake.
 *
 * Without a libssl in the process there are no handshakes, and nothing to read from: it is an error,
 * with SSL_R_READ_BIO_NOT_SET queued.
 * Returns 1 when the handshake is done, 0 or less if it is not; SSL_get_error() says why. -1 for NULL.
 * See SSL_accept(3).
 * Arguments: `ssl` is NULL or live.
 */
int SSL_accept(SSL *ssl);

/*
 * Makes `ssl` a server's connection. NULL: nothing happens.
 *
 * See SSL_set_accept_state(3).
 * Arguments: `ssl` is NULL or live.
 */
void SSL_set_accept_state(SSL *ssl);

/*
 * Returns the cipher suite with the two-byte number at `ptr`, or NULL if it is not known.
 *
 * Ownership: static, never freed.
 * Without a libssl in the process every connection knows the same suites: those of OpenSSL 3.0.
 * See SSL_CIPHER_find(3).
 * Arguments: `ssl` is NULL or live; `ptr` is NULL or points to two readable bytes.
 */
const SSL_CIPHER *SSL_CIPHER_find(SSL *ssl,
                                  const unsigned char *ptr);

/*
 * Returns OpenSSL's name of `c`, for example "ECDHE-RSA-AES128-GCM-SHA256"; "(NONE)" for NULL.
 *
 * Ownership: static, never freed.
 * See SSL_CIPHER_get_name(3).
 * Arguments: `c` is NULL or a cipher suite.
 */
const char *SSL_CIPHER_get_name(const SSL_CIPHER *c);

/*
 * Returns the name of `c` in the RFCs, for example "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256";
 * "(NONE)" for NULL, and NULL for a suite that is in none.
 *
 * Ownership: static, never freed.
 * See SSL_CIPHER_standard_name(3).
 * Arguments: `c` is NULL or a cipher suite.
 */
const char *SSL_CIPHER_standard_name(const SSL_CIPHER *c);

/*
 * Returns the first protocol version that has `c`, for example "TLSv1.2"; "(NONE)" for NULL.
 *
 * Ownership: static, never freed.
 * See SSL_CIPHER_get_version(3).
 * Arguments: `c` is NULL or a cipher suite.
 */
const char *SSL_CIPHER_get_version(const SSL_CIPHER *c);

/*
 * Returns OpenSSL's number of `c`: the one in the protocol, plus 0x03000000. 0 for NULL.
 *
 * See SSL_CIPHER_get_id(3).
 * Arguments: `c` is NULL or a cipher suite.
 */
uint32_t SSL_CIPHER_get_id(const SSL_CIPHER *c);

/*
 * Returns the two-byte number of `c` in the protocol; 0 for NULL.
 *
 * See SSL_CIPHER_get_protocol_id(3).
 * Arguments: `c` is NULL or a cipher suite.
 */
uint16_t SSL_CIPHER_get_protocol_id(const SSL_CIPHER *c);

/*
 * Returns how many bits of the key of `c` are secret, and through `alg_bits`, unless that is NULL,
 * how many the algorithm works on.
 *
 * Returns 0 for NULL, and leaves `alg_bits` alone.
 * See SSL_CIPHER_get_bits(3).
 * Arguments: `c` is NULL or a cipher suite; `alg_bits` is NULL or writable.
 */
int SSL_CIPHER_get_bits(const SSL_CIPHER *c,
                        int *alg_bits);

/*
 * Adds `c` to the internal cache of `ctx`.
 *
 * Another session with the same id and protocol version is removed from the cache without a
 * callback and its reference dropped. If the cache is full, the sessions that expire first leave:
 * they are marked not resumable, and the remove callback runs for each, with no lock held. Neither
 * the cache mode, nor the session's timeout, nor its id is checked.
 *
 * Ownership: takes one more reference to `c`; the caller keeps its own.
 * Returns 1 if added; 0 if this very object was already there, or on error, or for NULL.
 * Thread safety: any thread, any time.
 * See SSL_CTX_add_session(3).
 * Arguments: `ctx` and `c` are NULL or live.
 */
int SSL_CTX_add_session(SSL_CTX *ctx,
                        SSL_SESSION *c);

/*
 * Removes the session with `c`'s id and protocol version from the internal cache of `ctx`.
 *
 * `c` is marked not resumable, and the remove callback runs with `c`, with no lock held, whether
 * or not the cache held such a session. A session without an id is left alone altogether.
 *
 * Ownership: drops the cache's reference to what it held; the caller keeps its own to `c`.
 * Returns 1 if the cache held such a session (which may be another object than `c`), else 0.
 * Thread safety: any thread, any time.
 * See SSL_CTX_remove_session(3).
 * Arguments: `ctx` and `c` are NULL or live.
 */
int SSL_CTX_remove_session(SSL_CTX *ctx,
                           SSL_SESSION *c);

/*
 * Performs the command `cmd` on `ctx`: behind the macros SSL_CTX_sess_number() to
 * SSL_CTX_get_session_cache_mode().
 *
 * Without a libssl in the process the 16 session commands are known, and every other one returns
 * 0.
 *
 * Returns what the macro says; 0 for NULL and for a command that is not known.
 * Thread safety: any thread, any time.
 * See SSL_CTX_ctrl(3), SSL_CTX_sess_number(3).
 * Arguments: `ctx` is NULL or live; `parg` is what the command takes.
 */
long SSL_CTX_ctrl(SSL_CTX *ctx,
                  int cmd,
                  long larg,
                  void *parg);

/*
 * Performs the command `cmd` with a function. None of them concerns sessions.
 *
 * Returns what the real libssl returns; 0 without one.
 * See SSL_CTX_callback_ctrl(3).
 * Arguments: As the real function asks.
 */
long SSL_CTX_callback_ctrl(SSL_CTX *ctx, int cmd, SSLCACHE_UNTYPED_CB fp);

/*
 * Performs the command `cmd` on a connection. None of them concerns sessions.
 *
 * Returns what the real libssl returns; 0 without one.
 * See SSL_ctrl(3).
 * Arguments: As the real function asks.
 */
long SSL_ctrl(SSL *ssl, int cmd, long larg, void *parg);

/*
 * Removes the sessions that have expired by `tm` from the internal cache of `ctx`; all of them if
 * `tm` is 0.
 *
 * The one that expires first goes first. Each is marked not resumable, the remove callback runs,
 * with no lock held, and the cache's reference is dropped.
 *
 * `tm`: seconds since the epoch. A session that expires in second `tm` stays.
 * Thread safety: any thread, any time; look-ups and adds of other threads go on meanwhile.
 * See SSL_CTX_flush_sessions(3).
 * Arguments: `ctx` is NULL (nothing happens) or live.
 */
void SSL_CTX_flush_sessions(SSL_CTX *ctx,
                            long tm);

/*
 * The same as SSL_CTX_flush_sessions() with a `time_t`.
 *
 * See SSL_CTX_flush_sessions_ex(3); since OpenSSL 3.4, and in front of any release.
 * Arguments: `ctx` is NULL (nothing happens) or live.
 */
void SSL_CTX_flush_sessions_ex(SSL_CTX *ctx, time_t tm);

/*
 * Initialises libssl. Without one in the process there is nothing to do.
 *
 * Returns 1, or 0 on error.
 * See OPENSSL_init_ssl(3).
 * Arguments: `settings` is NULL or what the real function takes.
 */
int OPENSSL_init_ssl(uint64_t opts, const OPENSSL_INIT_SETTINGS *settings);

/*
 * The method for either side of a connection: the highest version of TLS both sides know.
 *
 * Ownership: static, never freed.
 * See TLS_method(3).
 */
const SSL_METHOD *TLS_method(void);

/*
 * The method for a server: the highest version of TLS both sides know.
 *
 * Ownership: static, never freed.
 * See TLS_server_method(3).
 */
const SSL_METHOD *TLS_server_method(void);

/*
 * The method for a client: the highest version of TLS both sides know.
 *
 * Ownership: static, never freed.
 * See TLS_client_method(3).
 */
const SSL_METHOD *TLS_client_method(void);

/*
 * The method for either side of a connection: TLS 1.2.
 *
 * Ownership: static, never freed.
 * See TLSv1_2_method(3).
 */
const SSL_METHOD *TLSv1_2_method(void);

/*
 * The method for a server: TLS 1.2.
 *
 * Ownership: static, never freed.
 * See TLSv1_2_server_method(3).
 */
const SSL_METHOD *TLSv1_2_server_method(void);

/*
 * The method for a client: TLS 1.2.
 *
 * Ownership: static, never freed.
 * See TLSv1_2_client_method(3).
 */
const SSL_METHOD *TLSv1_2_client_method(void);

/*
 * The method for either side of a connection: TLS 1.1.
 *
 * Ownership: static, never freed.
 * See TLSv1_1_method(3).
 */
const SSL_METHOD *TLSv1_1_method(void);

/*
 * The method for a server: TLS 1.1.
 *
 * Ownership: static, never freed.
 * See TLSv1_1_server_method(3).
 */
const SSL_METHOD *TLSv1_1_server_method(void);

/*
 * The method for a client: TLS 1.1.
 *
 * Ownership: static, never freed.
 * See TLSv1_1_client_method(3).
 */
const SSL_METHOD *TLSv1_1_client_method(void);

/*
 * The method for either side of a connection: TLS 1.0.
 *
 * Ownership: static, never freed.
 * See TLSv1_method(3).
 */
const SSL_METHOD *TLSv1_method(void);

/*
 * The method for a server: TLS 1.0.
 *
 * Ownership: static, never freed.
 * See TLSv1_server_method(3).
 */
const SSL_METHOD *TLSv1_server_method(void);

/*
 * The method for a client: TLS 1.0.
 *
 * Ownership: static, never freed.
 * See TLSv1_client_method(3).
 */
const SSL_METHOD *TLSv1_client_method(void);

/*
 * The method for either side of a connection: the highest version of DTLS both sides know.
 *
 * Ownership: static, never freed.
 * See DTLS_method(3).
 */
const SSL_METHOD *DTLS_method(void);

/*
 * The method for a server: the highest version of DTLS both sides know.
 *
 * Ownership: static, never freed.
 * See DTLS_server_method(3).
 */
const SSL_METHOD *DTLS_server_method(void);

/*
 * The method for a client: the highest version of DTLS both sides know.
 *
 * Ownership: static, never freed.
 * See DTLS_client_method(3).
 */
const SSL_METHOD *DTLS_client_method(void);

/*
 * The method for either side of a connection: DTLS 1.2.
 *
 * Ownership: static, never freed.
 * See DTLSv1_2_method(3).
 */
const SSL_METHOD *DTLSv1_2_method(void);

/*
 * The method for a server: DTLS 1.2.
 *
 * Ownership: static, never freed.
 * See DTLSv1_2_server_method(3).
 */
const SSL_METHOD *DTLSv1_2_server_method(void);

/*
 * The method for a client: DTLS 1.2.
 *
 * Ownership: static, never freed.
 * See DTLSv1_2_client_method(3).
 */
const SSL_METHOD *DTLSv1_2_client_method(void);

/*
 * The method for either side of a connection: DTLS 1.0.
 *
 * Ownership: static, never freed.
 * See DTLSv1_method(3).
 */
const SSL_METHOD *DTLSv1_method(void);

/*
 * The method for a server: DTLS 1.0.
 *
 * Ownership: static, never freed.
 * See DTLSv1_server_method(3).
 */
const SSL_METHOD *DTLSv1_server_method(void);

/*
 * The method for a client: DTLS 1.0.
 *
 * Ownership: static, never freed.
 * See DTLSv1_client_method(3).
 */
const SSL_METHOD *DTLSv1_client_method(void);

/*
 * Makes a context, with an empty internal cache of SSL_SESSION_CACHE_MAX_SIZE_DEFAULT in the mode
 * SSL_SESS_CACHE_SERVER.
 *
 * Ownership: the caller has the one reference; SSL_CTX_free() gives it back.
 * Returns NULL on error; for a `meth` of NULL with SSL_R_NULL_SSL_METHOD_PASSED queued.
 * Thread safety: any thread, any time.
 * See SSL_CTX_new(3).
 * Arguments: `meth` is NULL or from one of the functions above.
 */
SSL_CTX *SSL_CTX_new(const SSL_METHOD *meth);

/*
 * The same as SSL_CTX_new(), with a library context of libcrypto, which sessions do not need.
 *
 * See SSL_CTX_new_ex(3); since OpenSSL 3.0.
 * Arguments: `meth` is NULL or from one of the functions above, the rest as the real function asks.
 */
SSL_CTX *SSL_CTX_new_ex(OSSL_LIB_CTX *libctx,
                        const char *propq,
                        const SSL_METHOD *meth);

/*
 * Takes one more reference to `ctx`.
 *
 * Returns 1; 0 for NULL.
 * See SSL_CTX_up_ref(3).
 * Arguments: `ctx` is NULL or live.
 */
int SSL_CTX_up_ref(SSL_CTX *ctx);

/*
 * Gives back one reference to `ctx`. With the last one, every cached session is removed as by
 * SSL_CTX_flush_sessions(ctx, 0), then the ex_data free functions run, then the context is gone.
 *
 * Connections hold references of their own. NULL: nothing happens.
 * See SSL_CTX_free(3).
 * Arguments: `ctx` is NULL or live, and the caller has a reference to give back.
 */
void SSL_CTX_free(SSL_CTX *ctx);

/*
 * Sets the function called for each new session that a handshake makes. 1 means that the
 * application keeps the reference it is given, 0 that it does not. What the internal cache holds
 * does not depend on it.
 *
 * NULL removes the callback. Thread safety: set it before handshakes begin, as with OpenSSL.
 * See SSL_CTX_sess_set_new_cb(3).
 * Arguments: `ctx` is NULL (nothing happens) or live; the function is good for as long as it is set.
 */
void SSL_CTX_sess_set_new_cb(SSL_CTX *ctx,
                             SSLCACHE_NEW_CB cb);

/*
 * Returns the function set by SSL_CTX_sess_set_new_cb(), or NULL.
 *
 * See SSL_CTX_sess_get_new_cb(3).
 * Arguments: `ctx` is NULL (which has none) or live.
 */
SSLCACHE_NEW_CB SSL_CTX_sess_get_new_cb(SSL_CTX *ctx);

/*
 * Sets the function called for each session that is removed from the internal cache, or that
 * SSL_CTX_remove_session() was asked to remove. No lock is held: it may use the cache as it likes.
 *
 * NULL removes the callback. Thread safety: set it before handshakes begin, as with OpenSSL.
 * See SSL_CTX_sess_set_remove_cb(3).
 * Arguments: `ctx` is NULL (nothing happens) or live; the function is good for as long as it is set.
 */
void SSL_CTX_sess_set_remove_cb(SSL_CTX *ctx,
                                SSLCACHE_REMOVE_CB cb);

/*
 * Returns the function set by SSL_CTX_sess_set_remove_cb(), or NULL.
 *
 * See SSL_CTX_sess_get_remove_cb(3).
 * Arguments: `ctx` is NULL (which has none) or live.
 */
SSLCACHE_REMOVE_CB SSL_CTX_sess_get_remove_cb(SSL_CTX *ctx);

/*
 * Sets the function called for a session id that the internal cache does not hold, or is not asked
 * for. It returns a session or NULL; with `*copy` set to 0 its reference goes to the library, else
 * the library takes one of its own.
 *
 * NULL removes the callback. Thread safety: set it before handshakes begin, as with OpenSSL.
 * See SSL_CTX_sess_set_get_cb(3).
 * Arguments: `ctx` is NULL (nothing happens) or live; the function is good for as long as it is set.
 */
void SSL_CTX_sess_set_get_cb(SSL_CTX *ctx,
                             SSLCACHE_GET_CB cb);

/*
 * Returns the function set by SSL_CTX_sess_set_get_cb(), or NULL.
 *
 * See SSL_CTX_sess_get_get_cb(3).
 * Arguments: `ctx` is NULL (which has none) or live.
 */
SSLCACHE_GET_CB SSL_CTX_sess_get_get_cb(SSL_CTX *ctx);

/*
 * Returns a hash table of libcrypto (for OPENSSL_LH_doall() and its like) that shows the sessions
 * in the internal cache of `ctx`.
 *
 * It follows the cache: a session that is added appears in it, one that leaves is taken out. Each
 * call returns the same table. Changing it changes nothing else. SSL_CTX_sess_number() is the
 * cheap way to count: from the first call on, every change of the cache is one of the table too.
 *
 * Ownership: the table is the context's, and ends with it; no references are taken.
 * Returns NULL for NULL, and without libcrypto in the process.
 * Thread safety: any number of threads may walk the table while none changes the cache.
 * See SSL_CTX_sessions(3).
 * Arguments: `ctx` is NULL or live.
 */
struct lhash_st_SSL_SESSION *SSL_CTX_sessions(SSL_CTX *ctx);

/*
 * Stores `data` under `idx` in `ctx`.
 *
 * Indexes come from SSL_CTX_get_ex_new_index(), a macro over libcrypto's
 * CRYPTO_get_ex_new_index(); index 0 is the application's own (SSL_CTX_set_app_data()).
 *
 * Ownership: the library never frees `data`; the index's free function may.
 * Returns 1; 0 for NULL, a negative index, or out of memory.
 * See SSL_CTX_set_ex_data(3).
 * Arguments: `ctx` is NULL or live.
 */
int SSL_CTX_set_ex_data(SSL_CTX *ctx, int idx, void *data);

/*
 * Returns what was stored under `idx` in `ctx`, or NULL.
 *
 * See SSL_CTX_get_ex_data(3).
 * Arguments: `ctx` is NULL or live.
 */
void *SSL_CTX_get_ex_data(const SSL_CTX *ctx, int idx);

/*
 * Stores `data` under `idx` in `ssl`.
 *
 * Indexes come from SSL_get_ex_new_index(), a macro over libcrypto's CRYPTO_get_ex_new_index();
 * index 0 is the application's own (SSL_set_app_data()).
 *
 * Ownership: the library never frees `data`; the index's free function may.
 * Returns 1; 0 for NULL, a negative index, or out of memory.
 * See SSL_set_ex_data(3).
 * Arguments: `ssl` is NULL or live.
 */
int SSL_set_ex_data(SSL *ssl,
                    int idx,
                    void *data);

/*
 * Returns what was stored under `idx` in `ssl`, or NULL.
 *
 * See SSL_get_ex_data(3).
 * Arguments: `ssl` is NULL or live.
 */
void *SSL_get_ex_data(const SSL *ssl, int idx);

/*
 * Stores `data` under `idx` in `ses`.
 *
 * Indexes come from SSL_SESSION_get_ex_new_index(), a macro over libcrypto's
 * CRYPTO_get_ex_new_index(); index 0 is the application's own (SSL_SESSION_set_app_data()).
 *
 * Ownership: the library never frees `data`; the index's free function may.
 * Returns 1; 0 for NULL, a negative index, or out of memory.
 * See SSL_SESSION_set_ex_data(3).
 * Arguments: `ses` is NULL or live.
 */
int SSL_SESSION_set_ex_data(SSL_SESSION *ses,
                            int idx,
                            void *data);

/*
 * Returns what was stored under `idx` in `ses`, or NULL.
 *
 * See SSL_SESSION_get_ex_data(3).
 * Arguments: `ses` is NULL or live.
 */
void *SSL_SESSION_get_ex_data(const SSL_SESSION *ses, int idx);

/*
 * Sets the function that makes session ids for the connections of `ctx` to come; NULL makes them
 * at random.
 *
 * Without a libssl in the process the one place an id is made is SSLCACHE_negotiated().
 * Returns 1; 0 for NULL.
 * See SSL_CTX_set_generate_session_id(3).
 * Arguments: `ctx` is NULL or live.
 */
int SSL_CTX_set_generate_session_id(SSL_CTX *ctx,
                                    GEN_SESSION_CB cb);

/*
 * Sets the function that makes session ids for this connection; NULL makes them at random.
 *
 * Without a libssl in the process the one place an id is made is SSLCACHE_negotiated().
 * Returns 1; 0 for NULL.
 * See SSL_set_generate_session_id(3).
 * Arguments: `ssl` is NULL or live.
 */
int SSL_set_generate_session_id(SSL *ssl,
                                GEN_SESSION_CB cb);

/*
 * Looks in the internal cache of the context `ssl` was made from for a session with this id and
 * the protocol version of `ssl`.
 *
 * Returns 1 if there is one, else 0: also for NULL and for an id of more than 32 bytes.
 * Thread safety: any thread, any time.
 * See SSL_has_matching_session_id(3).
 * Arguments: `ssl` is NULL or live; `id` points to `id_len` bytes.
 */
int SSL_has_matching_session_id(const SSL *ssl,
                                const unsigned char *id,
                                unsigned int id_len);

/*
 * Sets the session id context of `ctx` to the `sid_ctx_len` bytes at `sid_ctx`, 32 at most: only
 * sessions with the same one are resumed.
 *
 * Returns 1; 0 for NULL, and with SSL_R_SSL_SESSION_ID_CONTEXT_TOO_LONG queued for more than 32
 * bytes. See SSL_CTX_set_session_id_context(3).
 * Arguments: `ctx` is NULL or live; `sid_ctx` points to `sid_ctx_len` bytes.
 */
int SSL_CTX_set_session_id_context(SSL_CTX *ctx,
                                   const unsigned char *sid_ctx,
                                   unsigned int sid_ctx_len);

/*
 * Sets the session id context of `ssl` to the `sid_ctx_len` bytes at `sid_ctx`, 32 at most: only
 * sessions with the same one are resumed.
 *
 * Returns 1; 0 for NULL, and with SSL_R_SSL_SESSION_ID_CONTEXT_TOO_LONG queued for more than 32
 * bytes. See SSL_set_session_id_context(3).
 * Arguments: `ssl` is NULL or live; `sid_ctx` points to `sid_ctx_len` bytes.
 */
int SSL_set_session_id_context(SSL *ssl,
                               const unsigned char *sid_ctx,
                               unsigned int sid_ctx_len);

/*
 * Sets what goes into the tickets of `ss` to a copy of the `len` bytes at `data`; NULL or 0 clears
 * it.
 *
 * Returns 1; 0 for NULL.
 * See SSL_SESSION_set1_ticket_appdata(3).
 * Arguments: the session is NULL or live; `data` points to `len` bytes.
 */
int SSL_SESSION_set1_ticket_appdata(SSL_SESSION *ss,
                                    const void *data,
                                    size_t len);

/*
 * Gives what was set by SSL_SESSION_set1_ticket_appdata() through `data` and its length through
 * `len`.
 *
 * Ownership: the bytes are the session's, good until they are set again. Without any: NULL and 0.
 * Returns 1; 0 for NULL.
 * See SSL_SESSION_get0_ticket_appdata(3).
 * Arguments: `ss` is NULL or live; `data` and `len` are NULL or writable.
 */
int SSL_SESSION_get0_ticket_appdata(SSL_SESSION *ss,
                                    void **data,
                                    size_t *len);

/*
 * Sets for how many seconds the sessions that handshakes of `ctx` make are good.
 *
 * Returns the previous timeout; 0 for NULL. The first is 7200, for every method.
 * See SSL_CTX_set_timeout(3).
 * Arguments: `ctx` is NULL or live.
 */
long SSL_CTX_set_timeout(SSL_CTX *ctx, long t);

/*
 * Returns the timeout of `ctx` in seconds; 0 for NULL.
 *
 * See SSL_CTX_get_timeout(3).
 * Arguments: `ctx` is NULL or live.
 */
long SSL_CTX_get_timeout(const SSL_CTX *ctx);

/*
 * Returns the default timeout of the connection's method in seconds: 7200; 0 for NULL.
 *
 * See SSL_get_default_timeout(3).
 * Arguments: `s` is NULL or live.
 */
long SSL_get_default_timeout(const SSL *s);

/*
 * Copies up to `outlen` bytes of the master key of `session` to `out`.
 *
 * Returns how many were copied; for an `outlen` of 0, how many there are. 0 for NULL.
 * See SSL_SESSION_get_master_key(3).
 * Arguments: `session` is NULL or live; `out` points to `outlen` writable bytes.
 */
size_t SSL_SESSION_get_master_key(const SSL_SESSION *session,
                                  unsigned char *out,
                                  size_t outlen);

/*
 * Sets the master key of `sess` to a copy of the `len` bytes at `key`, 512 at most.
 *
 * Returns 1; 0 for NULL or a longer key.
 * See SSL_SESSION_set1_master_key(3).
 * Arguments: `sess` is NULL or live; `key` points to `len` bytes.
 */
int SSL_SESSION_set1_master_key(SSL_SESSION *sess, const unsigned char *key, size_t len);

/*
 * Returns the session of `ssl`, or NULL.
 *
 * Ownership: no reference is taken.
 * See SSL_get_session(3).
 * Arguments: `ssl` is NULL or live.
 */
SSL_SESSION *SSL_get_session(const SSL *ssl);

/*
 * Returns the session of `ssl`, or NULL.
 *
 * Ownership: the caller gets one more reference.
 * See SSL_get1_session(3).
 * Arguments: `ssl` is NULL or live.
 */
SSL_SESSION *SSL_get1_session(SSL *ssl);

/*
 * Makes `session` the one of `to`; NULL takes the present one away.
 *
 * Ownership: one more reference to `session` is taken, the one to the present session given back.
 * Returns 1; 0 for a NULL connection.
 * See SSL_set_session(3).
 * Arguments: `to` and `session` are NULL or live.
 */
int SSL_set_session(SSL *to,
                    SSL_SESSION *session);

/*
 * Returns 1 if the session of `ssl` was resumed, else 0.
 *
 * See SSL_session_reused(3).
 * Arguments: `ssl` is NULL or live.
 */
int SSL_session_reused(const SSL *ssl);

/*
 * Gives `to` the session and the session id context of `from`.
 *
 * Returns 1; 0 for NULL.
 * See SSL_copy_session_id(3).
 * Arguments: `to` and `from` are NULL or live.
 */
int SSL_copy_session_id(SSL *to, const SSL *from);

/*
 * Makes a connection of `ctx`.
 *
 * Without a libssl in the process it speaks no protocol: it is what SSLCACHE_accept_session(),
 * SSLCACHE_negotiated() and SSL_has_matching_session_id() work on.
 * Ownership: the caller has the one reference; the connection holds references to `ctx`.
 * Returns NULL on error; for NULL with SSL_R_NULL_SSL_CTX queued.
 * See SSL_new(3).
 * Arguments: `ctx` is NULL or live.
 */
SSL *SSL_new(SSL_CTX *ctx);

/*
 * Takes one more reference to `ssl`.
 *
 * Returns 1; 0 for NULL.
 * See SSL_up_ref(3).
 * Arguments: `ssl` is NULL or live.
 */
int SSL_up_ref(SSL *ssl);

/*
 * Gives back one reference to `ssl`. NULL: nothing happens.
 *
 * See SSL_free(3).
 * Arguments: `ssl` is NULL or live, and the caller has a reference to give back.
 */
void SSL_free(SSL *ssl);

/*
 * Returns the context of `ssl`, or NULL for NULL.
 *
 * Ownership: no reference is taken.
 * See SSL_get_SSL_CTX(3).
 * Arguments: `ssl` is NULL or live.
 */
SSL_CTX *SSL_get_SSL_CTX(const SSL *ssl);

/*
 * Switches `ssl` to another context (server name indication). Its sessions, session callbacks and
 * counters stay those of the context it was made from; a `ctx` of NULL goes back to that one.
 *
 * Returns the context it has then, or NULL for NULL.
 * See SSL_set_SSL_CTX(3).
 * Arguments: `ssl` and `ctx` are NULL or live.
 */
SSL_CTX *SSL_set_SSL_CTX(SSL *ssl,
                         SSL_CTX *ctx);

/*
 * Returns the protocol version of `ssl`: before a handshake the highest that its method knows; 0
 * for NULL.
 *
 * See SSL_version(3).
 * Arguments: `ssl` is NULL or live.
 */
int SSL_version(const SSL *ssl);

/*
 * Returns 1 if `ssl` is a server, else 0. Without a libssl in the process that is every connection
 * but one of a client method.
 *
 * See SSL_is_server(3).
 * Arguments: `ssl` is NULL or live.
 */
int SSL_is_server(const SSL *ssl);

/*
 * Returns how many bytes of early data `s` allows.
 *
 * See SSL_SESSION_get_max_early_data(3).
 * Arguments: `s` is NULL or live.
 */
uint32_t SSL_SESSION_get_max_early_data(const SSL_SESSION *s);

/*
 * Sets how many bytes of early data `s` allows.
 *
 * Returns 1; 0 for NULL.
 * See SSL_SESSION_set_max_early_data(3).
 * Arguments: `s` is NULL or live.
 */
int SSL_SESSION_set_max_early_data(SSL_SESSION *s, uint32_t max_early_data);

/*
 * Makes a session: made now, good for 304 seconds, without an id, so not resumable yet.
 *
 * Ownership: the caller has the one reference; SSL_SESSION_free() gives it back.
 * Returns NULL when out of memory.
 * See SSL_SESSION_new(3).
 * Thread safety: any thread, any time.
 */
SSL_SESSION *SSL_SESSION_new(void);

/*
 * Makes a copy of `src`: every value, the mark not resumable too, and the ex_data through its dup
 * functions. The copy is in no cache.
 *
 * Ownership: the caller has the one reference of the copy.
 * Returns NULL for NULL or on error.
 * See SSL_SESSION_dup(3).
 * Arguments: `src` is NULL or live.
 */
SSL_SESSION *SSL_SESSION_dup(const SSL_SESSION *src);

/*
 * Takes one more reference to `ses`.
 *
 * Returns 1; 0 for NULL.
 * See SSL_SESSION_up_ref(3).
 * Arguments: `ses` is NULL or live.
 */
int SSL_SESSION_up_ref(SSL_SESSION *ses);

/*
 * Gives back one reference to `session`. With the last one its ex_data free functions run, and its
 * secrets are wiped.
 *
 * NULL: nothing happens.
 * See SSL_SESSION_free(3).
 * Arguments: `session` is NULL or live, and the caller has a reference to give back.
 */
void SSL_SESSION_free(SSL_SESSION *session);

/*
 * Returns the cipher suite of `s`, or NULL if it has none or its number is not known.
 *
 * Ownership: static, never freed.
 *
 * See SSL_SESSION_get0_cipher(3).
 * Arguments: `s` is NULL or live.
 */
const SSL_CIPHER *SSL_SESSION_get0_cipher(const SSL_SESSION *s);

/*
 * Sets the cipher suite of `s`; NULL is taken.
 *
 * Returns 1; 0 for NULL.
 * See SSL_SESSION_set_cipher(3).
 * Arguments: `s` is NULL or live.
 */
int SSL_SESSION_set_cipher(SSL_SESSION *s, const SSL_CIPHER *cipher);

/*
 * Returns the server name of `s`, or NULL.
 *
 * Ownership: the string is the session's, good until it is set again.
 *
 * See SSL_SESSION_get0_hostname(3).
 * Arguments: `s` is NULL or live.
 */
const char *SSL_SESSION_get0_hostname(const SSL_SESSION *s);

/*
 * Sets the server name of `s` to a copy of `hostname`; NULL clears it.
 *
 * Returns 1; 0 for a NULL session.
 * See SSL_SESSION_set1_hostname(3).
 * Arguments: `s` is NULL or live; `hostname` is NULL or a C string.
 */
int SSL_SESSION_set1_hostname(SSL_SESSION *s, const char *hostname);

/*
 * Gives the protocol that ALPN chose through `alpn` and its length through `len`.
 *
 * Ownership: the bytes are the session's, good until they are set again. Without one: NULL and 0.
 * See SSL_SESSION_get0_alpn_selected(3).
 * Arguments: `s` is NULL or live; `alpn` and `len` are NULL (nothing happens) or writable.
 */
void SSL_SESSION_get0_alpn_selected(const SSL_SESSION *s,
                                    const unsigned char **alpn,
                                    size_t *len);

/*
 * Sets the protocol that ALPN chose to a copy of the `len` bytes at `alpn`; NULL or 0 clears it.
 *
 * Returns 1; 0 for NULL.
 * See SSL_SESSION_set1_alpn_selected(3).
 * Arguments: the session is NULL or live; `alpn` points to `len` bytes.
 */
int SSL_SESSION_set1_alpn_selected(SSL_SESSION *s,
                                   const unsigned char *alpn,
                                   size_t len);

/*
 * Returns the session id context of `s`, and its length through `len` unless that is NULL.
 *
 * Ownership: the bytes are the session's, good as long as it lives and its context is not set
 * again. Returns NULL for NULL, else a pointer. See SSL_SESSION_get0_id_context(3).
 * Arguments: `s` is NULL or live, `len` NULL or writable.
 */
const unsigned char *SSL_SESSION_get0_id_context(const SSL_SESSION *s,
                                                 unsigned int *len);

/*
 * Sets the session id context of `s` to the `sid_ctx_len` bytes at `sid_ctx`, 32 at most.
 *
 * Returns 1; 0 for NULL, and with SSL_R_SSL_SESSION_ID_CONTEXT_TOO_LONG queued for more than 32
 * bytes. See SSL_SESSION_set1_id_context(3).
 * Arguments: `s` is NULL or live; `sid_ctx` points to `sid_ctx_len` bytes.
 */
int SSL_SESSION_set1_id_context(SSL_SESSION *s,
                                const unsigned char *sid_ctx,
                                unsigned int sid_ctx_len);

/*
 * Returns the peer's certificate in `s`, or NULL.
 *
 * Ownership: the certificate is the session's. Without a libssl in the process: the certificate of
 * a decoded session, if libcrypto is there to make it an X509, else NULL. See
 * SSL_SESSION_get0_peer(3).
 * Arguments: `s` is NULL or live.
 */
X509 *SSL_SESSION_get0_peer(SSL_SESSION *s);

/*
 * Returns the peer's raw public key in `s`, or NULL.
 *
 * Ownership: the key is the session's. Without a libssl in the process: as for
 * SSL_SESSION_get0_peer().
 * See SSL_SESSION_get0_peer_rpk(3); since OpenSSL 3.2.
 * Arguments: `s` is NULL or live.
 */
EVP_PKEY *SSL_SESSION_get0_peer_rpk(SSL_SESSION *s);

/*
 * Returns the compression method of `s`; 0 is none.
 *
 * See SSL_SESSION_get_compress_id(3).
 * Arguments: `s` is NULL or live.
 */
unsigned int SSL_SESSION_get_compress_id(const SSL_SESSION *s);

/*
 * Returns the maximum fragment length mode of `s`; 0 is none.
 *
 * See SSL_SESSION_get_max_fragment_length(3).
 * Arguments: `s` is NULL or live.
 */
uint8_t SSL_SESSION_get_max_fragment_length(const SSL_SESSION *s);

/*
 * Returns the protocol version of `s`, such as TLS1_3_VERSION; 0 for NULL.
 *
 * See SSL_SESSION_get_protocol_version(3).
 * Arguments: `s` is NULL or live.
 */
int SSL_SESSION_get_protocol_version(const SSL_SESSION *s);

/*
 * Sets the protocol version of `s`; any number is taken. A cached session stays under the version
 * it was added with.
 *
 * Returns 1; 0 for NULL.
 * See SSL_SESSION_set_protocol_version(3).
 * Arguments: `s` is NULL or live.
 */
int SSL_SESSION_set_protocol_version(SSL_SESSION *s,
                                     int version);

/*
 * Returns when `s` was made, in seconds since the epoch; 0 for NULL.
 *
 * See SSL_SESSION_get_time(3).
 * Arguments: `s` is NULL or live.
 */
long SSL_SESSION_get_time(const SSL_SESSION *s);

/*
 * Sets when `s` was made, in seconds since the epoch. A cached session takes its new place in the
 * order at once.
 *
 * Returns `tm`; 0 for NULL.
 * See SSL_SESSION_set_time(3).
 * Arguments: `s` is NULL or live.
 */
long SSL_SESSION_set_time(SSL_SESSION *s,
                          long tm);

/*
 * The same as SSL_SESSION_get_time() with a `time_t`.
 *
 * See SSL_SESSION_get_time_ex(3); since OpenSSL 3.3, and in front of any release.
 * Arguments: `s` is NULL or live.
 */
time_t SSL_SESSION_get_time_ex(const SSL_SESSION *s);

/*
 * The same as SSL_SESSION_set_time() with a `time_t`.
 *
 * See SSL_SESSION_set_time_ex(3); since OpenSSL 3.3, and in front of any release.
 * Arguments: `s` is NULL or live.
 */
time_t SSL_SESSION_set_time_ex(SSL_SESSION *s, time_t tm);

/*
 * Returns for how many seconds `s` is good; 0 for NULL.
 *
 * See SSL_SESSION_get_timeout(3).
 * Arguments: `s` is NULL or live.
 */
long SSL_SESSION_get_timeout(const SSL_SESSION *s);

/*
 * Sets for how many seconds `s` is good. A cached session takes its new place in the order at
 * once.
 *
 * Returns 1; 0 for NULL or a negative `t`.
 * See SSL_SESSION_set_timeout(3).
 * Arguments: `s` is NULL or live.
 */
long SSL_SESSION_set_timeout(SSL_SESSION *s,
                             long t);

/*
 * Returns 1 if `s` has a ticket, else 0.
 *
 * See SSL_SESSION_has_ticket(3).
 * Arguments: `s` is NULL or live.
 */
int SSL_SESSION_has_ticket(const SSL_SESSION *s);

/*
 * Returns for how long the server said the ticket of `s` is good, in seconds.
 *
 * See SSL_SESSION_get_ticket_lifetime_hint(3).
 * Arguments: `s` is NULL or live.
 */
unsigned long SSL_SESSION_get_ticket_lifetime_hint(const SSL_SESSION *s);

/*
 * Gives the ticket of `s` through `tick`, unless that is NULL, and its length through `len`.
 *
 * Ownership: the bytes are the session's. Without a ticket: NULL and 0.
 * See SSL_SESSION_get0_ticket(3).
 * Arguments: `s` is NULL or live; `tick` and `len` are NULL or writable.
 */
void SSL_SESSION_get0_ticket(const SSL_SESSION *s,
                             const unsigned char **tick,
                             size_t *len);

/*
 * Returns 1 if `s` may be resumed: it has an id or a ticket, and was not marked when it left a
 * cache. Whether it has expired is not looked at. 0 for NULL.
 *
 * See SSL_SESSION_is_resumable(3).
 * Arguments: `s` is NULL or live.
 */
int SSL_SESSION_is_resumable(const SSL_SESSION *s);

/*
 * Prints every value of `ses` to `fp`, the master key too, for people to read.
 *
 * Returns 1; 0 if it could not be written, or for NULL.
 * Without libcrypto in the process the verify result is a number only.
 * See SSL_SESSION_print_fp(3).
 * Arguments: `fp` is NULL or an open stream, `ses` NULL or live.
 */
int SSL_SESSION_print_fp(FILE *fp, const SSL_SESSION *ses);

/*
 * Prints every value of `ses` to `bp`, the master key too, for people to read.
 *
 * Returns 1; 0 if it could not be written, or for NULL.
 * See SSL_SESSION_print(3).
 * Arguments: `bp` is NULL or live, `ses` NULL or live.
 */
int SSL_SESSION_print(BIO *bp, const SSL_SESSION *ses);

/*
 * Prints the id and the master key of `ses` to `bp`, in one line of a key log.
 *
 * Returns 1; 0 without an id or a master key, if it could not be written, or for NULL.
 * See SSL_SESSION_print_keylog(3).
 * Arguments: `bp` is NULL or live, `ses` NULL or live.
 */
int SSL_SESSION_print_keylog(BIO *bp, const SSL_SESSION *ses);

/*
 * Returns the id of `s`, and its length through `len` unless that is NULL.
 *
 * Ownership: the bytes are the session's, good as long as it lives and its id is not set again.
 * Returns NULL for NULL, else a pointer, also to an id of length 0.
 * See SSL_SESSION_get_id(3).
 * Arguments: `s` is NULL or live, `len` NULL or writable.
 */
const unsigned char *SSL_SESSION_get_id(const SSL_SESSION *s,
                                        unsigned int *len);

/*
 * Sets the id of `s` to the `sid_len` bytes at `sid`, 32 at most. A cached session stays where it
 * is, under the id it was added with.
 *
 * Returns 1; 0 for NULL, and with SSL_R_SSL_SESSION_ID_TOO_LONG queued for more than 32 bytes.
 * See SSL_SESSION_set1_id(3).
 * Arguments: `s` is NULL or live; `sid` points to `sid_len` bytes.
 */
int SSL_SESSION_set1_id(SSL_SESSION *s,
                        const unsigned char *sid,
                        unsigned int sid_len);

/*
 * Returns the version of this library, such as "0.1.0".
 *
 * Ownership: static.
 * Thread safety: any thread, any time.
 */
const char *SSLCACHE_version(void);

/*
 * Looks up a session in the internal cache of `ctx` by protocol version and id. It may have
 * expired: nothing is checked, and no callback runs.
 *
 * Ownership: the caller gets one more reference; SSL_SESSION_free() gives it back.
 * Returns NULL if there is none, for NULL, and for an id of more than 32 bytes.
 * Thread safety: any thread, any time.
 * Arguments: `ctx` is NULL or live; `id` points to `id_len` bytes.
 */
SSL_SESSION *SSLCACHE_get1_session(SSL_CTX *ctx,
                                   int version,
                                   const unsigned char *id,
                                   unsigned int id_len);

/*
 * Does what a server does with the session id of a ClientHello: looks in the internal cache,
 * unless the mode has SSL_SESS_CACHE_NO_INTERNAL_LOOKUP; then asks the get callback; refuses a
 * session of another session id context, and removes one that has expired; counts as OpenSSL does.
 * With `id_len` 0 it counts the handshake alone.
 *
 * A session that is accepted becomes the one of `ssl`.
 * Ownership: the caller gets one more reference; SSL_SESSION_free() gives it back.
 * Returns NULL if there is no session to resume, for NULL, and in front of a real libssl, whose
 * handshakes do this themselves.
 * Arguments: `ssl` is NULL or live; `id` points to `id_len` bytes.
 */
SSL_SESSION *SSLCACHE_accept_session(SSL *ssl,
                                     const unsigned char *id,
                                     unsigned int id_len);

/*
 * Does what the end of a handshake does with its session: it becomes the one of `ssl`; it is
 * stored, unless the mode has SSL_SESS_CACHE_NO_INTERNAL_STORE; it is offered to the new callback;
 * and in every 256th handshake what has expired is flushed. Nothing is stored, offered or flushed
 * unless the mode covers the side of `ssl` (SSL_SESS_CACHE_CLIENT or SSL_SESS_CACHE_SERVER). A
 * server's session without an id gets one, from the generator if one is set.
 *
 * Ownership: takes references of its own; the caller keeps its own. Returns 1 if the session was
 * stored or offered; 0 if the mode or the session says no, for NULL, with an error queued if no id
 * could be made, and in front of a real libssl, whose handshakes do this themselves.
 * Arguments: `ssl` and `session` are NULL or live.
 */
int SSLCACHE_negotiated(SSL *ssl,
                        SSL_SESSION *session);

/*
 * Writes what happened so far in the internal cache of `ctx` to `out`. `out_size` is
 * sizeof(SSLCACHE_STATS) as the program was compiled with; no more than that is written.
 *
 * Returns 1; 0 for NULL, and for a context that was made without this library.
 * Thread safety: any thread, any time.
 * Arguments: `ctx` is NULL or live; `out` points to `out_size` writable bytes.
 */
int SSLCACHE_stats(SSL_CTX *ctx, struct SSLCACHE_STATS *out, size_t out_size);

#ifdef __cplusplus
}
#endif 

#endif  /* SSLCACHE_H */
