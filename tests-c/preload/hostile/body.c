/* What the other programs have done at an odd time or in an odd place: a server's life, from
 * the making of its context to the end of it. */
#include "handshake.h"

void body(const char *what);

void body(const char *what) {
    SSL_CTX *server = server_context();

    six_handshakes(what, server, TLS1_2_VERSION);
    six_handshakes(what, server, TLS1_3_VERSION);
    print_counters(what, server);
    SSL_CTX_flush_sessions(server, 0);
    print_counters(what, server);
    SSL_CTX_free(server);
}

#ifdef IN_CONSTRUCTOR
/* Before main(), and with no say in whether the library's own constructor has run yet. */
__attribute__((constructor)) static void before_main(void) {
    body("constructor");
}
#endif
