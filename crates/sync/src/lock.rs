//! The lock with its value, and the one gate of the process.

use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};
use std::time::{Duration, Instant};

use lock_api::{GuardNoSend, RawMutex};

use crate::gate::{Gate, Thread};
use crate::raw::RawLock;

static GATE: Gate = Gate::new();

/// How long [`Guard::let_others_in`] waits for a thread that it has woken.
const TURN: Duration = Duration::from_micros(100);

// SAFETY: one thread holds it at a time: only one replaces a free (or abandoned) word by its own,
// and the word stays until that thread gives it back. Both order memory.
unsafe impl RawMutex for RawLock {
    const INIT: Self = RawLock::new();

    // The thread that takes it gives it back: its seat at the gate is its own.
    type GuardMarker = GuardNoSend;

    #[inline(always)]
    fn lock(&self) {
        RawLock::lock(self, &GATE, Thread::current());
    }

    #[inline(always)]
    fn try_lock(&self) -> bool {
        RawLock::try_lock(self, &GATE, Thread::current())
    }

    #[inline(always)]
    unsafe fn unlock(&self) {
        RawLock::unlock(self, &GATE);
    }
}

/// A mutex. See the crate for what it promises.
pub struct Lock<T>(lock_api::Mutex<RawLock, ManuallyDrop<T>>);

/// A lock that is held, and the way to its value.
pub struct Guard<'a, T>(lock_api::MutexGuard<'a, RawLock, ManuallyDrop<T>>);

impl<T> Lock<T> {
    /// A free lock.
    pub const fn new(value: T) -> Self {
        Lock(lock_api::Mutex::new(ManuallyDrop::new(value)))
    }

    /// Waits for the lock. The value may be half changed: see [`Guard::was_abandoned`].
    #[inline(always)]
    pub fn lock(&self) -> Guard<'_, T> {
        Guard(self.0.lock())
    }

    /// Waits for the lock; `reset` makes something of a value that may be half changed.
    #[inline(always)]
    pub fn lock_or(&self, reset: impl FnOnce(&mut T)) -> Guard<'_, T> {
        let mut guard = self.lock();
        if guard.was_abandoned() {
            reset(&mut guard);
        }
        guard
    }

    /// The lock, if it is free. (An abandoned one is not.)
    #[inline]
    pub fn try_lock(&self) -> Option<Guard<'_, T>> {
        self.0.try_lock().map(Guard)
    }

    /// The value, of a lock that nobody else knows yet.
    pub fn get_mut(&mut self) -> &mut T {
        self.0.get_mut()
    }

    fn raw(&self) -> &RawLock {
        // SAFETY: it is looked at, neither taken nor given back.
        unsafe { self.0.raw() }
    }
}

impl<T> Drop for Lock<T> {
    fn drop(&mut self) {
        // What may be half changed is leaked.
        if !self.raw().is_abandoned(&GATE) {
            // SAFETY: the lock goes, and with it the only way to the value.
            unsafe { ManuallyDrop::drop(self.0.get_mut()) };
        }
    }
}

impl<T: Default> Default for Lock<T> {
    fn default() -> Self {
        Lock::new(T::default())
    }
}

impl<'a, T> Guard<'a, T> {
    fn raw(&self) -> &'a RawLock {
        // SAFETY: it is looked at, neither taken nor given back.
        unsafe { lock_api::MutexGuard::mutex(&self.0).raw() }
    }

    /// Was the lock taken from a thread that is not in this process, and may have left the value
    /// half changed? Stays true for as long as this guard.
    #[inline(always)]
    pub fn was_abandoned(&self) -> bool {
        self.raw().was_abandoned()
    }

    /// If others wait for the lock, gives it back and takes it again after one of them. True if it
    /// did so: all that was known of the value is to be looked at again, [`was_abandoned`] too.
    ///
    /// [`was_abandoned`]: Self::was_abandoned
    pub fn let_others_in(&mut self) -> bool {
        let raw = self.raw();
        let waited_for = raw.has_waiters();
        if waited_for {
            lock_api::MutexGuard::unlocked(&mut self.0, || {
                let until = Instant::now() + TURN;
                while raw.is_free() && Instant::now() < until {
                    std::thread::yield_now();
                }
            });
        }
        waited_for
    }
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Guard<'_, T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

/// Replaces a value that may be half changed, and leaks what is in it.
pub fn forget<T>(place: &mut T, by: T) {
    std::mem::forget(std::mem::replace(place, by));
}

/// What `pthread_atfork` is to call. None of it allocates.
pub mod fork {
    use super::{GATE, Lock, Thread};

    /// A number that is another one in the child of a fork: for what is to be put in order there.
    #[inline(always)]
    pub fn generation() -> u32 {
        GATE.generation()
    }

    /// At the start: notes which process this is.
    pub fn begin() {
        GATE.know_process(std::process::id());
    }

    /// Before the fork. False if a lock stayed held all the same.
    pub fn prepare() -> bool {
        GATE.shut(Thread::current())
    }

    /// After it, in the parent, or if there was none.
    pub fn parent() {
        GATE.open();
    }

    /// After it, in the child.
    pub fn child() {
        GATE.know_process(std::process::id());
        GATE.begin_generation(Thread::current());
    }

    /// Runs `work`, which takes a lock of another library and gives it back: a fork waits for it,
    /// as for a lock of ours. In the child nobody would ever give that lock back.
    pub fn put_off<R>(work: impl FnOnce() -> R) -> R {
        let nobody_else_has_it = Lock::new(());
        let _held = nobody_else_has_it.lock();
        work()
    }

    /// Forks as `pthread_atfork` has it, and tells whether `child` ended there without a panic. For
    /// tests.
    #[doc(hidden)]
    pub fn ends_well_in_a_child(child: impl FnOnce()) -> bool {
        prepare();
        // SAFETY: the child runs `child`, and ends at once.
        match unsafe { libc::fork() } {
            0 => {
                self::child();
                let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(child));
                // SAFETY: always there.
                unsafe { libc::_exit(ended.is_err().into()) }
            }
            process => {
                parent();
                let mut status = -1;
                // SAFETY: a child of ours, and a place for how it ended.
                unsafe { libc::waitpid(process, &mut status, 0) == process && status == 0 }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn a_panic_under_the_lock_does_not_poison_it() {
        let lock = Arc::new(Lock::new(1));
        let other = lock.clone();
        let thread = std::thread::spawn(move || {
            *other.lock() = 2;
            let _guard = other.lock();
            std::panic::resume_unwind(Box::new(()));
        });
        assert!(thread.join().is_err());
        assert_eq!(*lock.lock(), 2);
        assert_eq!(*lock.try_lock().unwrap(), 2);
    }

    #[test]
    fn many_threads_count_to_the_same_number() {
        let lock = Arc::new(Lock::new(0));
        let threads: Vec<_> = (0..16)
            .map(|_| {
                let lock = lock.clone();
                std::thread::spawn(move || {
                    for n in 0..5000 {
                        let mut guard = lock.lock();
                        *guard += 1;
                        if n % 100 == 0 {
                            guard.let_others_in();
                        }
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(*lock.lock(), 16 * 5000);
    }

    /// A waiting thread gets the lock between two batches.
    #[test]
    fn others_are_let_in() {
        let lock = Arc::new(Lock::new(0));
        let mut guard = lock.lock();
        assert!(!guard.let_others_in(), "nobody waits");
        let other = lock.clone();
        let waiting = std::thread::spawn(move || *other.lock() += 1);
        let mut turns = 0;
        while *guard == 0 {
            turns += u32::from(guard.let_others_in());
        }
        assert!(turns > 0);
        drop(guard);
        waiting.join().unwrap();
    }

    #[test]
    fn the_value_goes_with_its_lock() {
        let value = Arc::new(());
        drop(Lock::new(value.clone()));
        assert_eq!(Arc::strong_count(&value), 1);
    }

    #[test]
    fn a_lock_is_one_word() {
        assert_eq!(size_of::<Lock<()>>(), 8);
    }
}
