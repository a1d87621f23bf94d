//! Allocation that may be refused.

use std::collections::TryReserveError;

/// Memory could not be had; nothing was changed.
#[derive(Debug)]
pub(super) struct NoMemory;

impl From<TryReserveError> for NoMemory {
    fn from(_: TryReserveError) -> Self {
        NoMemory
    }
}

/// A boxed array whose allocation may fail without an abort.
pub(super) fn try_boxed<T, const N: usize>(
    make: impl FnMut(usize) -> T,
) -> Result<Box<[T; N]>, NoMemory> {
    let mut items = Vec::new();
    items.try_reserve_exact(N)?;
    items.extend((0..N).map(make));
    items.try_into().map_err(|_| NoMemory)
}

/// Items under numbers that stay, for who holds the lock. Growing takes no longer the more there are,
/// and the place of an item that has gone is used again.
pub(super) struct Pool<T> {
    /// Of so many items each; only the first one starts smaller, and moves as it grows.
    chunks: Vec<Vec<T>>,
    /// Places in them.
    places: u32,
    /// Places that were ever used.
    used: u32,
    /// The first of those that are free again, which are chained.
    free: u32,
    /// How many these are.
    free_len: u32,
}

/// An item that can be part of the chain of free places.
pub(super) trait Chained {
    /// Where it keeps the number of the next one.
    fn next_free(&mut self) -> &mut u32;
}

/// No item.
pub(super) const NIL: u32 = u32::MAX;

/// Items in a chunk.
const CHUNK: u32 = 1 << 10;

/// Chunk and place there of the item with this number.
#[inline(always)]
fn locate(number: u32) -> (usize, usize) {
    ((number / CHUNK) as usize, (number % CHUNK) as usize)
}

impl<T: Chained> Pool<T> {
    pub(super) const fn new() -> Self {
        Pool { chunks: Vec::new(), places: 0, used: 0, free: NIL, free_len: 0 }
    }

    /// So many insertions need no memory.
    #[inline]
    pub(super) fn room(&self) -> u32 {
        self.free_len + self.places - self.used
    }

    /// How many items there are.
    pub(super) fn len(&self) -> usize {
        (self.used - self.free_len) as usize
    }

    /// The places it has memory for.
    #[cfg(test)]
    pub(super) fn places(&self) -> u32 {
        self.places
    }

    /// Makes sure that so many insertions need no memory, with numbers below `most`.
    pub(super) fn try_reserve(&mut self, insertions: u32, most: u32) -> Result<(), NoMemory> {
        while self.room() < insertions {
            self.try_grow(most)?;
        }
        Ok(())
    }

    #[cold]
    fn try_grow(&mut self, most: u32) -> Result<(), NoMemory> {
        let chunks = self.chunks.len() as u32;
        // The first chunk doubles; then there is one after the other.
        let more = if chunks < 2 && self.places < CHUNK { self.places.max(1) } else { CHUNK };
        if more > most.saturating_sub(self.places) {
            return Err(NoMemory);
        }
        // The chunks there are have no place left.
        if self.places == chunks * CHUNK {
            self.chunks.try_reserve(1)?;
            self.chunks.push(Vec::new());
        }
        if let Some(chunk) = self.chunks.last_mut() {
            let places = if more == CHUNK { CHUNK } else { self.places + more };
            chunk.try_reserve_exact(places as usize - chunk.len())?;
        }
        self.places += more;
        Ok(())
    }

    /// Stores an item, for which there is room.
    #[inline]
    pub(super) fn insert(&mut self, item: T) -> u32 {
        let number = self.free;
        if number != NIL {
            let place = &mut self[number];
            let next = *place.next_free();
            *place = item;
            self.free = next;
            self.free_len -= 1;
            return number;
        }
        let number = self.used;
        self.chunks[locate(number).0].push(item);
        self.used += 1;
        number
    }

    /// Frees the place of an item.
    #[inline]
    pub(super) fn remove(&mut self, number: u32) {
        let next = std::mem::replace(&mut self.free, number);
        *self[number].next_free() = next;
        self.free_len += 1;
    }
}

impl<T> std::ops::Index<u32> for Pool<T> {
    type Output = T;

    #[inline(always)]
    fn index(&self, number: u32) -> &T {
        let (chunk, place) = locate(number);
        &self.chunks[chunk][place]
    }
}

impl<T> std::ops::IndexMut<u32> for Pool<T> {
    #[inline(always)]
    fn index_mut(&mut self, number: u32) -> &mut T {
        let (chunk, place) = locate(number);
        &mut self.chunks[chunk][place]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(PartialEq, Debug)]
    struct Item(u32);

    impl Chained for Item {
        fn next_free(&mut self) -> &mut u32 {
            &mut self.0
        }
    }

    #[test]
    fn every_item_has_a_number_of_its_own_and_keeps_it() {
        let mut pool = Pool::new();
        for n in 0..10_000 {
            pool.try_reserve(1 + n % 3, NIL).unwrap();
            assert_eq!(pool.insert(Item(n)), n);
            assert!(pool.room() <= n.min(CHUNK) + 4);
        }
        assert!((0..10_000).all(|n| pool[n] == Item(n)));
        (0..10_000).step_by(3).for_each(|n| pool.remove(n));
        assert_eq!(pool.len(), 6666);
        for _ in 0..3334 {
            assert!(pool.room() > 0);
            let number = pool.insert(Item(1));
            assert_eq!(number % 3, 0, "a free place is used again");
        }
        assert_eq!(pool.len(), 10_000);
        assert!((0..10_000).all(|n| pool[n] == Item(if n % 3 == 0 { 1 } else { n })));
    }

    #[test]
    fn there_is_an_end() {
        let mut pool = Pool::new();
        let mut count = 0;
        while pool.try_reserve(1, 5000).is_ok() {
            assert!(pool.insert(Item(0)) < 5000);
            count += 1;
        }
        assert_eq!(count, 4096, "the next chunk would exceed it");
    }
}
