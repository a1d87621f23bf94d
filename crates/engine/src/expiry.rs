//! When a session expires.

/// The last second in which a session is good. Seconds are the caller's: the cache has no clock.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Expiry(i64);

impl Expiry {
    /// The last second of all: no moment comes after it.
    pub const NEVER: Expiry = Expiry(i64::MAX);

    /// No later than any other: where a walk over the order starts.
    pub(super) const FIRST: Expiry = Expiry(i64::MIN);

    /// In this second.
    pub const fn at(second: i64) -> Expiry {
        Expiry(second)
    }

    /// `timeout` seconds after `time`. A sum beyond the last second never expires, one before the
    /// first has always expired.
    pub const fn after(time: i64, timeout: i64) -> Expiry {
        Expiry(time.saturating_add(timeout))
    }

    /// Returns `true` if it is over in second `now`: a session is still good in its last second.
    pub fn is_past(self, now: i64) -> bool {
        now > self.0
    }

    /// That second; `None`: it never expires.
    pub const fn second(self) -> Option<i64> {
        if self.0 == i64::MAX { None } else { Some(self.0) }
    }

    /// A number for it, in the same order.
    pub(super) const fn raw(self) -> u64 {
        self.0 as u64 ^ SIGN
    }

    pub(super) const fn from_raw(raw: u64) -> Expiry {
        Expiry((raw ^ SIGN) as i64)
    }
}

const SIGN: u64 = 1 << 63;

#[cfg(test)]
mod tests {
    use super::Expiry;

    #[test]
    fn a_session_is_good_in_its_last_second() {
        let expiry = Expiry::after(1000, 300);
        assert_eq!(expiry, Expiry::at(1300));
        assert!(!expiry.is_past(1300));
        assert!(expiry.is_past(1301));
        assert!(!Expiry::at(0).is_past(0));
        assert!(Expiry::at(0).is_past(1));
    }

    #[test]
    fn what_is_beyond_the_last_second_never_expires() {
        for never in [
            Expiry::after(1, i64::MAX),
            Expiry::after(i64::MAX, i64::MAX),
            Expiry::after(0, i64::MAX),
        ] {
            assert_eq!(never, Expiry::NEVER);
            assert!(!never.is_past(i64::MAX));
        }
    }

    #[test]
    fn a_negative_timeout_is_over_before_it_begins() {
        assert!(Expiry::after(1000, -1).is_past(1000));
        assert!(Expiry::after(5, i64::MIN).is_past(-5));
        assert_eq!(Expiry::after(-5, i64::MIN), Expiry::FIRST);
        assert!(Expiry::at(-6).is_past(-5));
        assert!(!Expiry::at(-5).is_past(-5));
    }

    #[test]
    fn the_numbers_are_in_the_order_of_the_seconds() {
        let seconds = [i64::MIN, i64::MIN + 1, -1, 0, 1, 1 << 40, i64::MAX - 1, i64::MAX];
        let raw = seconds.map(|second| Expiry::at(second).raw());
        assert!(raw.is_sorted());
        assert_eq!((raw[0], raw[7]), (0, u64::MAX));
        assert_eq!(raw.map(Expiry::from_raw), seconds.map(Expiry::at));
    }
}
