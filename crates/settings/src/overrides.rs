//! `SSLCACHE_SET`: what the operator decides in place of the application, which does not notice.
//!
//! A value is `key=value` as often as needed, between spaces or commas. All of it counts or nothing:
//! half an experiment would be worse than none. An application reads back what it has set itself.
//!
//! **Never less safe than the application's own choice**: what would be needs the word `unsafe`
//! among the others.

use std::fmt;

use libc::c_long;

use crate::quantity::number;

/// What is decided for every context.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Overrides {
    size: Option<usize>,
    timeout: Option<c_long>,
    tickets_off: bool,
    num_tickets: Option<usize>,
    cache: Option<bool>,
    replay_off: bool,
    is_unsafe: bool,
}

/// RFC 8446, 4.6.1: no ticket is good for longer than seven days.
const LONGEST_TIMEOUT: u64 = 7 * DAY;
const DAY: u64 = 24 * 60 * 60;
/// More than any client asks for.
const MOST_TICKETS: u64 = 4;

/// One key, with what may follow it and how it is taken over.
struct Key {
    name: &'static str,
    values: &'static str,
    read: fn(&mut Overrides, &str) -> Option<()>,
}

const KEYS: [Key; 7] = [
    Key {
        name: "size",
        values: "a number of sessions such as 500, 20k or 1M, or 0 for no limit",
        read: |set, value| {
            let size = number(value, &[("k", 1_000), ("M", 1_000_000)], 0..=u64::from(u32::MAX))?;
            set.size = Some(usize::try_from(size).ok()?);
            Some(())
        },
    },
    Key {
        name: "timeout",
        values: "a time such as 300, 90s, 30m, 2h or 7d, from 1 second to 7 days",
        read: |set, value| {
            let units = [("s", 1), ("m", 60), ("h", 60 * 60), ("d", DAY)];
            let timeout = number(value, &units, 1..=LONGEST_TIMEOUT)?;
            set.timeout = Some(c_long::try_from(timeout).ok()?);
            Some(())
        },
    },
    Key {
        name: "tickets",
        values: "off: tickets where the application has none would weaken its forward secrecy",
        read: |set, value| off(value).map(|()| set.tickets_off = true),
    },
    Key {
        name: "num_tickets",
        values: "a number from 0 to 4",
        read: |set, value| {
            set.num_tickets = Some(usize::try_from(number(value, &[], 0..=MOST_TICKETS)?).ok()?);
            Some(())
        },
    },
    Key {
        name: "cache",
        values: "on or off",
        read: |set, value| {
            set.cache = Some(value == "on");
            (value == "on").then_some(()).or_else(|| off(value))
        },
    },
    Key {
        name: "replay",
        values: "off: early data that may be replayed is less safe",
        read: |set, value| off(value).map(|()| set.replay_off = true),
    },
    Key {
        name: UNSAFE,
        values: "nothing",
        read: |set, value| value.is_empty().then(|| set.is_unsafe = true),
    },
];

/// The only key without a value.
const UNSAFE: &str = "unsafe";

fn off(value: &str) -> Option<()> {
    (value == "off").then_some(())
}

/// What is wrong with a value of `SSLCACHE_SET`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wrong {
    /// It is no text.
    Bytes,
    /// There is no key in it.
    Empty,
    /// The word at this place, counted from 1, begins with no key.
    Key(usize),
    /// What follows this key.
    Value(&'static str, &'static str),
    /// This key is there twice.
    Twice(&'static str),
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Wrong::Bytes => write!(f, "not a text"),
            Wrong::Empty => write!(f, "expected key=value, such as size=20k"),
            Wrong::Key(place) => {
                write!(f, "no key that there is in word {place}; there are ")?;
                for (i, key) in KEYS.iter().enumerate() {
                    write!(f, "{}{}", if i == 0 { "" } else { ", " }, key.name)?;
                }
                Ok(())
            }
            Wrong::Value(key, values) => write!(f, "{key} expects {values}"),
            Wrong::Twice(key) => write!(f, "{key} is there twice"),
        }
    }
}

impl Overrides {
    /// Nothing is decided.
    pub const NONE: Overrides = Overrides {
        size: None,
        timeout: None,
        tickets_off: false,
        num_tickets: None,
        cache: None,
        replay_off: false,
        is_unsafe: false,
    };

    /// What `value` says.
    pub fn read(value: &[u8]) -> Result<Overrides, Wrong> {
        let value = std::str::from_utf8(value).map_err(|_| Wrong::Bytes)?;
        let words = value.split([' ', ',']).filter(|word| !word.is_empty());
        let mut set = Overrides::NONE;
        let mut seen = [false; KEYS.len()];
        for (place, word) in words.enumerate() {
            let (name, value) = word.split_once('=').unwrap_or((word, ""));
            let found = KEYS
                .iter()
                .position(|key| key.name == name && (key.name == UNSAFE || word != name));
            let found = found.ok_or(Wrong::Key(place + 1))?;
            let Key { name, values, read } = KEYS[found];
            if std::mem::replace(&mut seen[found], true) {
                return Err(Wrong::Twice(name));
            }
            read(&mut set, value).ok_or(Wrong::Value(name, values))?;
        }
        if seen.contains(&true) { Ok(set) } else { Err(Wrong::Empty) }
    }

    /// Whether anything is decided.
    pub fn is_none(&self) -> bool {
        *self == Overrides::NONE
    }

    /// The size that counts, for an application that has set this one.
    pub fn size(&self, applications: usize) -> usize {
        self.size.unwrap_or(applications)
    }

    /// The timeout that counts, for an application that has set this one. One that is 0 or less has a
    /// meaning of its own, and stays.
    pub fn timeout(&self, applications: c_long) -> c_long {
        match self.timeout {
            Some(timeout) if applications > 0 && self.is_unsafe => timeout,
            Some(timeout) if applications > 0 => timeout.min(applications),
            _ => applications,
        }
    }

    /// Whether timeouts are decided.
    pub fn has_timeout(&self) -> bool {
        self.timeout.is_some()
    }

    /// Servers keep no sessions.
    pub fn cache_off(&self) -> bool {
        self.cache == Some(false)
    }

    /// Servers are served from our cache, also those that keep none or one of their own.
    pub fn cache_on(&self) -> bool {
        self.cache == Some(true)
    }

    /// Servers take early data once, also those that would take it again.
    pub fn replay_off(&self) -> bool {
        self.replay_off
    }

    /// Servers keep their sessions, instead of handing them out encrypted.
    pub fn tickets_off(&self) -> bool {
        self.tickets_off
    }

    /// How many tickets a TLS 1.3 server sends after a full handshake.
    pub fn num_tickets(&self) -> Option<usize> {
        self.num_tickets
    }
}

/// As it could have been given.
impl fmt::Display for Overrides {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut between = "";
        let mut word = |f: &mut fmt::Formatter<'_>, word: fmt::Arguments<'_>| {
            write!(f, "{between}{word}")?;
            between = " ";
            Ok(())
        };
        if let Some(size) = self.size {
            word(f, format_args!("size={size}"))?;
        }
        if let Some(timeout) = self.timeout {
            word(f, format_args!("timeout={timeout}"))?;
        }
        if self.tickets_off {
            word(f, format_args!("tickets=off"))?;
        }
        if let Some(tickets) = self.num_tickets {
            word(f, format_args!("num_tickets={tickets}"))?;
        }
        if let Some(on) = self.cache {
            word(f, format_args!("cache={}", if on { "on" } else { "off" }))?;
        }
        if self.replay_off {
            word(f, format_args!("replay=off"))?;
        }
        if self.is_unsafe {
            word(f, format_args!("{UNSAFE}"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Result<Overrides, Wrong> {
        Overrides::read(value.as_bytes())
    }

    #[test]
    fn every_key_is_read_and_shown() {
        let cases = [
            ("size=500", "size=500"),
            ("size=20k", "size=20000"),
            ("size=1M,", "size=1000000"),
            ("size=0", "size=0"),
            ("timeout=300", "timeout=300"),
            ("timeout=90s", "timeout=90"),
            ("timeout=30m", "timeout=1800"),
            ("timeout=2h", "timeout=7200"),
            ("timeout=7d", "timeout=604800"),
            ("tickets=off", "tickets=off"),
            ("num_tickets=0", "num_tickets=0"),
            ("num_tickets=4", "num_tickets=4"),
            ("cache=off", "cache=off"),
            ("cache=on", "cache=on"),
            ("replay=off", "replay=off"),
            ("unsafe", "unsafe"),
            (
                " unsafe,cache=off  num_tickets=1, replay=off,tickets=off timeout=1d size=3 ",
                "size=3 timeout=86400 tickets=off num_tickets=1 cache=off replay=off unsafe",
            ),
        ];
        for (value, shown) in cases {
            let set = read(value).unwrap_or_else(|wrong| panic!("{value}: {wrong}"));
            assert_eq!(set.to_string(), shown, "{value}");
            assert_eq!(read(shown), Ok(set));
            assert!(!set.is_none());
        }
    }

    #[test]
    fn one_bad_word_refuses_all() {
        let values = |name| KEYS.iter().find(|key| key.name == name).unwrap().values;
        let bad = |name| Err(Wrong::Value(name, values(name)));
        let cases = [
            ("", Err(Wrong::Empty)),
            (" , ", Err(Wrong::Empty)),
            ("1", Err(Wrong::Key(1))),
            ("sizze=3", Err(Wrong::Key(1))),
            ("Size=3", Err(Wrong::Key(1))),
            ("size", Err(Wrong::Key(1))),
            ("size=3 =", Err(Wrong::Key(2))),
            ("size=3\ttimeout=3", bad("size")),
            ("size=", bad("size")),
            ("size=-1", bad("size")),
            ("size=+1", bad("size")),
            ("size=k", bad("size")),
            ("size=1m", bad("size")),
            ("size=1kk", bad("size")),
            ("size=1 k", Err(Wrong::Key(2))),
            ("size=0x10", bad("size")),
            ("size=4294967296", bad("size")),
            ("size=18446744073709551616", bad("size")),
            ("size=18446744073709551615M", bad("size")),
            ("timeout=0", bad("timeout")),
            ("timeout=8d", bad("timeout")),
            ("timeout=1w", bad("timeout")),
            ("timeout=604801", bad("timeout")),
            ("tickets=on", bad("tickets")),
            ("tickets=", bad("tickets")),
            ("num_tickets=5", bad("num_tickets")),
            ("num_tickets=1k", bad("num_tickets")),
            ("cache=yes", bad("cache")),
            ("cache=", bad("cache")),
            ("replay=on", bad("replay")),
            ("unsafe=1", bad("unsafe")),
            ("size=3 size=4", Err(Wrong::Twice("size"))),
            ("size=\u{661}", bad("size")),
        ];
        for (value, wrong) in cases {
            assert_eq!(read(value), wrong, "{value}");
        }
        assert_eq!(Overrides::read(b"size=\xff"), Err(Wrong::Bytes));
    }

    #[test]
    fn a_timeout_is_not_lengthened_without_being_told_to() {
        let set = read("timeout=300").unwrap();
        for (applications, counts) in [(7200, 300), (300, 300), (10, 10), (0, 0), (-5, -5)] {
            assert_eq!(set.timeout(applications), counts);
        }
        let set = read("timeout=300 unsafe").unwrap();
        for (applications, counts) in [(7200, 300), (10, 300), (0, 0), (-5, -5)] {
            assert_eq!(set.timeout(applications), counts);
        }
        assert_eq!(Overrides::NONE.timeout(7200), 7200);
    }
}
