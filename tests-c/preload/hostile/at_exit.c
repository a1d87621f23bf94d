/*
 * Contexts that live until the process ends, used by exit handlers:
 *   registered before libssl was first used: it runs after libssl's own clean-up,
 *   registered afterwards: it runs before,
 *   and a context that nobody ever frees.
 */
#include "handshake.h"

static SSL_CTX *early, *late, *forgotten;
static int removed;

static void remove_session_cb(SSL_CTX *ctx, SSL_SESSION *session) {
    (void)ctx;
    (void)session;
    removed++;
}

static void before_clean_up(void) {
    print_counters("late handler", late);
    SSL_CTX_flush_sessions(late, 0);
    print_counters("late handler", late);
    SSL_CTX_free(late);
    printf("late handler: remove callbacks %d\n", removed);
}

/* After the clean-up only looking is allowed; libssl promises no more either. */
static void after_clean_up(void) {
    print_counters("early handler", early);
    fflush(stdout);
}

static SSL_CTX *warm_server(const char *what) {
    SSL_CTX *ctx = server_context();
    SSL_CTX_sess_set_remove_cb(ctx, remove_session_cb);
    six_handshakes(what, ctx, TLS1_2_VERSION);
    return ctx;
}

int main(void) {
    atexit(after_clean_up);
    early = warm_server("early");
    late = warm_server("late");
    forgotten = warm_server("forgotten");
    atexit(before_clean_up);
    return 0;
}
