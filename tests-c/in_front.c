/*
 * Makes three contexts; run.sh asks the library for its statistics of this program, which shows
 * that the library is in front: one context is gone before the end, one is unused, one lives on.
 */
#include "conformance.h"

int main(void)
{
    SSL_CTX *gone = context_new();
    SSL_CTX *unused = context_new();
    SSL_CTX *lives = context_new();

    add_new(gone, "a", T0, 100);
    add_new(lives, "b", T0, 100);
    TRACE(SSL_CTX_sess_number(gone));
    TRACE(SSL_CTX_sess_number(unused));
    TRACE(SSL_CTX_sess_number(lives));
    CALL(SSL_CTX_free(gone));
    CALL(SSL_CTX_free(unused));
    /* `lives` stays until the process ends: a program often leaves its context to exit(). */
    static SSL_CTX *kept;
    kept = lives;
    TRACE(SSL_CTX_sess_number(kept));
    return 0;
}
