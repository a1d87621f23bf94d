//! What a cache reads of a session, without the session's lock.
//!
//! Each operation on a cache begins with the key of a session, and often its expiry. Under a lock
//! that would be two writes to the session's memory; so these few values are published beside it,
//! under a sequence lock.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use zeroize::Zeroize;

use super::values::{LIFETIME, Values};
use sslcache_sync::SeqLock;

use crate::cache::{Expiry, KEY_WORDS, Key};

/// Version, id, time and timeout of a session, as they were last set.
pub struct Published {
    lock: SeqLock,
    key: [AtomicU64; KEY_WORDS],
    time: AtomicI64,
    timeout: AtomicI64,
}

impl Published {
    /// Those of `values`.
    pub fn new(values: &Values) -> Self {
        Published {
            lock: SeqLock::new(),
            key: values.key().words().map(AtomicU64::new),
            time: AtomicI64::new(values.time),
            timeout: AtomicI64::new(values.timeout),
        }
    }

    /// Publishes those of `values`: call only while holding the lock of the session.
    pub fn publish(&self, values: &Values) {
        let _writing = self.lock.write();
        for (published, word) in self.key.iter().zip(values.key().words()) {
            published.store(word, Ordering::Relaxed);
        }
        self.time.store(values.time, Ordering::Relaxed);
        self.timeout.store(values.timeout, Ordering::Relaxed);
    }

    /// What `read` makes of them; `None` if they changed meanwhile.
    fn consistent<R>(&self, read: impl FnOnce() -> R) -> Option<R> {
        let number = self.lock.begin_read();
        let read = read();
        self.lock.is_valid(number).then_some(read)
    }

    /// The key; `None` if it is being changed.
    pub fn key(&self) -> Option<Key> {
        self.consistent(|| self.read_key())
    }

    /// The expiry; `None` if it is being changed.
    pub fn expiry(&self) -> Option<Expiry> {
        self.consistent(|| self.read_expiry())
    }

    /// Both at once.
    pub fn key_and_expiry(&self) -> Option<(Key, Expiry)> {
        self.consistent(|| (self.read_key(), self.read_expiry()))
    }

    fn read_key(&self) -> Key {
        Key::from_words(std::array::from_fn(|i| self.key[i].load(Ordering::Relaxed)))
    }

    fn read_expiry(&self) -> Expiry {
        LIFETIME.expiry(self.time.load(Ordering::Relaxed), self.timeout.load(Ordering::Relaxed))
    }
}

impl Drop for Published {
    fn drop(&mut self) {
        // The id is as good as a key to whoever can replay it.
        self.key.iter_mut().for_each(|word| word.get_mut().zeroize());
    }
}

#[cfg(test)]
mod tests {
    use super::super::values::Id;
    use super::*;

    fn values(n: u8) -> Values {
        let id = Id::new(&[n; 32][..usize::from(n % 33)]).unwrap();
        let mut values = Values::default();
        values.version = n.into();
        values.id = id;
        (values.time, values.timeout) = (n.into(), i64::from(n) * 1000);
        values
    }

    fn expected(n: u8) -> (Key, Expiry) {
        let values = values(n);
        let key = Key::new(values.version, values.id.as_slice()).unwrap();
        (key, LIFETIME.expiry(values.time, values.timeout))
    }

    #[test]
    fn what_was_published_is_read() {
        let published = Published::new(&values(32));
        for n in [32, 0, 7, 65, 255] {
            published.publish(&values(n));
            assert_eq!(published.key_and_expiry(), Some(expected(n)));
            assert_eq!(published.key(), Some(expected(n).0));
            assert_eq!(published.expiry(), Some(expected(n).1));
        }
    }

    #[test]
    fn what_is_being_changed_is_not_read() {
        let published = Published::new(&values(1));
        let _writing = published.lock.write();
        assert_eq!(published.key(), None);
        assert_eq!(published.expiry(), None);
        assert_eq!(published.key_and_expiry(), None);
    }

    #[test]
    fn key_and_expiry_are_of_one_moment() {
        let published = Published::new(&values(0));
        let all: Vec<Values> = (0..=255).map(values).collect();
        let expected: Vec<_> = (0..=255).map(expected).collect();
        std::thread::scope(|scope| {
            scope.spawn(|| (0..200).for_each(|_| all.iter().for_each(|v| published.publish(v))));
            for _ in 0..20_000 {
                if let Some((key, expiry)) = published.key_and_expiry() {
                    assert_eq!((key, expiry), expected[key.version() as usize]);
                }
            }
        });
    }
}
