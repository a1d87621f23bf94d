/* Contexts that come and go on several threads: each has what was put into it, and nothing of one that went before. */
#include <pthread.h>

#include "tls.h"

enum { THREADS = 4, ROUNDS = 40, CONTEXTS = 25 };

static _Atomic int removed;
static void on_remove(SSL_CTX *ctx, SSL_SESSION *session) { (void)ctx, (void)session; removed++; }

static void *work(void *wrong)
{
    SSL_CTX *contexts[CONTEXTS];
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < CONTEXTS; i++) {
            contexts[i] = SSL_CTX_new(TLS_method());
            *(int *)wrong += SSL_CTX_sess_number(contexts[i]) != 0 || SSL_CTX_sess_get_remove_cb(contexts[i]) != NULL ||
                             SSL_CTX_sess_get_cache_size(contexts[i]) != SSL_SESSION_CACHE_MAX_SIZE_DEFAULT;
            SSL_CTX_sess_set_cache_size(contexts[i], 100 + i);
            SSL_CTX_sess_set_remove_cb(contexts[i], on_remove);
            for (int j = 0; j <= i % 4; j++) {
                SSL_SESSION *session = tls_session(j);
                SSL_CTX_add_session(contexts[i], session);
                SSL_SESSION_free(session);
            }
        }
        for (int i = 0; i < CONTEXTS; i++) {
            int at = (i * 7 + round) % CONTEXTS;
            *(int *)wrong += SSL_CTX_sess_number(contexts[at]) != at % 4 + 1;
            SSL_CTX_free(contexts[at]);
        }
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    int wrong[THREADS] = {0}, sum = 0;
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, work, &wrong[i]);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        sum += wrong[i];
    }
    printf("wrong %d, removed %d\n", sum, removed);
    return 0;
}
