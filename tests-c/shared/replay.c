/*
 * Early data, sent again and again: a client's first flight is recorded, and the same bytes come at once on 64
 * connections to 8 processes. One of them is given the early data.
 */
#define TEST "replay"
#include "client.h"

enum { PROCESSES = 8, EACH = 8 };
static Server servers[PROCESSES];

typedef struct {
    char bytes[4000];
    int length;
} Flight;

/* What a client that has `session` sends first. */
static Flight first_flight(const Client *client)
{
    Flight flight;
    SSL *ssl = client_end(client);
    BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
    size_t written;
    SSL_set_bio(ssl, in, out);
    if (SSL_write_early_data(ssl, "once", 4, &written) != 1)
        abort();
    flight.length = BIO_read(out, flight.bytes, sizeof flight.bytes);
    SSL_free(ssl);
    return flight;
}

/* Sends it to a server, which reads it as soon as `starter` ends. */
static int send_to(Server *server, const char *context, const Flight *flight, int starter)
{
    int ends[2];
    char command[64];
    sockets(ends, TLS1_3_VERSION);
    snprintf(command, sizeof command, "early %s", context);
    pass(server->control, command, (int[]){ends[1], starter}, 2);
    answer(server);
    close(ends[1]);
    if (write(ends[0], flight->bytes, (size_t)flight->length) != flight->length)
        abort();
    shutdown(ends[0], SHUT_WR); /* one that refuses it waits for nothing more */
    return ends[0];
}

/* How many of them were given the early data. */
static int replay(const char *context, const Flight *flight)
{
    int starter[2], given = 0, clients[PROCESSES * EACH];
    if (pipe2(starter, O_CLOEXEC) < 0)
        abort();
    for (int i = 0; i < PROCESSES * EACH; i++)
        clients[i] = send_to(&servers[i % PROCESSES], context, flight, starter[0]);
    close(starter[0]);
    close(starter[1]); /* now */
    for (int i = 0; i < PROCESSES; i++)
        given += atoi(tell(&servers[i], "earned"));
    for (int i = 0; i < PROCESSES * EACH; i++)
        close(clients[i]);
    return given;
}

static int rounds(const char *context, int count, int expected)
{
    for (int i = 0; i < count; i++) {
        Client client = {.version = TLS1_3_VERSION, .name = i % 2 ? "a.example" : NULL};
        Server *maker = &servers[i % PROCESSES];
        if (visit(maker, context, &client) != 1)
            return printf("no session: %s\n", maker->said), 0;
        Flight flight = first_flight(&client);
        int given = replay(context, &flight), later = replay(context, &flight);
        if (given != expected || later != (expected == 1 ? 0 : expected))
            return printf("round %d: %d were given the early data, later %d\n", i, given, later), 0;
        forget(&client);
    }
    return 1;
}

/* The first early data of a client is taken, by whichever process it comes to. */
static int first_is_taken(const char *context)
{
    int good = 1;
    for (int i = 0; i < PROCESSES; i++) {
        Client client = {.version = TLS1_3_VERSION, .name = "a.example"};
        good &= visit(&servers[0], context, &client) == 1;
        Flight flight = first_flight(&client);
        int starter[2];
        if (pipe2(starter, O_CLOEXEC) < 0)
            abort();
        int end = send_to(&servers[i], context, &flight, starter[0]);
        close(starter[0]), close(starter[1]);
        good &= !strcmp(tell(&servers[i], "earned"), "1");
        close(end);
        forget(&client);
    }
    return good;
}

int main(void)
{
    const int many = 20 * atoi(getenv("ROUNDS"));
    signal(SIGPIPE, SIG_IGN);
    make_certificates();
    new_memory();
    for (int i = 0; i < PROCESSES; i++) {
        servers[i] = start(shared);
        tell(&servers[i], "context early tls13 early=1");
        tell(&servers[i], "context tickets tls13 early=1 tickets=1");
        tell(&servers[i], "context small tls13 early=1 size=1");
        tell(&servers[i], "context again tls13 early=1 replay=1");
    }
    check(first_is_taken("early"), "the first early data is accepted, by whichever process");
    check(rounds("early", many, 1), "of %d that get the same early data at once one accepts it, %d times", PROCESSES * EACH, many);
    check(rounds("tickets", many / 2, 1), "the same where the application does not turn tickets off");
    check(rounds("small", many / 2, 1), "the same where a process keeps one object");
    check(rounds("again", 1, PROCESSES * EACH), "with SSL_OP_NO_ANTI_REPLAY all accept it");
    for (int i = 0; i < PROCESSES; i++)
        over(&servers[i], 0);
    /* Alone, each process accepts it that knows the session: one. With its own cache, that of another knows nothing. */
    for (int i = 0; i < PROCESSES; i++) {
        servers[i] = start(NULL);
        tell(&servers[i], "context early tls13 early=1");
    }
    check(!first_is_taken("early"), "without a shared cache others than the one that made the session refuse it");
    for (int i = 0; i < PROCESSES; i++)
        over(&servers[i], 0);
    return failures > 0;
}
