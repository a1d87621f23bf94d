//! The lock of a shard.
//!
//! `std::sync::Mutex`, not `parking_lot`, because of `fork()`: a server's workers inherit a warm
//! cache and live on. parking_lot parks waiters in a table in user space; in the child that table
//! still lists the parent's threads, so that a wake-up can go to (and the lock be handed over to)
//! a thread that does not exist there. The std mutex is one word and a futex: nothing of the
//! parent's waiters is left in the child.
//!
//! ThreadSanitizer does not see into the slow path of the std mutex. For such a run
//! `--cfg sslcache_parking_lot` switches to parking_lot, which it does see into.

#[cfg(sslcache_parking_lot)]
use parking_lot::Mutex;
#[cfg(not(sslcache_parking_lot))]
use std::sync::{Mutex, PoisonError};

#[cfg(sslcache_parking_lot)]
pub(super) type Guard<'a, T> = parking_lot::MutexGuard<'a, T>;
#[cfg(not(sslcache_parking_lot))]
pub(super) type Guard<'a, T> = std::sync::MutexGuard<'a, T>;

/// A mutex that knows no poisoning: what can panic under it (`S::clone`, `S::eq`) runs before
/// anything is changed.
pub(super) struct Lock<T>(Mutex<T>);

impl<T> Lock<T> {
    pub(super) const fn new(value: T) -> Self {
        Lock(Mutex::new(value))
    }

    #[cfg(not(sslcache_parking_lot))]
    pub(super) fn lock(&self) -> Guard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(sslcache_parking_lot)]
    pub(super) fn lock(&self) -> Guard<'_, T> {
        self.0.lock()
    }

    #[cfg(not(sslcache_parking_lot))]
    pub(super) fn get_mut(&mut self) -> &mut T {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(sslcache_parking_lot)]
    pub(super) fn get_mut(&mut self) -> &mut T {
        self.0.get_mut()
    }
}

#[cfg(test)]
mod tests {
    use super::Lock;
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
    }
}
