//! Why nothing happens in a program that has the library in front of it, and what would make it
//! happen.

use sslcache_facts::{Fact, Seen};

use crate::library;

/// What is known of a program that runs: of the process and its descendants together.
#[derive(Clone, Default, Debug)]
pub struct State {
    /// The library is there.
    pub has_library: bool,
    /// And may be looked at.
    pub is_visible: bool,
    pub has_libssl: bool,
    /// OpenSSL is linked into the program's file.
    pub has_openssl: bool,
    pub seen: Seen,
}

/// What is said, and whether the cache does what it is for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Advice {
    pub works: bool,
    pub sentence: &'static str,
}

impl State {
    /// Of these processes.
    pub fn of(pids: &[u32]) -> Self {
        let mut state = State::default();
        for process in pids.iter().filter_map(|&pid| library::in_process(pid).ok()) {
            state.has_libssl |= !process.libssls.is_empty();
            let Some(library) = process.library else { continue };
            state.has_library = true;
            if let Some(seen) = library.seen {
                state.is_visible = true;
                state.seen = seen.and(state.seen);
            }
        }
        state
    }

    /// What there is to say.
    pub fn advice(&self) -> Advice {
        let has = |fact| self.seen.has(fact);
        let says = |sentence| Advice { works: false, sentence };
        if !self.has_library {
            return says(
                "the library is not in it: it was started without LD_PRELOAD, or has cleaned its \
                 environment",
            );
        }
        if !self.is_visible {
            return says("the library is in it; only root may see what it does");
        }
        if has(Fact::Found) {
            return Advice {
                works: true,
                sentence: "sessions are resumed out of the library's cache",
            };
        }
        if !has(Fact::Context) {
            return says(match (self.has_libssl, self.has_openssl) {
                (_, true) => "OpenSSL is linked into the program: the library is never asked",
                (false, _) => "there is no libssl in it so far",
                (true, _) => {
                    "it has made no TLS context through the library so far; a program that takes \
                     libssl's functions by dlsym(3) never will"
                }
            });
        }
        if !has(Fact::Connection) {
            return says("it waits for the first TLS connection");
        }
        if has(Fact::LookedUp) {
            return says("no client has come back so far with a session that is in the cache");
        }
        if has(Fact::Stored) {
            return says("sessions are stored; no client has come back with one so far");
        }
        if has(Fact::OwnCache) || has(Fact::CacheOff) {
            return says(
                "the program keeps sessions in a cache of its own, or none: --shared anonymous \
                 --set cache=on serves them from the library's (with tickets=off where clients \
                 have tickets)",
            );
        }
        says(
            "there are connections, and no session to store: clients have them in tickets, which \
             --set tickets=off changes, or it is a client itself",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    fn seen(facts: &[Fact]) -> Seen {
        // As it lies in a process.
        let noted = AtomicU32::new(0);
        facts.iter().for_each(|&fact| _ = noted.fetch_or(fact as u32, Ordering::Relaxed));
        let mut data = b"\x7fsslcache facts1".to_vec();
        data.extend_from_slice(&[0; 16]);
        data.extend_from_slice(&noted.into_inner().to_ne_bytes());
        Seen::find(&data).unwrap()
    }

    #[test]
    fn each_state_has_its_sentence() {
        use Fact::*;
        let with = |facts: &[Fact]| State {
            has_library: true,
            is_visible: true,
            has_libssl: true,
            has_openssl: false,
            seen: seen(facts),
        };
        let cases = [
            (State::default(), "the library is not in it"),
            (State { has_library: true, ..State::default() }, "only root"),
            (State { has_libssl: false, ..with(&[]) }, "no libssl"),
            (State { has_openssl: true, ..with(&[]) }, "linked into the program"),
            (with(&[]), "dlsym"),
            (with(&[Context]), "waits for the first"),
            (with(&[Context, Connection]), "tickets=off"),
            (with(&[Context, Connection, Ticket]), "tickets=off"),
            (with(&[Context, Connection, OwnCache]), "cache=on"),
            (with(&[Context, Connection, CacheOff]), "cache=on"),
            (with(&[Context, Connection, Stored]), "no client has come back with one"),
            (with(&[Context, Connection, Stored, LookedUp]), "no client has come back so far"),
        ];
        for (state, part) in cases {
            let advice = state.advice();
            assert!(!advice.works && advice.sentence.contains(part), "{state:?}: {advice:?}");
        }
        assert!(with(&[Context, Connection, Stored, LookedUp, Found]).advice().works);
    }

    #[test]
    fn of_this_process_nothing_is_said_that_is_not_so() {
        let advice = State::of(&[std::process::id()]).advice();
        assert!(advice.sentence.contains("not in it"), "{advice:?}");
    }
}
