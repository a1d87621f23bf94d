//! When a session expires.

/// The second after which a session is no longer good; ordered, [`Expiry::NEVER`] last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Expiry(u64);

impl Expiry {
    /// Later than every moment.
    pub const NEVER: Expiry = Expiry(u64::MAX);

    /// Earlier than every other: where a walk over the order starts.
    pub(super) const FIRST: Expiry = Expiry(0);

    /// At this second since the epoch. A negative one never comes: OpenSSL (from 3.0.15) takes it
    /// for an overflow.
    pub fn at(seconds: i64) -> Expiry {
        u64::try_from(seconds).map_or(Expiry::NEVER, Expiry)
    }

    /// `timeout` seconds after `time`. What is negative or overflows never expires.
    pub fn after(time: i64, timeout: i64) -> Expiry {
        if time < 0 || timeout < 0 {
            return Expiry::NEVER;
        }
        time.checked_add(timeout).map_or(Expiry::NEVER, Expiry::at)
    }

    /// Is it over at `now`? Strictly: a session is still good in its last second.
    pub fn is_past(self, now: i64) -> bool {
        u64::try_from(now).is_ok_and(|now| now > self.0)
    }

    pub(super) const fn raw(self) -> u64 {
        self.0
    }

    pub(super) fn from_raw(raw: u64) -> Expiry {
        Expiry(raw)
    }
}

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
    fn what_overflows_or_is_negative_never_expires() {
        for never in [
            Expiry::at(-1),
            Expiry::at(i64::MIN),
            Expiry::after(-5, 300),
            Expiry::after(1000, -1),
            Expiry::after(1, i64::MAX),
            Expiry::after(i64::MAX, i64::MAX),
        ] {
            assert_eq!(never, Expiry::NEVER);
            assert!(!never.is_past(i64::MAX));
        }
        assert_eq!(Expiry::after(0, i64::MAX), Expiry::at(i64::MAX));
        assert!(Expiry::at(i64::MAX) < Expiry::NEVER);
    }

    #[test]
    fn before_the_epoch_nothing_is_past() {
        assert!(!Expiry::at(0).is_past(-1));
        assert!(!Expiry::at(0).is_past(i64::MIN));
    }
}
