/* A program without libssl: what it calls is the library's own, whatever a plugin brings along.
 *
 *   objects [PLUGIN]   contexts and sessions of its own, before, between and after two turns of the plugin
 *   questions PLUGIN   only questions, before and between them
 *   method LIBSSL      a method first, then a libssl, then a context of that method
 */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include <sslcache.h>

#ifdef WEAK
#pragma weak TLS_method
#pragma weak OPENSSL_init_ssl
#pragma weak SSL_CIPHER_get_name
#pragma weak SSL_CTX_free
#pragma weak SSL_SESSION_free
#pragma weak SSL_free
#pragma weak SSL_CTX_new
#pragma weak SSL_CTX_ctrl
#else
static SSL_CTX *ctx;
static SSL_SESSION *session, *other;

static SSL_SESSION *made(unsigned char number)
{
    SSL_SESSION *session = SSL_SESSION_new();
    unsigned char id[4] = {number};
    SSL_SESSION_set1_id(session, id, sizeof id);
    SSL_SESSION_set_protocol_version(session, 0x303);
    return session;
}

static void use_objects(void)
{
    if (!ctx) {
        ctx = SSL_CTX_new(TLS_server_method());
        session = made(1);
        other = made(2);
    }
    SSL_CTX_add_session(ctx, session);
    SSL_CTX_add_session(ctx, other);
    SSL_SESSION_set_timeout(session, 77);
    SSL *ssl = SSL_new(ctx);
    SSL_SESSION *found = SSLCACHE_get1_session(ctx, 0x303, (const unsigned char *)"\2\0\0", 4);
    unsigned char number[2] = {0xc0, 0x2f}, *der = NULL;
    SSL_SESSION_set_cipher(session, SSL_CIPHER_find(ssl, number));
    int length = i2d_SSL_SESSION(session, &der);
    const unsigned char *at = der;
    SSL_SESSION *decoded = d2i_SSL_SESSION(NULL, &at, length);
    printf("ours: holds %ld, found %d, timeout %ld, decoded %d, ", SSL_CTX_sess_number(ctx), found == other,
           SSL_SESSION_get_timeout(session), decoded && SSL_SESSION_get0_cipher(decoded) == SSL_SESSION_get0_cipher(session));
    printf("removed %d\n", SSL_CTX_remove_session(ctx, session));
    SSL_SESSION_free(found);
    SSL_SESSION_free(decoded);
    SSL_free(ssl);
}

static void free_objects(void)
{
    SSL_SESSION_free(session);
    SSL_SESSION_free(other);
    SSL_CTX_free(ctx);
    puts("ours: freed");
}
#endif

static void ask(void)
{
    SSL_CTX_free(NULL);
    SSL_SESSION_free(NULL);
    SSL_free(NULL);
    printf("asked: %d %d %s\n", TLS_method() != NULL, OPENSSL_init_ssl(0, NULL), SSL_CIPHER_get_name(NULL));
}

static void *handle;

static void call(const char *name) { ((void (*)(void))dlsym(handle, name))(); }

static void use_plugin(const char *path)
{
    if (!path)
        return;
    handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        puts(dlerror());
        return;
    }
    call("plugin_begin");
    call("plugin_run");
    call("plugin_run");
    void *given = ((void *(*)(void))dlsym(handle, "plugin_session"))();
    printf("given %d\n", given != NULL);
    ((void (*)(void *))dlsym(handle, "plugin_give_back"))(given);
    call("plugin_end");
    dlclose(handle);
}

int main(int argc, char **argv)
{
    const char *how = argc > 1 ? argv[1] : "", *plugin = argc > 2 ? argv[2] : NULL;
    if (strcmp(how, "questions") == 0)
        for (int i = 0; i < 2; i++) {
            ask();
            use_plugin(plugin);
        }
#ifdef WEAK
    if (strcmp(how, "method") == 0) {
        const SSL_METHOD *method = TLS_method();
        if (!dlopen(plugin, RTLD_NOW | RTLD_GLOBAL))
            puts(dlerror());
        SSL_CTX *ctx = SSL_CTX_new(method);
        printf("a context of the method: %d, holds %ld\n", ctx != NULL, SSL_CTX_ctrl(ctx, 20, 0, NULL));
        SSL_CTX_free(ctx);
    }
#else
    if (strcmp(how, "objects") == 0) {
        use_objects();
        use_plugin(plugin);
        use_objects();
        use_plugin(plugin);
        use_objects();
        free_objects();
    }
#endif
    return 0;
}
