/* What the generator has to know of the oracle, by its version (OpenSSL_version_num: 0xMNN00PP0).
 *
 * Releases of libssl differ among each other, and some have quirks that the library does not copy.
 * All of that is here: the generator asks, and stays out of what the two do not share. */
#ifndef RULES_H
#define RULES_H

#include <limits.h>
#include <stdbool.h>

static unsigned long oracle;

static bool oracle_is_from(unsigned long version) { return oracle >= version; }

/* The releases this test is for. Before, a copy of a cached session kept the cache's hold on it, and
 * negative times were undefined; from 4.0 on the remove callbacks of one flush run in reverse. */
static bool oracle_is_known(void) {
    return oracle_is_from(0x300000f0) && !oracle_is_from(0x40000000);
}

/* Adding the very same session again puts it before those that expire with it. The library leaves it
 * where it is, as the releases from 3.5.7 and 3.6.3 do. */
static bool adding_again_moves(void) {
    return !(oracle_is_from(0x30600030)
             || (oracle_is_from(0x30500070) && !oracle_is_from(0x30600000)));
}

/* With SSL_SESS_CACHE_UPDATE_TIME the library gives a session that is added again its new place in the
 * order. Releases that never move it have the new time in the old place. */
static bool update_time_moves(void) { return adding_again_moves(); }

/* Times are nanoseconds modulo 2^64 from 3.2 on: greater seconds come back as others. */
static long greatest_second(void) {
    return oracle_is_from(0x30200000) ? 9000000000L : LONG_MAX;
}

/* SSL_set_session gives a connection that was switched to another context that context's method; from 3.2 on
 * the method it was made with. */
static bool set_session_follows_the_switch(void) { return !oracle_is_from(0x30200000); }

/* Flushing at a negative second flushes nothing; from 3.2 on everything. */
static bool negative_seconds_are_past(void) { return !oracle_is_from(0x30200000); }

/* A remove callback that an eviction or a flush makes runs under the lock of the context: what it calls
 * for that context fails. The library holds no lock. So such a callback leaves its context alone. */
static bool callbacks_run_under_the_lock(void) { return true; }

/* A flushed session is not resumable. In front of libssl there is no public way to mark one that has no
 * id: it shows if the session is given an id afterwards. So it gets none. */
static bool can_mark_without_id(void) { return false; }

#endif
