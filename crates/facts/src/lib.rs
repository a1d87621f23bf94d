//! What the library has seen in a process, for whoever looks at it from outside.
//!
//! The library notes a few facts in its own data, each once, behind a mark that is found there:
//! in the file, which then tells the library's version, and in the memory of a process
//! (`/proc/PID/mem`), which tells the facts too. So nothing has to be switched on before, nothing
//! is written anywhere, and noting what was noted costs a load and a branch.
#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicU32, Ordering};

/// A fact.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum Fact {
    /// A context was made through the library.
    Context = 1 << 0,
    /// A connection was made.
    Connection = 1 << 1,
    /// A server's handshake made a session that clients carry in a ticket: no cache takes part.
    Ticket = 1 << 2,
    /// A session was stored in the library's cache.
    Stored = 1 << 3,
    /// A server looked for a session in it.
    LookedUp = 1 << 4,
    /// And found it.
    Found = 1 << 5,
    /// The application said of a context that it keeps its sessions elsewhere
    /// (`SSL_SESS_CACHE_NO_INTERNAL`).
    OwnCache = 1 << 6,
    /// Or that it keeps none of a server's (`SSL_SESS_CACHE_OFF`).
    CacheOff = 1 << 7,
}

const MARK: [u8; 16] = *b"\x7fsslcache facts1";
const VERSION: usize = 16;

/// Where facts are noted.
#[repr(C)]
pub struct Facts {
    mark: [u8; MARK.len()],
    version: [u8; VERSION],
    noted: AtomicU32,
}

impl Facts {
    /// None yet, of this version of the library. (As a constant; the mark is to be nowhere else in
    /// the library's data.)
    pub const fn new(version: &str) -> Self {
        let mut text = [0; VERSION];
        let (mut at, bytes) = (0, version.as_bytes());
        while at < bytes.len() && at < VERSION {
            text[at] = bytes[at];
            at += 1;
        }
        Facts { mark: MARK, version: text, noted: AtomicU32::new(0) }
    }

    /// Notes a fact.
    #[inline(always)]
    pub fn note(&self, fact: Fact) {
        if self.noted.load(Ordering::Relaxed) & fact as u32 == 0 {
            self.note_first(fact);
        }
    }

    #[cold]
    fn note_first(&self, fact: Fact) {
        self.noted.fetch_or(fact as u32, Ordering::Relaxed);
    }
}

/// What was found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Seen {
    /// The version of the library.
    pub version: String,
    noted: u32,
}

impl Seen {
    /// Looks for it in the library's data.
    pub fn find(data: &[u8]) -> Option<Self> {
        let mut places = data.windows(size_of::<Facts>());
        let found = places.find(|place| place.starts_with(&MARK))?;
        let (version, rest) = found[MARK.len()..].split_at(VERSION);
        let end = version.iter().position(|&byte| byte == 0).unwrap_or(VERSION);
        let version = std::str::from_utf8(&version[..end]).ok()?.to_owned();
        let noted = u32::from_ne_bytes(*rest.first_chunk()?);
        Some(Seen { version, noted })
    }

    /// Whether the fact was noted.
    pub fn has(&self, fact: Fact) -> bool {
        self.noted & fact as u32 != 0
    }

    /// The facts of both: of a process and one that it has forked.
    pub fn and(self, other: Self) -> Self {
        let version = if self.version.is_empty() { other.version } else { self.version };
        Seen { version, noted: self.noted | other.noted }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_noted_is_found_among_other_bytes() {
        let facts = Facts::new("12.3.4");
        facts.note(Fact::Stored);
        facts.note(Fact::Stored);
        facts.note(Fact::Context);
        let mut data = vec![0x7f; 100];
        data.extend_from_slice(&facts.mark);
        data.extend_from_slice(&facts.version);
        data.extend_from_slice(&facts.noted.load(Ordering::Relaxed).to_ne_bytes());
        data.extend_from_slice(&[0; 100]);
        let seen = Seen::find(&data).unwrap();
        assert_eq!(seen.version, "12.3.4");
        assert!(seen.has(Fact::Stored) && seen.has(Fact::Context) && !seen.has(Fact::LookedUp));
        let other = Seen { noted: Fact::LookedUp as u32, ..Seen::default() };
        let both = other.and(seen);
        assert!(both.has(Fact::LookedUp) && both.has(Fact::Stored) && both.version == "12.3.4");
        assert_eq!(Seen::find(&data[..130]), None, "cut off");
        assert_eq!(Seen::find(b""), None);
    }
}
