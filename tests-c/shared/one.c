/*
 * A process that does what its words say, one after the other; its server and its client are in it. The first word
 * that needs a context is its first call of libssl.
 *
 *   chroot DIR, uid N, closefrom, memlock0, filter   confines itself
 *   first            makes its server's context
 *   make             a session, and prints what a client needs to come back
 *   resume TEXT      comes back: "resumed" or "full"
 *   twice            both, with one of its own
 *   starters N PATH  N times: four children begin at once, and the memory is not there yet
 *   forked           a child and its parent see each other's sessions
 *   crowd N          N children at once resume what their parent has made, and leave one each
 *   storm N          N children, of a process with threads that store and remove
 */
#include "tls.h"

#include <pthread.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

static X509 *certificate;
static EVP_PKEY *key;
static SSL_CTX *server, *client;

/* Before any call of libssl: a program that confines itself first has its files by then. */
static void read_files(void)
{
    FILE *file = fopen("server.pem", "r");
    certificate = PEM_read_X509(file, NULL, NULL, NULL);
    rewind(file);
    key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    fclose(file);
}

static void first(void)
{
    if (server)
        return;
    server = SSL_CTX_new(TLS_server_method());
    client = SSL_CTX_new(TLS_client_method());
    SSL_CTX_use_certificate(server, certificate);
    SSL_CTX_use_PrivateKey(server, key);
    SSL_CTX_set_session_id_context(server, (const unsigned char *)"one", 3);
    SSL_CTX_set_options(server, SSL_OP_NO_TICKET);
    SSL_CTX_set_max_proto_version(server, TLS1_2_VERSION);
}

/* One connection in memory; 2: resumed, 1: full, 0: failed. */
static int visit(SSL_SESSION **session)
{
    first();
    SSL *c = SSL_new(client), *s = SSL_new(server);
    BIO *a, *b;
    int done = 0;
    BIO_new_bio_pair(&a, 0, &b, 0);
    SSL_set_bio(c, a, a);
    SSL_set_bio(s, b, b);
    SSL_set_connect_state(c);
    SSL_set_accept_state(s);
    if (*session)
        SSL_set_session(c, *session);
    for (int i = 0; i < 20 && !done; i++) {
        int one = SSL_do_handshake(c), other = SSL_do_handshake(s);
        done = one == 1 && other == 1;
    }
    int result = !done ? 0 : SSL_session_reused(s) ? 2 : 1;
    SSL_SESSION_free(*session);
    *session = SSL_get1_session(c);
    SSL_set_shutdown(s, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_set_shutdown(c, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(c);
    SSL_free(s);
    return result;
}

static void say(int result)
{
    puts(result == 2 ? "resumed" : result == 1 ? "full" : "failed");
}

static void make(void)
{
    SSL_SESSION *session = NULL;
    unsigned char der[2000], *end = der;
    if (visit(&session) != 1)
        say(0);
    i2d_SSL_SESSION(session, &end);
    for (unsigned char *byte = der; byte < end; byte++)
        printf("%02x", *byte);
    putchar('\n');
    SSL_SESSION_free(session);
}

static void resume(const char *text)
{
    unsigned char der[2000];
    const unsigned char *start = der;
    long length = 0;
    for (unsigned int byte; sscanf(text + 2 * length, "%2x", &byte) == 1; length++)
        der[length] = (unsigned char)byte;
    first();
    SSL_SESSION *session = d2i_SSL_SESSION(NULL, &start, length);
    say(visit(&session));
    SSL_SESSION_free(session);
}

static void twice(void)
{
    SSL_SESSION *session = NULL;
    say(visit(&session));
    say(visit(&session));
    SSL_SESSION_free(session);
}

/* A system call that is not in systemd's @system-service ends the process. */
static void filter_calls(void)
{
    enum { MEMFD_SECRET = 447 };
    struct sock_filter steps[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, MEMFD_SECRET, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof steps / sizeof *steps, steps};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
        exit(3);
}

/* ------------------------------------------------------------------ first starters */

/* The inode of the memory that this process has mapped: not that of its keys. (The file had no name at first.) */
static unsigned long mapped(void)
{
    char line[500];
    unsigned long inode = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    while (fgets(line, sizeof line, maps))
        if (strstr(line, " rw-s ") && !strstr(line, "secretmem"))
            sscanf(line, "%*s %*s %*s %*s %lu", &inode);
    fclose(maps);
    return inode;
}

static void starters(int rounds, const char *path)
{
    enum { CHILDREN = 4 };
    char memory[200], keys[200];
    int together = 0;
    snprintf(memory, sizeof memory, "%s.v1", path);
    snprintf(keys, sizeof keys, "%s.key", path);
    for (int round = 0; round < rounds; round++) {
        int start[2], answers[2];
        unsigned long inodes[CHILDREN];
        unlink(memory), unlink(keys);
        if (pipe(start) < 0 || pipe(answers) < 0)
            return;
        for (int i = 0; i < CHILDREN; i++)
            if (fork() == 0) {
                char byte;
                close(start[1]);
                if (read(start[0], &byte, 1) == 0)
                    first();
                unsigned long inode = mapped();
                _exit(write(answers[1], &inode, sizeof inode) < 0);
            }
        close(start[0]), close(start[1]);
        int same = 1;
        for (int i = 0; i < CHILDREN; i++)
            same &= read(answers[0], &inodes[i], sizeof inodes[i]) == sizeof inodes[i] && inodes[i] && inodes[i] == inodes[0];
        close(answers[0]), close(answers[1]);
        while (wait(NULL) > 0)
            ;
        together += same;
    }
    printf("%s\n", together == rounds ? "one memory, each time" : "more than one");
}

/* ------------------------------------------------------------------ forks */

static int child_says(int (*does)(void))
{
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        alarm(10);
        _exit(does());
    }
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static SSL_SESSION *made;
static int channel[2];

/* A session on its way to another process. */
typedef struct {
    long length;
    unsigned char der[2000];
} Message;

static int resumes_made_and_leaves_one(void)
{
    SSL_SESSION *session = NULL;
    Message message;
    unsigned char *end = message.der;
    if (visit(&made) != 2 || visit(&session) != 1)
        return 1;
    message.length = i2d_SSL_SESSION(session, &end);
    return write(channel[1], &message, sizeof message) != sizeof message;
}

/* What a child has left. 2: it is resumed. */
static int comes_back(void)
{
    Message message;
    const unsigned char *start = message.der;
    if (read(channel[0], &message, sizeof message) != sizeof message)
        return 0;
    SSL_SESSION *session = d2i_SSL_SESSION(NULL, &start, message.length);
    int result = visit(&session);
    SSL_SESSION_free(session);
    return result;
}

static void forked(void)
{
    if (pipe(channel) < 0)
        return;
    visit(&made);
    printf("child %d, ", child_says(resumes_made_and_leaves_one));
    say(comes_back());
}

static void crowd(int children)
{
    int bad = 0, status;
    if (pipe(channel) < 0)
        return;
    visit(&made);
    for (int i = 0; i < children; i++)
        if (fork() == 0) {
            alarm(20);
            _exit(resumes_made_and_leaves_one());
        }
    for (int i = 0; i < children; i++)
        bad += comes_back() != 2;
    while (wait(&status) > 0)
        bad += status != 0;
    printf("%d bad, then ", bad);
    say(visit(&made));
}

enum { STORED = 200 };
static SSL_SESSION *sessions[STORED + 100];
static atomic_int over;

static void fill(void)
{
    for (int i = 0; i < STORED + 100; i++) {
        unsigned char id[32] = {0};
        memcpy(id, &i, sizeof i);
        sessions[i] = SSL_SESSION_new();
        SSL_SESSION_set1_id(sessions[i], id, sizeof id);
        SSL_SESSION_set_protocol_version(sessions[i], TLS1_2_VERSION);
        SSL_SESSION_set_cipher(sessions[i], SSL_SESSION_get0_cipher(made));
    }
}

static void *store(void *number)
{
    for (unsigned int i = (unsigned int)(size_t)number; !over; i += 2) {
        SSL_CTX_add_session(server, sessions[i % STORED]);
        SSL_CTX_remove_session(server, sessions[i % STORED]);
    }
    return NULL;
}

/* It takes no lock of libssl's, which a thread that is gone may have. */
static int stores_more(void)
{
    for (int i = STORED; i < STORED + 100; i++)
        SSL_CTX_add_session(server, sessions[i]);
    return 0;
}

static void storm(int children)
{
    pthread_t threads[2];
    int bad = 0;
    visit(&made);
    fill();
    for (size_t i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, store, (void *)i);
    for (int i = 0; i < children; i++)
        bad += child_says(stores_more) != 0;
    over = 1;
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    printf("%d ended badly, then ", bad);
    say(visit(&made));
}

/* ------------------------------------------------------------------ */

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    read_files();
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i], *next = i + 1 < argc ? argv[i + 1] : "";
        if (!strcmp(word, "chroot")) {
            if (chroot(next) < 0 || chdir("/") < 0)
                return 3;
            i++;
        } else if (!strcmp(word, "uid")) {
            if (setgid((gid_t)atoi(next)) < 0 || setuid((uid_t)atoi(next)) < 0)
                return 3;
            i++;
        } else if (!strcmp(word, "closefrom")) {
            for (int descriptor = 3; descriptor < 256; descriptor++)
                close(descriptor);
        } else if (!strcmp(word, "memlock0")) {
            setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){0, 0});
        } else if (!strcmp(word, "filter")) {
            filter_calls();
        } else if (!strcmp(word, "first")) {
            first();
        } else if (!strcmp(word, "make")) {
            make();
        } else if (!strcmp(word, "twice")) {
            twice();
        } else if (!strcmp(word, "resume")) {
            resume(next), i++;
        } else if (!strcmp(word, "starters")) {
            starters(atoi(next), argv[i + 2]), i += 2;
        } else if (!strcmp(word, "forked")) {
            forked();
        } else if (!strcmp(word, "crowd")) {
            crowd(atoi(next)), i++;
        } else if (!strcmp(word, "storm")) {
            storm(atoi(next)), i++;
        } else {
            return 2;
        }
        fflush(stdout);
    }
    return 0;
}
