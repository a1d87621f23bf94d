//! The stamp lock of a set: one word, which says who holds it since when.
//!
//! ```text
//!   63                              22 21                 0
//!  +----------------------------------+--------------------+
//!  | when, in milliseconds: 42 bits   | the holder's pid: 22|     0: free
//!  +----------------------------------+--------------------+
//! ```
//!
//! There is nothing else to a lock: no list, no pointer, nothing that the kernel knows of. So a
//! lock that anybody scribbles over is a lock that is held by somebody else for some time.
//!
//! # Protocol
//!
//! *A process that wants the lock:*
//! 1. replaces 0 by its stamp, by compare-and-swap: it has the lock;
//! 2. if the lock is held, looks again for some microseconds, then gives the processor away, then
//!    sleeps, and gives up after [`PATIENCE`];
//! 3. meanwhile, now and then, asks whether the holder is gone or has held it for longer than
//!    [`STALE`]. Then it replaces the stamp that it saw by its own: it has *taken the lock over*.
//!
//! *The holder, when it has done its work:* replaces its stamp by 0, by compare-and-swap. If that
//! fails the lock was taken over, and is not its own to give back.
//!
//! # What a holder that is late may still do
//!
//! A holder that was stopped for longer than `STALE`, in the fraction of a microsecond that its
//! work takes, and then continues, does not know that its lock has been taken over. What it stores
//! into cells may then damage a record that was put there meanwhile, which whoever opens the
//! record notices. It can publish nothing: see step 1 of `put`. A holder that is dead does
//! nothing.

use crate::atomic::{AtomicU64, Ordering};
use crate::host::{Host, Step};

/// The longest wait for a lock, in microseconds.
pub(crate) const PATIENCE: u64 = 3000;

/// The age, in milliseconds, at which a lock is taken over though its holder may be alive.
pub(crate) const STALE: u64 = 60_000;

/// Rounds of waiting before anything is asked about the holder.
const SPINS: u32 = 60;
/// Of so many rounds after that, one asks the kernel for the holder.
const ASK_EVERY: u32 = 8;

const PID_BITS: u32 = 22;
const TIME_BITS: u32 = u64::BITS - PID_BITS;

/// The lock.
pub(crate) struct Lock(AtomicU64);

/// The lock, held, until this is dropped.
pub(crate) struct Held<'a> {
    lock: &'a AtomicU64,
    stamp: u64,
    taken_over: bool,
}

impl Lock {
    #[cfg(any(test, loom))]
    pub(crate) fn new() -> Self {
        Lock(AtomicU64::new(0))
    }

    /// Takes it if it is free.
    #[inline]
    pub(crate) fn try_lock(&self, host: &impl Host) -> Option<Held<'_>> {
        if self.0.load(Ordering::Relaxed) != 0 {
            return None;
        }
        self.replace(0, stamp(host))
    }

    /// Takes it, unless somebody else holds it for too long.
    #[inline]
    pub(crate) fn lock(&self, host: &impl Host) -> Option<Held<'_>> {
        self.try_lock(host).or_else(|| self.lock_patiently(host))
    }

    #[cold]
    fn lock_patiently(&self, host: &impl Host) -> Option<Held<'_>> {
        let begin = host.microseconds();
        for round in 0.. {
            let word = self.0.load(Ordering::Relaxed);
            let asks = round >= SPINS && (round - SPINS) % ASK_EVERY == 0;
            if word == 0 || is_stale(word, host) || (asks && host.is_gone(pid(word))) {
                if let Some(held) = self.replace(word, stamp(host)) {
                    if held.taken_over {
                        host.step(Step::TakenOver);
                    }
                    return Some(held);
                }
            }
            if round >= SPINS && host.microseconds().saturating_sub(begin) > PATIENCE {
                return None;
            }
            host.wait(round);
        }
        None
    }

    #[inline]
    fn replace(&self, word: u64, stamp: u64) -> Option<Held<'_>> {
        let replaced = self.0.compare_exchange(word, stamp, Ordering::Acquire, Ordering::Relaxed);
        replaced.is_ok().then_some(Held { lock: &self.0, stamp, taken_over: word != 0 })
    }

    /// The pid of the holder, if there is one.
    pub(crate) fn holder(&self) -> Option<u32> {
        Some(self.0.load(Ordering::Relaxed)).filter(|&word| word != 0).map(pid)
    }
}

impl Held<'_> {
    /// Returns `true` if it was taken over: whoever held it may have left anything behind.
    pub(crate) fn was_taken_over(&self) -> bool {
        self.taken_over
    }

    /// Returns `false` once somebody else has taken it over.
    #[inline(always)]
    pub(crate) fn is_ours(&self) -> bool {
        self.lock.load(Ordering::Relaxed) == self.stamp
    }
}

impl Drop for Held<'_> {
    #[inline]
    fn drop(&mut self) {
        // A panic is a process that dies there.
        #[cfg(loom)]
        if std::thread::panicking() {
            return;
        }
        // If it fails the lock is somebody else's by now.
        let _ = self.lock.compare_exchange(self.stamp, 0, Ordering::Release, Ordering::Relaxed);
    }
}

#[inline]
fn stamp(host: &impl Host) -> u64 {
    host.milliseconds() << PID_BITS | u64::from(host.pid())
}

fn pid(word: u64) -> u32 {
    (word & ((1 << PID_BITS) - 1)) as u32
}

/// Returns `true` if the stamp is too old. One from a future that far away is none that anybody
/// made since the machine was started.
fn is_stale(word: u64, host: &impl Host) -> bool {
    let age = host.milliseconds().wrapping_sub(word >> PID_BITS) & ((1 << TIME_BITS) - 1);
    age.min((1 << TIME_BITS) - age) > STALE
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::cell::Cell;

    /// Time passes only while somebody waits.
    struct At {
        pid: u32,
        time: Cell<u64>,
        gone: Vec<u32>,
    }

    impl Host for At {
        fn pid(&self) -> u32 {
            self.pid
        }
        fn milliseconds(&self) -> u64 {
            self.time.get() / 1000
        }
        fn microseconds(&self) -> u64 {
            self.time.get()
        }
        fn is_gone(&self, pid: u32) -> bool {
            self.gone.contains(&pid)
        }
        fn wait(&self, round: u32) {
            self.time.set(self.time.get() + if round < SPINS { 1 } else { 50 });
        }
    }

    fn at(pid: u32, seconds: u64) -> At {
        At { pid, time: Cell::new(seconds * 1_000_000), gone: Vec::new() }
    }

    #[test]
    fn one_holder_at_a_time_and_a_wait_has_an_end() {
        let (lock, first, second) = (Lock::new(), at(1, 1000), at(2, 1000));
        let held = lock.lock(&first).unwrap();
        assert!(held.is_ours() && !held.was_taken_over() && lock.holder() == Some(1));
        assert!(lock.try_lock(&second).is_none() && lock.lock(&second).is_none());
        let waited = second.time.get() - 1_000_000_000;
        assert!((PATIENCE..PATIENCE + 100).contains(&waited), "{waited}");
        drop(held);
        assert!(lock.holder().is_none());
        assert!(!lock.lock(&second).unwrap().was_taken_over());
    }

    #[test]
    fn a_dead_holder_is_followed_at_once() {
        let (lock, first, mut second) = (Lock::new(), at(1, 1000), at(2, 1000));
        std::mem::forget(lock.lock(&first));
        second.gone.push(1);
        assert!(lock.lock(&second).unwrap().was_taken_over());
        assert!(second.time.get() < 1_000_000_000 + 200);
        assert!(lock.holder().is_none());
    }

    #[test]
    fn a_lock_that_is_held_for_a_minute_is_taken_over_and_its_holder_gives_nothing_back() {
        let (lock, first) = (Lock::new(), at(1, 1000));
        let late = lock.lock(&first).unwrap();
        assert!(lock.lock(&at(2, 1059)).is_none(), "less than a minute");
        let second = at(2, 1061);
        let held = lock.lock(&second).unwrap();
        assert!(held.was_taken_over() && held.is_ours() && !late.is_ours());
        drop(late);
        assert!(held.is_ours() && lock.holder() == Some(2));
    }

    #[test]
    fn a_stamp_of_another_age_of_the_world_does_not_stay() {
        for word in [1 << PID_BITS, 1, u64::MAX, 5_000_000 << PID_BITS | 1] {
            let lock = Lock(AtomicU64::new(word));
            let held = lock.lock(&at(2, 1000)).unwrap();
            assert!(held.was_taken_over(), "{word:x}");
        }
        let future = Lock(AtomicU64::new(1_030_000 << PID_BITS | 1));
        assert!(future.lock(&at(2, 1000)).is_none(), "half a minute ahead");
        assert!(future.lock(&at(2, 1100)).is_some());
    }
}
