//! The order in which the sessions of a shard expire.
//!
//! Sessions that expire in the same second form a queue through the entries' own `prev` and
//! `next`, oldest insertion first. The seconds themselves lie sorted in blocks of up to [`FULL`],
//! and the blocks in one sorted list: a search tree of two levels. So a session is
//! - added in O(1) if nothing expires later, which is usual: timeouts rarely differ; and else
//!   with two binary searches, whatever the mix of timeouts is;
//! - removed in O(1) from inside a queue, with the same two searches at its ends;
//! - and the next to expire is always at hand.
//!
//! A balanced binary tree would have the better worst case on paper. But it is one cache miss
//! per level, where this is three or four in all; and a second takes 16 bytes here, 32 there.
//! Not a `BTreeMap`, because every allocation must be able to fail without an abort: blocks that
//! a split may need are allocated beforehand.
//!
//! Invariants: seconds ascend strictly over all blocks; no queue is empty; no block is empty
//! unless it is the only one; if there are several blocks, each has room for [`FULL`].

use super::expiry::Expiry;
use super::lines::Lines;
use super::slab::{Entry, NIL, NoMemory};

/// Seconds in a block.
const FULL: usize = 64;

/// The sessions that expire in one second: the ends of their queue.
#[derive(Clone, Copy)]
struct Second {
    expiry: Expiry,
    oldest: u32,
    newest: u32,
}

struct Block {
    /// The expiry of the first second, so that a search need not look into each block.
    first: Expiry,
    seconds: Vec<Second>,
}

impl Block {
    fn new(seconds: Vec<Second>) -> Self {
        let mut block = Block { first: Expiry::FIRST, seconds };
        block.note_first();
        block
    }

    fn note_first(&mut self) {
        if let Some(first) = self.seconds.first() {
            self.first = first.expiry;
        }
    }
}

/// Where a second is, or where it would be inserted.
#[derive(Clone, Copy, Debug)]
struct Place {
    block: usize,
    at: usize,
}

/// The order.
#[derive(Default)]
pub(super) struct Timeline {
    blocks: Vec<Block>,
    /// Memory for blocks to come.
    spare: Vec<Vec<Second>>,
    /// How many seconds there are.
    seconds: usize,
    /// Sessions.
    len: usize,
}

impl Timeline {
    /// Sessions in the order.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Makes sure that the next `more` sessions need no memory.
    pub(super) fn try_reserve(&mut self, more: usize) -> Result<(), NoMemory> {
        if self.blocks.is_empty() {
            self.blocks.try_reserve_exact(1)?;
            self.blocks.push(Block::new(Vec::new()));
        }
        if let [only] = &mut self.blocks[..] {
            // A small cache has one block that grows by half.
            let len = only.seconds.len();
            let room = (len + more.max(len / 2)).min(FULL);
            if len + more > only.seconds.capacity() && room > only.seconds.capacity() {
                only.seconds.try_reserve_exact(room - len)?;
            }
            if len + more <= FULL {
                return Ok(());
            }
        }
        // At most, every block is full and split, and what is split fills up again.
        let splits = more.min(self.blocks.len() + more / (FULL / 2) + 1);
        if self.spare.len() < splits {
            self.spare.try_reserve(splits - self.spare.len())?;
        }
        self.blocks.try_reserve(splits)?;
        while self.spare.len() < splits {
            let mut seconds = Vec::new();
            seconds.try_reserve_exact(FULL)?;
            self.spare.push(seconds);
        }
        Ok(())
    }

    /// Gives an entry its place: after all that expire with it or sooner. Room was reserved.
    /// Tells whether it is now the first of all.
    pub(super) fn link(&mut self, entries: &Lines<Entry>, number: u32) -> bool {
        self.len += 1;
        let entry = entries.entry(number);
        let expiry = entry.expiry();
        entry.set_next(NIL);
        match self.search(expiry) {
            Ok(place) => {
                let second = self.second_mut(place);
                let before = std::mem::replace(&mut second.newest, number);
                entry.set_prev(before);
                entries.entry(before).set_next(number);
                false
            }
            Err(place) => {
                entry.set_prev(NIL);
                self.insert(place, Second { expiry, oldest: number, newest: number });
                place.block == 0 && place.at == 0
            }
        }
    }

    /// Takes an entry out. Tells whether it was the first of all.
    pub(super) fn unlink(&mut self, entries: &Lines<Entry>, number: u32) -> bool {
        let was_first = self.first() == Some(number);
        self.len -= 1;
        let entry = entries.entry(number);
        let (prev, next) = entry.neighbours();
        entry.set_unlinked();
        if prev != NIL {
            entries.entry(prev).set_next(next);
        }
        if next != NIL {
            entries.entry(next).set_prev(prev);
        }
        if prev == NIL || next == NIL {
            self.shorten(entry.expiry(), prev, next);
        }
        was_first
    }

    /// An end of a queue has left, between these two.
    fn shorten(&mut self, expiry: Expiry, prev: u32, next: u32) {
        // What makes room or expires is the first.
        let place = if self.first_expiry() == Some(expiry) {
            Place { block: 0, at: 0 }
        } else {
            self.search(expiry).expect("a linked entry is in the queue of its second")
        };
        let second = self.second_mut(place);
        match (prev, next) {
            (NIL, NIL) => self.remove(place),
            (NIL, next) => second.oldest = next,
            (prev, _) => second.newest = prev,
        }
    }

    /// The entry that expires first.
    pub(super) fn first(&self) -> Option<u32> {
        Some(self.blocks.first()?.seconds.first()?.oldest)
    }

    /// When it expires.
    pub(super) fn first_expiry(&self) -> Option<Expiry> {
        Some(self.blocks.first()?.seconds.first()?.expiry)
    }

    /// The entry that comes after this one.
    pub(super) fn after(&self, entries: &Lines<Entry>, number: u32) -> Option<u32> {
        let entry = entries.entry(number);
        match entry.neighbours() {
            (_, NIL) => self.first_after(entry.expiry()),
            (_, next) => Some(next),
        }
    }

    /// The first entry that expires at `expiry` or later.
    pub(super) fn first_from(&self, expiry: Expiry) -> Option<u32> {
        let (Ok(place) | Err(place)) = self.search(expiry);
        self.oldest_from(place)
    }

    /// The first entry that expires later than `expiry`.
    pub(super) fn first_after(&self, expiry: Expiry) -> Option<u32> {
        match self.search(expiry) {
            Ok(Place { block, at }) => self.oldest_from(Place { block, at: at + 1 }),
            Err(place) => self.oldest_from(place),
        }
    }

    /// The oldest entry of the second at this place, or of the next one if there is none.
    fn oldest_from(&self, place: Place) -> Option<u32> {
        let here = self.blocks.get(place.block)?.seconds.get(place.at);
        let next = || self.blocks.get(place.block + 1)?.seconds.first();
        here.or_else(next).map(|second| second.oldest)
    }

    /// Where the second is, or where it belongs.
    fn search(&self, expiry: Expiry) -> Result<Place, Place> {
        let Some(last) = self.blocks.last() else {
            return Err(Place { block: 0, at: 0 });
        };
        // Usually it is the last one, or a new last one.
        let block = if last.first <= expiry {
            self.blocks.len() - 1
        } else {
            let after = self.blocks.partition_point(|block| block.first <= expiry);
            after.saturating_sub(1)
        };
        let seconds = &self.blocks[block].seconds;
        let at = match seconds.last() {
            Some(last) if last.expiry < expiry => Err(seconds.len()),
            Some(last) if last.expiry == expiry => Ok(seconds.len() - 1),
            _ => seconds.binary_search_by_key(&expiry, |second| second.expiry),
        };
        at.map(|at| Place { block, at }).map_err(|at| Place { block, at })
    }

    fn second_mut(&mut self, place: Place) -> &mut Second {
        &mut self.blocks[place.block].seconds[place.at]
    }

    fn insert(&mut self, mut place: Place, second: Second) {
        self.seconds += 1;
        if self.blocks[place.block].seconds.len() == FULL {
            place = self.split(place);
        }
        let block = &mut self.blocks[place.block];
        block.seconds.insert(place.at, second);
        block.note_first();
    }

    /// Splits a full block; tells where the place in it is now.
    fn split(&mut self, Place { block, at }: Place) -> Place {
        let mut upper = self.spare.pop().expect("room was reserved");
        // Behind all others a new block starts, so that ascending seconds fill theirs.
        let is_end = at == FULL && block + 1 == self.blocks.len();
        let keep = if is_end { FULL } else { FULL / 2 };
        upper.extend(self.blocks[block].seconds.drain(keep..));
        self.blocks.insert(block + 1, Block::new(upper));
        if at < keep { Place { block, at } } else { Place { block: block + 1, at: at - keep } }
    }

    fn remove(&mut self, Place { block, at }: Place) {
        self.seconds -= 1;
        self.blocks[block].seconds.remove(at);
        self.blocks[block].note_first();
        if !self.merge(block) && block > 0 {
            self.merge(block - 1);
        }
    }

    /// Joins a block with the next one if both are nearly empty.
    fn merge(&mut self, block: usize) -> bool {
        let [lower, upper, ..] = &mut self.blocks[block..] else {
            return false;
        };
        let len = lower.seconds.len() + upper.seconds.len();
        let is_due = len <= FULL / 2 || lower.seconds.is_empty() || upper.seconds.is_empty();
        if is_due {
            lower.seconds.append(&mut upper.seconds);
            lower.note_first();
            let emptied = self.blocks.remove(block + 1).seconds;
            if self.spare.is_empty() && self.spare.capacity() > 0 {
                self.spare.push(emptied);
            }
        }
        is_due
    }

    /// Panics unless blocks, seconds and queues agree with each other and with the entries.
    pub(super) fn validate(&self, lines: &Lines<Entry>) {
        let (mut seconds, mut entries) = (0, 0);
        let mut latest = None;
        for (number, block) in self.blocks.iter().enumerate() {
            let len = block.seconds.len();
            assert!(len <= FULL && (len > 0 || self.blocks.len() == 1));
            assert!(self.blocks.len() == 1 || block.seconds.capacity() >= FULL);
            for (at, second) in block.seconds.iter().enumerate() {
                assert!(at > 0 || block.first == second.expiry);
                assert!(latest < Some(second.expiry), "seconds ascend");
                let found = self.search(second.expiry).ok();
                assert!(found.is_some_and(|found| (found.block, found.at) == (number, at)));
                entries += Self::validate_queue(lines, second);
                latest = Some(second.expiry);
                seconds += 1;
            }
        }
        assert_eq!(seconds, self.seconds);
        assert_eq!(entries, self.len);
    }

    fn validate_queue(entries: &Lines<Entry>, second: &Second) -> usize {
        let mut len = 0;
        let (mut prev, mut number) = (NIL, second.oldest);
        while number != NIL {
            let entry = entries.entry(number);
            assert!(entry.is_linked());
            assert_eq!(entry.expiry(), second.expiry);
            assert_eq!(entry.neighbours().0, prev);
            assert!(
                prev == NIL || entries.entry(prev).sequence() < entry.sequence(),
                "the oldest insertion is first"
            );
            len += 1;
            (prev, number) = (number, entry.neighbours().1);
        }
        assert_eq!(second.newest, prev, "a queue is never empty");
        len
    }
}

#[cfg(test)]
mod tests {
    use super::super::key::mix;
    use super::super::lines::number_of;
    use super::*;

    /// The entry that gets this sequence number.
    fn number(sequence: u64) -> u32 {
        number_of(sequence as usize)
    }

    fn add(order: &mut Timeline, entries: &Lines<Entry>, expiry: u64, sequence: u64) -> bool {
        let room = sequence as usize + 1;
        assert!(entries.try_grow_to(room).is_ok() && order.try_reserve(1).is_ok());
        let entry = entries.entry(number(sequence));
        entry.set_expiry(Expiry::from_raw(expiry));
        entry.set_sequence(sequence);
        order.link(entries, number(sequence))
    }

    fn walk(order: &Timeline, entries: &Lines<Entry>) -> Vec<(u64, u64)> {
        std::iter::successors(order.first(), |&number| order.after(entries, number))
            .map(|number| entries.entry(number))
            .map(|entry| (entry.expiry().raw(), entry.sequence()))
            .collect()
    }

    #[test]
    fn sorted_by_expiry_then_by_insertion() {
        let (mut order, entries) = (Timeline::default(), Lines::new());
        for (sequence, expiry) in [5, 3, 9, 5, 3, u64::MAX, 0, 9, u64::MAX].iter().enumerate() {
            add(&mut order, &entries, *expiry, sequence as u64);
        }
        order.validate(&entries);
        let never = u64::MAX;
        assert_eq!(
            walk(&order, &entries),
            [(0, 6), (3, 1), (3, 4), (5, 0), (5, 3), (9, 2), (9, 7), (never, 5), (never, 8)]
        );
        let at = |expiry| {
            let first = order.first_from(Expiry::from_raw(expiry));
            first.map(|number| entries.entry(number).sequence())
        };
        assert_eq!(at(0), Some(6));
        assert_eq!(at(1), Some(1));
        assert_eq!(at(4), Some(0));
        assert_eq!(at(10), Some(5));
        assert_eq!(order.first_after(Expiry::from_raw(0)), Some(number(1)));
    }

    #[test]
    fn agrees_with_a_sorted_list_under_random_changes() {
        let (mut order, entries) = (Timeline::default(), Lines::new());
        let mut model: Vec<(u64, u64)> = Vec::new();
        let mut random = 7;
        for sequence in 0..5000 {
            random = mix(random + 1);
            let range = [3, 50, 100_000][(sequence / 500 % 3) as usize];
            if random >> 60 < 9 || model.is_empty() {
                let expiry = random % range;
                let is_first = add(&mut order, &entries, expiry, sequence);
                let at = model.partition_point(|m| *m < (expiry, sequence));
                model.insert(at, (expiry, sequence));
                assert_eq!(is_first, at == 0);
            } else {
                let at = random as usize % model.len();
                let (_, sequence) = model.remove(at);
                assert_eq!(order.unlink(&entries, number(sequence)), at == 0);
            }
            assert_eq!(order.first(), model.first().map(|m| number(m.1)));
            if sequence % 50 == 0 {
                order.validate(&entries);
                assert_eq!(walk(&order, &entries), model);
            }
        }
    }

    #[test]
    fn ascending_seconds_fill_their_blocks_and_random_ones_half_at_least() {
        for stride in [1, 7919] {
            let (mut order, entries) = (Timeline::default(), Lines::new());
            for n in 0..10_000 {
                add(&mut order, &entries, n * stride % 10_007, n);
            }
            order.validate(&entries);
            let least = if stride == 1 { FULL } else { FULL / 2 };
            assert!(order.blocks.len() <= 10_000 / least + 1);
        }
    }

    #[test]
    fn blocks_that_empty_are_joined() {
        let (mut order, entries) = (Timeline::default(), Lines::new());
        for n in 0..6400 {
            add(&mut order, &entries, n, n);
        }
        for n in (0..6400).filter(|n| n % 32 != 0) {
            order.unlink(&entries, number(n));
        }
        order.validate(&entries);
        assert_eq!(order.len(), 200);
        assert!(order.blocks.len() <= 200 / 16 + 1, "{}", order.blocks.len());
    }

    /// The only block holds all a small cache needs.
    #[test]
    fn a_small_order_allocates_little() {
        let (mut order, entries) = (Timeline::default(), Lines::new());
        for n in 0..10 {
            add(&mut order, &entries, n, n);
        }
        assert!(order.blocks[0].seconds.capacity() <= 16);
        assert!(order.spare.capacity() == 0 && order.blocks.capacity() <= 4);
    }
}
