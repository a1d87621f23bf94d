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

/* Makes or changes a context. That others ask clients for certificates is seen a second later. */
__attribute__((format(printf, 2, 3))) static void set_up(Server *server, const char *format, ...)
{
    char settings[300];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(settings, sizeof settings, format, arguments);
    va_end(arguments);
    tell(server, "context %s", settings);
    if (strcmp(server->said, "done"))
        check(0, "context %s: %s", settings, server->said);
    tell(server, "later");
}

static void tear_down(Server *server, const char *context)
{
    tell(server, "free %s", context);
    tell(server, "later");
}

/* Of one that trusts several: in whatever order libcrypto has them by now. */
static const Difference trusting[] = {
    {"nothing", "", 1},
    {"the order of authorities", "ca=server+ca+ca2", 1},
    {"one authority less", "ca=ca2+ca", 0},
};

/* Whether a session that is offered is found, or is a miss, and so counted; where it has to verify, it may fail. */
static int is_as_expected(Server *server, const char *context, const Client *client, int is_found)
{
    long misses = number(server, context, "misses"), hits = number(server, context, "hits");
    int good = is_found == (offer(server, context, client) == 2);
    char said[600];
    strcpy(said, server->said);
    good &= number(server, context, "misses") == misses + !is_found && number(server, context, "hits") == hits + is_found;
    if (!good)
        printf("%s: %s, %s\n", context, said, server->said);
    return good;
}

/* A server that has several contexts which ask learns from a handshake what is asked where. */
static void come_first(Server *server, const char *context, const Client *client)
{
    Client other = *client;
    other.session = NULL;
    visit(server, context, &other);
    forget(&other);
}

static void compare(Server *one, Server *other, const char *version, Client *client, const char *common,
    const Difference *differences, size_t count)
{
    const char *maker = !*common ? "plain" : strchr(common, '+') ? "trusting" : "asking";
    set_up(one, "%s %s %s", maker, version, common);
    check(visit(one, maker, client) == 1, "%s: %s: a session", version, maker);
    for (size_t i = 0; i < count; i++) {
        const Difference *this = &differences[i];
        Server *servers[] = {one, other};
        int good = 1;
        for (int in_other = 0; in_other < 2; in_other++) {
            Server *server = servers[in_other];
            set_up(server, "other %s %s %s", version, common, this->settings);
            come_first(server, "other", client);
            good &= is_as_expected(server, "other", client, this->is_found);
            tear_down(server, "other");
        }
        check(good, "%s: %s: differs in %s: a %s", version, maker, this->what, this->is_found ? "hit" : "miss");
    }
    tear_down(one, maker);
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
        set_up(one, "n %s %s", version_name, callbacks[which]);
        set_up(other, "n %s %s", version_name, callbacks[which]);
        int good = 1;
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            Client client = {.version = version, .name = names[i].made};
            int this = visit(one, "n", &client) == 1;
            client.name = names[i].offered;
            this &= is_as_expected(one, "n", &client, names[i].is_found);
            this &= is_as_expected(other, "n", &client, names[i].is_found);
            if (!this)
                printf("%s, offered by %s\n", names[i].made ? names[i].made : "none",
                    names[i].offered ? names[i].offered : "none");
            good &= this;
            forget(&client);
        }
        const char *how = *callbacks[which] ? callbacks[which] : "without a servername callback";
        check(good, "%s: names, %s", version_name, how);
        tear_down(one, "n");
        tear_down(other, "n");
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
    set_up(one, "c %s", version_name);
    set_up(other, "c %s", version_name);
    for (size_t i = 0; i < sizeof changed / sizeof *changed; i++) {
        Client client = {.version = version};
        int good = visit(one, "c", &client) == 1 && is_as_expected(other, "c", &client, 1);
        set_up(other, "c %s", changed[i].changed);
        good &= is_as_expected(other, "c", &client, 0);
        set_up(other, "c %s", changed[i].back);
        good &= is_as_expected(other, "c", &client, 1);
        check(good, "%s: %s changes in a context that is in use", version_name, changed[i].what);
        forget(&client);
    }
    set_up(one, "c verify=request ca=ca names=ca");
    set_up(other, "c verify=request ca=ca names=ca");
    Client client = {.version = version, .certificate = "client"};
    int good = visit(one, "c", &client) == 1 && is_as_expected(other, "c", &client, 1);
    /* The last of them twice: what is new the second time may lie where the first list was. */
    static const char *const others[] = {"c ca=ca2", "c more=ca2", "c ca=ca2 ca=ca2", "c names=ca2 names=ca2"};
    for (int i = 0; i < 4; i++) {
        set_up(other, "%s", others[i]);
        good &= is_as_expected(other, "c", &client, 0);
        set_up(other, "c ca=ca names=ca");
        good &= is_as_expected(other, "c", &client, 1);
    }
    check(good, "%s: whom it trusts changes in a context that is in use", version_name);
    forget(&client);
    tear_down(one, "c");
    tear_down(other, "c");
}

/* A servername callback switches to the context of a host, which asks for more than the first one. */
static void hosts(Server *one, Server *other, int version, const char *version_name)
{
    static const struct { const char *what, *settings; } changed[] = {
        {"asks for nothing", "verify=none"}, {"trusts another", "verify=require ca=ca2+ca"},
        {"only requests", "verify=request ca=ca"},
    };
    Server *servers[] = {one, other};
    for (int i = 0; i < 2; i++) {
        set_up(servers[i], "first %s servername=host", version_name);
        set_up(servers[i], "host %s cert=server2 verify=require ca=ca", version_name);
    }
    Client client = {.version = version, .name = "a.example", .certificate = "client"};
    int good = visit(one, "first", &client) == 1;
    come_first(other, "first", &client);
    good &= is_as_expected(other, "first", &client, 1) && strstr(other->said, "hits=");
    check(good, "%s: a host that asks for a certificate resumes", version_name);
    for (size_t i = 0; i < sizeof changed / sizeof *changed; i++) {
        set_up(other, "host %s", changed[i].settings);
        good = is_as_expected(other, "first", &client, 0);
        come_first(other, "first", &client);
        good &= is_as_expected(other, "first", &client, 0);
        set_up(other, "host verify=require ca=ca");
        come_first(other, "first", &client);
        good &= is_as_expected(other, "first", &client, 1);
        check(good, "%s: not after a change, when it %s", version_name, changed[i].what);
    }
    forget(&client);
    /* The other way: what was made where nothing was asked. */
    client.certificate = NULL;
    set_up(one, "host verify=none");
    good = visit(one, "first", &client) == 1 && is_as_expected(other, "first", &client, 0);
    client.certificate = "client";
    come_first(other, "first", &client);
    good &= is_as_expected(other, "first", &client, 0);
    client.certificate = NULL;
    check(good && offer(other, "first", &client) == 0, "%s: nobody comes in without a certificate", version_name);
    forget(&client);
    for (int i = 0; i < 2; i++) {
        tear_down(servers[i], "first");
        tear_down(servers[i], "host");
    }
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

/* The very first thing that a process does is to look for a session of another. */
static void newcomer(Server *one, int version, const char *version_name)
{
    static const char *const settings[] = {"", "verify=require ca=ca2+ca+server"};
    for (int asks = 0; asks < 2; asks++) {
        Server new = start(shared);
        Client client = {.version = version, .name = "a.example", .certificate = "client"};
        set_up(one, "s %s %s", version_name, settings[asks]);
        tell(&new, "clock 1700000000");
        tell(&new, "context c client verify=require ca=ca");
        tell(&new, "context s %s %s", version_name, settings[asks]);
        int good = visit(one, "s", &client) == 1 && is_as_expected(&new, "s", &client, 1);
        check(good, "%s: %sbeside a client's context, the first thing that a process does", version_name,
            asks ? "asking, " : "");
        forget(&client);
        tear_down(one, "s");
        over(&new, 0);
    }
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    make_certificates();
    new_memory();
    Server one = start(shared), other = start(shared);
    tell(&one, "clock 1700000000");
    tell(&other, "clock 1700000000");
    for (size_t i = 0; i < 3; i++) {
        int version = versions[i].version;
        const char *name = versions[i].name;
        Client client = {.version = version, .name = "a.example"};
        compare(&one, &other, name, &client, "", plain, sizeof plain / sizeof *plain);
        client.certificate = "client";
        compare(&one, &other, name, &client, "verify=request ca=ca names=ca", asking, sizeof asking / sizeof *asking);
        compare(&one, &other, name, &client, "verify=request ca=ca2+ca+server", trusting,
            sizeof trusting / sizeof *trusting);
        compare_names(&one, &other, version, name);
        changes(&one, &other, version, name);
        hosts(&one, &other, version, name);
        newcomer(&one, version, name);
        programs(version, name);
    }
    check(over(&one, 0) == 0 && over(&other, 0) == 0, "the servers end well");
    return failures > 0;
}
