/*
 * Servers that differ from the one that has made a session in one thing, and are offered it: it is not found, whether
 * the other is in another process or in the same. Where nothing differs, it is.
 */
#define TEST "isolation"
#include "client.h"

typedef struct {
    const char *what, *settings;
    int is_found;
} Difference;

/* Of a server that asks nothing of its clients. */
static const Difference plain[] = {
    {"nothing", "", 1},
    {"size, timeout and mode", "size=7 timeout=60 mode=602", 1},
    {"callbacks", "get=1 new=n", 1},
    {"a certificate of the same subject", "cert=server2", 0},
    {"another session id context", "sid=tes", 0},
    {"a longer session id context", "sid=test2", 0},
    {"a client that is asked", "verify=request", 0},
    {"a client that has to show who it is", "verify=require ca=ca", 0},
    {"the connection's own verification", "each=request ca=ca", 0},
};

/* Of one that asks, and trusts one authority. */
static const Difference asking[] = {
    {"nothing", "", 1},
    {"a client that is not asked", "verify=none", 0},
    {"a client that has to show who it is", "verify=require", 0},
    {"another trusted authority", "ca=ca2", 0},
    {"one authority more", "ca=ca+ca2", 0},
    {"the names of authorities", "names=ca2", 0},
    {"another depth", "depth=1", 0},
    {"other flags of verification", "flags=20", 0},
    {"the connection's own verification", "each=none", 0},
};

/* Whether a miss was counted, or a hit, as what has happened says. */
static int counted(Server *server, const char *context, long misses, long hits, int is_found)
{
    return number(server, context, "misses") == misses + !is_found && number(server, context, "hits") == hits + is_found;
}

static void compare(Server *one, Server *other, const char *version, Client *client, const char *common,
    const Difference *differences, size_t count)
{
    const char *maker = *common ? "asking" : "plain";
    tell(one, "context %s %s %s", maker, version, common);
    check(visit(one, maker, client) == 1, "%s: %s: a session", version, maker);
    for (size_t i = 0; i < count; i++) {
        const Difference *this = &differences[i];
        Server *servers[] = {one, other};
        int good = 1;
        for (int in_other = 0; in_other < 2; in_other++) {
            Server *server = servers[in_other];
            char context[24];
            snprintf(context, sizeof context, "other%zu", i);
            tell(server, "context %s %s %s %s", context, version, common, this->settings);
            good &= !strcmp(server->said, "done");
            int got = offer(server, context, client);
            good &= this->is_found == (got == 2);
            good &= counted(server, context, 0, 0, this->is_found);
            if (!good)
                printf("%s: %s\n", in_other ? "another process" : "the same process", server->said);
            tell(server, "free %s", context);
        }
        check(good, "%s: %s: differs in %s: a %s", version, maker, this->what, this->is_found ? "hit" : "miss");
    }
    tell(one, "free %s", maker);
    forget(client);
}

/* A 253-byte name, the longest that DNS has, that ends in this letter. */
static const char *long_name(char last)
{
    static char names[2][254];
    char *name = names[last & 1];
    for (int i = 0; i < 253; i++)
        name[i] = i % 50 == 49 ? '.' : 'a';
    name[252] = last;
    return name;
}

static void compare_names(Server *one, Server *other, int version, const char *version_name)
{
    const struct { const char *made, *offered; int is_found; } names[] = {
        {"a.example", "a.example", 1}, {"a.example", "A.Example", 1}, {"a.example", "b.example", 0},
        {"a.example", "a.example.org", 0}, {"a.example", NULL, 0}, {NULL, NULL, 1}, {NULL, "a.example", 0},
        {long_name('c'), long_name('c'), 1}, {long_name('c'), long_name('d'), 0},
    };
    static const char *const callbacks[] = {"", "servername=ok", "servername=noack"};
    for (size_t which = 0; which < 3; which++) {
        tell(one, "context n%zu %s %s", which, version_name, callbacks[which]);
        tell(other, "context n%zu %s %s", which, version_name, callbacks[which]);
        int good = 1;
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            char context[24];
            snprintf(context, sizeof context, "n%zu", which);
            Client client = {.version = version, .name = names[i].made};
            int this = visit(one, context, &client) == 1;
            client.name = names[i].offered;
            /* In the same process, then in another. */
            for (int in_other = 0; in_other < 2; in_other++) {
                Server *server = in_other ? other : one;
                long misses = number(server, context, "misses"), hits = number(server, context, "hits");
                this &= offer(server, context, &client) == 1 + names[i].is_found &&
                    counted(server, context, misses, hits, names[i].is_found);
            }
            if (!this)
                printf("%s, offered by %s\n", names[i].made ? names[i].made : "none",
                    names[i].offered ? names[i].offered : "none");
            good &= this;
            forget(&client);
        }
        check(good, "%s: names, %s", version_name, *callbacks[which] ? callbacks[which] : "without a servername callback");
        tell(one, "free n%zu", which);
        tell(other, "free n%zu", which);
    }
}

/* The same context changes after its first use: what was made before is found again when it is what it was. */
static void changes(Server *one, Server *other, int version, const char *version_name)
{
    static const struct { const char *what, *changed, *back; } changed[] = {
        {"the certificate", "cert=server2", "cert=server"},
        {"the session id context", "sid=other", "sid=test"},
        {"verification", "verify=request", "verify=none"},
    };
    tell(one, "context c %s", version_name);
    tell(other, "context c %s", version_name);
    for (size_t i = 0; i < sizeof changed / sizeof *changed; i++) {
        Client client = {.version = version};
        int good = visit(one, "c", &client) == 1 && offer(other, "c", &client) == 2;
        tell(other, "context c %s", changed[i].changed);
        long misses = number(other, "c", "misses"), hits = number(other, "c", "hits");
        good &= offer(other, "c", &client) == 1 && counted(other, "c", misses, hits, 0);
        tell(other, "context c %s", changed[i].back);
        good &= offer(other, "c", &client) == 2 && counted(other, "c", misses + 1, hits, 1);
        check(good, "%s: %s changes in a context that is in use", version_name, changed[i].what);
        forget(&client);
    }
    tell(one, "context c verify=request ca=ca");
    tell(other, "context c verify=request ca=ca");
    Client client = {.version = version, .certificate = "client"};
    int good = visit(one, "c", &client) == 1 && offer(other, "c", &client) == 2;
    tell(other, "context c ca=ca2");
    good &= offer(other, "c", &client) != 2;
    tell(other, "context c ca=ca");
    good &= offer(other, "c", &client) == 2;
    check(good, "%s: whom it trusts changes in a context that is in use", version_name);
    forget(&client);
    tell(one, "free c");
    tell(other, "free c");
}

/* Who does not have to be the same. */
static void programs(int version, const char *version_name)
{
    char named[128], ignoring[128];
    snprintf(named, sizeof named, "%s,ns=front", shared);
    snprintf(ignoring, sizeof ignoring, "%s,sni=ignore", shared);
    const struct { const char *what, *program, *variable; } servers[] = {
        {"the same program", "./server", shared},
        {"another program", "./another_server", shared},
        {"another program of this name", "elsewhere/server", shared},
        {"a namespace", "./server", named},
        {"another program in this namespace", "./another_server", named},
        {"names ignored", "./server", ignoring},
        {"not shared", "./server", NULL},
    };
    static const char seen[7][8] = {
        /* by: same, other, of this name, ns, other in ns, ignoring, none */
        "1010000", "0100000", "1010000", "0001100", "0001100", "0000010", "0000000",
    };
    Server all[7];
    for (int i = 0; i < 7; i++) {
        all[i] = start_with(servers[i].program, servers[i].variable, NULL);
        tell(&all[i], "context a %s", version_name);
    }
    for (int i = 0; i < 7; i++) {
        Client client = {.version = version, .name = "a.example"};
        int good = visit(&all[i], "a", &client) == 1;
        for (int j = 0; j < 7; j++)
            if (j != i && offer(&all[j], "a", &client) != 1 + (seen[i][j] == '1'))
                good = 0, printf("seen by %s: %s\n", servers[j].what, all[j].said);
        check(good, "%s: a session of %s", version_name, servers[i].what);
        forget(&client);
    }
    /* What names stand for where they are ignored. */
    Client client = {.version = version, .name = "a.example"};
    Server other = start(ignoring);
    tell(&other, "context a %s", version_name);
    int good = visit(&all[5], "a", &client) == 1;
    client.name = "b.example";
    good &= offer(&other, "a", &client) == 2;
    client.name = NULL;
    good &= offer(&other, "a", &client) == 2 && offer(&all[5], "a", &client) == 2;
    check(good, "%s: where names are ignored, one is as good as another", version_name);
    forget(&client);
    over(&other, 0);
    for (int i = 0; i < 7; i++)
        check(over(&all[i], 0) == 0, "%s: %s ends well", version_name, servers[i].what);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    make_certificates();
    new_memory();
    Server one = start(shared), other = start(shared);
    for (size_t i = 0; i < 3; i++) {
        int version = versions[i].version;
        const char *name = versions[i].name;
        Client client = {.version = version, .name = "a.example"};
        compare(&one, &other, name, &client, "", plain, sizeof plain / sizeof *plain);
        client.certificate = "client";
        compare(&one, &other, name, &client, "verify=request ca=ca names=ca", asking, sizeof asking / sizeof *asking);
        compare_names(&one, &other, version, name);
        changes(&one, &other, version, name);
        programs(version, name);
    }
    check(over(&one, 0) == 0 && over(&other, 0) == 0, "the servers end well");
    return failures > 0;
}
