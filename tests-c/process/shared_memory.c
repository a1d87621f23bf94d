/* As some servers do: libcrypto allocates from a mapping that the worker processes share, and a context made in one
 * process is used in another that was forked before. */
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tls.h"

#define SIZE (256ul << 20)

/* Freed blocks of one size are handed out again, last in, first out. */
struct block {
    size_t size;
    struct block *next;
};

static struct arena {
    pthread_mutex_t lock;
    size_t used;
    struct block *again;
    SSL_CTX *server;
    int step;
} *arena;

static void *take(size_t size)
{
    size = (size + 15) & ~15ul;
    pthread_mutex_lock(&arena->lock);
    struct block **at = &arena->again;
    while (*at && (*at)->size != size)
        at = &(*at)->next;
    struct block *block = *at;
    if (block)
        *at = block->next;
    else {
        block = (struct block *)((char *)arena + arena->used);
        arena->used += size + 16;
        block->size = size;
    }
    pthread_mutex_unlock(&arena->lock);
    return (char *)block + 16;
}

static void *shm_malloc(size_t size, const char *file, int line) { (void)file, (void)line; return size ? take(size) : NULL; }

static void shm_free(void *p, const char *file, int line)
{
    (void)file, (void)line;
    if (!p)
        return;
    struct block *block = (struct block *)((char *)p - 16);
    pthread_mutex_lock(&arena->lock);
    block->next = arena->again;
    arena->again = block;
    pthread_mutex_unlock(&arena->lock);
}

static void *shm_realloc(void *p, size_t size, const char *file, int line)
{
    if (!size) {
        shm_free(p, file, line);
        return NULL;
    }
    void *copy = take(size);
    if (p) {
        size_t had = ((struct block *)((char *)p - 16))->size;
        memcpy(copy, p, had < size ? had : size);
        shm_free(p, file, line);
    }
    return copy;
}

/* A heap that is another in every process, as in a real one. */
static void use_heap(int seed)
{
    for (int i = 0; i < 4000; i++) {
        size_t size = 100 + (i * seed) % 300;
        char *p = malloc(size);
        memset(p, 0x5a, size);
        if (i % 2)
            free(p);
    }
}

static void reached(int step) { __atomic_store_n(&arena->step, step, __ATOMIC_RELEASE); }

static void wait_for(int step)
{
    while (__atomic_load_n(&arena->step, __ATOMIC_ACQUIRE) < step)
        usleep(1000);
}

static SSL_CTX *client;

static void visit_shared(const char *who)
{
    SSL_SESSION *session = NULL;
    int first = tls_visit(client, arena->server, &session), second = tls_visit(client, arena->server, &session);
    printf("%s: visits %d %d, size %ld, mode %ld, callback %s\n", who, first, second, SSL_CTX_sess_get_cache_size(arena->server),
           SSL_CTX_get_session_cache_mode(arena->server), SSL_CTX_sess_get_new_cb(arena->server) ? "set" : "not set");
    SSL_SESSION_free(session);
    fflush(stdout);
}

static pid_t child(int seed, void (*work)(void))
{
    pid_t pid = fork();
    if (pid == 0) {
        use_heap(seed);
        work();
        _exit(0);
    }
    return pid;
}

static void make(void) { arena->server = tls_server(TLS1_2_VERSION); reached(1); wait_for(2); }
static void use(void) { wait_for(1); visit_shared("worker"); SSL_CTX_free(arena->server); reached(2); }
static void use_inherited(void) { visit_shared("worker"); }

/* The address of a context that the worker inherited is that of another one now. */
static void make_again(void)
{
    SSL_CTX *before = arena->server;
    SSL_CTX_free(before);
    arena->server = tls_server(TLS1_2_VERSION);
    printf("the same address: %d\n", arena->server == before);
    fflush(stdout);
    reached(1);
    wait_for(2);
}

static void end_of(pid_t pid)
{
    int status;
    waitpid(pid, &status, 0);
    if (WIFSIGNALED(status))
        printf("a process died of signal %d\n", WTERMSIG(status));
}

int main(int argc, char **argv)
{
    const char *how = argc > 1 ? argv[1] : "";
    int flags = strcmp(how, "private") == 0 ? MAP_PRIVATE : MAP_SHARED;
    arena = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&arena->lock, &attributes);
    arena->used = (sizeof *arena + 15) & ~15ul;
    /* Refused if the library has asked libcrypto for anything before. */
    if (!CRYPTO_set_mem_functions(shm_malloc, shm_realloc, shm_free)) {
        puts("CRYPTO_set_mem_functions refused");
        return 1;
    }
    tls_prepare();
    client = tls_client(TLS1_2_VERSION);
    if (strcmp(how, "made_after_fork") == 0) {
        pid_t maker = child(7, make), worker = child(3, use);
        end_of(worker);
        end_of(maker);
    } else {
        arena->server = tls_server(TLS1_2_VERSION);
        visit_shared("before the fork");
        if (strcmp(how, "address_again") == 0) {
            pid_t worker = child(3, use), maker = child(7, make_again);
            end_of(worker);
            end_of(maker);
        } else if (strcmp(how, "made_before_fork") == 0) {
            end_of(child(3, use_inherited));
            visit_shared("after the fork");
        }
    }
    fflush(stdout);
    if (flags == MAP_PRIVATE)
        exit(0);
    _exit(0);
}
