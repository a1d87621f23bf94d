/* A program without libssl. It loads the body, and libssl with it, late and privately, closes
 * it and loads it again. */
#include <dlfcn.h>
#include <stdio.h>

static int run(const char *path, const char *what) {
    void *plugin = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    void (*body)(const char *);

    if (plugin == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    *(void **)&body = dlsym(plugin, "body");
    body(what);
    return dlclose(plugin);
}

int main(int argc, char **argv) {
    if (argc != 2)
        return 2;
    puts("main, without libssl");
    if (run(argv[1], "loaded") != 0)
        return 1;
    if (run(argv[1], "loaded again") != 0)
        return 1;
    puts("main again");
    return 0;
}
