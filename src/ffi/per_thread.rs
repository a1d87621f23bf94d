//! A word for each thread, without a thread-local variable.
//!
//! The thread-locals of a library that came by `dlopen` have no memory in a thread until it uses
//! them, and when there is none then the loader ends the process. The keys of `pthread_key_create`
//! are no better: the C libraries of two namespaces (`dlmopen`) give out the same ones, for the
//! same slots of a thread, and all is well only as long as the two libcryptos happen to get the
//! same keys for the same purposes. So a word is found by the address of its thread's control
//! block.
//!
//! A thread that comes when another has gone may have its control block where that one had it, and
//! finds the word that was left there.

use std::sync::atomic::{AtomicUsize, Ordering};

use sslcache_sync::control_block;

use super::memory::{NoMemory, boxed};
use crate::address_map::AddressMap;

/// A word of each thread, 0 until it is set.
pub struct PerThread {
    /// Its place, by the thread. Once made, it stays.
    words: AddressMap<AtomicUsize>,
}

impl Default for PerThread {
    fn default() -> Self {
        PerThread::new()
    }
}

impl PerThread {
    /// 0 in every thread.
    pub const fn new() -> Self {
        PerThread { words: AddressMap::new() }
    }

    /// This thread's word.
    #[inline]
    pub fn get(&self) -> usize {
        self.word().map_or(0, |word| word.load(Ordering::Relaxed))
    }

    /// Sets this thread's word. Succeeds for 0, and where a word was set before.
    pub fn set(&self, value: usize) -> Result<(), NoMemory> {
        match self.word() {
            Some(word) => word.store(value, Ordering::Relaxed),
            None if value == 0 => {}
            None => self.add(value)?,
        }
        Ok(())
    }

    /// Sets it to 0.
    pub fn clear(&self) {
        let _ = self.set(0);
    }

    /// Sets it to 0, and tells what it was.
    pub fn take(&self) -> usize {
        let word = self.get();
        if word != 0 {
            self.clear();
        }
        word
    }

    #[inline]
    fn word(&self) -> Option<&AtomicUsize> {
        // SAFETY: leaked by `add`.
        Some(unsafe { &*self.words.get(control_block() as usize)? })
    }

    #[cold]
    fn add(&self, value: usize) -> Result<(), NoMemory> {
        let word = Box::into_raw(boxed(AtomicUsize::new(value))?);
        if let Err(none) = self.words.insert(control_block() as usize, word) {
            // SAFETY: made above, and known to nobody.
            drop(unsafe { Box::from_raw(word) });
            return Err(none);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thread_has_its_own() {
        static WORD: PerThread = PerThread::new();
        assert_eq!(WORD.get(), 0);
        assert_eq!(WORD.set(0), Ok(()));
        std::thread::scope(|scope| {
            for n in 1..=8 {
                scope.spawn(move || {
                    for word in [n, 2 * n, 0, usize::MAX - n] {
                        assert_eq!(WORD.set(word), Ok(()));
                        std::thread::yield_now();
                        assert_eq!(WORD.get(), word);
                    }
                    assert_eq!(WORD.take(), usize::MAX - n);
                    assert_eq!(WORD.get(), 0);
                });
            }
        });
        assert_eq!(WORD.get(), 0);
    }
}
