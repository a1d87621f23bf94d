//! The lock, and the atomics of what look-ups read without it: loom's where loom tries every order of
//! loads and stores.

#[cfg(loom)]
pub(super) use loom::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering, fence};
#[cfg(not(loom))]
pub(super) use sslcache_sync::{Guard, Lock};
#[cfg(not(loom))]
pub(super) use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering, fence};

#[cfg(loom)]
pub(super) use model::{Guard, Lock};

/// The lock as loom knows it.
#[cfg(loom)]
mod model {
    use loom::sync::{Mutex, MutexGuard};
    use std::ops::{Deref, DerefMut};

    pub struct Lock<T>(Mutex<T>);
    pub struct Guard<'a, T>(MutexGuard<'a, T>);

    impl<T> Lock<T> {
        pub fn new(value: T) -> Self {
            Lock(Mutex::new(value))
        }

        pub fn lock(&self) -> Guard<'_, T> {
            Guard(self.0.lock().expect("nobody panics"))
        }
    }

    impl<T> Guard<'_, T> {
        pub fn was_abandoned(&self) -> bool {
            false
        }
    }

    impl<T> Deref for Guard<'_, T> {
        type Target = T;

        fn deref(&self) -> &T {
            &self.0
        }
    }

    impl<T> DerefMut for Guard<'_, T> {
        fn deref_mut(&mut self) -> &mut T {
            &mut self.0
        }
    }
}
