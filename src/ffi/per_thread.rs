//! A word for each thread, without a thread-local variable.
//!
//! The thread-locals of a library that came by `dlopen` have no memory in a thread until it uses
//! them, and when there is none then the loader ends the process. What `pthread_setspecific` keeps
//! needs none but for late keys, and says so when it finds none.

use std::sync::atomic::{AtomicU32, Ordering};

use libc::{c_void, pthread_key_t};

use super::memory::NoMemory;

/// A word of each thread, 0 until it is set.
#[derive(Default)]
pub struct PerThread {
    /// One more than the key; 0 before there is one.
    key: AtomicU32,
}

impl PerThread {
    /// 0 in every thread.
    pub const fn new() -> Self {
        PerThread { key: AtomicU32::new(0) }
    }

    /// This thread's word.
    pub fn get(&self) -> usize {
        match self.key.load(Ordering::Acquire) {
            0 => 0,
            // SAFETY: a key that was made and is never deleted.
            key => unsafe { libc::pthread_getspecific(key - 1) }.addr(),
        }
    }

    /// Sets this thread's word. Succeeds for 0, and in place of a word that is not 0.
    pub fn set(&self, word: usize) -> Result<(), NoMemory> {
        if word == 0 && self.key.load(Ordering::Acquire) == 0 {
            return Ok(());
        }
        let word = std::ptr::without_provenance::<c_void>(word);
        // SAFETY: a key that was made and is never deleted; nothing follows what is kept.
        let failed = unsafe { libc::pthread_setspecific(self.key()?, word) };
        if failed == 0 { Ok(()) } else { Err(NoMemory) }
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

    fn key(&self) -> Result<pthread_key_t, NoMemory> {
        let made = self.key.load(Ordering::Acquire);
        if made != 0 {
            return Ok(made - 1);
        }
        let mut key = 0;
        // SAFETY: a place for the key. No destructor: nothing is to be done at a thread's end.
        if unsafe { libc::pthread_key_create(&mut key, None) } != 0 {
            return Err(NoMemory);
        }
        match self.key.compare_exchange(0, key + 1, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => Ok(key),
            Err(made) => {
                // SAFETY: made above, and known to nobody.
                unsafe { libc::pthread_key_delete(key) };
                Ok(made - 1)
            }
        }
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
