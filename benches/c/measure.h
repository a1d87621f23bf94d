/*
 * What the measuring programs share: options, clocks, session ids, sessions, and the lines they
 * print, "name value unit" each.
 *
 * They use nothing but the functions that libssl and libsslcache both have, so that one source
 * measures either.
 */
#ifndef MEASURE_H
#define MEASURE_H

#ifndef _GNU_SOURCE
# define _GNU_SOURCE
#endif
#include <openssl/ssl.h>
#include <stddef.h>
#include <stdint.h>

/* --- Options: "--name value" pairs; anything that is not in `names` ends the program ---------- */

/* Also sees to it that the program ends: an alarm does, after five minutes. */
void options(int argc, char **argv, const char *const names[], const char *usage);
long number(const char *name, long otherwise);
double real(const char *name, double otherwise);
int is(const char *name, const char *value);

/* --- Output ------------------------------------------------------------------------------------ */

void print(const char *name, double value, const char *unit);
_Noreturn void die(const char *what);

/* --- Clocks, in nanoseconds -------------------------------------------------------------------- */

/* What this thread has computed: other programs on the machine do not show. */
double cpu_now(void);
/* What all threads have computed. */
double process_cpu_now(void);
double wall_now(void);
void sleep_for(double seconds);

/*
 * The cost of one operation: batches are timed, as many as fit into `seconds`; the median batch
 * counts. A batch grows until it takes long enough for the clock.
 */
typedef struct {
    double until;
    double started;
    double *samples;
    size_t count, room, batch;
    int settled;
    double total;
    size_t operations;
} Timing;

enum { MAX_BATCH = 512 };

void timing_begin(Timing *timing, double seconds);
int timing_goes_on(const Timing *timing);
void batch_begin(Timing *timing);
void batch_end(Timing *timing);
double timing_median(Timing *timing);
double timing_mean(const Timing *timing);

/* --- Sessions ---------------------------------------------------------------------------------- */

enum { ID_LENGTH = 32 };

uint64_t next_random(uint64_t *state);

/* The id of the session with this number: random bytes after `prefix` bytes that all ids share. */
void make_id(unsigned char id[ID_LENGTH], uint64_t number, int prefix);

/*
 * Sessions as a busy server makes them: one after the other, `per_lifetime` of them in the mean
 * life of a session. Timeouts are 3900 seconds in the mean, spread evenly over `spread` seconds: 0
 * makes them all equal, 7200 is from 300 to 7500. If `per_lifetime` is AT_ONCE, all come in the same
 * second.
 */
enum { AT_ONCE = 0 };
typedef struct {
    long start;
    double per_lifetime;
    long spread;
    int prefix;
} Stream;

Stream stream_of(long per_lifetime, long spread, int prefix);
long stream_expiry(const Stream *stream, uint64_t number);
SSL_SESSION *stream_session(const Stream *stream, uint64_t number);

SSL_CTX *new_context(long cache_size);

/* Adds the first `count` sessions of the stream, those that expire first first: in any other order
 * libssl takes hours for a million. Tells the mean cost of an add. */
double fill(SSL_CTX *ctx, const Stream *stream, long count, SSL_SESSION **kept);

#endif
