/*
 * <openssl/ssl.h> for programs that use the session API: sslcache.h, and of OpenSSL's headers
 * whatever is found of those that the real ssl.h includes, for programs that count on that.
 */
#ifndef SSLCACHE_OPENSSL_SSL_H
#define SSLCACHE_OPENSSL_SSL_H

#ifdef __has_include
#  if __has_include(<openssl/crypto.h>)
#    include <openssl/e_os2.h>
#    include <openssl/opensslconf.h>
#    include <openssl/opensslv.h>
#    include <openssl/asn1.h>
#    include <openssl/async.h>
#    include <openssl/bio.h>
#    include <openssl/buffer.h>
#    include <openssl/comp.h>
#    include <openssl/crypto.h>
#    include <openssl/err.h>
#    include <openssl/evp.h>
#    include <openssl/hmac.h>
#    include <openssl/lhash.h>
#    include <openssl/pem.h>
#    include <openssl/safestack.h>
#    include <openssl/x509.h>
#    if __has_include(<openssl/ct.h>)
#      include <openssl/ct.h>
#    endif
#    if __has_include(<openssl/sslerr.h>)
#      include <openssl/sslerr.h>
#    endif
#    if __has_include(<openssl/prov_ssl.h>)
#      include <openssl/prov_ssl.h>
#    endif
#    include <openssl/ssl3.h>
#    include <openssl/tls1.h>
#    include <openssl/dtls1.h>
#  endif
#endif

#include "../sslcache.h"

#endif /* SSLCACHE_OPENSSL_SSL_H */
