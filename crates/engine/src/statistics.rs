//! What a cache can tell about itself.

use super::Cause;

/// What happened in a cache so far. The fields only ever grow, but for `held`, and are all of one
/// moment. Later versions may add fields at the end.
///
/// Why a session is missed is known for a while after it left; later it counts as unknown. From the
/// first call on, or with SSLCACHE_STATS, that is 100,000 departures and more, before it some
/// hundred. So the four `misses_` are exact as a sum, and one by one for as long as that.
// A program in C gets it as it is, by the name SSLCACHE_STATS.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Statistics {
    /// Sessions in the cache now.
    pub held: u64,
    /// Sessions that were put in, replacements included.
    pub stored: u64,
    /// Look-ups that found a session.
    pub hits: u64,
    /// Look-ups of an id that was not there, and had not been lately.
    pub misses_unknown: u64,
    /// Look-ups of an id that had been flushed because it expired.
    pub misses_expired: u64,
    /// Look-ups of an id that had been removed, replaced or taken.
    pub misses_removed: u64,
    /// Look-ups of an id that had been evicted because the cache was full.
    pub misses_evicted: u64,
    /// Sessions replaced by another with the same id.
    pub replaced: u64,
    /// Sessions removed one by one: by the program, or by handshakes that went wrong.
    pub removed: u64,
    /// Sessions taken for their one resumption.
    pub taken: u64,
    /// Sessions evicted because the cache was full.
    pub evicted: u64,
    /// Sessions flushed, expired or not.
    pub flushed: u64,
}

impl Statistics {
    /// Nothing has happened yet.
    pub(super) const NOTHING: Statistics = Statistics {
        held: 0,
        stored: 0,
        hits: 0,
        misses_unknown: 0,
        misses_expired: 0,
        misses_removed: 0,
        misses_evicted: 0,
        replaced: 0,
        removed: 0,
        taken: 0,
        evicted: 0,
        flushed: 0,
    };

    /// All look-ups that found nothing.
    pub fn misses(&self) -> u64 {
        self.misses_unknown + self.misses_expired + self.misses_removed + self.misses_evicted
    }

    /// All sessions that have left.
    pub(super) fn left(&self) -> u64 {
        self.replaced + self.removed + self.taken + self.evicted + self.flushed
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

#[cfg(test)]
mod tests {
    use super::*;

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
    }
}
