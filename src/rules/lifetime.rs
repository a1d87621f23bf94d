//! How long a session is good: what the releases of libssl make of a time, a timeout and a second
//! to flush. They agree on usual values, and on no others.

use libc::{c_long, c_ulong};

use crate::cache::Expiry;

/// The arithmetic of a release.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lifetime {
    /// 1.1.1: a sum that overflows wraps, and has expired.
    Wrapping,
    /// 3.0.0 to 3.0.14, 3.1.0 to 3.1.6: a sum that overflows never expires. A negative timeout
    /// becomes 0 when libssl first adds it.
    Saturating,
    /// From 3.0.15 and 3.1.7 on: the same, but a negative timeout stays what it is, and a negative
    /// time is more than any timeout leaves room for.
    Checked,
    /// From 3.2 on: unsigned nanoseconds. Seconds become nanoseconds modulo 2^64, and a sum beyond
    /// never expires.
    Nanoseconds,
}

const NANOSECONDS: u64 = 1_000_000_000;

/// 2^64 nanoseconds, in seconds. It tells a negative number of seconds as so many more.
const RANGE: c_long = (u64::MAX / NANOSECONDS) as c_long;

/// What libssl keeps when it is told so many seconds.
fn nanoseconds(seconds: c_long) -> u64 {
    (seconds as u64).wrapping_mul(NANOSECONDS)
}

/// The same from the whole seconds that libssl tells. What lies in the upper half of the range is
/// taken to be a negative number of seconds: nothing tells of the part of a second that came with
/// it.
fn nanoseconds_told(seconds: c_long) -> u64 {
    let was_negative = (RANGE / 2 + 1..RANGE).contains(&seconds);
    nanoseconds(if was_negative { seconds - RANGE } else { seconds })
}

impl Lifetime {
    /// That of a release, by its `OpenSSL_version_num`.
    pub fn of_release(version: c_ulong) -> Self {
        match version {
            0..0x3000_0000 => Lifetime::Wrapping,
            0x3000_0000..0x3000_00f0 | 0x3010_0000..0x3010_0070 => Lifetime::Saturating,
            0x3000_00f0..0x3010_0000 | 0x3010_0070..0x3020_0000 => Lifetime::Checked,
            0x3020_0000.. => Lifetime::Nanoseconds,
        }
    }

    /// When a session with this time and timeout expires, as the getters tell them.
    pub fn expiry(self, time: c_long, timeout: c_long) -> Expiry {
        match self {
            Lifetime::Wrapping => Expiry::at(time.wrapping_add(timeout)),
            Lifetime::Saturating => Expiry::after(time, timeout),
            Lifetime::Checked if timeout > c_long::MAX.wrapping_sub(time) => Expiry::NEVER,
            Lifetime::Checked => Expiry::at(time.wrapping_add(timeout)),
            Lifetime::Nanoseconds => {
                let sum = nanoseconds_told(time).checked_add(nanoseconds_told(timeout));
                sum.map_or(Expiry::NEVER, |sum| Expiry::at((sum / NANOSECONDS) as c_long))
            }
        }
    }

    /// The second that `SSL_CTX_flush_sessions` compares with when it is told `tm`.
    pub fn second(self, tm: c_long) -> c_long {
        if self != Lifetime::Nanoseconds {
            return tm;
        }
        let second = (nanoseconds(tm) / NANOSECONDS) as c_long;
        // It is over for what expires in that second, too, if it comes later in it.
        second + c_long::from(nanoseconds(tm) > nanoseconds_told(second))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: c_long = c_long::MAX;
    const MIN: c_long = c_long::MIN;
    const ALL: [Lifetime; 4] =
        [Lifetime::Wrapping, Lifetime::Saturating, Lifetime::Checked, Lifetime::Nanoseconds];

    #[test]
    fn usual_values_are_the_same_everywhere() {
        for lifetime in ALL {
            assert_eq!(lifetime.expiry(1_700_000_000, 7200), Expiry::at(1_700_007_200));
            assert_eq!(lifetime.expiry(0, 0), Expiry::at(0));
            assert_eq!(lifetime.second(1_700_000_000), 1_700_000_000);
        }
    }

    #[test]
    fn a_release_has_its_arithmetic() {
        for (version, lifetime) in [
            (0x1010_117f, Lifetime::Wrapping),
            (0x3000_0000, Lifetime::Saturating),
            (0x3000_00e0, Lifetime::Saturating),
            (0x3000_00f0, Lifetime::Checked),
            (0x3000_0160, Lifetime::Checked),
            (0x3010_0060, Lifetime::Saturating),
            (0x3010_0070, Lifetime::Checked),
            (0x3020_0000, Lifetime::Nanoseconds),
            (0x3050_0050, Lifetime::Nanoseconds),
            (0x4000_0030, Lifetime::Nanoseconds),
        ] {
            assert_eq!(Lifetime::of_release(version), lifetime, "{version:#x}");
        }
    }

    /// As measured on 1.1.1w.
    #[test]
    fn wrapping() {
        let lifetime = Lifetime::Wrapping;
        assert!(lifetime.expiry(1000, MAX).is_past(0));
        assert_eq!(lifetime.expiry(1000, -5), Expiry::at(995));
        assert_eq!(lifetime.expiry(-5, 3), Expiry::at(-2));
    }

    /// As measured on 3.0.19.
    #[test]
    fn checked() {
        let lifetime = Lifetime::Checked;
        for (time, timeout) in
            [(1, MAX), (MAX, MAX), (MAX, 1), (-1, 1), (-1, -1), (-5, 300), (-5, MIN + 5), (MIN, 1)]
        {
            assert_eq!(lifetime.expiry(time, timeout), Expiry::NEVER, "{time} + {timeout}");
        }
        for (time, timeout, second) in [
            (1, MAX - 1, MAX),
            (1000, -1, 999),
            (3, -5, -2),
            (1, MIN, MIN + 1),
            (MAX, -1, MAX - 1),
            (-5, MIN, MAX - 4),
            (MIN, MIN, 0),
        ] {
            assert_eq!(lifetime.expiry(time, timeout), Expiry::at(second), "{time} + {timeout}");
        }
        assert_eq!([MIN, -1, 0, MAX].map(|tm| lifetime.second(tm)), [MIN, -1, 0, MAX]);
    }

    /// As measured on 3.5.5, which tells -1 as this.
    const TOP: c_long = 18_446_744_072;

    #[test]
    fn nanoseconds() {
        let lifetime = Lifetime::Nanoseconds;
        assert_eq!([-1, -5, MAX].map(|tm| lifetime.second(tm)), [TOP, TOP - 4, TOP]);
        assert_eq!([MIN, MIN + 1].map(|tm| lifetime.second(tm)), [0, 1]);
        assert_eq!(lifetime.second(9_223_372_037), 9_223_372_037);
        assert_eq!(lifetime.second(18_446_744_074), 1, "in the first second, but not at its start");
        for (time, timeout, second) in [
            (1, TOP - 4, TOP - 3),
            (TOP, 0, TOP),
            (1_700_000_000, 0, 1_700_000_000),
            (9_223_372_036, 1, 9_223_372_037),
        ] {
            assert_eq!(lifetime.expiry(time, timeout), Expiry::at(second), "{time} + {timeout}");
        }
        for (time, timeout) in [(1, TOP), (TOP, 1), (TOP - 4, TOP - 4), (1_700_000_000, TOP - 5)] {
            assert_eq!(lifetime.expiry(time, timeout), Expiry::NEVER, "{time} + {timeout}");
        }
        assert!(!lifetime.expiry(TOP, 0).is_past(lifetime.second(-1)));
        assert!(lifetime.expiry(TOP - 4, 1).is_past(lifetime.second(-1)));
    }
}
