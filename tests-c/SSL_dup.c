/* SSL_dup(3): a copy looks for session ids in the context that its original had at that moment. */
/* only: interposed: connections of the standalone library are not copied */
#include "conformance.h"

static int has(SSL *ssl, const char *id)
{
    return SSL_has_matching_session_id(ssl, (const unsigned char *)id, (unsigned int)strlen(id));
}

int main(void)
{
    SSL_CTX *from = context_that_says_removed();
    SSL_CTX *to = context_that_says_removed();
    SSL_SESSION *here = session_new("from", TLS1_3_VERSION, T0, 100);
    SSL_SESSION *there = session_new("to", TLS1_3_VERSION, T0, 100);
    SSL *ssl = SSL_new(from);

    TRACE(SSL_CTX_add_session(from, here));
    TRACE(SSL_CTX_add_session(to, there));
    SSL *before = SSL_dup(ssl);
    TRACE(has(before, "from"));
    TRACE(has(before, "to"));
    TRACE(SSL_set_SSL_CTX(ssl, to) == to);
    SSL *after = SSL_dup(ssl);
    TRACE(has(ssl, "from"));
    TRACE(has(ssl, "to"));
    TRACE(has(after, "from"));
    TRACE(has(after, "to"));

    section("back to the context that the connection came from");
    TRACE(SSL_set_SSL_CTX(ssl, NULL) == from);
    TRACE(has(ssl, "from"));
    TRACE(SSL_set_SSL_CTX(after, NULL) == to);

    section("the connections hold the contexts");
    CALL(SSL_CTX_free(from));
    CALL(SSL_CTX_free(to));
    CALL(SSL_free(ssl));
    CALL(SSL_free(before));
    CALL(SSL_free(after));
    CALL(SSL_SESSION_free(here));
    CALL(SSL_SESSION_free(there));
    return 0;
}
