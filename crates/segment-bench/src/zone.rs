//! The peer: the rough shape of nginx's zone for sessions (`ssl_session_cache shared:`), written
//! for this comparison.
//!
//! One lock for all of it (a word; whoever waits looks at it again and again, and gives the
//! processor away from time to time), a red-black tree ordered by a 32-bit hash of the id and then
//! the id, a queue in order of storing, and two blocks for each session, from lists of free ones:
//! that of the node, and 256 bytes for the session. A new session first looks whether the oldest
//! one has expired. What is removed is wiped.
//!
//! It does less than nginx does (no allocator of several sizes, no search for a page), and trusts
//! its memory, as nginx does.

use std::cmp::Ordering;
use std::sync::atomic::{
    AtomicU32, AtomicU64, Ordering::Acquire, Ordering::Relaxed, Ordering::Release,
};

/// Bytes for a session.
pub const BLOCK: usize = 256;
/// The number of no node: node 0 is there, and black.
const NIL: u32 = 0;

/// An id.
pub type Id = [u64; 4];

#[repr(C, align(128))]
struct Node {
    left: AtomicU32,
    right: AtomicU32,
    parent: AtomicU32,
    red: AtomicU32,
    hash: AtomicU32,
    length: AtomicU32,
    newer: AtomicU32,
    older: AtomicU32,
    id: [AtomicU64; 4],
    expiry: AtomicU64,
}

#[repr(C, align(64))]
struct Block([AtomicU64; BLOCK / 8]);

#[repr(C, align(64))]
struct Head {
    lock: AtomicU64,
    root: AtomicU32,
    /// The first free node; the others follow by `newer`. Its block has the same number.
    free: AtomicU32,
    newest: AtomicU32,
    oldest: AtomicU32,
}

/// The zone, in memory that children share.
pub struct Zone {
    head: &'static Head,
    nodes: &'static [Node],
    blocks: &'static [Block],
}

fn shared<T>(count: usize) -> &'static [T] {
    let (null, size) = (std::ptr::null_mut(), count * size_of::<T>());
    let rights = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_SHARED | libc::MAP_ANONYMOUS | libc::MAP_POPULATE;
    // SAFETY: a new mapping, which is never unmapped.
    let base = unsafe { libc::mmap(null, size, rights, flags, -1, 0) };
    assert_ne!(base, libc::MAP_FAILED, "no memory");
    // SAFETY: as large as that, aligned to a page, and zeros, which are a value of atomics.
    unsafe { std::slice::from_raw_parts(base.cast(), count) }
}

fn get(word: &AtomicU32) -> u32 {
    word.load(Relaxed)
}

fn set(word: &AtomicU32, value: u32) {
    word.store(value, Relaxed);
}

impl Zone {
    pub fn new(sessions: usize) -> Self {
        let zone =
            Zone { head: &shared(1)[0], nodes: shared(sessions + 1), blocks: shared(sessions + 1) };
        (1..=sessions as u32).rev().for_each(|node| zone.give_back(node));
        zone
    }

    fn node(&self, node: u32) -> &Node {
        &self.nodes[node as usize]
    }

    fn locked<T>(&self, work: impl FnOnce() -> T) -> T {
        self.lock();
        let result = work();
        self.head.lock.store(0, Release);
        result
    }

    fn lock(&self) {
        let lock = &self.head.lock;
        let is_taken =
            || lock.load(Relaxed) == 0 && lock.compare_exchange(0, 1, Acquire, Relaxed).is_ok();
        loop {
            let mut pause = 1;
            while pause < 2048 {
                if is_taken() {
                    return;
                }
                (0..pause).for_each(|_| std::hint::spin_loop());
                pause <<= 1;
            }
            std::thread::yield_now();
        }
    }

    // ---------------------------------------------------------------------------- operations

    pub fn get(&self, id: &Id, now: u64, out: &mut [u8; BLOCK]) -> Option<usize> {
        let hash = crc32(id);
        self.locked(|| self.copy(self.find(hash, id), now, out))
    }

    pub fn take(&self, id: &Id, now: u64, out: &mut [u8; BLOCK]) -> Option<usize> {
        let hash = crc32(id);
        self.locked(|| {
            let node = self.find(hash, id);
            let found = self.copy(node, now, out);
            if node != NIL {
                self.remove(node);
            }
            found
        })
    }

    pub fn put(&self, id: &Id, now: u64, expiry: u64, session: &[u8]) {
        let hash = crc32(id);
        self.locked(|| {
            for _ in 0..2 {
                let oldest = get(&self.head.oldest);
                if oldest != NIL && self.node(oldest).expiry.load(Relaxed) <= now {
                    self.remove(oldest);
                }
            }
            if get(&self.head.free) == NIL {
                self.remove(get(&self.head.oldest));
            }
            let number = get(&self.head.free);
            let node = self.node(number);
            set(&self.head.free, get(&node.newer));
            set(&node.hash, hash);
            set(&node.length, session.len() as u32);
            node.expiry.store(expiry, Relaxed);
            node.id.iter().zip(id).for_each(|(word, &value)| word.store(value, Relaxed));
            for (word, bytes) in self.blocks[number as usize].0.iter().zip(session.chunks(8)) {
                let mut value = [0; 8];
                value[..bytes.len()].copy_from_slice(bytes);
                word.store(u64::from_ne_bytes(value), Relaxed);
            }
            self.queue(number);
            self.insert(number);
        });
    }

    fn copy(&self, number: u32, now: u64, out: &mut [u8; BLOCK]) -> Option<usize> {
        let node = self.node(number);
        if number == NIL || node.expiry.load(Relaxed) <= now {
            return None;
        }
        let length = get(&node.length) as usize;
        let words = &self.blocks[number as usize].0[..length.div_ceil(8)];
        for (word, out) in words.iter().zip(out.chunks_exact_mut(8)) {
            out.copy_from_slice(&word.load(Relaxed).to_ne_bytes());
        }
        Some(length)
    }

    fn remove(&self, number: u32) {
        let node = self.node(number);
        let (newer, older) = (get(&node.newer), get(&node.older));
        set(if newer == NIL { &self.head.newest } else { &self.node(newer).older }, older);
        set(if older == NIL { &self.head.oldest } else { &self.node(older).newer }, newer);
        self.delete(number);
        let length = get(&node.length) as usize;
        let words = &self.blocks[number as usize].0[..length.div_ceil(8)];
        words.iter().for_each(|word| word.store(0, Relaxed));
        self.give_back(number);
    }

    fn give_back(&self, number: u32) {
        set(&self.node(number).newer, get(&self.head.free));
        set(&self.head.free, number);
    }

    fn queue(&self, number: u32) {
        let newest = get(&self.head.newest);
        set(&self.node(number).newer, NIL);
        set(&self.node(number).older, newest);
        set(if newest == NIL { &self.head.oldest } else { &self.node(newest).newer }, number);
        set(&self.head.newest, number);
    }

    // -------------------------------------------------------------------- the red-black tree

    fn compare(&self, hash: u32, id: &Id, number: u32) -> Ordering {
        let node = self.node(number);
        hash.cmp(&get(&node.hash))
            .then_with(|| id.iter().copied().cmp(node.id.iter().map(|word| word.load(Relaxed))))
    }

    fn find(&self, hash: u32, id: &Id) -> u32 {
        let mut number = get(&self.head.root);
        while number != NIL {
            match self.compare(hash, id, number) {
                Ordering::Equal => break,
                Ordering::Less => number = get(&self.node(number).left),
                Ordering::Greater => number = get(&self.node(number).right),
            }
        }
        number
    }

    fn child(&self, number: u32, right: bool) -> &AtomicU32 {
        let node = self.node(number);
        if right { &node.right } else { &node.left }
    }

    fn is_red(&self, number: u32) -> bool {
        get(&self.node(number).red) != 0
    }

    fn paint(&self, number: u32, red: bool) {
        set(&self.node(number).red, red.into());
    }

    fn parent(&self, number: u32) -> u32 {
        get(&self.node(number).parent)
    }

    /// Puts `new` where `old` is below its parent.
    fn replace(&self, old: u32, new: u32) {
        let parent = self.parent(old);
        if parent == NIL {
            set(&self.head.root, new);
        } else {
            let is_right = get(&self.node(parent).right) == old;
            set(self.child(parent, is_right), new);
        }
        set(&self.node(new).parent, parent);
    }

    /// Turns an edge: `number` goes down to the left, or to the right.
    fn rotate(&self, number: u32, right: bool) {
        let up = get(self.child(number, !right));
        let across = get(self.child(up, right));
        set(self.child(number, !right), across);
        if across != NIL {
            set(&self.node(across).parent, number);
        }
        self.replace(number, up);
        set(self.child(up, right), number);
        set(&self.node(number).parent, up);
    }

    fn insert(&self, number: u32) {
        let node = self.node(number);
        let id: Id = std::array::from_fn(|word| node.id[word].load(Relaxed));
        let hash = get(&node.hash);
        let (mut parent, mut next, mut right) = (NIL, get(&self.head.root), false);
        while next != NIL {
            parent = next;
            right = self.compare(hash, &id, parent) != Ordering::Less;
            next = get(self.child(parent, right));
        }
        set(&node.left, NIL);
        set(&node.right, NIL);
        set(&node.parent, parent);
        self.paint(number, true);
        set(if parent == NIL { &self.head.root } else { self.child(parent, right) }, number);
        self.repair_insertion(number);
        self.paint(get(&self.head.root), false);
    }

    fn repair_insertion(&self, mut number: u32) {
        while self.is_red(self.parent(number)) {
            let mut parent = self.parent(number);
            let grandparent = self.parent(parent);
            let right = get(&self.node(grandparent).right) == parent;
            let uncle = get(self.child(grandparent, !right));
            if self.is_red(uncle) {
                self.paint(parent, false);
                self.paint(uncle, false);
                self.paint(grandparent, true);
                number = grandparent;
                continue;
            }
            if get(self.child(parent, !right)) == number {
                self.rotate(parent, right);
                (number, parent) = (parent, number);
            }
            self.paint(parent, false);
            self.paint(grandparent, true);
            self.rotate(grandparent, !right);
            let _ = number;
            break;
        }
    }

    fn delete(&self, number: u32) {
        let node = self.node(number);
        let (left, right) = (get(&node.left), get(&node.right));
        let (hole, was_red) = if left == NIL || right == NIL {
            let child = if left == NIL { right } else { left };
            self.replace(number, child);
            (child, self.is_red(number))
        } else {
            self.delete_inner(number, left, right)
        };
        if !was_red {
            self.repair_deletion(hole);
        }
        // Node 0 lent its parent.
        set(&self.node(NIL).parent, NIL);
    }

    /// The next node takes its place; returns what took the next one's, and whether that was red.
    fn delete_inner(&self, number: u32, left: u32, right: u32) -> (u32, bool) {
        let mut next = right;
        while get(&self.node(next).left) != NIL {
            next = get(&self.node(next).left);
        }
        let (hole, was_red) = (get(&self.node(next).right), self.is_red(next));
        if next == right {
            set(&self.node(hole).parent, next);
        } else {
            self.replace(next, hole);
            set(&self.node(next).right, right);
            set(&self.node(right).parent, next);
        }
        self.replace(number, next);
        set(&self.node(next).left, left);
        set(&self.node(left).parent, next);
        self.paint(next, self.is_red(number));
        (hole, was_red)
    }

    fn repair_deletion(&self, mut number: u32) {
        while number != get(&self.head.root) && !self.is_red(number) {
            let parent = self.parent(number);
            let right = get(&self.node(parent).left) != number;
            let mut sibling = get(self.child(parent, !right));
            if self.is_red(sibling) {
                self.paint(sibling, false);
                self.paint(parent, true);
                self.rotate(parent, right);
                sibling = get(self.child(parent, !right));
            }
            let (near, far) = (get(self.child(sibling, right)), get(self.child(sibling, !right)));
            if !self.is_red(near) && !self.is_red(far) {
                self.paint(sibling, true);
                number = parent;
                continue;
            }
            if !self.is_red(far) {
                self.paint(near, false);
                self.paint(sibling, true);
                self.rotate(sibling, !right);
                sibling = get(self.child(parent, !right));
            }
            self.paint(sibling, self.is_red(parent));
            self.paint(parent, false);
            self.paint(get(self.child(sibling, !right)), false);
            self.rotate(parent, right);
            number = get(&self.head.root);
        }
        self.paint(number, false);
    }

    /// Red nodes have black children, every path has as many black ones, and all is in order.
    #[cfg(test)]
    fn black_height(&self, number: u32) -> usize {
        if number == NIL {
            return 1;
        }
        let node = self.node(number);
        let heights = [false, true].map(|right| {
            let child = get(self.child(number, right));
            if child != NIL {
                assert_eq!(self.parent(child), number);
                assert!(!(self.is_red(number) && self.is_red(child)), "two red ones");
                let id = std::array::from_fn(|word| self.node(child).id[word].load(Relaxed));
                let order = self.compare(get(&self.node(child).hash), &id, number);
                assert_eq!(order == Ordering::Greater, right);
            }
            self.black_height(child)
        });
        assert_eq!(heights[0], heights[1]);
        heights[0] + usize::from(get(&node.red) == 0)
    }
}

/// CRC-32 by half bytes, with a table of sixteen.
fn crc32(id: &Id) -> u32 {
    const TABLE: [u32; 16] = {
        let mut table = [0; 16];
        let mut index = 0;
        while index < 16 {
            let (mut value, mut bit) = (index as u32, 0);
            while bit < 4 {
                value = if value & 1 == 1 { 0xedb8_8320 ^ value >> 1 } else { value >> 1 };
                bit += 1;
            }
            table[index] = value;
            index += 1;
        }
        table
    };
    let bytes = id.iter().flat_map(|word| word.to_le_bytes());
    !bytes.fold(!0, |crc, byte| {
        let crc = crc ^ u32::from(byte);
        let crc = TABLE[(crc & 15) as usize] ^ crc >> 4;
        TABLE[(crc & 15) as usize] ^ crc >> 4
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peer_is_a_sound_one() {
        let zone = Zone::new(500);
        let id = |number: u64| [number.wrapping_mul(0x9e37_79b9_7f4a_7c15), number, 7, 7];
        let (mut state, mut there) = (1u64, std::collections::BTreeSet::new());
        let mut out = [0; BLOCK];
        for _ in 0..20_000 {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let number = (state >> 40) % 600;
            let expected = there.contains(&number).then_some(170);
            if state >> 63 == 0 {
                assert_eq!(zone.take(&id(number), 1, &mut out), expected);
                there.remove(&number);
            } else if expected.is_none() && there.len() < 500 {
                zone.put(&id(number), 1, 2, &[number as u8; 170]);
                there.insert(number);
            } else {
                assert_eq!(zone.get(&id(number), 1, &mut out), expected);
                assert!(expected.is_none() || out[..170] == [number as u8; 170]);
            }
            zone.black_height(get(&zone.head.root));
        }
        assert!(there.len() > 100);
    }

    #[test]
    fn a_full_zone_makes_its_oldest_leave() {
        let zone = Zone::new(10);
        (0..25).for_each(|number| zone.put(&[number; 4], 1, 2, b"session"));
        let mut out = [0; BLOCK];
        let there = |number: &u64| zone.get(&[*number; 4], 1, &mut out).is_some();
        assert!((0..25).filter(there).eq(15..25));
        assert_eq!(zone.get(&[20; 4], 2, &mut [0; BLOCK]), None, "expired");
    }
}
