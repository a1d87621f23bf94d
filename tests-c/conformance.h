/*
 * What every conformance program shares: calls that print themselves, sessions with a name, and
 * callbacks that say which session they were given.
 *
 * A program prints the same bytes wherever it runs, so never an address, the present time, an
 * ex_data index or a session id that was drawn at random. Reference counts are seen through
 * the ex_data free callback: a session says when it is freed, and it says so by name. Within one
 * call the frees are shown last, whatever callback they ran between; order_of_frees.c shows that too.
 *
 * Several calls never share one printf: C leaves the order of its arguments open.
 */
#ifndef TESTS_C_CONFORMANCE_H
#define TESTS_C_CONFORMANCE_H

#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/ssl.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>

#define UNUSED __attribute__((unused))

/*
 * Times are fixed and far in the past: adding a session does not look at its expiry. What processes share (run.sh
 * --shared) has not expired, and has an encoding, and for that a cipher.
 */
#ifdef SHARED
#define T0 3000000000L

static UNUSED SSL_SESSION *session_with_cipher(void)
{
    static const unsigned char der[] = {0x30, 15, 2, 1, 1, 2, 2, 3, 3, 4, 2, 0xc0, 0x2f, 4, 0, 4, 0};
    static const SSL_CIPHER *cipher;
    SSL_SESSION *session;

    if (cipher == NULL) {
        const unsigned char *next = der;

        session = d2i_SSL_SESSION(NULL, &next, sizeof(der));
        if (session == NULL)
            return NULL;
        cipher = SSL_SESSION_get0_cipher(session);
        SSL_SESSION_free(session);
    }
    session = SSL_SESSION_new();
    if (session != NULL)
        SSL_SESSION_set_cipher(session, cipher);
    return session;
}
#define SSL_SESSION_new session_with_cipher
#else
#define T0 1000000000L
#endif

/* ------------------------------------------------------------------ calls that print themselves */

/*
 * TRACE(f(x)) prints "f(x) = result". What a callback prints while f runs goes between:
 *     f(x)
 *         remove_cb a
 *       = result
 */
static int trace_is_open; /* The call has printed nothing yet: its result goes on the same line. */
static int trace_in_call;
static int frees_at_once;
static const char *freed_in_call[64];
static size_t freed_count;

static void print_frees(void);
static void print_removed(void);

/*
 * What one flush or one eviction took out is reported soonest to expire first by libssl 3 and by the library; 4.0
 * reports it in the reverse order, 1.1.1 in that of its hash table. With those as the oracle the reports of one
 * call are sorted: that they are the same ones is still compared.
 */
#ifndef REPORTS_SORTED
#define REPORTS_SORTED (OPENSSL_VERSION_NUMBER < 0x30000000L || OPENSSL_VERSION_NUMBER >= 0x40000000L)
#endif
static char removed_lines[64][80];
static size_t removed_count;

static int UNUSED compare_lines(const void *a, const void *b) { return strcmp(a, b); }
static int UNUSED compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static UNUSED void trace_begin(const char *text)
{
    fputs(text, stdout);
    fflush(stdout);
    trace_is_open = 1;
    trace_in_call = 1;
}

static UNUSED void trace_end(const char *format, ...)
{
    va_list values;

    print_removed();
    print_frees();
    fputs(trace_is_open ? " = " : "  = ", stdout);
    trace_is_open = 0;
    va_start(values, format);
    vprintf(format, values);
    va_end(values);
    putchar('\n');
    fflush(stdout);
}

/* A line from inside a call. */
static UNUSED void trace_inside(const char *format, ...)
{
    va_list values;

    print_removed();
    if (trace_is_open)
        putchar('\n');
    trace_is_open = 0;
    fputs("    ", stdout);
    va_start(values, format);
    vprintf(format, values);
    va_end(values);
    putchar('\n');
    fflush(stdout);
}

static void print_removed(void)
{
    size_t count = removed_count;

    removed_count = 0;
    qsort(removed_lines, count, sizeof(removed_lines[0]), compare_lines);
    for (size_t i = 0; i < count; i++)
        trace_inside("%s", removed_lines[i]);
}

/* A line from a remove callback. */
static UNUSED void trace_removed(const char *format, ...)
{
    char line[sizeof(removed_lines[0])];
    va_list values;

    va_start(values, format);
    vsnprintf(line, sizeof(line), format, values);
    va_end(values);
    if (REPORTS_SORTED && removed_count < sizeof(removed_lines) / sizeof(removed_lines[0]))
        strcpy(removed_lines[removed_count++], line);
    else
        trace_inside("%s", line);
}

static void print_frees(void)
{
    if (REPORTS_SORTED)
        qsort(freed_in_call, freed_count, sizeof(freed_in_call[0]), compare_names);
    for (size_t i = 0; i < freed_count; i++)
        trace_inside("freed %s", freed_in_call[i]);
    freed_count = 0;
    trace_in_call = 0;
}

static UNUSED void trace_long(long value) { trace_end("%ld", value); }
static UNUSED void trace_unsigned(unsigned long value) { trace_end("%lu", value); }
static UNUSED void trace_text(const char *value)
{
    if (value == NULL)
        trace_end("NULL");
    else
        trace_end("\"%s\"", value);
}
static UNUSED void trace_pointer(const void *value)
{
    trace_end("%s", value == NULL ? "NULL" : "not NULL");
}

#define TRACE(call)                                                                               \
    (trace_begin(#call), _Generic((call),                                                         \
        int: trace_long, long: trace_long,                                                        \
        unsigned char: trace_unsigned, unsigned short: trace_unsigned,                            \
        unsigned int: trace_unsigned, unsigned long: trace_unsigned,                              \
        char *: trace_text, const char *: trace_text,                                             \
        default: trace_pointer)(call))

/* The same for a function that returns nothing. */
#define CALL(call)                                                                                \
    do {                                                                                          \
        trace_begin(#call);                                                                       \
        call;                                                                                     \
        print_removed();                                                                          \
        print_frees();                                                                            \
        if (trace_is_open)                                                                        \
            putchar('\n');                                                                        \
        trace_is_open = 0;                                                                        \
        fflush(stdout);                                                                           \
    } while (0)

/* What does not hold ends the program: for the steps that only prepare what is to be seen. */
#define REQUIRE(condition)                                                                        \
    do {                                                                                          \
        if (!(condition)) {                                                                       \
            printf("\n%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);               \
            fflush(stdout);                                                                       \
            exit(1);                                                                              \
        }                                                                                         \
    } while (0)

static UNUSED void section(const char *title)
{
    printf("\n# %s\n", title);
}

/* Prints and empties the error queue; library and reason only, lines and functions are OpenSSL's own. */
static UNUSED void print_errors(void)
{
    unsigned long code = ERR_get_error();

    if (code == 0)
        puts("    error queue: empty");
    for (; code != 0; code = ERR_get_error())
        printf("    error queue: library %d reason %d\n", ERR_GET_LIB(code), ERR_GET_REASON(code));
}

static UNUSED void print_hex(const char *label, const unsigned char *bytes, size_t length)
{
    printf("    %s (%zu)", label, length);
    for (size_t i = 0; i < length; i++)
        printf("%s%02x", i == 0 ? " " : "", bytes[i]);
    putchar('\n');
}

/* ------------------------------------------------------------------------- sessions with a name */

static int session_name_index;

static UNUSED const char *name_of(const SSL_SESSION *session)
{
    const char *name = session == NULL ? "NULL" : SSL_SESSION_get_ex_data(session, session_name_index);

    return name == NULL ? "(no name)" : name;
}

static void say_session_freed(void *parent UNUSED, void *name, CRYPTO_EX_DATA *ad UNUSED,
                              int index UNUSED, long argl UNUSED, void *argp UNUSED)
{
    if (name == NULL)
        return;
    if (trace_in_call && !frees_at_once && freed_count < sizeof(freed_in_call) / sizeof(freed_in_call[0]))
        freed_in_call[freed_count++] = name;
    else
        trace_inside("freed %s", (const char *)name);
}

/* `name` must live as long as the session: use a literal. */
static UNUSED void session_name(SSL_SESSION *session, const char *name)
{
    if (session_name_index == 0)
        session_name_index =
            CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL_SESSION, 0, NULL, NULL, NULL, say_session_freed);
    REQUIRE(session_name_index > 0);
    REQUIRE(SSL_SESSION_set_ex_data(session, session_name_index, (void *)name) == 1);
}

static UNUSED void session_id(SSL_SESSION *session, const char *id)
{
    REQUIRE(SSL_SESSION_set1_id(session, (const unsigned char *)id, (unsigned int)strlen(id)) == 1);
}

/* A session whose name is also its id. */
static UNUSED SSL_SESSION *session_new(const char *name, int version, long time, long timeout)
{
    SSL_SESSION *session = SSL_SESSION_new();

    REQUIRE(session != NULL);
    session_name(session, name);
    session_id(session, name);
    REQUIRE(SSL_SESSION_set_protocol_version(session, version) == 1);
    REQUIRE(SSL_SESSION_set_time(session, time) == time);
    REQUIRE(SSL_SESSION_set_timeout(session, timeout) == 1);
    return session;
}

/* Another object with the same id. */
static UNUSED SSL_SESSION *session_twin(const char *name, const SSL_SESSION *session)
{
    unsigned int length;
    const unsigned char *id = SSL_SESSION_get_id(session, &length);
    SSL_SESSION *twin = session_new(name, SSL_SESSION_get_protocol_version(session),
                                    SSL_SESSION_get_time(session), SSL_SESSION_get_timeout(session));

    REQUIRE(SSL_SESSION_set1_id(twin, id, length) == 1);
    return twin;
}

/* A session that only the cache holds. */
static UNUSED void add_new(SSL_CTX *ctx, const char *name, long time, long timeout)
{
    SSL_SESSION *session = session_new(name, TLS1_2_VERSION, time, timeout);

    REQUIRE(SSL_CTX_add_session(ctx, session) == 1);
    SSL_SESSION_free(session);
}

/* ------------------------------------------------------------------------ contexts and callbacks */

/* A second name for those places where the library hands back only the context. */
static int context_name_index;

static UNUSED const char *name_of_context(SSL_CTX *ctx)
{
    const char *name = SSL_CTX_get_ex_data(ctx, context_name_index);

    return name == NULL ? "(no name)" : name;
}

static UNUSED void context_name(SSL_CTX *ctx, const char *name)
{
    if (context_name_index == 0)
        context_name_index =
            CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL_CTX, 0, NULL, NULL, NULL, NULL);
    REQUIRE(context_name_index > 0);
    REQUIRE(SSL_CTX_set_ex_data(ctx, context_name_index, (void *)name) == 1);
}

static UNUSED void say_removed(SSL_CTX *ctx UNUSED, SSL_SESSION *session)
{
    trace_removed("remove_cb %s resumable=%d", name_of(session), SSL_SESSION_is_resumable(session));
}

static UNUSED int say_new(SSL *ssl UNUSED, SSL_SESSION *session)
{
    trace_inside("new_cb %s", name_of(session));
    return 0;
}

static UNUSED SSL_SESSION *say_get(SSL *ssl UNUSED, const unsigned char *id UNUSED, int length,
                                   int *copy UNUSED)
{
    trace_inside("get_cb id of %d bytes", length);
    return NULL;
}

static UNUSED SSL_CTX *context_new(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());

    REQUIRE(ctx != NULL);
    return ctx;
}

/* A context that says which sessions leave it. */
static UNUSED SSL_CTX *context_that_says_removed(void)
{
    SSL_CTX *ctx = context_new();

    SSL_CTX_sess_set_remove_cb(ctx, say_removed);
    return ctx;
}

#endif
