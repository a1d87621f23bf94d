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
    /// The first ones; it doubles, and moves, as long as it is small.
    first: Vec<T>,
    /// Chunks with those that follow, which never move.
    later: Vec<Vec<T>>,
    /// Places in both.
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

impl<T> Pool<T> {
    /// How many come before the chunks: 256 KB at most, which are moved in no time.
    const FIRST: u32 = 1 << ((1 << 18) / size_of::<T>()).ilog2();

    pub(super) const fn new() -> Self {
        Pool { first: Vec::new(), later: Vec::new(), places: 0, used: 0, free: NIL, free_len: 0 }
    }

    /// The item with this number, or none for [`NIL`].
    #[inline(always)]
    pub(super) fn get(&self, number: u32) -> Option<&T> {
        match self.first.get(number as usize) {
            Some(item) => Some(item),
            None => {
                let (chunk, place) = Self::locate(number);
                self.later.get(chunk)?.get(place)
            }
        }
    }

    /// Chunk and place there of an item that is not among the first ones.
    #[inline(always)]
    fn locate(number: u32) -> (usize, usize) {
        let after = number.wrapping_sub(Self::FIRST);
        ((after / CHUNK) as usize, (after % CHUNK) as usize)
    }
}

impl<T: Chained> Pool<T> {
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
            self.try_grow(insertions, most)?;
        }
        Ok(())
    }

    #[cold]
    fn try_grow(&mut self, insertions: u32, most: u32) -> Result<(), NoMemory> {
        let is_small = self.places < Self::FIRST;
        let more = match self.places {
            0 => insertions.next_power_of_two().min(Self::FIRST),
            places if is_small => places,
            _ => CHUNK,
        };
        if more > most.saturating_sub(self.places) {
            return Err(NoMemory);
        }
        if is_small {
            let places = (self.places + more) as usize;
            self.first.try_reserve_exact(places - self.first.len())?;
        } else {
            let mut chunk = Vec::new();
            chunk.try_reserve_exact(CHUNK as usize)?;
            self.later.try_reserve(1)?;
            self.later.push(chunk);
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
        if number < Self::FIRST {
            self.first.push(item);
        } else {
            self.later[Self::locate(number).0].push(item);
        }
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
        self.get(number).expect("an item that is there")
    }
}

impl<T> std::ops::IndexMut<u32> for Pool<T> {
    #[inline(always)]
    fn index_mut(&mut self, number: u32) -> &mut T {
        if number < Self::FIRST {
            return &mut self.first[number as usize];
        }
        let (chunk, place) = Self::locate(number);
        &mut self.later[chunk][place]
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
        const N: u32 = 100_000;
        const { assert!(N > Pool::<Item>::FIRST + 10 * CHUNK) };
        for n in 0..N {
            pool.try_reserve(1 + n % 3, NIL).unwrap();
            assert_eq!(pool.insert(Item(n)), n);
            assert!(pool.room() <= n.min(Pool::<Item>::FIRST) + 4);
        }
        assert!((0..N).all(|n| pool[n] == Item(n)));
        assert!(pool.get(NIL).is_none());
        (0..N).step_by(3).for_each(|n| pool.remove(n));
        assert_eq!(pool.len(), 66_666);
        for _ in 0..33_334 {
            assert!(pool.room() > 0);
            let number = pool.insert(Item(1));
            assert_eq!(number % 3, 0, "a free place is used again");
        }
        assert_eq!(pool.len(), N as usize);
        assert!((0..N).all(|n| pool[n] == Item(if n % 3 == 0 { 1 } else { n })));
    }

    #[test]
    fn there_is_an_end() {
        let mut pool = Pool::new();
        let mut count = 0;
        let most = Pool::<Item>::FIRST + 3 * CHUNK - 1;
        while pool.try_reserve(1, most).is_ok() {
            assert!(pool.insert(Item(0)) < most);
            count += 1;
        }
        assert_eq!(count, Pool::<Item>::FIRST + 2 * CHUNK, "the next chunk would exceed it");
    }
}
