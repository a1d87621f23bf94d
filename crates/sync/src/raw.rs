//! The lock itself: one word.

#[cfg(loom)]
use loom::sync::atomic::{AtomicU32, AtomicU64, Ordering};
#[cfg(not(loom))]
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use crate::futex;
use crate::gate::{ABANDONED, Gate, Thread, WAITERS};

/// Looks at a held lock before a thread goes to sleep.
const SPINS: u32 = if cfg!(loom) { 0 } else { 100 };

/// How long a thread sleeps before it looks whether the one that holds the lock is still there.
const ASK_AFTER: Duration = Duration::from_millis(100);

/// The lock: 0, or the thread that holds it, since which generation of the process, and whether
/// another waits.
/// (`gate` has the bits.)
pub struct RawLock(AtomicU64);

/// What became of an attempt to take the lock.
enum Attempt {
    Locked,
    /// The gate is shut.
    Shut,
    /// It was being taken or given back.
    Changed,
    Held(u64),
}

impl RawLock {
    #[cfg(not(loom))]
    pub(crate) const fn new() -> Self {
        RawLock(AtomicU64::new(0))
    }

    #[cfg(loom)]
    pub(crate) fn new() -> Self {
        RawLock(AtomicU64::new(0))
    }

    #[inline(always)]
    pub(crate) fn lock(&self, gate: &Gate, thread: Thread) {
        if !self.try_lock(gate, thread) {
            self.lock_slowly(gate, thread);
        }
    }

    /// Takes it if it is free and the gate open.
    #[inline(always)]
    pub(crate) fn try_lock(&self, gate: &Gate, thread: Thread) -> bool {
        gate.enter(thread);
        let state = gate.state();
        if state.is_open() && self.replace(0, thread.stamp(state)) {
            if gate.state_inside().is_open() {
                return true;
            }
            self.put_back(0);
        }
        gate.leave(thread);
        false
    }

    #[inline(always)]
    fn replace(&self, word: u64, by: u64) -> bool {
        self.0.compare_exchange(word, by, Ordering::SeqCst, Ordering::Relaxed).is_ok()
    }

    #[cold]
    fn lock_slowly(&self, gate: &Gate, thread: Thread) {
        let mut spins = SPINS;
        // A thread that has slept does not know whether others still do.
        let mut waiters = 0;
        loop {
            match self.attempt(gate, thread, waiters) {
                Attempt::Locked => return,
                Attempt::Shut => gate.wait_until_open(),
                Attempt::Changed => {}
                Attempt::Held(word) if spins > 0 && word & WAITERS == 0 => {
                    spins = self.spin_while(word, spins);
                }
                Attempt::Held(word) => {
                    self.sleep(word);
                    gate.recognise_child();
                    waiters = WAITERS;
                    spins = SPINS;
                }
            }
        }
    }

    /// Looks at it for as long as it is this word, but not more than so often: what is only looked at
    /// stays in the caches of all that do. Returns how many looks are left.
    fn spin_while(&self, word: u64, spins: u32) -> u32 {
        (0..spins)
            .rev()
            .find(|_| {
                std::hint::spin_loop();
                self.0.load(Ordering::Relaxed) != word
            })
            .unwrap_or(0)
    }

    /// Takes it if it is free or abandoned, and the gate lets the thread pass.
    fn attempt(&self, gate: &Gate, thread: Thread, waiters: u64) -> Attempt {
        let passes_shut = gate.enter(thread) || gate.is_shut_by(thread);
        let state = gate.state();
        let word = self.0.load(Ordering::Relaxed);
        let attempt = if !state.is_open() && !passes_shut {
            Attempt::Shut
        } else if word != 0 && !gate.is_abandoned(word) {
            Attempt::Held(word)
        } else {
            let abandoned = if word == 0 { 0 } else { ABANDONED | word & WAITERS };
            if !self.replace(word, thread.stamp(state) | abandoned | waiters) {
                Attempt::Changed
            } else if gate.state_inside().is_open() || passes_shut {
                return Attempt::Locked;
            } else {
                self.put_back(word);
                Attempt::Shut
            }
        };
        gate.leave(thread);
        attempt
    }

    /// Undoes having taken it when it was `word`.
    #[cold]
    fn put_back(&self, word: u64) {
        if self.0.swap(word, Ordering::Release) & WAITERS != 0 {
            self.wake_one();
        }
    }

    /// Sleeps while the word is this one.
    fn sleep(&self, word: u64) {
        let marked = word | WAITERS;
        if word == marked || self.replace(word, marked) {
            futex::wait(self.half(), marked as u32, ASK_AFTER);
        }
    }

    #[cold]
    fn wake_one(&self) {
        futex::wake(self.half(), 1);
    }

    /// The half of the word that sleepers watch: the one with the flags.
    fn half(&self) -> *const AtomicU32 {
        let half = usize::from(cfg!(target_endian = "big"));
        (&raw const self.0).cast::<AtomicU32>().wrapping_add(half)
    }

    /// Gives it back.
    #[inline(always)]
    pub(crate) fn unlock(&self, gate: &Gate) {
        let word = self.0.swap(0, Ordering::Release);
        if word & WAITERS != 0 {
            self.wake_one();
        }
        gate.leave(Thread::of(word));
    }

    /// Whether a thread waits. Call only while holding it.
    #[inline]
    pub(crate) fn has_waiters(&self) -> bool {
        self.0.load(Ordering::Relaxed) & WAITERS != 0
    }

    /// Whether it is free.
    #[inline]
    pub(crate) fn is_free(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }

    /// Whether it was taken from a thread that is gone. Call only while holding it.
    #[inline(always)]
    pub(crate) fn was_abandoned(&self) -> bool {
        self.0.load(Ordering::Relaxed) & ABANDONED != 0
    }

    /// Whether it is held by a thread that is gone, or was taken from one.
    pub(crate) fn is_abandoned(&self, gate: &Gate) -> bool {
        let word = self.0.load(Ordering::Relaxed);
        word & ABANDONED != 0 || gate.is_abandoned(word)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const FORKING: Thread = Thread::at(0x7f00_0000_1000);
    const OTHER: Thread = Thread::at(0x7f00_0080_2000);
    const LATER: Thread = Thread::at(0x7f00_0100_3000);

    /// What one thread does at a fork, without the fork: memory is as in the child afterwards.
    fn become_child(gate: &Gate, by: Thread) -> bool {
        let quiet = gate.shut(by);
        gate.begin_generation(by);
        quiet
    }

    #[test]
    fn a_lock_is_held_by_one_thread_at_a_time() {
        let (gate, lock) = (Gate::new(), RawLock::new());
        assert!(lock.try_lock(&gate, OTHER));
        assert!(!lock.try_lock(&gate, LATER));
        assert!(!lock.has_waiters() && !lock.was_abandoned() && !lock.is_abandoned(&gate));
        lock.unlock(&gate);
        assert!(lock.is_free() && lock.try_lock(&gate, LATER));
    }

    #[test]
    fn a_fork_waits_for_who_is_inside_but_not_for_ever() {
        let (gate, lock) = (Gate::new(), RawLock::new());
        assert!(gate.shut(FORKING), "nobody is inside");
        assert!(!lock.try_lock(&gate, OTHER) && lock.is_free(), "it is shut");
        gate.open();
        lock.lock(&gate, OTHER);
        assert!(!gate.shut(FORKING));
        gate.open();
        lock.unlock(&gate);
        assert!(gate.shut(FORKING));
        gate.open();
        assert!(lock.try_lock(&gate, OTHER));
    }

    #[test]
    fn what_a_vanished_thread_held_the_next_one_gets_at_once() {
        let (gate, lock) = (Gate::new(), RawLock::new());
        lock.lock(&gate, OTHER);
        assert!(!become_child(&gate, FORKING));
        assert!(lock.is_abandoned(&gate));
        lock.lock(&gate, LATER);
        assert!(lock.was_abandoned() && lock.is_abandoned(&gate));
        lock.unlock(&gate);
        lock.lock(&gate, FORKING);
        assert!(!lock.was_abandoned());
        assert!(become_child(&gate, FORKING), "nothing is left of the other's seat");
    }

    #[test]
    fn what_the_forking_thread_held_it_still_holds() {
        let (gate, lock, left) = (Gate::new(), RawLock::new(), RawLock::new());
        lock.lock(&gate, FORKING);
        assert!(become_child(&gate, FORKING), "it does not wait for itself");
        assert!(become_child(&gate, FORKING), "nor does it in the child");
        assert!(!lock.is_abandoned(&gate) && !lock.try_lock(&gate, LATER));
        lock.unlock(&gate);
        left.lock(&gate, FORKING);
        become_child(&gate, LATER);
        assert!(left.is_abandoned(&gate), "another thread made this process");
        become_child(&gate, FORKING);
        assert!(left.is_abandoned(&gate), "this is another thread of that name");
        assert!(lock.try_lock(&gate, LATER), "a free lock is free in every generation");
    }

    #[test]
    fn who_holds_one_lock_may_take_another_during_a_fork() {
        let (gate, outer, inner) = (Gate::new(), RawLock::new(), RawLock::new());
        outer.lock(&gate, OTHER);
        gate.shut(FORKING);
        inner.lock(&gate, OTHER);
        inner.unlock(&gate);
        outer.unlock(&gate);
        assert!(!inner.try_lock(&gate, OTHER), "now it has to wait");
        inner.lock(&gate, FORKING);
        inner.unlock(&gate);
    }

    #[test]
    fn the_gate_opens_in_the_end() {
        let (gate, lock) = (Gate::new(), RawLock::new());
        gate.shut(FORKING);
        // The thread that shut it does not come back.
        lock.lock(&gate, OTHER);
        lock.unlock(&gate);
        assert!(lock.try_lock(&gate, OTHER));
        lock.unlock(&gate);
        // And then does.
        gate.open();
        assert!(gate.shut(FORKING) && !lock.try_lock(&gate, OTHER));
    }

    #[test]
    fn a_child_that_nobody_announced_is_recognised() {
        let (gate, lock) = (Gate::new(), RawLock::new());
        gate.know_process(std::process::id() + 1);
        lock.lock(&gate, OTHER);
        lock.lock(&gate, LATER);
        assert!(lock.was_abandoned());
        lock.unlock(&gate);
        lock.lock(&gate, OTHER);
        gate.recognise_child();
        assert!(!lock.is_abandoned(&gate), "only once");
    }

    #[test]
    fn generations_wrap() {
        let (gate, lock) = (Gate::new(), RawLock::new());
        for generation in 0..300_000 {
            if generation % 100_000 == 99_999 {
                lock.lock(&gate, OTHER);
                become_child(&gate, FORKING);
                lock.lock(&gate, FORKING);
                assert!(lock.was_abandoned());
                lock.unlock(&gate);
            } else {
                gate.begin_generation(FORKING);
            }
        }
    }

    /// More threads than there are seats, as far as the gate knows.
    #[test]
    fn guests_are_waited_for_too() {
        let gate = Gate::new();
        let locks: [RawLock; 2000] = [const { RawLock::new() }; 2000];
        let thread = |number: usize| Thread::at(0x7f00_0000_0000 + number as u64 * 0x80_1000);
        for (number, lock) in locks.iter().enumerate() {
            lock.lock(&gate, thread(number));
        }
        for lock in &locks {
            assert!(!gate.is_quiet(FORKING));
            lock.unlock(&gate);
        }
        assert!(gate.is_quiet(FORKING));
        locks.iter().enumerate().for_each(|(number, lock)| lock.lock(&gate, thread(number)));
        gate.begin_generation(FORKING);
        assert!(gate.is_quiet(FORKING));
        // The thread that forked was a guest, and goes on.
        locks.iter().rev().take(10).for_each(|lock| lock.unlock(&gate));
        assert!(gate.is_quiet(FORKING));
    }
}
