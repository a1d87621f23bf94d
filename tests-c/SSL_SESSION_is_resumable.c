/* SSL_SESSION_is_resumable(3): an id or a ticket, and never taken out of a cache. */
#include "der.h"

int main(void)
{
    SSL_CTX *ctx = context_that_says_removed();

    section("an id is enough, a ticket is enough");
    SSL_SESSION *a = SSL_SESSION_new();
    session_name(a, "a");
    TRACE(SSL_SESSION_is_resumable(a));
    session_id(a, "a");
    TRACE(SSL_SESSION_is_resumable(a));
    session_id(a, "");
    TRACE(SSL_SESSION_is_resumable(a));
    CALL(SSL_SESSION_free(a));
    SSL_SESSION *ticket = session_of("ticket", TLS12 TIMES "a4020400 aa07 0405 7469636b65 b303020100");
    TRACE(SSL_SESSION_is_resumable(ticket));

    section("the age does not matter");
    a = session_new("a", TLS1_2_VERSION, 0, 0);
    TRACE(SSL_SESSION_is_resumable(a));

    section("added: still resumable; removed, flushed or evicted: not any more");
    TRACE(SSL_CTX_add_session(ctx, a));
    TRACE(SSL_SESSION_is_resumable(a));
    TRACE(SSL_CTX_remove_session(ctx, a));
    TRACE(SSL_SESSION_is_resumable(a));
    SSL_SESSION *b = session_new("b", TLS1_2_VERSION, T0, 100);
    TRACE(SSL_CTX_add_session(ctx, b));
    CALL(SSL_CTX_flush_sessions(ctx, 0));
    TRACE(SSL_SESSION_is_resumable(b));
    SSL_SESSION *c = session_new("c", TLS1_2_VERSION, T0, 100);
    SSL_CTX_sess_set_cache_size(ctx, 1);
    SSL_SESSION *pusher = session_new("pusher", TLS1_2_VERSION, T0, 100);
    TRACE(SSL_CTX_add_session(ctx, c));
    TRACE(SSL_CTX_add_session(ctx, pusher));
    TRACE(SSL_SESSION_is_resumable(c));
    CALL(SSL_SESSION_free(pusher));

    section("no setter makes it resumable again");
    session_id(c, "another id");
    TRACE(SSL_SESSION_set_time(c, T0 + 1));
    TRACE(SSL_SESSION_set_timeout(c, 1000));
    TRACE(SSL_SESSION_is_resumable(c));

    section("an encoding does not remember it");
    SSL_SESSION *d = session_of("d", TLS12_ID TIMES "a4020400 b303020100");
    TRACE(SSL_CTX_remove_session(ctx, d));
    TRACE(SSL_SESSION_is_resumable(d));
    unsigned char der[DER_MAX];
    unsigned char *out = der;
    const unsigned char *in = der;
    int length = i2d_SSL_SESSION(d, &out);
    SSL_SESSION *again = d2i_SSL_SESSION(NULL, &in, length);
    REQUIRE(again != NULL);
    TRACE(SSL_SESSION_is_resumable(again));
    SSL_SESSION_free(again);

    CALL(SSL_CTX_free(ctx));
    CALL(SSL_SESSION_free(a));
    CALL(SSL_SESSION_free(b));
    CALL(SSL_SESSION_free(c));
    CALL(SSL_SESSION_free(d));
    CALL(SSL_SESSION_free(ticket));
    return 0;
}
