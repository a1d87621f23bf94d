/* What threads do while another one loads a plugin and so holds the loader's lock, until its constructors are done.
 *
 *   beside PLUGIN           first calls of the process, while the constructor takes its time
 *   waited_for PLUGIN       the first call of the process, by a thread that the constructor waits for
 *   storm PLUGIN            threads that make contexts while others load and unload
 *   asking PLUGIN           threads that ask what there is, where nothing is linked to libssl but the plugin
 *   waited_for_only PLUGIN  as waited_for there
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

volatile int wanted, loading;
static const char *plugin;
static volatile int over;

static void *load(void *nothing)
{
    if (!dlopen(plugin, RTLD_NOW | RTLD_LOCAL))
        puts(dlerror());
    return nothing;
}

#ifdef UNLINKED
static void make(void) {}

/* Without the library there is nobody to ask. */
static void *ask(void *nothing)
{
    while (!over) {
        const void *(*method)(void) = (const void *(*)(void))dlsym(RTLD_DEFAULT, "TLS_method");
        void (*free_session)(void *) = (void (*)(void *))dlsym(RTLD_DEFAULT, "SSL_SESSION_free");
        if (method)
            method();
        if (free_session)
            free_session(NULL);
    }
    return nothing;
}
#else
#include <openssl/ssl.h>

static void make(void) { SSL_CTX_free(SSL_CTX_new(TLS_method())); }
static void *ask(void *nothing) { return nothing; }
#endif

static void *work(void *nothing)
{
    if (wanted == 1)
        while (!loading)
            usleep(100);
    for (int i = 0; i < 20; i++)
        make();
    return nothing;
}

static void *load_and_unload(void *nothing)
{
    for (int i = 0; i < 100; i++) {
        void *handle = dlopen(plugin, RTLD_NOW | RTLD_LOCAL);
        if (handle)
            dlclose(handle);
    }
    return nothing;
}

enum { THREADS = 4 };

static void together(void *(*first)(void *), void *(*others)(void *))
{
    pthread_t threads[THREADS];
    for (int i = 1; i < THREADS; i++)
        pthread_create(&threads[i], NULL, others, NULL);
    pthread_create(&threads[0], NULL, first, NULL);
    pthread_join(threads[0], NULL);
    over = 1;
    for (int i = 1; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    const char *how = argv[1];
    plugin = argv[2];
    wanted = strcmp(how, "beside") == 0 || strcmp(how, "asking") == 0 ? 1 : strncmp(how, "waited_for", 10) == 0 ? 2 : 0;
    if (wanted == 2)
        load(NULL);
    else if (strcmp(how, "storm") == 0)
        together(load_and_unload, work);
    else
        together(load, strcmp(how, "asking") == 0 ? ask : work);
    puts("done");
    return 0;
}
