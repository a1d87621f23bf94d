/*
 * Workers that stop, die or have another time, and nonsense in the memory: the others go on.
 */
#define TEST "trouble"
#include "client.h"

#include <sys/mman.h>

static Server a, b;
static unsigned long chance = 88172645463325252;

static unsigned long random_number(void)
{
    chance ^= chance << 13;
    chance ^= chance >> 7;
    return chance ^= chance << 17;
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* So many sessions of one are resumed by the other; how long the longest visit was, or -1. */
static double longest(int visits)
{
    double longest = 0;
    for (int i = 0; i < visits; i++) {
        Client client = {.version = i % 2 ? TLS1_2_VERSION : TLS1_3_VERSION, .name = "a.example"};
        const char *context = i % 2 ? "tls12" : "tls13";
        double start = seconds();
        int good = visit(&a, context, &client) == 1 && offer(&b, context, &client) == 2;
        double took = seconds() - start;
        forget(&client);
        if (!good)
            return printf("%s, %s\n", a.said, b.said), -1;
        longest = took > longest ? took : longest;
    }
    return longest;
}

static void serve(Server *server)
{
    *server = start(shared);
    tell(server, "context tls12 tls12");
    tell(server, "context tls13 tls13");
}

/* One that stores all the time. */
static Server busy(void)
{
    Server server = start(shared);
    Client client = {.version = TLS1_2_VERSION};
    tell(&server, "context s tls12 cert=server2");
    visit(&server, "s", &client);
    forget(&client);
    tell(&server, "busy s");
    return server;
}

static void stopped(int rounds)
{
    Server third = busy();
    double worst = 0;
    for (int i = 0; i < rounds && worst >= 0; i++) {
        usleep(random_number() % 3000);
        kill(third.pid, SIGSTOP);
        double took = longest(6);
        kill(third.pid, SIGCONT);
        worst = took < 0 ? took : took > worst ? took : worst;
    }
    check(worst >= 0 && worst < 2, "beside one that is stopped while it stores, %d times", rounds);
    over(&third, 1);
}

static void killed(int rounds)
{
    double worst = 0;
    for (int i = 0; i < rounds && worst >= 0; i++) {
        Server third = busy();
        usleep(random_number() % 5000);
        over(&third, 1);
        double took = longest(4);
        worst = took < 0 ? took : took > worst ? took : worst;
    }
    check(worst >= 0 && worst < 2, "beside one that is killed while it stores, %d times", rounds);
}

/* A session made now, and looked for by one whose clock is wrong by so many seconds. */
static void wrong_clock(void)
{
    static const long wrong[] = {-3600, 3600, -315360000, 315360000};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        Client client = {.version = TLS1_2_VERSION, .name = "a.example"}, other = client;
        int good = visit(&a, "tls12", &client) == 1;
        tell(&b, "clock %ld", (long)time(NULL) + wrong[i]);
        /* A session lives for 7200 seconds, or 300 before 3.2. */
        good &= wrong[i] < 0 ? offer(&b, "tls12", &client) == 2 : offer(&b, "tls12", &client) > 0;
        good &= visit(&b, "tls12", &other) == 1 && offer(&b, "tls12", &other) == 2;
        tell(&b, "clock 0");
        good &= offer(&a, "tls12", &other) > 0 && longest(4) >= 0;
        check(good, "a clock that is wrong by %ld s", wrong[i]);
        forget(&client), forget(&other);
    }
}

/* Random words are written all over the memory: nothing has to be found, and everything goes on. */
static void scribbled(int visits)
{
    char path[80];
    struct stat status;
    snprintf(path, sizeof path, "/dev/shm/%s-%d.v1", TEST, (int)getpid());
    int descriptor = open(path, O_RDWR);
    if (descriptor < 0 || fstat(descriptor, &status) < 0)
        abort();
    size_t words = (size_t)status.st_size / sizeof(unsigned long);
    volatile unsigned long *memory = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    close(descriptor);
    int good = 1, found = 0;
    for (int i = 0; i < visits; i++) {
        Client client = {.version = i % 2 ? TLS1_2_VERSION : TLS1_3_VERSION, .name = "a.example"};
        const char *context = i % 2 ? "tls12" : "tls13";
        double start = seconds();
        good &= visit(&a, context, &client) == 1;
        for (int j = 0; j < 1000; j++)
            memory[random_number() % words] = j % 2 ? random_number() : random_number() & 0xff;
        if (i > visits / 2)
            memory[random_number() % 2048] = random_number(); /* the head, where the epochs and the counters are */
        int got = offer(&b, context, &client);
        good &= got > 0 && seconds() - start < 2;
        found += got == 2;
        forget(&client);
    }
    /* It is emptied, and good again but for what has been written into its head. */
    memset((void *)memory, 0, (size_t)status.st_size);
    for (int i = 0; i < 4; i++)
        good &= longest(1) >= -1;
    munmap((void *)memory, (size_t)status.st_size);
    check(good, "nonsense in the memory, while it is in use");
    check(found < visits, "which is really noticed");
}

int main(void)
{
    const int rounds = atoi(getenv("ROUNDS"));
    signal(SIGPIPE, SIG_IGN);
    make_certificates();
    new_memory();
    serve(&a);
    serve(&b);
    stopped(15 * rounds);
    killed(15 * rounds);
    wrong_clock();
    scribbled(200 * rounds);
    check(over(&a, 0) == 0 && over(&b, 0) == 0, "the servers end well");
    return failures > 0;
}
