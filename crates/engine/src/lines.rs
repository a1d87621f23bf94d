//! An array that grows at its end and whose items never move: it can be read while it grows.
//!
//! The items lie in chunks, four of each size, so that never more than a fifth of a large array is
//! unused. Nothing is given back before the array goes: a reader may be looking at it.
//!
//! An item is addressed by its *number*: the chunk in the upper byte, the place there in the rest. So
//! getting at it takes no arithmetic. Its *rank* counts the items before it.

use super::sharding::boxed;
use super::slab::NoMemory;
use once_cell::race::OnceBox;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Chunks of one size.
const SAME: usize = 4;
/// Items in each of the first four. Each four more are twice as large.
const SMALLEST: usize = 4;
const CHUNKS: usize = 18 * SAME;

/// The array. Only who holds the lock of its shard makes it grow.
pub(super) struct Lines<T> {
    chunks: [OnceBox<[Box<[T]>; 1]>; CHUNKS],
    /// The chunks there are.
    len: AtomicUsize,
}

/// Bits of a number for the place in its chunk.
const PLACE_BITS: u32 = 24;

/// The number of the item that has so many before it.
pub(super) fn number_of(rank: usize) -> u32 {
    // Counted from four times the smallest chunk, the highest bit tells the size of the chunk, the
    // next two which of the four, and the rest the place in it.
    let rank = rank + SAME * SMALLEST;
    let log = rank.ilog2() - SAME.ilog2();
    let (quarter, place) = (rank >> log, rank % (1 << log));
    let octave = (log - SMALLEST.ilog2()) as usize;
    (((octave * SAME + quarter % SAME) << PLACE_BITS) | place) as u32
}

/// The chunk of the item with this number, and its place there.
#[inline]
pub(super) fn parts(number: u32) -> (usize, usize) {
    (number as usize >> PLACE_BITS, number as usize % (1 << PLACE_BITS))
}

/// The items in so many chunks.
#[inline]
pub(super) fn room_of(chunks: usize) -> usize {
    let (octave, quarter) = (chunks / SAME, SAME + chunks % SAME);
    ((quarter * SMALLEST) << octave) - SAME * SMALLEST
}

impl<T> Lines<T> {
    pub(super) const fn new() -> Self {
        Lines { chunks: [const { OnceBox::new() }; CHUNKS], len: AtomicUsize::new(0) }
    }

    /// The items there are.
    pub(super) fn room(&self) -> usize {
        room_of(self.len.load(Ordering::Relaxed))
    }

    #[inline(always)]
    pub(super) fn get(&self, number: u32) -> Option<&T> {
        let (chunk, place) = parts(number);
        self.chunks.get(chunk)?.get()?[0].get(place)
    }
}

impl<T: Default> Lines<T> {
    /// Makes sure that there are so many items.
    pub(super) fn try_grow_to(&self, room: usize) -> Result<(), NoMemory> {
        while self.room() < room {
            self.try_add_chunk()?;
        }
        Ok(())
    }

    #[cold]
    fn try_add_chunk(&self) -> Result<(), NoMemory> {
        let len = self.len.load(Ordering::Relaxed);
        let place = self.chunks.get(len).ok_or(NoMemory)?;
        let size = room_of(len + 1) - room_of(len);
        let chunk = boxed(|_| {
            let mut items = Vec::new();
            items.try_reserve_exact(size)?;
            items.resize_with(size, T::default);
            Ok(items.into_boxed_slice())
        })?;
        // Only who holds the lock sets it, and it was not set.
        let _ = place.set(chunk);
        self.len.store(len + 1, Ordering::Relaxed);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_has_a_place_of_its_own_and_keeps_it() {
        let lines = Lines::<AtomicUsize>::new();
        assert!(lines.get(0).is_none());
        for rank in 0..10_000 {
            if rank == lines.room() {
                assert!(lines.get(number_of(rank)).is_none());
                assert!(lines.try_grow_to(rank + 1).is_ok());
            }
            assert!(lines.room() - rank <= SMALLEST + rank / 4);
            let item = lines.get(number_of(rank)).unwrap();
            assert_eq!(item.swap(rank, Ordering::Relaxed), 0);
            let (chunk, place) = parts(number_of(rank));
            assert_eq!(room_of(chunk) + place, rank);
        }
        let item = |rank| lines.get(number_of(rank)).map(|item| item.load(Ordering::Relaxed));
        assert!((0..10_000).all(|rank| item(rank) == Some(rank)));
        assert!((0..lines.room()).all(|rank| item(rank).is_some()));
        assert!(item(lines.room()).is_none());
    }

    #[test]
    fn there_is_an_end() {
        let lines = Lines::<u8>::new();
        let most = room_of(CHUNKS);
        let last = number_of(most - 1);
        assert_eq!(parts(last).0, CHUNKS - 1);
        assert_eq!(parts(number_of(most)).0, CHUNKS);
        assert!(room_of(CHUNKS) - room_of(CHUNKS - 1) <= 1 << PLACE_BITS);
        for nowhere in [last, number_of(most), u32::MAX, u32::MAX - 1] {
            assert!(lines.get(nowhere).is_none());
        }
    }
}
