/*
 * What happens in one process, and what the others see of it: three servers, of one kind, with one cache.
 */
#define TEST "seen"
#include "client.h"

enum { SERVERS = 3 };
static Server servers[SERVERS];
static Server *const a = &servers[0], *const b = &servers[1], *const c = &servers[2];
static const char *version_name;
static int version;

/* Their clocks stand still, but for this. (Which contexts ask for certificates is looked at once a second.) */
static long now = 1700000000;

static void clocks(long time)
{
    for (int i = 0; i < SERVERS; i++)
        tell(&servers[i], "clock %ld", time);
}

/* A context "s" with these settings in each. */
static void context(const char *settings)
{
    for (int i = 0; i < SERVERS; i++)
        tell(&servers[i], "context s %s %s", version_name, settings);
    clocks(++now);
}

static void no_context(void)
{
    for (int i = 0; i < SERVERS; i++)
        tell(&servers[i], "free s");
    clocks(++now);
}

/* One more like them. */
static Server another(void)
{
    Server server = start(shared);
    tell(&server, "clock %ld", now);
    tell(&server, "context s %s", version_name);
    return server;
}

static Client new_client(void)
{
    return (Client){.version = version, .name = "a.example"};
}

static int made_by(Server *server, Client *client)
{
    *client = new_client();
    return visit(server, "s", client) == 1;
}

static int found_by(Server *server, const Client *client)
{
    return offer(server, "s", client) == 2;
}

static int missed_by(Server *server, const Client *client)
{
    long misses = number(server, "s", "misses");
    return offer(server, "s", client) == 1 && number(server, "s", "misses") == misses + 1;
}

/* ------------------------------------------------------------------ what is found */

static void by_all(void)
{
    Client client;
    context("");
    int good = made_by(a, &client) && found_by(b, &client) && found_by(c, &client) && found_by(a, &client);
    good &= number(a, "s", "hits") == 1 && number(b, "s", "hits") == 1 && number(b, "s", "misses") == 0;
    good &= number(a, "s", "new") >= 1 && number(b, "s", "removed") == 0;
    forget(&client);
    /* One client, from one to the other, each session followed by the next. */
    client = new_client();
    for (int i = 0; i < 9; i++)
        good &= visit(&servers[i % 3], "s", &client) == 1 + (i > 0);
    check(good, "%s: a session of one is found by all", version_name);
    forget(&client);
    no_context();
}

static void only_unless_shared(void)
{
    Server alone[2] = {start(NULL), start(NULL)};
    Client client = new_client();
    tell(&alone[0], "context s %s", version_name);
    tell(&alone[1], "context s %s", version_name);
    int good = made_by(&alone[0], &client) && found_by(&alone[0], &client) && missed_by(&alone[1], &client);
    check(good, "%s: and without the variable it is not", version_name);
    forget(&client);
    over(&alone[0], 0), over(&alone[1], 0);
}

/* ------------------------------------------------------------------ what is gone */

static void removed(void)
{
    Client client;
    context("");
    int good = made_by(a, &client) && found_by(b, &client);
    good &= !strcmp(tell(a, "remove s"), "1") && number(a, "s", "removed") == 1;
    good &= !strcmp(tell(a, "remove s"), "0") && number(b, "s", "removed") == 0;
    good &= missed_by(b, &client) && missed_by(c, &client) && missed_by(a, &client);
    check(good, "%s: SSL_CTX_remove_session in one, and the others miss it", version_name);
    forget(&client);
    /* By one that had no part in it. */
    good = made_by(a, &client) && visit(b, "s", &client) == 2 && !strcmp(tell(b, "remove s"), "1");
    good &= missed_by(a, &client) && missed_by(c, &client);
    check(good, "%s: also by one that only resumed it", version_name);
    forget(&client);
    no_context();
}

static void ended_badly(const char *how, const char *what)
{
    Client client;
    context("");
    int good = made_by(a, &client) && found_by(b, &client) && found_by(c, &client);
    /* That very session ends badly: a new one would be another in TLS 1.3. */
    Client first = client;
    forget(&first);
    first = new_client();
    good &= visit_until(a, "s", &first, how) == 1;
    good &= missed_by(b, &first) && missed_by(c, &first) && missed_by(a, &first);
    if (version != TLS1_3_VERSION) {
        /* And one that was resumed by another process. */
        good &= made_by(a, &client) && visit_until(b, "s", &client, how) == 2;
        good &= missed_by(a, &client) && missed_by(c, &client);
        forget(&client);
    }
    check(good, "%s: %s in one, and the others miss it", version_name, what);
    forget(&first);
    no_context();
}

static void flushed(void)
{
    Client client, other;
    context("");
    int good = made_by(a, &client) && made_by(b, &other) && found_by(c, &client);
    tell(a, "flush s 1");
    good &= found_by(b, &client) && found_by(a, &client);
    check(good, "%s: a flush of what has expired takes nothing else", version_name);
    tell(a, "flush s 0");
    good = missed_by(b, &client) && missed_by(c, &client) && missed_by(a, &client);
    good &= missed_by(b, &other) && missed_by(a, &other) && number(b, "s", "removed") == 0;
    forget(&client), forget(&other);
    good &= made_by(a, &client) && found_by(b, &client);
    check(good, "%s: a flush of everything in one, and all begin anew", version_name);
    forget(&client);
    no_context();
}

static void left_behind(void)
{
    Client client;
    context("");
    int good = made_by(a, &client) && found_by(a, &client);
    tell(a, "free s");
    good &= found_by(b, &client);
    tell(a, "context s %s", version_name);
    good &= found_by(a, &client);
    check(good, "%s: SSL_CTX_free in one takes nothing from the others", version_name);
    forget(&client);
    for (int kills = 0; kills < 2; kills++) {
        Server passing = another();
        good = made_by(&passing, &client) && (over(&passing, kills) == 0) == !kills;
        good &= found_by(b, &client);
        passing = another();
        good &= found_by(&passing, &client);
        over(&passing, 0);
        check(good, "%s: %s leaves its sessions to the others, and to the next", version_name,
            kills ? "one that is killed" : "one that exits");
        forget(&client);
    }
    no_context();
}

/* ------------------------------------------------------------------ time */

static void expires(void)
{
    Client client;
    context("timeout=300");
    int good = made_by(a, &client);
    clocks(now + 300);
    good &= found_by(b, &client) && found_by(a, &client);
    clocks(now + 301);
    /* One that has its object finds that out by itself, and counts it; one that has not counts a miss. */
    good &= offer(b, "s", &client) == 1 && missed_by(c, &client) && offer(a, "s", &client) == 1;
    check(good, "%s: a session is good to its last second, everywhere", version_name);
    forget(&client);
    const struct { const char *what; Server *changes, *sees; const char *change; long good_until; } changes[] = {
        {"a shorter timeout", a, b, "timeout s 100", 100}, {"a longer timeout", a, b, "timeout s 500", 500},
        {"another time", a, b, "time s 50", 350}, {"an earlier time", a, b, "time s -50", 250},
        {"a timeout, by one that resumed it", b, a, "timeout s 500", 500},
        {"a time, by one that resumed it", b, c, "time s 100", 400},
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        clocks(now);
        good = made_by(a, &client) && found_by(b, &client);
        if (changes[i].changes == b) {
            good &= visit(b, "s", &client) == 2;
        } else {
            /* The last session of A is to be this one. */
            forget(&client);
            good &= made_by(a, &client) && found_by(b, &client);
        }
        tell(changes[i].changes, "%s", changes[i].change);
        clocks(now + changes[i].good_until);
        good &= found_by(changes[i].sees, &client);
        clocks(now + changes[i].good_until + 1);
        good &= offer(changes[i].sees, "s", &client) == 1 && offer(changes[i].changes, "s", &client) == 1;
        check(good, "%s: %s, and the others follow", version_name, changes[i].what);
        forget(&client);
    }
    no_context();
}

/* ------------------------------------------------------------------ the application's part */

static void added(void)
{
    for (int with_name = 0; with_name < 2; with_name++) {
        Client client = new_client(), other = new_client();
        client.name = other.name = with_name ? "a.example" : NULL;
        context("mode=202");
        int good = visit(a, "s", &client) == 1 && missed_by(b, &client);
        check(good, "%s: NO_INTERNAL_STORE keeps a session from all%s", version_name, with_name ? ", with a name" : "");
        good = !strcmp(tell(a, "add s"), "0") || 1;
        forget(&client);
        client.session = NULL;
        good = visit(a, "s", &client) == 1 && !strcmp(tell(a, "add s"), "1") && found_by(b, &client) && found_by(a, &client);
        /* Where the session tells its name, it is known in another process, too. */
        tell(a, "context s new=a");
        good &= visit(a, "s", &other) == 1 && found_by(c, &other);
        check(good, "%s: what the application adds is found by all%s", version_name, with_name ? ", with a name" : "");
        forget(&client), forget(&other);
        no_context();
    }
    Client client;
    context("");
    tell(b, "context s mode=102");
    int good = made_by(a, &client) && offer(b, "s", &client) == 1 && number(b, "s", "misses") == 0 && found_by(c, &client);
    forget(&client);
    good &= made_by(b, &client) && found_by(a, &client) && !found_by(b, &client);
    check(good, "%s: NO_INTERNAL_LOOKUP finds nothing, and shares what it stores", version_name);
    forget(&client);
    tell(b, "context s mode=0");
    good = made_by(b, &client) && offer(a, "s", &client) == 1;
    check(good, "%s: a cache that is off shares nothing", version_name);
    forget(&client);
    no_context();
}

static void asked(void)
{
    Client client;
    context("");
    tell(a, "context s mode=202 new=k get=1");
    int good = made_by(a, &client);
    tell(a, "context s mode=2");
    good &= missed_by(b, &client) && found_by(a, &client) && found_by(b, &client) && found_by(a, &client);
    good &= number(a, "s", "hits") == 2 && number(a, "s", "misses") == 1 && number(a, "s", "cb_hits") == 1;
    check(good, "%s: what a get callback brings is found by all, and counted once", version_name);
    tell(b, "context s get=1");
    good = found_by(b, &client) && number(b, "s", "asked") == 0 && number(b, "s", "cb_hits") == 0;
    tell(a, "flush s 0");
    good &= missed_by(b, &client) && number(b, "s", "asked") == 1;
    check(good, "%s: a get callback is asked for what is found nowhere, and for nothing else", version_name);
    forget(&client);
    no_context();
}

static void generated(void)
{
    Client client[SERVERS];
    char id[SERVERS][80];
    context("generates=chosen");
    int good = 1;
    for (int i = 0; i < SERVERS; i++) {
        good &= made_by(&servers[i], &client[i]);
        strcpy(id[i], tell(&servers[i], "id s"));
        for (int j = 0; j < i; j++)
            good &= strcmp(id[i], id[j]) != 0;
    }
    for (int i = 0; i < SERVERS; i++)
        for (int j = 0; j < SERVERS; j++)
            good &= found_by(&servers[j], &client[i]);
    check(good, "%s: ids of a generator: none is given twice, all are found by all", version_name);
    if (version == DTLS1_2_VERSION) { /* else a connection without a handshake is of another version */
        good = !strcmp(tell(b, "found s %s", id[0]), "1") && !strcmp(tell(a, "found s %s", id[2]), "1");
        good &= !strcmp(tell(b, "found s %s", "00112233"), "0");
        check(good, "%s: SSL_has_matching_session_id sees those of others", version_name);
    }
    for (int i = 0; i < SERVERS; i++)
        forget(&client[i]);
    no_context();
}

static void small(void)
{
    enum { MANY = 6 };
    Client client[MANY];
    context("size=2");
    int good = 1;
    for (int i = 0; i < MANY; i++)
        good &= made_by(a, &client[i]);
    for (int i = 0; i < MANY; i++)
        good &= found_by(a, &client[i]) && found_by(b, &client[i]);
    good &= number(a, "s", "number") <= 2 && number(b, "s", "number") <= 2;
    good &= number(a, "s", "full") == 0 && number(a, "s", "removed") == 0 && number(b, "s", "removed") == 0;
    check(good, "%s: what a small cache lets go of is still found, and nobody is told", version_name);
    for (int i = 0; i < MANY; i++)
        forget(&client[i]);
    no_context();
}

/* ------------------------------------------------------------------ what a session brings along */

static void contents(void)
{
    const struct { const char *what, *settings, *expected; int alpn; const char *certificate; } all[] = {
        {"a name", "servername=ok", "name=a.example", 0, NULL},
        {"a client's certificate", "verify=require ca=ca", "peer=client verify=0", 0, "client"},
        {"ALPN", "alpn=1", "alpn=h2", 1, NULL},
        {"a timeout", "timeout=1234", "timeout=1234", 0, NULL},
        {"the application's data", "ticket=something", "ticket=something", 0, NULL},
        {"early data", "early=1 replay=1", "early=1000", 0, NULL},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (i >= 4 && version != TLS1_3_VERSION)
            continue;
        Client client = new_client();
        char own[600];
        client.alpn = all[i].alpn;
        client.certificate = all[i].certificate;
        context(all[i].settings);
        int good = visit(a, "s", &client) == 1 && offer(a, "s", &client) == 2;
        strcpy(own, a->said);
        good &= offer(b, "s", &client) == 2 && !strcmp(own, b->said) && strstr(b->said, all[i].expected);
        if (!check(good, "%s: %s is there in another process", version_name, all[i].what))
            printf("%s\n%s\n", own, b->said);
        forget(&client);
        no_context();
    }
}

static void switched(void)
{
    Client client;
    context("servername=v");
    for (int i = 0; i < SERVERS; i++)
        tell(&servers[i], "context v %s cert=server2 sid=test", version_name);
    int good = made_by(a, &client) && found_by(b, &client) && found_by(a, &client);
    client.name = "b.example";
    good &= missed_by(b, &client);
    check(good, "%s: contexts that a servername callback switches to", version_name);
    forget(&client);
    for (int i = 0; i < SERVERS; i++)
        tell(&servers[i], "free v");
    no_context();
}

/* ------------------------------------------------------------------ clients, and caches that are turned on */

static void of_clients(void)
{
    /* A server that shares nothing, and its client, which might. */
    Server alone = start(NULL);
    int ends[2];
    char id[80];
    tell(&alone, "context s tls13");
    tell(a, "context s client mode=3");
    tell(b, "context s client mode=3");
    sockets(ends, TLS1_3_VERSION);
    pass(alone.control, "accept s clean", &ends[0], 1);
    pass(a->control, "connect s", &ends[1], 1);
    close(ends[0]), close(ends[1]);
    int good = !strcmp(answer(a), "connected, not added");
    answer(&alone);
    strcpy(id, tell(a, "id s"));
    good &= strlen(id) > 8 && !strcmp(tell(a, "found s %s", id), "1") && !strcmp(tell(b, "found s %s", id), "0");
    tell(a, "flush s 0"), tell(a, "add s");
    good &= !strcmp(tell(a, "found s %s", id), "1") && !strcmp(tell(b, "found s %s", id), "0");
    if (!check(good, "a client's sessions are its own"))
        printf("%s %s %s\n", id, a->said, b->said);
    tell(a, "free s"), tell(b, "free s");
    over(&alone, 0);
}

static void turned_on(void)
{
    char on[] = "SSLCACHE_SET=cache=on";
    Server two[2] = {start_with("./server", shared, on), start_with("./server", shared, on)};
    Client client = new_client();
    for (int i = 0; i < 2; i++) {
        tell(&two[i], "context off %s mode=0", version_name);
        tell(&two[i], "context own %s mode=302 get=1", version_name);
    }
    int good = visit(&two[0], "off", &client) == 1 && offer(&two[1], "off", &client) == 2;
    good &= number(&two[0], "off", "new") == 0;
    check(good, "%s: cache=on: a cache that is off is served", version_name);
    forget(&client);
    good = visit(&two[0], "own", &client) == 1 && offer(&two[1], "own", &client) == 2;
    good &= number(&two[0], "own", "new") >= 1 && number(&two[1], "own", "asked") == 0;
    check(good, "%s: cache=on: one of the application's own is served", version_name);
    forget(&client);
    for (int i = 0; i < 2; i++) {
        tell(&two[i], "context asks %s mode=0 sid= verify=request ca=ca", version_name);
        tell(&two[i], "context each %s mode=0 sid= ca=ca each=request", version_name);
    }
    client.certificate = "client";
    good = visit(&two[0], "asks", &client) == 1 && offer(&two[1], "asks", &client) == 1;
    forget(&client);
    good &= visit(&two[0], "each", &client) == 1 && offer(&two[1], "each", &client) == 1;
    check(good, "%s: cache=on: not where clients are asked who they are, and there is no session id context", version_name);
    forget(&client);
    over(&two[0], 0), over(&two[1], 0);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    make_certificates();
    new_memory();
    for (int i = 0; i < SERVERS; i++)
        servers[i] = start(shared);
    clocks(now);
    for (size_t i = 0; i < 3; i++) {
        version = versions[i].version;
        version_name = versions[i].name;
        by_all();
        only_unless_shared();
        removed();
        ended_badly("rude", "an unclean end");
        if (version != DTLS1_2_VERSION) { /* which drops what does not fit */
            ended_badly("alert", "a fatal alert");
            ended_badly("alerted", "a fatal alert of the client's");
        }
        flushed();
        left_behind();
        expires();
        added();
        asked();
        if (version != TLS1_3_VERSION) /* whose ids are libssl's own */
            generated();
        small();
        contents();
        switched();
        turned_on();
    }
    of_clients();
    for (int i = 0; i < SERVERS; i++)
        check(over(&servers[i], 0) == 0, "server %d ends well", i + 1);
    return failures > 0;
}
