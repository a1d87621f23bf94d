/*
 * The clock of these processes: it stands still until a scenario moves it. Expiry and order then
 * depend on nothing but the scenario, and hours pass at once.
 *
 * A program's own time() and gettimeofday() come before the C library's, for libssl, libcrypto
 * and a preloaded library alike. The clock stands years ago, so that whoever takes the time from
 * elsewhere sees every session expired.
 */
#include "harness.h"

#include <sys/time.h>

static time_t stands_at = 1700000000;

void clock_forward(long seconds)
{
    stands_at += seconds;
}

time_t time(time_t *out)
{
    if (out != NULL)
        *out = stands_at;
    return stands_at;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    (void)zone;
    out->tv_sec = stands_at;
    out->tv_usec = 0;
    return 0;
}
