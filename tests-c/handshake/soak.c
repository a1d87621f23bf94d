/*
 * soak [--seconds N] [--threads N] [--change-times]
 *
 * Everything at once, on a few server contexts: full and resumed handshakes, early data, bad
 * ends, removes, adds, flushes, new sizes, contexts freed and made anew. Afterwards every session
 * and every context that was made must have been freed.
 *
 * --change-times also calls SSL_SESSION_set_timeout on cached sessions. libssl alone may crash
 * there: it reads the session's owner without a lock.
 */
#include "harness.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#define SLOTS 3
#define POOL 64

/* A session that new_cb kept, and the context it is or was cached in. */
typedef struct {
    SSL_SESSION *session;
    SSL_CTX *ctx;
} Kept;

static struct {
    pthread_mutex_t lock;
    SSL_CTX *ctx;                 /* the server context of the moment */
    SSL_SESSION *offers[POOL];    /* client sessions for it, and for those before it */
    Kept kept[POOL];
} slots[SLOTS];

static SSL_CTX *clients[2]; /* TLS 1.2 and 1.3 */
static int seconds = 10, threads = 4, change_times;
static atomic_int stop;
static atomic_long sessions_made, sessions_freed, contexts_made, contexts_freed, full, resumed, failed, early, removed;

static void session_made(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int idx, long argl, void *argp)
{
    (void)parent, (void)ptr, (void)ad, (void)idx, (void)argl, (void)argp;
    atomic_fetch_add(&sessions_made, 1);
}

static void session_freed(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int idx, long argl, void *argp)
{
    (void)parent, (void)ptr, (void)ad, (void)idx, (void)argl, (void)argp;
    atomic_fetch_add(&sessions_freed, 1);
}

static void context_made(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int idx, long argl, void *argp)
{
    (void)parent, (void)ptr, (void)ad, (void)idx, (void)argl, (void)argp;
    atomic_fetch_add(&contexts_made, 1);
}

static void context_freed(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int idx, long argl, void *argp)
{
    (void)parent, (void)ptr, (void)ad, (void)idx, (void)argl, (void)argp;
    atomic_fetch_add(&contexts_freed, 1);
}

static unsigned int chance(unsigned int *seed, unsigned int n)
{
    return (unsigned int)rand_r(seed) % n;
}

static void drop(Kept *kept)
{
    SSL_SESSION_free(kept->session);
    SSL_CTX_free(kept->ctx);
    kept->session = NULL;
    kept->ctx = NULL;
}

/* Puts it at a random place of the slot that has this context; what lay there goes. */
static int keep(SSL *ssl, SSL_SESSION *session)
{
    SSL_CTX *ctx = SSL_get_SSL_CTX(ssl);
    unsigned int slot = (unsigned int)(size_t)SSL_CTX_get_app_data(ctx), place;
    Kept old, mine = {session, ctx};

    /* Not by its id: ThreadSanitizer does not see that libssl counts references, and would take the
     * end of the session, in another thread, for one that comes while it is read here. */
    place = (unsigned int)((size_t)session / 64) % POOL;
    if (place % 4 == 0)
        return 0;
    SSL_CTX_up_ref(ctx);
    pthread_mutex_lock(&slots[slot].lock);
    old = slots[slot].kept[place];
    slots[slot].kept[place] = mine;
    pthread_mutex_unlock(&slots[slot].lock);
    drop(&old);
    return 1;
}

static SSL_SESSION *look_outside(SSL *ssl, const unsigned char *id, int length, int *copy)
{
    (void)ssl, (void)id, (void)length;
    *copy = 0;
    return NULL;
}

static void count_removed(SSL_CTX *ctx, SSL_SESSION *session)
{
    (void)ctx, (void)session;
    atomic_fetch_add(&removed, 1);
}

static SSL_CTX *new_server(unsigned int slot, unsigned int kind)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());

    if (ctx == NULL)
        abort();
    SSL_CTX_set_app_data(ctx, (void *)(size_t)slot);
    SSL_CTX_use_certificate(ctx, certificate());
    SSL_CTX_use_PrivateKey(ctx, private_key());
    SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"soak", 4);
    if (kind & 1)
        SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    if (kind & 2)
        SSL_CTX_sess_set_remove_cb(ctx, count_removed);
    if (kind & 4)
        SSL_CTX_sess_set_new_cb(ctx, keep);
    if (kind & 8)
        SSL_CTX_sess_set_get_cb(ctx, look_outside);
    if (kind & 16) {
        SSL_CTX_set_max_early_data(ctx, 1000);
        SSL_CTX_set_recv_max_early_data(ctx, 1000);
    }
    SSL_CTX_sess_set_cache_size(ctx, 8 + (long)(kind & 32));
    return ctx;
}

static SSL_CTX *borrow(unsigned int slot)
{
    SSL_CTX *ctx;

    pthread_mutex_lock(&slots[slot].lock);
    ctx = slots[slot].ctx;
    SSL_CTX_up_ref(ctx);
    pthread_mutex_unlock(&slots[slot].lock);
    return ctx;
}

static SSL_SESSION *take_offer(unsigned int slot, unsigned int place)
{
    SSL_SESSION *session;

    pthread_mutex_lock(&slots[slot].lock);
    session = slots[slot].offers[place];
    if (session != NULL)
        SSL_SESSION_up_ref(session);
    pthread_mutex_unlock(&slots[slot].lock);
    return session;
}

static void leave_offer(unsigned int slot, unsigned int place, SSL_SESSION *session)
{
    SSL_SESSION *old;

    pthread_mutex_lock(&slots[slot].lock);
    old = slots[slot].offers[place];
    slots[slot].offers[place] = session;
    pthread_mutex_unlock(&slots[slot].lock);
    SSL_SESSION_free(old);
}

static void connect_once(unsigned int slot, unsigned int *seed)
{
    SSL_CTX *server = borrow(slot);
    unsigned int kind = chance(seed, 2), end = chance(seed, 8);
    unsigned int place = chance(seed, POOL / 2) * 2 + kind; /* each client its own offers */
    SSL_SESSION *offer = chance(seed, 4) ? take_offer(slot, place) : NULL;
    Connection c = connect_ends(SSL_new(clients[kind]), SSL_new(server));
    char buffer[16];

    if (offer != NULL) {
        SSL_SESSION *copy = SSL_SESSION_dup(offer); /* a bad end marks the client's object, too */

        SSL_set_session(c.client, copy);
        SSL_SESSION_free(copy);
        SSL_SESSION_free(offer);
    }
    if (end == 0) { /* given up half-way */
        SSL_do_handshake(c.client);
        SSL_do_handshake(c.server);
    } else {
        if (shake_hands_early(&c))
            atomic_fetch_add(&early, 1);
        if (!SSL_is_init_finished(c.client) || !SSL_is_init_finished(c.server))
            atomic_fetch_add(&failed, 1);
        else if (SSL_session_reused(c.server))
            atomic_fetch_add(&resumed, 1);
        else
            atomic_fetch_add(&full, 1);
        SSL_read(c.client, buffer, sizeof(buffer));
        if (SSL_is_init_finished(c.client))
            leave_offer(slot, place, SSL_get1_session(c.client));
    }
    if (end == 1) { /* junk, and so a fatal alert */
        memset(buffer, 'x', sizeof(buffer));
        BIO_write(SSL_get_rbio(c.server), buffer, sizeof(buffer));
        SSL_read(c.server, buffer, sizeof(buffer));
    }
    if (end != 2) /* else without a shutdown at the server */
        SSL_shutdown(c.server);
    SSL_shutdown(c.client);
    SSL_free(c.client);
    SSL_free(c.server);
    SSL_CTX_free(server);
    ERR_clear_error();
}

/* What an application does to its cache beside. A session only ever meets the context it came from. */
static void disturb(unsigned int slot, unsigned int *seed)
{
    SSL_CTX *server = borrow(slot), *fresh;
    unsigned int place = chance(seed, POOL);
    Kept kept = {NULL, NULL};

    switch (chance(seed, 40)) {
    case 0:
        SSL_CTX_flush_sessions(server, 0);
        break;
    case 1:
        SSL_CTX_flush_sessions(server, (long)time(NULL) + 3600);
        break;
    case 2:
        SSL_CTX_sess_set_cache_size(server, (long)chance(seed, 64));
        break;
    case 3:
        SSL_CTX_set_timeout(server, 60 + (long)chance(seed, 7200));
        break;
    case 4:
        fresh = new_server(slot, chance(seed, 64));
        pthread_mutex_lock(&slots[slot].lock);
        SSL_CTX_free(server); /* borrowed */
        server = slots[slot].ctx;
        slots[slot].ctx = fresh;
        pthread_mutex_unlock(&slots[slot].lock);
        break;
    default:
        pthread_mutex_lock(&slots[slot].lock);
        kept = slots[slot].kept[place];
        slots[slot].kept[place].session = NULL;
        slots[slot].kept[place].ctx = NULL;
        pthread_mutex_unlock(&slots[slot].lock);
        if (kept.session == NULL)
            break;
        if (change_times)
            SSL_SESSION_set_timeout(kept.session, 30 + (long)chance(seed, 7200));
        SSL_CTX_remove_session(kept.ctx, kept.session);
        if (chance(seed, 2))
            SSL_CTX_add_session(kept.ctx, kept.session);
        drop(&kept);
    }
    SSL_CTX_free(server);
}

static void *storm(void *number)
{
    unsigned int seed = 1 + (unsigned int)(size_t)number;

    while (!atomic_load(&stop)) {
        connect_once(chance(&seed, SLOTS), &seed);
        if (chance(&seed, 8) == 0)
            disturb(chance(&seed, SLOTS), &seed);
    }
    return NULL;
}

static void free_everything(void)
{
    int slot, i;

    for (slot = 0; slot < SLOTS; slot++) {
        for (i = 0; i < POOL; i++) {
            SSL_SESSION_free(slots[slot].offers[i]);
            drop(&slots[slot].kept[i]);
        }
        SSL_CTX_free(slots[slot].ctx);
    }
    SSL_CTX_free(clients[0]);
    SSL_CTX_free(clients[1]);
}

int main(int argc, char **argv)
{
    pthread_t workers[64];
    unsigned int slot;
    int i, balanced;

    for (i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--change-times") == 0) {
            change_times = 1;
        } else if (strcmp(argv[i], "--seconds") == 0 && i + 1 < argc) {
            seconds = atoi(argv[++i]);
        } else if (strcmp(argv[i], "--threads") == 0 && i + 1 < argc) {
            threads = atoi(argv[++i]);
        } else {
            fprintf(stderr, "usage: soak [--seconds N] [--threads N] [--change-times]\n");
            return 2;
        }
    }
    if (threads < 1 || threads > 64 || seconds < 1)
        return 2;
    alarm((unsigned int)seconds * 2 + 60); /* a deadlock must not last */
    SSL_SESSION_get_ex_new_index(0, NULL, session_made, NULL, session_freed);
    SSL_CTX_get_ex_new_index(0, NULL, context_made, NULL, context_freed);
    private_key();
    certificate();
    for (i = 0; i < 2; i++) {
        clients[i] = SSL_CTX_new(TLS_method());
        SSL_CTX_set_max_proto_version(clients[i], i ? TLS1_3_VERSION : TLS1_2_VERSION);
    }
    SSL_CTX_set_session_cache_mode(clients[1], SSL_SESS_CACHE_CLIENT);
    for (slot = 0; slot < SLOTS; slot++) {
        pthread_mutex_init(&slots[slot].lock, NULL);
        slots[slot].ctx = new_server(slot, 1 + 4 + 2 * slot + 16 * (slot % 2));
    }
    for (i = 0; i < threads; i++)
        pthread_create(&workers[i], NULL, storm, (void *)(size_t)i);
    sleep((unsigned int)seconds);
    atomic_store(&stop, 1);
    for (i = 0; i < threads; i++)
        pthread_join(workers[i], NULL);
    free_everything();
    balanced = sessions_made == sessions_freed && contexts_made == contexts_freed;
    printf("handshakes: %ld full, %ld resumed, %ld failed, %ld with early data; %ld removed\n", (long)full,
           (long)resumed, (long)failed, (long)early, (long)removed);
    printf("sessions: %ld made, %ld freed; contexts: %ld made, %ld freed\n", (long)sessions_made,
           (long)sessions_freed, (long)contexts_made, (long)contexts_freed);
    if (full == 0 || resumed == 0) {
        printf("FAIL: nothing happened\n");
        return 1;
    }
    printf(balanced ? "ok\n" : "FAIL: something was never freed\n");
    return !balanced;
}
