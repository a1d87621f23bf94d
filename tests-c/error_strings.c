/* ERR_reason_error_string(3): the words for the errors of the session functions. */
#include "conformance.h"

int main(void)
{
    unsigned char bytes[64] = {0};
    SSL_CTX *ctx = context_new();
    SSL_SESSION *session = SSL_SESSION_new();
    unsigned long code;

    ERR_clear_error();
    SSL_SESSION_set1_id(session, bytes, 33);
    SSL_CTX_set_session_id_context(ctx, bytes, 33);
    while ((code = ERR_get_error()) != 0) {
        TRACE(ERR_lib_error_string(code));
        TRACE(ERR_reason_error_string(code));
    }
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
    return 0;
}
