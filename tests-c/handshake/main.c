/*
 * handshake [--list | --version] [--no-fork] [NAME...]
 *
 * Runs the named scenarios, or all. Each has a process and a time limit of its own, so that one
 * crash hides no other. --no-fork runs them in this process (for valgrind and gdb).
 */
#include "harness.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define TIME_LIMIT 60 /* seconds; HANDSHAKE_TIME_LIMIT changes it */

static const Scenario *const tables[] = {
    store_scenarios,  callback_scenarios, end_scenarios,      early_data_scenarios, client_scenarios,
    switch_scenarios, order_scenarios,    time_scenarios,     external_scenarios,   difference_scenarios,
};

static const Version versions[] = {TLS12, TLS13, DTLS12};

static unsigned int time_limit(void)
{
    const char *wanted = getenv("HANDSHAKE_TIME_LIMIT");

    return wanted == NULL ? TIME_LIMIT : (unsigned int)atoi(wanted);
}

static void run_here(const Scenario *scenario, Version version, const char *name)
{
    printf("== %s\n", name);
    scenario->run(version);
    if (live_sessions() != 0)
        say("!! %d session objects were never freed", live_sessions());
    printf("== end of %s\n", name);
    fflush(stdout);
}

/* 1: the child ended well. A crash is part of the trace. */
static int run_apart(const Scenario *scenario, Version version, const char *name)
{
    int status;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child < 0)
        return 0;
    if (child == 0) {
        alarm(time_limit());
        run_here(scenario, version, name);
        exit(0);
    }
    waitpid(child, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 1;
    if (WIFSIGNALED(status))
        printf("!! %s ended by signal %d%s\n", name, WTERMSIG(status),
               WTERMSIG(status) == SIGALRM ? " (time limit)" : "");
    else
        printf("!! %s ended with %d\n", name, WEXITSTATUS(status));
    return 0;
}

static int wanted(const char *name, char **names, int count)
{
    int i;

    for (i = 0; i < count; i++)
        if (strcmp(name, names[i]) == 0)
            return 1;
    return count == 0;
}

int main(int argc, char **argv)
{
    int list = 0, apart = 1, found = 0, failed = 0;
    size_t t, v;
    const Scenario *s;

    for (argv++, argc--; argc > 0 && argv[0][0] == '-'; argv++, argc--) {
        if (strcmp(argv[0], "--list") == 0) {
            list = 1;
        } else if (strcmp(argv[0], "--version") == 0) {
            printf("%.*s\n", (int)strcspn(OpenSSL_version(OPENSSL_VERSION) + 8, " "), OpenSSL_version(OPENSSL_VERSION) + 8);
            return 0;
        } else if (strcmp(argv[0], "--no-fork") == 0) {
            apart = 0;
        } else {
            fprintf(stderr, "usage: handshake [--list | --version] [--no-fork] [NAME...]\n");
            return 2;
        }
    }
    for (t = 0; t < sizeof(tables) / sizeof(tables[0]); t++) {
        for (s = tables[t]; s->name != NULL; s++) {
            for (v = 0; v < sizeof(versions) / sizeof(versions[0]); v++) {
                char name[96];

                if (!(s->versions & versions[v]))
                    continue;
                snprintf(name, sizeof(name), "%s_%s", s->name, version_name(versions[v]));
                if (!wanted(name, argv, argc))
                    continue;
                found++;
                if (list)
                    puts(name);
                else if (apart)
                    failed += !run_apart(s, versions[v], name);
                else
                    run_here(s, versions[v], name);
            }
        }
    }
    if (found == 0)
        fprintf(stderr, "no such scenario; --list names them\n");
    return found == 0 || failed > 0;
}
