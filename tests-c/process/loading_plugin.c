/* A plugin that sets up TLS when it is loaded, as constructors of C++ globals do. */
#include <openssl/ssl.h>
#include <pthread.h>
#include <unistd.h>

/* What the program wants of it: 1: to take its time; 2: to wait for a thread that makes a context. */
extern volatile int wanted, loading;

static void *make(void *nothing)
{
    (void)nothing;
    SSL_CTX_free(SSL_CTX_new(TLS_method()));
    return NULL;
}

__attribute__((constructor)) static void set_up(void)
{
    pthread_t thread;
    loading = 1;
    if (wanted == 1)
        usleep(200000);
    if (wanted == 2) {
        pthread_create(&thread, NULL, make, NULL);
        pthread_join(thread, NULL);
    }
    make(NULL);
}

__attribute__((visibility("default"))) void plugin_use(void) { make(NULL); }
