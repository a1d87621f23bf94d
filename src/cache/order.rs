//! The order in which the sessions of a shard expire.
//!
//! Sessions that expire in the same second form a bucket: a queue through the entries' own
//! `prev` and `next`, oldest insertion first. Buckets are chained in order of expiry, and are
//! found through a search tree (a treap) over their expiry. So a session is
//! - added in O(1) if nothing expires later, which is usual: timeouts rarely differ; and in
//!   O(log buckets) whatever the mix of timeouts is;
//! - removed in O(1), unless its bucket goes with it;
//! - and the next to expire is always at hand.
//!
//! The first entry of a bucket has the bucket itself for its `prev`, the last one for its `next`,
//! told from an entry's number by the top bit: removal needs no search for the bucket.
//!
//! Not a `BTreeMap`: every allocation here must be able to fail without an abort. A treap needs
//! no balance data either when a bucket's priority is a keyed hash of its expiry; its shape then
//! depends on the set of expiries alone, so nobody can bring it out of balance by an order of
//! operations, nor, without the key, by a choice of timeouts.

use super::expiry::Expiry;
use super::key::{mix, process_seed};
use super::slab::{MOST, NIL, NoMemory, Slab};

/// Marks a number in an entry's `prev` or `next` as a bucket's.
const BUCKET: u32 = 1 << 31;

#[derive(Clone, Copy)]
struct Bucket {
    expiry: Expiry,
    /// In the tree.
    left: u32,
    right: u32,
    /// In order of expiry. `next` also chains the free places.
    prev: u32,
    next: u32,
    /// The oldest and the newest entry; a bucket is never empty.
    oldest: u32,
    newest: u32,
}

const _: () = assert!(size_of::<Bucket>() == 32);

/// Where a link of the tree is stored.
#[derive(Clone, Copy)]
enum Branch {
    Root,
    Left(u32),
    Right(u32),
}

/// The order.
pub(super) struct Timeline {
    buckets: Vec<Bucket>,
    free: u32,
    /// Buckets in use.
    in_use: usize,
    root: u32,
    first: u32,
    last: u32,
    /// Sessions.
    len: usize,
}

impl Default for Timeline {
    fn default() -> Self {
        Timeline {
            buckets: Vec::new(),
            free: NIL,
            in_use: 0,
            root: NIL,
            first: NIL,
            last: NIL,
            len: 0,
        }
    }
}

impl Timeline {
    /// Sessions in the order.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Makes sure that the next `more` sessions need no memory.
    pub(super) fn try_reserve(&mut self, more: usize) -> Result<(), NoMemory> {
        let target = self.in_use + more;
        if target >= MOST {
            return Err(NoMemory);
        }
        if target > self.buckets.capacity() {
            // A quarter more: half a bucket too many for each session would be memory wasted.
            let more = (target - self.buckets.len()).max(self.buckets.len() / 4 + 2);
            self.buckets.try_reserve_exact(more)?;
        }
        Ok(())
    }

    /// Gives an entry its place: after all that expire with it or sooner. Room was reserved.
    /// Tells whether it is now the first of all.
    pub(super) fn link<S>(&mut self, slab: &mut Slab<S>, entry: u32) -> bool {
        let expiry = slab.entry(entry).expiry;
        self.len += 1;
        slab.entry_mut(entry).linked = true;
        if let Some(bucket) = self.bucket_of(expiry) {
            self.append(slab, bucket, entry);
            return false;
        }
        let bucket = self.add_bucket(expiry, entry);
        let entry = slab.entry_mut(entry);
        entry.prev = bucket | BUCKET;
        entry.next = bucket | BUCKET;
        self.first == bucket
    }

    fn append<S>(&mut self, slab: &mut Slab<S>, bucket: u32, entry: u32) {
        let before = std::mem::replace(&mut self.bucket_mut(bucket).newest, entry);
        slab.entry_mut(before).next = entry;
        let entry = slab.entry_mut(entry);
        entry.prev = before;
        entry.next = bucket | BUCKET;
    }

    /// Takes an entry out. Tells whether it was the first of all.
    pub(super) fn unlink<S>(&mut self, slab: &mut Slab<S>, entry: u32) -> bool {
        self.len -= 1;
        let here = slab.entry_mut(entry);
        here.linked = false;
        let (prev, next) = (here.prev, here.next);
        let is_oldest = prev & BUCKET != 0;
        let was_first = is_oldest && prev & !BUCKET == self.first;
        match (is_oldest, next & BUCKET != 0) {
            (true, true) => self.remove_bucket(prev & !BUCKET),
            (true, false) => {
                self.bucket_mut(prev & !BUCKET).oldest = next;
                slab.entry_mut(next).prev = prev;
            }
            (false, true) => {
                self.bucket_mut(next & !BUCKET).newest = prev;
                slab.entry_mut(prev).next = next;
            }
            (false, false) => {
                slab.entry_mut(prev).next = next;
                slab.entry_mut(next).prev = prev;
            }
        }
        was_first
    }

    /// The entry that expires first.
    pub(super) fn first(&self) -> Option<u32> {
        (self.first != NIL).then(|| self.bucket(self.first).oldest)
    }

    /// The entry that comes after this one.
    pub(super) fn after<S>(&self, slab: &Slab<S>, entry: u32) -> Option<u32> {
        let next = slab.entry(entry).next;
        if next & BUCKET == 0 {
            return Some(next);
        }
        let bucket = self.bucket(next & !BUCKET).next;
        (bucket != NIL).then(|| self.bucket(bucket).oldest)
    }

    /// Given the oldest entry of a second, the oldest of the next one.
    pub(super) fn first_of_next_second<S>(&self, slab: &Slab<S>, oldest: u32) -> Option<u32> {
        let bucket = slab.entry(oldest).prev & !BUCKET;
        let next = self.bucket(bucket).next;
        (next != NIL).then(|| self.bucket(next).oldest)
    }

    /// The first entry that does not expire before `expiry`.
    pub(super) fn first_from(&self, expiry: Expiry) -> Option<u32> {
        let mut found = NIL;
        let mut bucket = self.root;
        if self.first != NIL && self.bucket(self.first).expiry >= expiry {
            (found, bucket) = (self.first, NIL);
        }
        while bucket != NIL {
            let here = self.bucket(bucket);
            if here.expiry < expiry {
                bucket = here.right;
            } else {
                found = bucket;
                bucket = here.left;
            }
        }
        (found != NIL).then(|| self.bucket(found).oldest)
    }

    fn bucket(&self, bucket: u32) -> &Bucket {
        &self.buckets[bucket as usize]
    }

    fn bucket_mut(&mut self, bucket: u32) -> &mut Bucket {
        &mut self.buckets[bucket as usize]
    }

    fn bucket_of(&self, expiry: Expiry) -> Option<u32> {
        if self.last == NIL || expiry > self.bucket(self.last).expiry {
            return None;
        }
        if expiry == self.bucket(self.last).expiry {
            return Some(self.last);
        }
        let mut bucket = self.root;
        while bucket != NIL {
            let here = self.bucket(bucket);
            bucket = match expiry.cmp(&here.expiry) {
                std::cmp::Ordering::Less => here.left,
                std::cmp::Ordering::Equal => return Some(bucket),
                std::cmp::Ordering::Greater => here.right,
            };
        }
        None
    }

    /// A new bucket with one entry, for an expiry that has none.
    fn add_bucket(&mut self, expiry: Expiry, entry: u32) -> u32 {
        let bucket = self.allocate(Bucket {
            expiry,
            left: NIL,
            right: NIL,
            prev: NIL,
            next: NIL,
            oldest: entry,
            newest: entry,
        });
        let (prev, next) = self.plant(bucket);
        let here = self.bucket_mut(bucket);
        (here.prev, here.next) = (prev, next);
        self.join(prev, bucket);
        self.join(bucket, next);
        bucket
    }

    fn remove_bucket(&mut self, bucket: u32) {
        self.uproot(bucket);
        let Bucket { prev, next, .. } = *self.bucket(bucket);
        self.join(prev, next);
        self.release(bucket);
    }

    /// Makes two buckets (or ends) neighbours.
    fn join(&mut self, before: u32, after: u32) {
        match before {
            NIL => self.first = after,
            _ => self.bucket_mut(before).next = after,
        }
        match after {
            NIL => self.last = before,
            _ => self.bucket_mut(after).prev = before,
        }
    }

    fn allocate(&mut self, bucket: Bucket) -> u32 {
        self.in_use += 1;
        if self.free == NIL {
            self.buckets.push(bucket);
            return (self.buckets.len() - 1) as u32;
        }
        let number = self.free;
        self.free = self.bucket(number).next;
        *self.bucket_mut(number) = bucket;
        number
    }

    fn release(&mut self, bucket: u32) {
        self.in_use -= 1;
        self.bucket_mut(bucket).next = std::mem::replace(&mut self.free, bucket);
    }

    /// Puts a bucket into the tree and tells its neighbours in order: below those of higher
    /// priority, above the rest, which is split by expiry to its left and right.
    fn plant(&mut self, bucket: u32) -> (u32, u32) {
        let expiry = self.bucket(bucket).expiry;
        let priority = priority(expiry);
        let (mut prev, mut next) = (NIL, NIL);
        let mut branch = Branch::Root;
        let mut rest = self.root;
        while rest != NIL {
            let here = *self.bucket(rest);
            if priority_is_lower(here.expiry, priority) {
                break;
            }
            if here.expiry < expiry {
                (prev, branch, rest) = (rest, Branch::Right(rest), here.right);
            } else {
                (next, branch, rest) = (rest, Branch::Left(rest), here.left);
            }
        }
        self.set(branch, bucket);
        let (mut sooner, mut later) = (Branch::Left(bucket), Branch::Right(bucket));
        while rest != NIL {
            let here = *self.bucket(rest);
            if here.expiry < expiry {
                self.set(sooner, rest);
                (prev, sooner, rest) = (rest, Branch::Right(rest), here.right);
            } else {
                self.set(later, rest);
                (next, later, rest) = (rest, Branch::Left(rest), here.left);
            }
        }
        self.set(sooner, NIL);
        self.set(later, NIL);
        (prev, next)
    }

    /// Takes a bucket out of the tree: its two subtrees are merged in its place.
    fn uproot(&mut self, bucket: u32) {
        let here = *self.bucket(bucket);
        let mut branch = self.branch_to(bucket);
        let (mut sooner, mut later) = (here.left, here.right);
        while sooner != NIL && later != NIL {
            let later_priority = priority(self.bucket(later).expiry);
            if priority_is_lower(self.bucket(sooner).expiry, later_priority) {
                self.set(branch, later);
                branch = Branch::Left(later);
                later = self.bucket(later).left;
            } else {
                self.set(branch, sooner);
                branch = Branch::Right(sooner);
                sooner = self.bucket(sooner).right;
            }
        }
        self.set(branch, if sooner == NIL { later } else { sooner });
    }

    fn branch_to(&self, bucket: u32) -> Branch {
        let expiry = self.bucket(bucket).expiry;
        let mut branch = Branch::Root;
        let mut at = self.root;
        while at != bucket {
            let here = self.bucket(at);
            (branch, at) = if expiry < here.expiry {
                (Branch::Left(at), here.left)
            } else {
                (Branch::Right(at), here.right)
            };
        }
        branch
    }

    fn set(&mut self, branch: Branch, to: u32) {
        match branch {
            Branch::Root => self.root = to,
            Branch::Left(bucket) => self.bucket_mut(bucket).left = to,
            Branch::Right(bucket) => self.bucket_mut(bucket).right = to,
        }
    }

    /// Panics unless chain, tree and queues agree with each other and with the entries.
    pub(super) fn validate<S>(&self, slab: &Slab<S>) {
        let (mut buckets, mut entries) = (0, 0);
        let (mut prev, mut at) = (NIL, self.first);
        while at != NIL {
            let bucket = self.bucket(at);
            assert_eq!(bucket.prev, prev);
            assert!(prev == NIL || self.bucket(prev).expiry < bucket.expiry);
            assert_eq!(self.bucket_of(bucket.expiry), Some(at), "the tree finds it");
            entries += self.validate_queue(slab, at);
            buckets += 1;
            (prev, at) = (at, bucket.next);
        }
        assert_eq!(self.last, prev);
        assert_eq!(buckets, self.in_use);
        assert_eq!(entries, self.len);
        assert_eq!(self.validate_tree(self.root, u64::MAX), buckets);
        let mut free = 0;
        let mut at = self.free;
        while at != NIL {
            free += 1;
            at = self.bucket(at).next;
        }
        assert_eq!(free + buckets, self.buckets.len(), "free or in use");
    }

    fn validate_queue<S>(&self, slab: &Slab<S>, number: u32) -> usize {
        let bucket = self.bucket(number);
        let mut len = 0;
        let (mut prev, mut at) = (number | BUCKET, bucket.oldest);
        while at & BUCKET == 0 {
            let entry = slab.entry(at);
            assert!(entry.linked && entry.is_occupied());
            assert_eq!(entry.expiry, bucket.expiry);
            assert_eq!(entry.prev, prev);
            assert!(
                prev & BUCKET != 0 || slab.sequence(prev) < slab.sequence(at),
                "the oldest insertion is first"
            );
            len += 1;
            (prev, at) = (at, entry.next);
        }
        assert_eq!(at, number | BUCKET);
        assert_eq!(bucket.newest, prev, "a bucket is never empty");
        len
    }

    fn validate_tree(&self, at: u32, highest: u64) -> usize {
        if at == NIL {
            return 0;
        }
        let bucket = self.bucket(at);
        let priority = priority(bucket.expiry);
        assert!(priority <= highest);
        1 + self.validate_tree(bucket.left, priority) + self.validate_tree(bucket.right, priority)
    }
}

fn priority(expiry: Expiry) -> u64 {
    mix(expiry.raw() ^ process_seed())
}

fn priority_is_lower(expiry: Expiry, than: u64) -> bool {
    priority(expiry) < than
}

#[cfg(test)]
mod tests {
    use super::super::key::Key;
    use super::super::slab::Entry;
    use super::*;

    fn add(order: &mut Timeline, slab: &mut Slab<u64>, expiry: u64, sequence: u64) -> (u32, bool) {
        assert!(slab.try_reserve(1).is_ok() && order.try_reserve(1).is_ok());
        let key = Key::new(0, &sequence.to_be_bytes()).unwrap();
        let entry = Entry::new(&key, Expiry::from_raw(expiry), sequence);
        let number = slab.insert(entry, sequence);
        (number, order.link(slab, number))
    }

    fn walk(order: &Timeline, slab: &Slab<u64>) -> Vec<(u64, u64)> {
        std::iter::successors(order.first(), |&entry| order.after(slab, entry))
            .map(|entry| (slab.entry(entry).expiry.raw(), slab.sequence(entry)))
            .collect()
    }

    #[test]
    fn sorted_by_expiry_then_by_insertion() {
        let (mut order, mut slab) = (Timeline::default(), Slab::default());
        for (sequence, expiry) in [5, 3, 9, 5, 3, u64::MAX, 0, 9, u64::MAX].iter().enumerate() {
            add(&mut order, &mut slab, *expiry, sequence as u64);
        }
        order.validate(&slab);
        let never = u64::MAX;
        assert_eq!(
            walk(&order, &slab),
            [(0, 6), (3, 1), (3, 4), (5, 0), (5, 3), (9, 2), (9, 7), (never, 5), (never, 8)]
        );
        let at = |expiry| {
            let entry = order.first_from(Expiry::from_raw(expiry))?;
            Some(slab.sequence(entry))
        };
        assert_eq!(at(0), Some(6));
        assert_eq!(at(1), Some(1));
        assert_eq!(at(4), Some(0));
        assert_eq!(at(10), Some(5));
        let first = order.first().unwrap();
        assert_eq!(order.first_of_next_second(&slab, first).map(|e| slab.sequence(e)), Some(1));
    }

    #[test]
    fn agrees_with_a_sorted_list_under_random_changes() {
        let (mut order, mut slab) = (Timeline::default(), Slab::default());
        let mut model: Vec<(u64, u64, u32)> = Vec::new();
        let mut random = 7;
        for sequence in 0..5000 {
            random = mix(random + 1);
            let range = [3, 50, 100_000][(sequence / 500 % 3) as usize];
            if random >> 60 < 9 || model.is_empty() {
                let expiry = random % range;
                let (number, is_first) = add(&mut order, &mut slab, expiry, sequence);
                let at = model.partition_point(|m| (m.0, m.1) < (expiry, sequence));
                model.insert(at, (expiry, sequence, number));
                assert_eq!(is_first, at == 0);
            } else {
                let at = random as usize % model.len();
                let (_, sequence, number) = model.remove(at);
                assert_eq!(order.unlink(&mut slab, number), at == 0);
                assert_eq!(slab.remove(number), sequence);
            }
            assert_eq!(order.first(), model.first().map(|m| m.2));
            if sequence % 50 == 0 {
                order.validate(&slab);
                slab.validate();
                let expected: Vec<_> = model.iter().map(|m| (m.0, m.1)).collect();
                assert_eq!(walk(&order, &slab), expected);
            }
        }
    }

    #[test]
    fn ascending_expiries_do_not_unbalance_the_tree() {
        let (mut order, mut slab) = (Timeline::default(), Slab::default());
        for second in 0..10_000 {
            add(&mut order, &mut slab, second, second);
        }
        fn depth(order: &Timeline, at: u32) -> usize {
            if at == NIL {
                return 0;
            }
            let bucket = order.bucket(at);
            1 + depth(order, bucket.left).max(depth(order, bucket.right))
        }
        // About 2 ln n = 19 on average for a path; the deepest of 10,000 is some 30.
        assert!(depth(&order, order.root) < 64);
        order.validate(&slab);
    }
}
