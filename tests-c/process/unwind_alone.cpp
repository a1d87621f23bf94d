/*
 * The same as unwind.cpp, of the library by itself: without libcrypto too, sessions are read and
 * written as text here.
 */
#include "leaving.h"

extern "C" {
#include "no_tls.h"
}

static SSL_CTX *server;
static SSL_SESSION *one;
static FILE *stream;
static char *text;
static size_t text_size;

static void on_remove(SSL_CTX *, SSL_SESSION *) { reached("remove"); }

static ssize_t stream_read(void *, char *to, size_t size)
{
    static size_t at;
    reached("stream_read");
    size_t some = size < text_size - at ? size : text_size - at;
    memcpy(to, text + at, some);
    at += some;
    return some;
}

static ssize_t stream_write(void *, const char *, size_t size)
{
    reached("stream_write");
    return size;
}

static void flush() { SSL_CTX_flush_sessions(server, 0); }
static void evict() { SSL_CTX_add_session(server, one); }
static void remove_it() { SSL_CTX_remove_session(server, one); }
static void free_context() { SSL_CTX_free(server); }
static void read_text() { PEM_read_SSL_SESSION(stream, NULL, NULL, NULL); }
static void write_text() { PEM_write_SSL_SESSION(stream, one); }
static void print() { SSL_SESSION_print_fp(stream, one); }

static const struct Call {
    const char *name, *callback;
    int at;
    void (*go)();
} calls[] = {
    {"flush", "remove", 3, flush},          {"evict", "remove", 2, evict},
    {"remove", "remove", 1, remove_it},     {"free", "remove", 3, free_context},
    {"read", "stream_read", 3, read_text},  {"write", "stream_write", 2, write_text},
    {"print", "stream_write", 1, print},
};

int main()
{
    for (const Call &call : calls)
        for (int i = 0; i < WAYS; i++) {
            way = (Way)i;
            server = tls_server(0);
            SSL_CTX_sess_set_remove_cb(server, on_remove);
            SSL_SESSION *negotiated = NULL;
            tls_visit(server, server, &negotiated);
            for (int n = 0; n < 10; n++)
                SSL_CTX_add_session(server, tls_session(n));
            SSL_CTX_sess_set_cache_size(server, 5);
            one = call.go == evict ? tls_session(99) : negotiated;
            if (!text) {
                FILE *memory = open_memstream(&text, &text_size);
                PEM_write_SSL_SESSION(memory, one);
                fclose(memory);
            }
            cookie_io_functions_t functions = {stream_read, stream_write, NULL, NULL};
            stream = fopencookie(NULL, call.go == read_text ? "r" : "w", functions);
            setvbuf(stream, NULL, _IONBF, 0);
            leaver = call.callback;
            leaves_at = call.at;
            printf("%s: %s", call.name, attempt(call.go));
            leaver = NULL;
            if (call.go != free_context) {
                printf(", left %ld", SSL_CTX_sess_number(server));
                SSL_CTX_flush_sessions(server, 0);
                printf(", flushed to %ld", SSL_CTX_sess_number(server));
            }
            SSL_SESSION *again = NULL;
            SSL_CTX *another = tls_server(0);
            printf(", visits %d", tls_visit(another, another, &again));
            printf("%d\n", tls_visit(another, another, &again));
        }
    return 0;
}
