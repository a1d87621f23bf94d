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

/* Times are nanoseconds modulo 2^64 from 3.2 on: what is negative or great comes back as something else. In front of
 * libssl the library counts as libssl does; by itself it counts seconds, as 3.0. */
static bool counts_nanoseconds(void) { return oracle_is_from(0x30200000); }
static bool counts_alike; /* --counts-alike: the library, in this run */
static bool takes_any_second(void) { return counts_alike; }

/* SSL_set_session gives a connection that was switched to another context that context's method; from 3.2 on
 * the method it was made with. */
static bool set_session_follows_the_switch(void) { return !oracle_is_from(0x30200000); }

/* Sessions that never expire: libssl 3.0 and 3.1 order them by what is left of the overflow, and put what expires in
 * the last second of all before them. The library orders all of these by insertion, as libssl does from 3.2 on. */
static bool never_has_an_order(void) { return !counts_nanoseconds(); }

/* From 3.2 on two that expire in the same second may be in the order of their nanoseconds. */
static bool seconds_have_parts(void) { return counts_nanoseconds(); }

/* A remove callback that an eviction or a flush makes runs under the lock of the context: what it calls
 * for that context fails. The library holds no lock. So such a callback leaves its context alone. */
static bool callbacks_run_under_the_lock(void) { return true; }

/* A flushed session is not resumable. In front of libssl there is no public way to mark one that has no
 * id: it shows if the session is given an id afterwards. So it gets none. */
static bool can_mark_without_id(void) { return false; }

/* --shared: the library shares its sessions with other processes. A full cache then lets go of objects whose sessions
 * are still good elsewhere, and tells nobody. So a sequence has either sessions that have expired, which nobody
 * shares, or caches that are never full. And contexts that are equal are one: each has an id context of its own. A flush
 * of everything empties other contexts with it, one of 1,024 by the luck of a hash: there is none. */
static bool shares;

#endif
