/* A random sequence of session cache calls, and a trace of all that can be seen of it.
 *
 * Run on libssl and on libsslcache the traces must be the same bytes. Everything follows from the seed:
 * the operations are drawn one by one, each from its own stream of random numbers, so that leaving some
 * out (--only) leaves the others what they were. The generator keeps a record of what may be cached
 * where, to stay out of what crashes libssl or is known to differ (rules.h). */
#define _GNU_SOURCE
#include "rules.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/lhash.h>
#include <openssl/ssl.h>

/* ---- Random numbers ---- */

struct rng {
    uint64_t state;
};

static uint64_t next(struct rng *rng) {
    uint64_t z = rng->state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static struct rng stream(uint64_t seed, uint64_t number) {
    struct rng rng = { seed * 0xd1342543de82ef95u + number };
    rng.state = next(&rng) ^ number;
    next(&rng);
    return rng;
}

/* The stream of the operation that runs. */
static struct rng *rng;

static int below(int n) { return (int)(next(rng) % (uint64_t)n); }
static bool one_in(int n) { return below(n) == 0; }
#define PICK(array) ((array)[below((int)(sizeof(array) / sizeof((array)[0])))])

/* ---- The trace ---- */

static char *trace;
static size_t trace_len, trace_size;
static int depth;

static void append(const char *text, size_t len) {
    if (trace_len + len + 1 > trace_size) {
        trace_size = 2 * (trace_len + len + 1);
        trace = realloc(trace, trace_size);
        if (trace == NULL)
            abort();
    }
    memcpy(trace + trace_len, text, len);
    trace_len += len;
}

__attribute__((format(printf, 1, 2))) static void put(const char *format, ...) {
    char text[400];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    append(text, (size_t)len < sizeof text ? (size_t)len : sizeof text - 1);
}

/* A line, indented by how deep in callbacks it is. */
#define SAY(...) (put("%*s", 4 + 4 * depth, ""), put(__VA_ARGS__), put("\n"))

/* ---- What the generator knows ---- */

enum { MAX_CONTEXTS = 4, MAX_SLOTS = 14, MAX_CONNECTIONS = 3, MAX_IDS = 12, MAX_DEPTH = 3 };
enum { UPDATE_TIME = 0x0400 };

struct context {
    SSL_CTX *handle; /* NULL: none in this slot */
    int number;
    int references; /* ours */
    int held;       /* references of connections */
    int pins;       /* calls that are under way with it */
    int locked;     /* of those, the ones that hold libssl's lock */
    bool closing;
    unsigned mode;
    OPENSSL_LHASH *table; /* asked for once, or not yet */
};

struct session {
    SSL_SESSION *handle;
    int references; /* ours */
    int pins;
    int home; /* the context that may have it cached, or -1 */
    bool alive;
    bool touched; /* its time is that of the run */
    bool cached_without_id;
    int version;
    unsigned char id[32];
    unsigned id_len;
    long time, timeout;
};

struct connection {
    SSL *handle;
    int references;
    int made_from, now_of; /* contexts */
    bool busy;             /* in the middle of a call, libssl's own pointers may dangle */
};

static struct context contexts[MAX_CONTEXTS];
static struct connection connections[MAX_CONNECTIONS];
static struct session *sessions;
static int session_count, session_room;
static int slots[MAX_SLOTS]; /* sessions that we hold references to, or -1 */

/* What the sequence is about. */
static int context_count, slot_count, id_count, version_count;
static bool zero_length_ids; /* in unlimited caches only: elsewhere libssl's eviction sticks at them */
static bool crowds;          /* hundreds of sessions */
static bool slow_callbacks;  /* callbacks that call */
static bool odd_times;       /* many at the ends of the range */
static bool expired_only, never_full; /* the two kinds of sequences of shared sessions (rules.h) */
static long base;            /* most times are soon after this */
static uint64_t seed_now;
static unsigned char ids[MAX_IDS][32];
static unsigned id_lens[MAX_IDS];
static int contexts_made;

static const int VERSIONS[] = { 0x0303, 0x0304, 0xfefd };
static const long PAST = 1000000000, FUTURE = 3000000000;

/* The session a remove callback was called with, or -1. */
static int reported = -1;
/* The remove callback that may come tells of a session that leaves by itself. */
static bool leaving;
/* Operations that callbacks of the present one may still do. */
static int budget;

static int session_index, context_index;

static void operate(void);

/* ---- Objects as numbers ---- */

static int number_of(const SSL_SESSION *handle) {
    if (handle == NULL)
        return -1;
    return (int)(intptr_t)SSL_SESSION_get_ex_data(handle, session_index) - 1;
}

/* The youngest: while a connection ends, a callback may get a new context where one has just gone. */
static int slot_of(const SSL_CTX *handle) {
    int slot = -1;
    for (int i = 0; i < context_count; i++)
        if (contexts[i].handle == handle && (slot < 0 || contexts[i].number > contexts[slot].number))
            slot = i;
    return slot;
}

static int context_number(const SSL_CTX *handle) {
    int slot = handle == NULL ? -1 : slot_of(handle);
    return slot < 0 ? -1 : contexts[slot].number;
}

static void session_freed(void *parent, void *value, CRYPTO_EX_DATA *data, int index, long argl,
                          void *argp) {
    (void)parent, (void)data, (void)index, (void)argl, (void)argp;
    int number = (int)(intptr_t)value - 1;
    if (number < 0)
        return;
    struct session *session = &sessions[number];
    if (!session->alive || session->references > 0)
        SAY("s%d FREED WHILE %s", number, session->alive ? "REFERENCED" : "DEAD");
    session->alive = false;
    session->home = -1;
    SAY("freed s%d", number);
}

static int session_copied(CRYPTO_EX_DATA *to, const CRYPTO_EX_DATA *from, void **value, int index,
                          long argl, void *argp) {
    (void)to, (void)from, (void)index, (void)argl, (void)argp;
    SAY("ex_data of s%d copied", (int)(intptr_t)*value - 1);
    return 1;
}

static void context_freed(void *parent, void *value, CRYPTO_EX_DATA *data, int index, long argl,
                          void *argp) {
    (void)data, (void)index, (void)argl, (void)argp;
    if (value != NULL)
        SAY("freed c%d, %ld sessions", (int)(intptr_t)value - 1, SSL_CTX_sess_number(parent));
}

/* ---- The record ---- */

static bool same_key(const struct session *a, const struct session *b) {
    return a->version == b->version && a->id_len == b->id_len && !memcmp(a->id, b->id, a->id_len);
}

static void not_in(int context) {
    for (int i = 0; i < session_count; i++)
        if (sessions[i].home == context)
            sessions[i].home = -1;
}

/* Whatever has this key is not in the context any more. */
static void key_not_in(int context, const struct session *key) {
    for (int i = 0; i < session_count; i++)
        if (sessions[i].home == context && same_key(&sessions[i], key))
            sessions[i].home = -1;
}

/* When a session expires, as far as the order of sessions needs it: the sum of time and timeout in the oracle's
 * arithmetic. Of one that is touched, that of a run long from now: two of those differ by their timeouts alone. */
struct expiry {
    bool never, touched;
    uint64_t sum;
    long timeout;
};

enum { NANOSECONDS = 1000000000 };

static struct expiry expiry_of(bool touched, long time, long timeout) {
    const long the_run = 4000000000;
    struct expiry e = { .touched = touched, .timeout = timeout };
    uint64_t start = (uint64_t)(touched ? the_run : time), life = (uint64_t)timeout;
    if (counts_nanoseconds()) {
        e.never = __builtin_add_overflow(start * NANOSECONDS, life * NANOSECONDS, &e.sum);
    } else {
        e.never = timeout > (long)(LONG_MAX - start);
        e.sum = start + life;
    }
    return e;
}

/* No flush takes it but one of everything. */
static bool stays(struct expiry e) {
    return e.never || (!counts_nanoseconds() && e.sum == LONG_MAX);
}

static bool same_expiry(struct expiry a, struct expiry b) {
    if (stays(a) || stays(b))
        return stays(a) && stays(b);
    return a.touched == b.touched && a.sum == b.sum && (!a.touched || a.timeout == b.timeout);
}

/* The library has them in the order of insertion, libssl perhaps not. */
static bool unordered(struct expiry a, struct expiry b) {
    if (stays(a) != stays(b))
        return false;
    bool same = a.never == b.never && a.touched == b.touched && a.sum == b.sum;
    if (stays(a))
        return never_has_an_order() && !same;
    return seconds_have_parts() && !same && a.sum / NANOSECONDS == b.sum / NANOSECONDS;
}

static bool fits_among(int context, int session, struct expiry e) {
    for (int i = 0; i < session_count; i++) {
        const struct session *o = &sessions[i];
        if (i != session && o->home == context
            && unordered(e, expiry_of(o->touched, o->time, o->timeout)))
            return false;
    }
    return true;
}

static bool has_equal(int context, int session, struct expiry e) {
    for (int i = 0; i < session_count; i++) {
        const struct session *o = &sessions[i];
        if (i != session && o->home == context
            && same_expiry(e, expiry_of(o->touched, o->time, o->timeout)))
            return true;
    }
    return false;
}

/* ---- Choices ---- */

/* A context that lives, or -1. */
static int any_context(void) {
    int first = below(context_count);
    for (int i = 0; i < context_count; i++) {
        int c = (first + i) % context_count;
        if (contexts[c].handle != NULL && !contexts[c].closing)
            return c;
    }
    return -1;
}

/* A context that may be called now, or -1. */
static int free_context(void) {
    int c = any_context();
    return c >= 0 && contexts[c].locked && callbacks_run_under_the_lock() ? -1 : c;
}

/* A session we may use, or -1. */
static int any_session(void) {
    if (reported >= 0 && one_in(2))
        return reported;
    int first = below(slot_count);
    for (int i = 0; i < slot_count; i++) {
        int s = slots[(first + i) % slot_count];
        if (s >= 0)
            return s;
    }
    return -1;
}

static int empty_slot(void) {
    for (int i = 0; i < slot_count; i++)
        if (slots[i] < 0)
            return i;
    return -1;
}

static int any_connection(void) {
    int n = below(MAX_CONNECTIONS);
    return connections[n].handle == NULL || connections[n].busy ? -1 : n;
}

static bool odd(int usually) { return one_in(odd_times ? 2 : usually) && !expired_only; }

/* Far from the time of the run, and from each other by more than it lasts. */
static long any_time(void) {
    static const long edges[] = { 0, 1 };
    static const long odd_edges[] = { -5, -1, LONG_MIN, LONG_MIN + 5, LONG_MAX, LONG_MAX - 5, 1L << 40 };
    if (odd(12))
        return takes_any_second() && !one_in(3) ? PICK(odd_edges) : PICK(edges);
    return one_in(3) ? base + below(6) : base + 1000 * below(6);
}

static long any_timeout(void) {
    static const long usual[] = { 0, 300, 1000, 2000, 7200, 100000 };
    static const long edges[] = { 0x80000000, 8000000000 };
    static const long odd_edges[] = { LONG_MAX / 2, LONG_MAX - 5, LONG_MAX, 1L << 40 };
    if (odd(10))
        return takes_any_second() && !one_in(3) ? PICK(odd_edges) : PICK(edges);
    return PICK(usual);
}

/* What a setter refuses, and an encoding or the timeout of a context takes. */
static long any_negative_timeout(void) {
    static const long edges[] = { LONG_MIN, LONG_MIN + 5, -1000, -300 };
    return one_in(2) ? PICK(edges) : -1 - below(6);
}

/* Those differ from each other by less than a run may last: of two sessions with the time of the run it would decide
 * which expires first. */
static bool is_close(long timeout) { return timeout < 0 && timeout % 100 != 0; }

/* At the second in which some session expires, or beside it. */
static long any_flush_time(void) {
    static const long edges[] = { 0, 0, 1, 1500000000 };
    static const long odd_edges[] = { LONG_MAX, -1, -5, -300, LONG_MIN, LONG_MIN + 1, LONG_MIN + 6 };
    const long range = (long)(UINT64_MAX / NANOSECONDS);
    if (odd(4))
        return takes_any_second() && one_in(2) ? PICK(odd_edges) : PICK(edges);
    int s = any_session();
    if (s < 0 || sessions[s].touched)
        return base + below(6);
    struct expiry e = expiry_of(false, sessions[s].time, sessions[s].timeout);
    if (stays(e))
        return takes_any_second() ? LONG_MAX : 9000000000;
    if (!counts_nanoseconds())
        return (long)(e.sum - 1 + (uint64_t)below(3));
    long second = (long)(e.sum / NANOSECONDS) - 1 + below(3);
    bool was_negative = e.sum % NANOSECONDS == (uint64_t)-NANOSECONDS % NANOSECONDS;
    if (was_negative && one_in(2))
        return second - range;
    return second < 0 && !takes_any_second() ? 1 : second;
}

/* ---- Sessions ---- */

static int new_session(SSL_SESSION *handle) {
    if (session_count == session_room) {
        session_room = session_room ? 2 * session_room : 64;
        sessions = realloc(sessions, sizeof *sessions * (size_t)session_room);
        if (sessions == NULL)
            abort();
    }
    int s = session_count++;
    sessions[s] = (struct session){ .handle = handle, .references = 1, .home = -1, .alive = true };
    SSL_SESSION_set_ex_data(handle, session_index, (void *)(intptr_t)(s + 1));
    return s;
}

static void forget_slot(int s) {
    for (int i = 0; i < slot_count; i++)
        if (slots[i] == s)
            slots[i] = -1;
}

static void release_session(int s) {
    struct session *o = &sessions[s];
    if (--o->references == 0)
        forget_slot(s);
    SAY("SSL_SESSION_free s%d", s);
    SSL_SESSION_free(o->handle);
}

static bool may_move(const struct session *o) {
    return o->home < 0 || !contexts[o->home].locked || !callbacks_run_under_the_lock();
}

static void set_time(int s, long t) {
    struct session *o = &sessions[s];
    if (!may_move(o) || (o->home >= 0 && !fits_among(o->home, s, expiry_of(false, t, o->timeout))))
        return;
    o->touched = false;
    o->time = t;
    long r = SSL_SESSION_set_time(o->handle, t);
    SAY("SSL_SESSION_set_time s%d %ld = %ld, %ld", s, t, r, SSL_SESSION_get_time(o->handle));
}

static void set_timeout(int s, long t) {
    struct session *o = &sessions[s];
    if (o->touched)
        set_time(s, base);
    if (o->touched || !may_move(o)
        || (t >= 0 && o->home >= 0 && !fits_among(o->home, s, expiry_of(false, o->time, t))))
        return;
    if (t >= 0)
        o->timeout = t;
    long r = SSL_SESSION_set_timeout(o->handle, t);
    SAY("SSL_SESSION_set_timeout s%d %ld = %ld, %ld", s, t, r, SSL_SESSION_get_timeout(o->handle));
}

static void set_id(int s, const unsigned char *id, unsigned len) {
    struct session *o = &sessions[s];
    memcpy(o->id, id, len);
    o->id_len = len;
    int r = SSL_SESSION_set1_id(o->handle, id, len);
    SAY("SSL_SESSION_set1_id s%d %02x%02x.. length %u = %d", s, id[0], id[1], len, r);
}

static void set_version(int s, int version) {
    sessions[s].version = version;
    int r = SSL_SESSION_set_protocol_version(sessions[s].handle, version);
    SAY("SSL_SESSION_set_protocol_version s%d %x = %d", s, version, r);
}

static int any_id(void) {
    int id = below(id_count);
    return id_lens[id] == 0 && !zero_length_ids && !one_in(4) ? 0 : id;
}

/* What is shared has an encoding, and for that a cipher. */
static SSL_SESSION *may_be_shared(SSL_SESSION *session) {
    static const unsigned char der[] = { 0x30, 15, 2, 1, 1, 2, 2, 3, 3, 4, 2, 0xc0, 0x2f, 4, 0, 4, 0 };
    static const SSL_CIPHER *cipher;
    if (cipher == NULL) {
        const unsigned char *next = der;
        SSL_SESSION *with_cipher = d2i_SSL_SESSION(NULL, &next, sizeof der);
        cipher = SSL_SESSION_get0_cipher(with_cipher);
        SSL_SESSION_free(with_cipher);
    }
    if (shares && !one_in(4))
        SSL_SESSION_set_cipher(session, cipher);
    return session;
}

static void op_session_new(void) {
    int slot = empty_slot();
    if (slot < 0)
        return;
    int s = new_session(may_be_shared(SSL_SESSION_new()));
    slots[slot] = s;
    SAY("SSL_SESSION_new = s%d, resumable %d", s, SSL_SESSION_is_resumable(sessions[s].handle));
    int id = any_id();
    set_id(s, ids[id], id_lens[id]);
    set_version(s, VERSIONS[below(version_count)]);
    sessions[s].touched = false;
    sessions[s].timeout = 304;
    set_time(s, any_time());
    set_timeout(s, any_timeout());
}

/* An INTEGER as short as DER wants it, in the explicit tag. */
static int put_integer(unsigned char *to, int tag, long value) {
    int len = 8;
    while (len > 1 && (value >> (8 * len - 9) == 0 || value >> (8 * len - 9) == -1))
        len--;
    to[0] = (unsigned char)tag, to[1] = (unsigned char)(2 + len), to[2] = 2, to[3] = (unsigned char)len;
    for (int i = 0; i < len; i++)
        to[4 + i] = (unsigned char)(value >> (8 * (len - 1 - i)));
    return 4 + len;
}

/* Out of an encoding, which may say a negative timeout. There 0 means another time and timeout. */
static void op_session_decode(void) {
    static const unsigned char tls12[] = { 2, 1, 1, 2, 2, 3, 3, 4, 2, 0xc0, 0x2f };
    int slot = empty_slot();
    if (slot < 0)
        return;
    int id = any_id();
    long time = any_time(), timeout = any_timeout();
    if (takes_any_second() && one_in(2))
        timeout = any_negative_timeout();
    time += time == 0, timeout += timeout == 0;
    unsigned char der[128];
    int len = 2;
    memcpy(der + len, tls12, sizeof tls12);
    len += (int)sizeof tls12;
    der[len++] = 4, der[len++] = (unsigned char)id_lens[id];
    memcpy(der + len, ids[id], id_lens[id]);
    len += (int)id_lens[id];
    der[len++] = 4, der[len++] = 0;
    len += put_integer(der + len, 0xa1, time);
    len += put_integer(der + len, 0xa2, timeout);
    der[0] = 0x30, der[1] = (unsigned char)(len - 2);
    const unsigned char *next = der;
    SSL_SESSION *decoded = d2i_SSL_SESSION(NULL, &next, len);
    if (decoded == NULL) {
        SAY("d2i_SSL_SESSION REFUSES IT");
        return;
    }
    int s = new_session(decoded);
    slots[slot] = s;
    struct session *o = &sessions[s];
    o->version = 0x0303;
    memcpy(o->id, ids[id], id_lens[id]);
    o->id_len = id_lens[id];
    o->time = time;
    o->timeout = timeout;
    SAY("d2i_SSL_SESSION %ld, %ld = s%d: time %ld timeout %ld resumable %d", time, timeout, s,
        SSL_SESSION_get_time(decoded), SSL_SESSION_get_timeout(decoded), SSL_SESSION_is_resumable(decoded));
}

static void op_session_dup(void) {
    int slot = empty_slot(), from = any_session();
    if (slot < 0 || from < 0)
        return;
    SSL_SESSION *copy = SSL_SESSION_dup(sessions[from].handle);
    int s = new_session(copy);
    slots[slot] = s;
    struct session *o = &sessions[s], *source = &sessions[from];
    o->version = source->version;
    memcpy(o->id, source->id, sizeof o->id);
    o->id_len = source->id_len;
    o->time = source->time;
    o->timeout = source->timeout;
    o->touched = source->touched;
    o->cached_without_id = source->cached_without_id;
    SAY("SSL_SESSION_dup s%d = s%d, resumable %d", from, s, SSL_SESSION_is_resumable(copy));
}

static void op_session_up_ref(void) {
    int s = any_session();
    if (s < 0 || sessions[s].references > 3)
        return;
    int slot = empty_slot();
    if (sessions[s].references == 0) {
        if (slot < 0)
            return;
        slots[slot] = s;
    }
    sessions[s].references++;
    SAY("SSL_SESSION_up_ref s%d = %d", s, SSL_SESSION_up_ref(sessions[s].handle));
}

static void op_session_free(void) {
    int s = any_session();
    if (s < 0 || sessions[s].references == 0 || (sessions[s].references == 1 && sessions[s].pins))
        return;
    release_session(s);
}

static void op_set_time(void) {
    int s = any_session();
    if (s >= 0)
        set_time(s, any_time());
}

static void op_set_timeout(void) {
    int s = any_session();
    if (s >= 0)
        set_timeout(s, one_in(10) ? any_negative_timeout() : any_timeout());
}

static void op_set_id(void) {
    static const unsigned char long_id[33];
    int s = any_session();
    if (s < 0)
        return;
    if (one_in(8)) {
        int r = SSL_SESSION_set1_id(sessions[s].handle, long_id, 33);
        SAY("SSL_SESSION_set1_id s%d, length 33 = %d, error %d", s, r,
            ERR_GET_REASON(ERR_peek_last_error()));
    } else if (sessions[s].home < 0 && !sessions[s].pins
               && !(sessions[s].cached_without_id && !can_mark_without_id())) {
        int id = any_id();
        set_id(s, ids[id], id_lens[id]);
    }
}

static void op_set_version(void) {
    int s = any_session();
    if (s >= 0 && sessions[s].home < 0 && !sessions[s].pins)
        set_version(s, VERSIONS[below(version_count)]);
}

static void op_session_look(void) {
    int s = any_session();
    if (s < 0)
        return;
    const SSL_SESSION *handle = sessions[s].handle;
    unsigned len = 99;
    const unsigned char *id = SSL_SESSION_get_id(handle, &len);
    SAY("s%d: id %02x length %u version %x time %ld timeout %ld resumable %d ticket %d", s,
        len ? id[0] : 0, len, SSL_SESSION_get_protocol_version(handle),
        sessions[s].touched ? -1 : SSL_SESSION_get_time(handle), SSL_SESSION_get_timeout(handle),
        SSL_SESSION_is_resumable(handle), SSL_SESSION_has_ticket(handle));
}

/* ---- The cache ---- */

/* A call with a context that libssl's lock is held in, where callbacks tell what leaves by itself. */
struct call {
    int context;
    bool outer_leaving;
};

static struct call enter(int c, bool locks) {
    struct call call = { c, leaving };
    leaving = locks;
    contexts[c].pins++;
    contexts[c].locked += locks;
    return call;
}

static void leave(struct call call, bool locks) {
    contexts[call.context].locked -= locks;
    contexts[call.context].pins--;
    leaving = call.outer_leaving;
}

static void add(int c, int s) {
    struct session *o = &sessions[s];
    bool again = o->home == c, updates = contexts[c].mode & UPDATE_TIME;
    if ((o->home >= 0 && !again) || (o->id_len == 0 && !zero_length_ids))
        return;
    if (updates && ((again && !update_time_moves()) || is_close(o->timeout)))
        return;
    if (o->touched && !updates)
        set_time(s, base + 1000);
    if (o->touched && !updates)
        return;
    struct expiry e = expiry_of(updates || o->touched, o->time, o->timeout);
    if (!fits_among(c, s, e))
        return;
    if (again && !updates && adding_again_moves() && has_equal(c, s, e))
        return;
    key_not_in(c, o);
    o->home = c;
    o->touched = updates;
    o->cached_without_id |= o->id_len == 0;
    o->pins++;
    struct call call = enter(c, true);
    int r = SSL_CTX_add_session(contexts[c].handle, o->handle);
    leave(call, true);
    sessions[s].pins--;
    SAY("SSL_CTX_add_session c%d s%d = %d", contexts[c].number, s, r);
}

static void op_add(void) {
    int c = free_context(), s = any_session();
    if (c >= 0 && s >= 0)
        add(c, s);
}

static void op_remove(void) {
    int c = free_context(), s = any_session();
    if (c < 0 || s < 0)
        return;
    struct session *o = &sessions[s];
    if (o->id_len > 0)
        key_not_in(c, o);
    o->pins++;
    struct call call = enter(c, false);
    int r = SSL_CTX_remove_session(contexts[c].handle, o->handle);
    leave(call, false);
    sessions[s].pins--;
    SAY("SSL_CTX_remove_session c%d s%d = %d", contexts[c].number, s, r);
}

static void op_flush(void) {
    int c = free_context();
    if (c < 0)
        return;
    long tm = any_flush_time();
    if (tm == 0 && shares)
        return;
    struct call call = enter(c, true);
    SSL_CTX_flush_sessions(contexts[c].handle, tm);
    leave(call, true);
    SAY("SSL_CTX_flush_sessions c%d %ld", contexts[c].number, tm);
    if (tm == 0)
        not_in(c);
}

/* Many sessions that nobody holds but the cache. */
static void op_crowd(void) {
    int c = free_context();
    if (c < 0 || !crowds)
        return;
    int many = 20 + below(130);
    for (int i = 0; i < many; i++) {
        int s = new_session(may_be_shared(SSL_SESSION_new()));
        struct session *o = &sessions[s];
        unsigned char id[32];
        for (int byte = 0; byte < 32; byte++)
            id[byte] = (unsigned char)(one_in(2) ? 0 : below(256));
        o->timeout = 304;
        set_id(s, id, 16 + 16 * (unsigned)below(2));
        set_version(s, VERSIONS[below(version_count)]);
        set_time(s, one_in(2) ? base : base + below(200));
        if (one_in(4))
            set_timeout(s, any_timeout());
        add(c, s);
        release_session(s);
    }
}

static void removed(char which, SSL_CTX *ctx, SSL_SESSION *handle) {
    int c = slot_of(ctx), s = number_of(handle), outer = reported;
    unsigned len = 0;
    SSL_SESSION_get_id(handle, &len);
    depth++;
    SAY("remove_cb_%c c%d s%d: id length %u, resumable %d, same object %d, sessions %ld, full %ld",
        which, context_number(ctx), s, len, SSL_SESSION_is_resumable(handle),
        s >= 0 && sessions[s].handle == handle, SSL_CTX_sess_number(ctx),
        SSL_CTX_sess_cache_full(ctx));
    if (s >= 0 && c >= 0) {
        if (leaving && sessions[s].home == c)
            sessions[s].home = -1;
        reported = s;
        sessions[s].pins++;
        while (slow_callbacks && depth < MAX_DEPTH && budget > 0 && !one_in(3)) {
            budget--;
            operate();
        }
        sessions[s].pins--;
        reported = outer;
    }
    depth--;
}

static void remove_cb_a(SSL_CTX *ctx, SSL_SESSION *handle) { removed('a', ctx, handle); }
static void remove_cb_b(SSL_CTX *ctx, SSL_SESSION *handle) { removed('b', ctx, handle); }

static int new_cb(SSL *ssl, SSL_SESSION *session) {
    (void)ssl, (void)session;
    SAY("new_cb without a handshake");
    return 0;
}

static SSL_SESSION *get_cb(SSL *ssl, const unsigned char *id, int len, int *copy) {
    (void)ssl, (void)id, (void)len, (void)copy;
    SAY("get_cb without a handshake");
    return NULL;
}

typedef void (*remove_cb)(SSL_CTX *, SSL_SESSION *);

static void set_remove_cb(int c, remove_cb callback) {
    SSL_CTX_sess_set_remove_cb(contexts[c].handle, callback);
    SAY("SSL_CTX_sess_set_remove_cb c%d %s", contexts[c].number,
        callback == NULL ? "NULL" : callback == remove_cb_a ? "a" : "b");
}

static void op_set_callbacks(void) {
    int c = any_context();
    if (c < 0)
        return;
    SSL_CTX *ctx = contexts[c].handle;
    remove_cb callback = one_in(5) ? NULL : one_in(2) ? remove_cb_a : remove_cb_b;
    set_remove_cb(c, callback);
    if (one_in(2))
        SSL_CTX_sess_set_new_cb(ctx, one_in(2) ? new_cb : NULL);
    if (one_in(2))
        SSL_CTX_sess_set_get_cb(ctx, one_in(2) ? get_cb : NULL);
    SAY("callbacks of c%d: remove %d new %d get %d", contexts[c].number,
        SSL_CTX_sess_get_remove_cb(ctx) == callback, SSL_CTX_sess_get_new_cb(ctx) == new_cb,
        SSL_CTX_sess_get_get_cb(ctx) == get_cb);
}

static long set_size(int c, long size) {
    long r = SSL_CTX_sess_set_cache_size(contexts[c].handle, size);
    SAY("SSL_CTX_sess_set_cache_size c%d %ld = %ld, %ld", contexts[c].number, size, r,
        SSL_CTX_sess_get_cache_size(contexts[c].handle));
    return r;
}

static void op_set_size(void) {
    static const long sizes[] = { 0, 1, 2, 3, 4, 5, 8, 20480, -1, LONG_MIN };
    static const long great[] = { 0, 40, 250, 300, 600, 20480 };
    static const long enough[] = { 0, 20480, -1, LONG_MIN };
    int c = free_context();
    if (c >= 0 && !zero_length_ids)
        set_size(c, never_full ? PICK(enough) : crowds ? PICK(great) : PICK(sizes));
}

static void op_set_mode(void) {
    static const long modes[] = { 0, 2, 3, 0x80, 0x100, 0x200, 0x302, 0x382, 0x1000, 0x10000, -1 };
    int c = free_context();
    if (c < 0)
        return;
    long mode = PICK(modes);
    mode = one_in(3) ? mode | UPDATE_TIME : mode == -1 ? -1 : mode & ~UPDATE_TIME;
    if (expired_only)
        mode = mode == -1 ? 0 : mode & ~UPDATE_TIME;
    contexts[c].mode = (unsigned)mode;
    SSL_CTX *ctx = contexts[c].handle;
    long r = SSL_CTX_set_session_cache_mode(ctx, mode);
    SAY("SSL_CTX_set_session_cache_mode c%d %lx = %lx, %lx", contexts[c].number, mode, r,
        SSL_CTX_get_session_cache_mode(ctx));
}

static void op_counters(void) {
    int c = any_context();
    if (c < 0)
        return;
    put("%*sSSL_CTX_ctrl c%d", 4 + 4 * depth, "", contexts[c].number);
    for (int command = 20; command <= 31; command++)
        put(" %ld", SSL_CTX_ctrl(contexts[c].handle, command, 7, NULL));
    put("; of NULL %ld\n", SSL_CTX_ctrl(NULL, 20 + below(12), 0, NULL));
}

static void op_sessions(void) {
    int c = any_context();
    if (c < 0)
        return;
    OPENSSL_LHASH *table = (OPENSSL_LHASH *)SSL_CTX_sessions(contexts[c].handle);
    SAY("SSL_CTX_sessions c%d = the same %d, %lu items", contexts[c].number,
        contexts[c].table == NULL || contexts[c].table == table, OPENSSL_LH_num_items(table));
    contexts[c].table = table;
}

static void add_up(void *session, void *sum) {
    *(long *)sum += number_of(session) + 1;
}

/* What a kept table shows: how many sessions, and which, in any order. */
static void show_table(const struct context *context) {
    long sum = 0;
    if (context->table == NULL)
        return;
    OPENSSL_LH_doall_arg(context->table, add_up, &sum);
    put("/%lu:%ld", OPENSSL_LH_num_items(context->table), sum);
}

static void op_null(void) {
    int c = any_context();
    SSL_SESSION_free(NULL);
    SSL_CTX_free(NULL);
    SAY("NULL: remove %d, set_time %ld, get_time %ld, set_timeout %ld, get_timeout %ld",
        c < 0 ? 0 : SSL_CTX_remove_session(contexts[c].handle, NULL), SSL_SESSION_set_time(NULL, 5),
        SSL_SESSION_get_time(NULL), SSL_SESSION_set_timeout(NULL, 5), SSL_SESSION_get_timeout(NULL));
}

/* ---- Contexts ---- */

static int generate_id(SSL *ssl, unsigned char *id, unsigned *len) {
    (void)ssl, (void)id, (void)len;
    return 0;
}

static void op_context_set(void) {
    static const unsigned char sid_ctx[33] = "context";
    int c = free_context();
    if (c < 0)
        return;
    SSL_CTX *ctx = contexts[c].handle;
    bool negative = takes_any_second() && one_in(3);
    long t = negative ? any_negative_timeout() : any_timeout(), r = SSL_CTX_set_timeout(ctx, t);
    unsigned len = one_in(4) || shares ? 33 : 7;
    int set = SSL_CTX_set_session_id_context(ctx, sid_ctx, len);
    int generator = SSL_CTX_set_generate_session_id(ctx, one_in(2) ? generate_id : NULL);
    SAY("c%d: set_timeout %ld = %ld, %ld; id context length %u = %d; generator %d",
        contexts[c].number, t, r, SSL_CTX_get_timeout(ctx), len, set, generator);
}

static void context_new(int c) {
    static const SSL_METHOD *(*const methods[])(void) = { TLS_method, TLS_server_method,
                                                          TLSv1_2_method };
    const SSL_METHOD *method = PICK(methods)();
    struct context *o = &contexts[c];
    *o = (struct context){ .handle = SSL_CTX_new(method), .number = contexts_made++,
                           .references = 1, .mode = 2 };
    SSL_CTX_set_ex_data(o->handle, context_index, (void *)(intptr_t)(o->number + 1));
    if (shares) {
        uint64_t of_its_own[2] = { seed_now, (uint64_t)o->number };
        SSL_CTX_set_session_id_context(o->handle, (const unsigned char *)of_its_own, sizeof of_its_own);
    }
    SAY("SSL_CTX_new = c%d, mode %lx, size %ld, timeout %ld", o->number,
        SSL_CTX_get_session_cache_mode(o->handle), SSL_CTX_sess_get_cache_size(o->handle),
        SSL_CTX_get_timeout(o->handle));
    if (!one_in(4))
        set_remove_cb(c, one_in(2) ? remove_cb_a : remove_cb_b);
    if (zero_length_ids)
        set_size(c, 0);
    else if (!crowds && !one_in(4) && !never_full)
        set_size(c, 1 + below(8));
}

static void op_context_new(void) {
    int c = below(context_count);
    if (contexts[c].handle == NULL)
        context_new(c);
}

static void op_context_up_ref(void) {
    int c = any_context();
    if (c < 0 || contexts[c].references == 0 || contexts[c].references > 2)
        return;
    contexts[c].references++;
    SAY("SSL_CTX_up_ref c%d = %d", contexts[c].number, SSL_CTX_up_ref(contexts[c].handle));
}

static bool is_last(const struct context *c) { return c->references + c->held == 0; }

/* The context's last reference goes with the call that follows. */
static void closing(int c) {
    contexts[c].closing = true;
    contexts[c].locked++;
}

static void closed(int c) {
    not_in(c);
    contexts[c] = (struct context){ 0 };
}

static void context_free(int c) {
    struct context *o = &contexts[c];
    int number = o->number;
    o->references--;
    bool last = is_last(o), outer = leaving;
    if (last)
        closing(c);
    leaving = true;
    SAY("SSL_CTX_free c%d", number);
    SSL_CTX_free(o->handle);
    leaving = outer;
    if (last)
        closed(c);
}

static void op_context_free(void) {
    int c = any_context();
    if (c < 0 || contexts[c].references == 0)
        return;
    bool last = contexts[c].references == 1 && contexts[c].held == 0;
    if (last && (contexts[c].pins > 0 || !one_in(3)))
        return;
    context_free(c);
}

/* ---- Connections ---- */

static void op_connection_new(void) {
    int n = below(MAX_CONNECTIONS), c = free_context();
    if (connections[n].handle != NULL || c < 0)
        return;
    SSL *ssl = SSL_new(contexts[c].handle);
    contexts[c].held += 2;
    connections[n] = (struct connection){ ssl, 1, c, c, false };
    SAY("SSL_new c%d = ssl%d, version %x, session %d, reused %d, default timeout %ld",
        contexts[c].number, n, SSL_version(ssl), number_of(SSL_get_session(ssl)),
        SSL_session_reused(ssl), SSL_get_default_timeout(ssl));
}

static void op_connection_up_ref(void) {
    int n = any_connection();
    if (n < 0 || connections[n].references > 2)
        return;
    connections[n].references++;
    SAY("SSL_up_ref ssl%d = %d", n, SSL_up_ref(connections[n].handle));
}

/* Gives back the connection's reference to a context; true if that was the last. */
static bool let_go(int c) {
    contexts[c].held--;
    bool last = is_last(&contexts[c]);
    if (last)
        closing(c);
    return last;
}

static void connection_free(int n) {
    struct connection *o = &connections[n];
    SAY("SSL_free ssl%d", n);
    if (--o->references > 0) {
        SSL_free(o->handle);
        return;
    }
    struct connection gone = *o;
    *o = (struct connection){ 0 };
    bool first = let_go(gone.made_from), second = let_go(gone.now_of), outer = leaving;
    /* The references go one after the other: while one context ends, the other is still held. */
    contexts[gone.made_from].pins++;
    contexts[gone.now_of].pins++;
    leaving = true;
    SSL_free(gone.handle);
    leaving = outer;
    contexts[gone.made_from].pins--;
    contexts[gone.now_of].pins--;
    if (first)
        closed(gone.made_from);
    if (second)
        closed(gone.now_of);
}

static bool may_let_go(int c) {
    return contexts[c].references > 0 || contexts[c].pins == 0;
}

static void op_connection_free(void) {
    int n = any_connection();
    if (n >= 0 && may_let_go(connections[n].made_from) && may_let_go(connections[n].now_of))
        connection_free(n);
}

static bool is_switched(int n) { return connections[n].made_from != connections[n].now_of; }

static void op_set_session(void) {
    int n = any_connection();
    if (n < 0)
        return;
    int s = one_in(4) ? -1 : any_session();
    if (is_switched(n) && !set_session_follows_the_switch())
        return;
    SSL *ssl = connections[n].handle;
    int r = SSL_set_session(ssl, s < 0 ? NULL : sessions[s].handle);
    SAY("SSL_set_session ssl%d s%d = %d, s%d, version %x", n, s, r,
        number_of(SSL_get_session(ssl)), SSL_version(ssl));
}

static void op_get_session(void) {
    int n = any_connection();
    if (n < 0)
        return;
    int s = number_of(SSL_get_session(connections[n].handle)), slot = empty_slot();
    SAY("SSL_get_session ssl%d = s%d", n, s);
    if (s < 0 || sessions[s].references > 3 || (sessions[s].references == 0 && slot < 0))
        return;
    if (sessions[s].references++ == 0)
        slots[slot] = s;
    SSL_SESSION *got = SSL_get1_session(connections[n].handle);
    SAY("SSL_get1_session ssl%d = s%d", n, number_of(got));
}

static void op_has_matching(void) {
    int n = any_connection();
    if (n < 0 || (contexts[connections[n].made_from].locked && callbacks_run_under_the_lock()))
        return;
    int id = below(id_count);
    if (id_lens[id] == 0 && !zero_length_ids)
        return;
    int r = SSL_has_matching_session_id(connections[n].handle, ids[id], id_lens[id]);
    SAY("SSL_has_matching_session_id ssl%d %02x%02x.. length %u = %d", n, ids[id][0], ids[id][1],
        id_lens[id], r);
}

static void op_switch_context(void) {
    int n = any_connection(), c = free_context();
    if (n < 0 || c < 0)
        return;
    struct connection *o = &connections[n];
    if (!may_let_go(o->now_of) || o->now_of == c)
        return;
    int old = o->now_of;
    o->now_of = c;
    bool last = let_go(old), outer = leaving;
    leaving = o->busy = true;
    contexts[c].pins++;
    SSL_CTX *r = SSL_set_SSL_CTX(o->handle, contexts[c].handle);
    contexts[c].pins--;
    contexts[c].held++;
    leaving = outer;
    o->busy = false;
    SAY("SSL_set_SSL_CTX ssl%d c%d = c%d, c%d", n, contexts[c].number, context_number(r),
        context_number(SSL_get_SSL_CTX(o->handle)));
    if (last)
        closed(old);
}

static void op_copy_session_id(void) {
    int to = any_connection(), from = any_connection();
    if (to < 0 || from < 0 || to == from)
        return;
    if ((is_switched(to) || is_switched(from)) && !set_session_follows_the_switch())
        return;
    int r = SSL_copy_session_id(connections[to].handle, connections[from].handle);
    SAY("SSL_copy_session_id ssl%d ssl%d = %d, s%d, version %x", to, from, r,
        number_of(SSL_get_session(connections[to].handle)), SSL_version(connections[to].handle));
}

/* ---- The sequence ---- */

static const struct {
    void (*run)(void);
    int weight;
} OPERATIONS[] = {
    { op_session_new, 24 },    { op_session_decode, 4 },  { op_session_dup, 6 },     { op_session_up_ref, 5 },
    { op_session_free, 12 },   { op_set_time, 6 },        { op_set_timeout, 8 },
    { op_set_id, 4 },          { op_set_version, 2 },     { op_session_look, 3 },
    { op_add, 42 },            { op_remove, 16 },         { op_flush, 7 },
    { op_crowd, 4 },           { op_set_callbacks, 3 },   { op_set_size, 4 },
    { op_set_mode, 4 },        { op_counters, 2 },        { op_null, 1 },       { op_sessions, 3 },
    { op_context_set, 1 },     { op_context_new, 3 },     { op_context_up_ref, 2 },
    { op_context_free, 5 },    { op_connection_new, 4 },  { op_connection_up_ref, 1 },
    { op_connection_free, 3 }, { op_set_session, 4 },     { op_get_session, 3 },
    { op_has_matching, 5 },    { op_switch_context, 2 },  { op_copy_session_id, 1 },
};
enum { OPERATION_COUNT = sizeof OPERATIONS / sizeof OPERATIONS[0] };

static void operate(void) {
    int total = 0;
    for (int i = 0; i < OPERATION_COUNT; i++)
        total += OPERATIONS[i].weight;
    int drawn = below(total), i = 0;
    while (drawn >= OPERATIONS[i].weight)
        drawn -= OPERATIONS[i++].weight;
    OPERATIONS[i].run();
}

/* What can be seen from outside between two operations. */
static void look(void) {
    put("   ");
    for (int c = 0; c < context_count; c++)
        if (contexts[c].handle != NULL) {
            put(" c%d %ld/%ld", contexts[c].number, SSL_CTX_sess_number(contexts[c].handle),
                SSL_CTX_sess_cache_full(contexts[c].handle));
            show_table(&contexts[c]);
        }
    put(", not resumable:");
    for (int i = 0; i < slot_count; i++)
        if (slots[i] >= 0 && !SSL_SESSION_is_resumable(sessions[slots[i]].handle))
            put(" s%d", slots[i]);
    put("\n");
}

static void set_up(uint64_t seed) {
    static const unsigned lens[] = { 1, 3, 4, 5, 8, 32, 32, 32 };
    struct rng setup = stream(seed, UINT64_MAX);
    rng = &setup;
    trace_len = 0;
    session_count = contexts_made = 0;
    context_count = 1 + below(MAX_CONTEXTS);
    slot_count = 4 + below(MAX_SLOTS - 3);
    id_count = 4 + below(MAX_IDS - 3);
    version_count = 1 + below(3);
    zero_length_ids = one_in(10);
    crowds = !zero_length_ids && one_in(12);
    slow_callbacks = !one_in(3);
    odd_times = one_in(6);
    never_full = shares && one_in(2);
    expired_only = shares && !never_full;
    base = never_full ? FUTURE : PAST;
    seed_now = seed;
    bool prefixed = one_in(2);
    for (int i = 0; i < id_count; i++) {
        id_lens[i] = PICK(lens);
        memset(ids[i], 'p', 32);
        unsigned from = prefixed && id_lens[i] > 1 ? id_lens[i] - 1 : 0;
        for (unsigned byte = from; byte < 32; byte++)
            ids[i][byte] = (unsigned char)below(prefixed ? 4 : 256);
    }
    id_lens[id_count - 1] = 0;
    for (int i = 0; i < MAX_SLOTS; i++)
        slots[i] = -1;
    put("seed %llu: %d contexts, %d slots, %d ids, %d versions%s%s%s%s\n", (unsigned long long)seed,
        context_count, slot_count, id_count, version_count,
        zero_length_ids ? ", zero-length ids" : "", crowds ? ", crowds" : "",
        slow_callbacks ? ", callbacks that call" : "", odd_times ? ", odd times" : "");
    for (int c = 0; c < context_count; c++)
        context_new(c);
}

static void tear_down(uint64_t seed) {
    struct rng end = stream(seed, UINT64_MAX - 1);
    rng = &end;
    budget = 20;
    bool contexts_first = one_in(2);
    put("the end\n");
    for (int n = 0; n < MAX_CONNECTIONS; n++)
        while (connections[n].handle != NULL)
            connection_free(n);
    for (int turn = 0; turn < 2; turn++) {
        for (int c = 0; c < context_count && contexts_first == (turn == 0); c++)
            while (contexts[c].references > 0)
                context_free(c);
        for (int i = 0; i < slot_count && contexts_first != (turn == 0); i++)
            while (slots[i] >= 0)
                release_session(slots[i]);
    }
    /* Callbacks may have made new ones. */
    for (int n = 0; n < MAX_CONNECTIONS; n++)
        while (connections[n].handle != NULL)
            connection_free(n);
    slow_callbacks = false;
    for (int c = 0; c < context_count; c++)
        while (contexts[c].references > 0)
            context_free(c);
    for (int i = 0; i < slot_count; i++)
        while (slots[i] >= 0)
            release_session(slots[i]);
    for (int s = 0; s < session_count; s++)
        if (sessions[s].alive)
            SAY("s%d NEVER FREED", s);
}

/* The operations to do: "3,17,18", or NULL for all. */
static bool is_wanted(const char *only, int number) {
    if (only == NULL)
        return true;
    for (const char *at = only; *at != '\0';) {
        char *end;
        if (strtol(at, &end, 10) == number)
            return true;
        at = *end == ',' ? end + 1 : end;
        if (end == at && *at != '\0')
            return false;
    }
    return false;
}

static void run(uint64_t seed, int length, const char *only) {
    alarm(60); /* a loop that never ends is a difference, too */
    set_up(seed);
    for (int i = 0; i < length; i++) {
        if (!is_wanted(only, i))
            continue;
        struct rng own = stream(seed, (uint64_t)i);
        rng = &own;
        budget = 6;
        put("%d\n", i);
        size_t before = trace_len;
        operate();
        ERR_clear_error();
        if (trace_len != before)
            look();
    }
    tear_down(seed);
    alarm(0);
}

static uint64_t hash_of_trace(void) {
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < trace_len; i++)
        hash = (hash ^ (unsigned char)trace[i]) * 0x100000001b3u;
    return hash;
}

/* Which library answers: for who wants to be sure that it is the one meant. */
static void about(void) {
    Dl_info info;
    void *address = dlsym(RTLD_DEFAULT, "SSL_CTX_add_session");
    if (address == NULL || dladdr(address, &info) == 0)
        info.dli_fname = "nobody";
    printf("SSL_CTX_add_session %s\n", info.dli_fname);
    printf("libssl %s\n", dlopen("libssl.so.3", RTLD_NOLOAD | RTLD_LAZY) != NULL ? "loaded" : "absent");
    printf("version %lx\n", OpenSSL_version_num());
}

static int usage(void) {
    fprintf(stderr,
            "usage: random [--oracle VERSION [--shared] [--counts-alike]] FIRST_SEED COUNT LENGTH     a hash for each seed\n"
            "       random [--oracle VERSION [--shared] [--counts-alike]] --trace SEED LENGTH [--only N,N,...]\n"
            "       random --about\n");
    return 2;
}

int main(int argc, char **argv) {
    int at = 1;
    if (argc == 2 && strcmp(argv[1], "--about") == 0) {
        about();
        return 0;
    }
    oracle = OpenSSL_version_num();
    if (argc > 5 && strcmp(argv[1], "--oracle") == 0) {
        oracle = strtoul(argv[2], NULL, 16);
        shares = strcmp(argv[3], "--shared") == 0;
        counts_alike = strcmp(argv[3 + shares], "--counts-alike") == 0;
        at = 3 + shares + counts_alike;
    }
    if (!oracle_is_known()) {
        fprintf(stderr, "random: OpenSSL %lx is no oracle for this test (rules.h)\n", oracle);
        return 2;
    }
    /* First of all a context: ex_data functions run in the order in which they were registered, and in front
     * of a libssl linked with -Bsymbolic the library hears of the end of a context by its own, which it registers
     * with the first. */
    SSL_CTX_free(SSL_CTX_new(TLS_method()));
    session_index = SSL_SESSION_get_ex_new_index(0, NULL, NULL, session_copied, session_freed);
    context_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, context_freed);
    int left = argc - at;
    if (left >= 3 && strcmp(argv[at], "--trace") == 0) {
        const char *only = left == 5 && strcmp(argv[at + 3], "--only") == 0 ? argv[at + 4] : NULL;
        run(strtoull(argv[at + 1], NULL, 10), atoi(argv[at + 2]), only);
        fwrite(trace, 1, trace_len, stdout);
        return 0;
    }
    if (left != 3)
        return usage();
    uint64_t first = strtoull(argv[at], NULL, 10), count = strtoull(argv[at + 1], NULL, 10);
    for (uint64_t seed = first; seed < first + count; seed++) {
        run(seed, atoi(argv[at + 2]), NULL);
        printf("%llu %016llx\n", (unsigned long long)seed, (unsigned long long)hash_of_trace());
        fflush(stdout);
    }
    return 0;
}
