/*
 * Three sessions made within one second, and added the other way round: since 3.2 libssl has them in the order of
 * their nanoseconds, the library in the order of adding, as libssl 3.0 and 3.1.
 */
#define _DEFAULT_SOURCE /* usleep */
#include "conformance.h"

#include <unistd.h>

int main(void)
{
    static const char *const names[] = {"first made", "second made", "third made"};
    SSL_CTX *ctx = context_that_says_removed();
    SSL_SESSION *made[3];
    int same;

    do { /* again, if a second passed meanwhile */
        for (int i = 0; i < 3; i++) {
            made[i] = SSL_SESSION_new();
            REQUIRE(made[i] != NULL);
            usleep(1000);
        }
        same = SSL_SESSION_get_time(made[0]) == SSL_SESSION_get_time(made[2]);
        for (int i = 0; i < 3 && !same; i++)
            SSL_SESSION_free(made[i]);
    } while (!same);
    for (int i = 2; i >= 0; i--) {
        session_name(made[i], names[i]);
        session_id(made[i], names[i]);
        TRACE(SSL_CTX_add_session(ctx, made[i]));
        SSL_SESSION_free(made[i]);
    }
    CALL(SSL_CTX_flush_sessions(ctx, 0));
    CALL(SSL_CTX_free(ctx));
    return 0;
}
