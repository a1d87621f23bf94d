//! What a cache can tell about itself.

use super::Cause;

/// Numbers since the cache was made, but for `held`. A snapshot: taken shard by shard.
///
/// Misses are told apart by a short memory of what left each shard lately; a miss for a session
/// that left longer ago counts as unknown. So the four `misses_` are exact as a sum and
/// approximate one by one.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Statistics {
    /// Sessions in the cache now.
    pub held: u64,
    /// Sessions stored, replacements included.
    pub stored: u64,
    /// Look-ups that found a session.
    pub hits: u64,
    /// Look-ups for an id that was not seen lately.
    pub misses_unknown: u64,
    /// Look-ups for a session that had expired.
    pub misses_expired: u64,
    /// Look-ups for a session that had been removed or taken.
    pub misses_removed: u64,
    /// Look-ups for a session that had to make room.
    pub misses_evicted: u64,
    /// Sessions replaced by another one with the same key.
    pub replaced: u64,
    /// Sessions removed one by one.
    pub removed: u64,
    /// Sessions taken for single use.
    pub taken: u64,
    /// Sessions that made room.
    pub evicted: u64,
    /// Sessions that left in a flush.
    pub flushed: u64,
}

impl Statistics {
    pub(super) fn add(&mut self, other: &Statistics) {
        self.held += other.held;
        self.stored += other.stored;
        self.hits += other.hits;
        self.misses_unknown += other.misses_unknown;
        self.misses_expired += other.misses_expired;
        self.misses_removed += other.misses_removed;
        self.misses_evicted += other.misses_evicted;
        self.replaced += other.replaced;
        self.removed += other.removed;
        self.taken += other.taken;
        self.evicted += other.evicted;
        self.flushed += other.flushed;
    }

    /// All look-ups that found nothing.
    pub fn misses(&self) -> u64 {
        self.misses_unknown + self.misses_expired + self.misses_removed + self.misses_evicted
    }

    pub(super) fn count_departure(&mut self, cause: Cause) {
        *match cause {
            Cause::Explicit | Cause::Replaced => &mut self.removed,
            Cause::Expired | Cause::Closed => &mut self.flushed,
            Cause::Evicted => &mut self.evicted,
            Cause::Taken => &mut self.taken,
        } += 1;
    }

    pub(super) fn count_miss(&mut self, why: Option<Cause>) {
        *match why {
            None => &mut self.misses_unknown,
            Some(Cause::Expired) => &mut self.misses_expired,
            Some(Cause::Evicted) => &mut self.misses_evicted,
            Some(Cause::Explicit | Cause::Taken | Cause::Replaced | Cause::Closed) => {
                &mut self.misses_removed
            }
        } += 1;
    }
}

const REMEMBERED: usize = 16;

/// The tags of what left a shard lately, and why: a ring.
#[derive(Clone, Copy)]
pub(super) struct Recent {
    tags: [u32; REMEMBERED],
    causes: [Option<Cause>; REMEMBERED],
    next: u8,
}

impl Recent {
    pub(super) const fn new() -> Self {
        Recent { tags: [0; REMEMBERED], causes: [None; REMEMBERED], next: 0 }
    }

    pub(super) fn note(&mut self, tag: u32, cause: Cause) {
        let at = usize::from(self.next);
        self.tags[at] = tag;
        self.causes[at] = Some(cause);
        self.next = ((at + 1) % REMEMBERED) as u8;
    }

    /// Why the session with this tag left, if that was lately; the latest reason counts.
    pub(super) fn cause(&self, tag: u32) -> Option<Cause> {
        let newest_first = (1..=REMEMBERED).map(|back| {
            let at = (usize::from(self.next) + REMEMBERED - back) % REMEMBERED;
            (self.tags[at], self.causes[at])
        });
        newest_first.filter(|&(remembered, _)| remembered == tag).find_map(|(_, cause)| cause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_reason_counts_and_old_ones_are_forgotten() {
        let mut recent = Recent::new();
        assert!(recent.cause(0).is_none(), "an unused place remembers nothing");
        recent.note(5, Cause::Expired);
        recent.note(5, Cause::Evicted);
        assert_eq!(recent.cause(5), Some(Cause::Evicted));
        for tag in 100..100 + REMEMBERED as u32 {
            recent.note(tag, Cause::Taken);
        }
        assert_eq!(recent.cause(5), None);
        assert_eq!(recent.cause(100), Some(Cause::Taken));
    }

    #[test]
    fn each_reason_has_its_counter() {
        let mut statistics = Statistics::default();
        for why in [
            None,
            Some(Cause::Expired),
            Some(Cause::Evicted),
            Some(Cause::Explicit),
            Some(Cause::Taken),
        ] {
            statistics.count_miss(why);
        }
        assert_eq!(statistics.misses_unknown, 1);
        assert_eq!(statistics.misses_expired, 1);
        assert_eq!(statistics.misses_evicted, 1);
        assert_eq!(statistics.misses_removed, 2);
        assert_eq!(statistics.misses(), 5);
        let mut sum = statistics;
        sum.add(&statistics);
        assert_eq!(sum.misses(), 10);
    }
}
