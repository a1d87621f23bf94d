//! The order in which sessions leave: a calendar. Each second has a queue of the sessions that expire
//! in it, first in, first out, and a trie finds the seconds.
//!
//! ```text
//!   root -> node (4 bits of the second) -> node (the last 4 bits) -+-> entry
//!                                      \                           |
//!                                       +-> entry                  +-> tail ---> head ---> ...
//!                                                                       ^  queue of blocks  |
//!                                                                       +-------------------+
//! ```
//!
//! A node has 16 places, one for each value of four bits (a *digit*) of the second, and a bitmap that
//! tells which are in use: the next second is found with one instruction per level. There is a node
//! only where seconds differ (a Patricia trie), so that sessions of an hour take three levels, those of
//! a day five, and any numbers at all sixteen at most; and a second that nothing else is near to needs
//! none of its own. A single session is linked as it is; only a second one in the same second makes a
//! queue: a ring of blocks, cache lines with the numbers of ten entries each, of which the trie knows
//! the tail. Each entry knows its position in the queue. So nothing is ever searched through, and no
//! neighbour's entry is touched, whatever the mix of expiries.
//!
//! Nearly always a session comes near to where the one before came, and leaves where the one before
//! left. The order remembers these two nodes, and starts there and not at the root.
//!
//! A flush removes what was there when it started, though others add meanwhile: it begins a new
//! *epoch*, and the order knows of each session in which epoch it got its place; a block has
//! sessions of one epoch only.

use super::entry::Entry;
use super::expiry::Expiry;
use super::memory::{Chained, NIL, NoMemory, Pool};
use super::pages::{MOST_PAGES, Pages};

/// Bits of a digit.
const DIGIT: u32 = 4;
const DIGITS: usize = 1 << DIGIT;

/// Sessions in a small cache.
const SMALL: usize = 32;

/// Sessions in a block.
const SLOTS: usize = 10;
/// Bits of a position for the slot.
const SLOT_BITS: u32 = 4;

/// A position of this bit is that of a single session; the others are its epoch.
const SINGLE: u32 = 1 << 31;

/// When sessions got their places, counted in flushes (modulo 2^31).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Epoch(u32);

impl Epoch {
    pub(super) const FIRST: Epoch = Epoch(0);

    pub(super) fn next(self) -> Epoch {
        Epoch(self.0.wrapping_add(1) & !SINGLE)
    }

    /// Returns `true` if it is before `later`. What looks more than 65,536 epochs younger is older,
    /// for the number has come round.
    pub(super) fn is_before(self, later: Epoch) -> bool {
        (self.0.wrapping_sub(later.0) & !SINGLE) >= 1 << 16
    }
}

/// A reference: to an entry, to the tail of a queue, or to a node.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Link(u32);

enum Target {
    Entry(u32),
    Queue(u32),
    Node(u32),
    Nothing,
}

const KIND_BITS: u32 = 30;
/// Nodes and blocks at most. Entries are numbered up to eight times the pages.
const MOST: u32 = 1 << (KIND_BITS - SLOT_BITS);
const _: () = assert!(MOST_PAGES <= (1 << KIND_BITS) / 8 && MOST << SLOT_BITS <= SINGLE);

impl Link {
    const NOTHING: Link = Link(NIL);

    #[inline(always)]
    fn target(self) -> Target {
        let number = self.0 & ((1 << KIND_BITS) - 1);
        match self.0 >> KIND_BITS {
            0 => Target::Entry(number),
            1 => Target::Queue(number),
            2 => Target::Node(number),
            _ => Target::Nothing,
        }
    }

    fn entry(number: u32) -> Link {
        Link(number)
    }

    fn queue(tail: u32) -> Link {
        Link(1 << KIND_BITS | tail)
    }

    fn node(number: u32) -> Link {
        Link(2 << KIND_BITS | number)
    }
}

/// A place for a link: the root, or a digit of a node.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Place(u64);

impl Place {
    const ROOT: Place = Place(u64::MAX);

    #[inline(always)]
    fn of(node: u32, digit: usize) -> Place {
        Place(u64::from(node) << DIGIT | digit as u64)
    }

    /// The node and the digit, if it is not the root.
    #[inline(always)]
    fn in_node(self) -> Option<(u32, usize)> {
        (self != Place::ROOT).then_some(((self.0 >> DIGIT) as u32, self.0 as usize % DIGITS))
    }
}

/// The way to the place where a second is, or has to be.
struct Way {
    place: Place,
    /// What is there: nothing, an entry or a queue, perhaps of another second, or a node that does
    /// not cover the second.
    link: Link,
    /// How many bits of the second have not decided. If none, it is of no other second.
    undecided: u32,
}

impl Way {
    #[inline(always)]
    fn new(start: Link) -> Way {
        Way { place: Place::ROOT, link: start, undecided: u64::BITS }
    }

    /// Down to a digit of the node that it has led to.
    #[inline(always)]
    fn down(number: u32, node: &Node, digit: usize) -> Way {
        let place = Place::of(number, digit);
        Way { place, link: node.links[digit], undecided: node.shift() }
    }
}

/// Where seconds differ.
struct Node {
    links: [Link; DIGITS],
    /// The part of the seconds that they share: the bits above the digit, the others 0.
    prefix: u64,
    /// The digits in use; the others have no link.
    used: u16,
    /// The bits below the digit.
    shift: u8,
}

impl Chained for Node {
    fn next_free(&mut self) -> &mut u32 {
        &mut self.links[0].0
    }
}

impl Node {
    /// A node for two seconds: the first digit in which they differ decides.
    fn between(a: u64, b: u64) -> Node {
        let shift = (a ^ b).ilog2() / DIGIT * DIGIT;
        let prefix = a >> shift >> DIGIT << DIGIT << shift;
        Node { links: [Link::NOTHING; DIGITS], prefix, used: 0, shift: shift as u8 }
    }

    #[inline(always)]
    fn shift(&self) -> u32 {
        u32::from(self.shift) % u64::BITS
    }

    #[inline(always)]
    fn covers(&self, second: u64) -> bool {
        (self.prefix ^ second) >> self.shift() >> DIGIT == 0
    }

    #[inline(always)]
    fn digit(&self, second: u64) -> usize {
        (second >> self.shift()) as usize % DIGITS
    }

    #[inline(always)]
    fn has(&self, digit: usize) -> bool {
        self.used >> digit & 1 == 1
    }

    /// The first digit in use.
    #[inline(always)]
    fn first(&self) -> usize {
        self.used.trailing_zeros() as usize % DIGITS
    }

    /// The first digit in use after this one.
    fn next(&self, digit: usize) -> Option<usize> {
        let after = self.used >> digit >> 1;
        (after != 0).then(|| digit + 1 + after.trailing_zeros() as usize)
    }

    fn put(&mut self, digit: usize, link: Link) {
        self.used |= 1 << digit;
        self.links[digit] = link;
    }

    fn take(&mut self, digit: usize) {
        self.used &= !(1 << digit);
        self.links[digit] = Link::NOTHING;
    }
}

/// A part of the queue of a second.
#[repr(C)]
#[cfg_attr(not(loom), repr(align(64)))]
struct Block {
    second: u64,
    /// The neighbours in the ring.
    next: u32,
    prev: u32,
    epoch: Epoch,
    /// Nothing is in the slots before this one.
    first: u8,
    /// Nor in those from this one on.
    end: u8,
    /// Slots in use.
    used: u8,
    slots: [u32; SLOTS],
}

#[cfg(not(loom))]
const _: () = assert!(size_of::<Block>() == 64);

impl Chained for Block {
    fn next_free(&mut self) -> &mut u32 {
        &mut self.next
    }
}

impl Block {
    #[inline(always)]
    fn has_room(&self, epoch: Epoch) -> bool {
        usize::from(self.end) < SLOTS && self.epoch == epoch
    }

    #[inline(always)]
    fn push(&mut self, number: u32) -> usize {
        let slot = usize::from(self.end);
        self.slots[slot] = number;
        self.end += 1;
        self.used += 1;
        slot
    }

    /// Empties a slot.
    #[inline(always)]
    fn take(&mut self, slot: usize) {
        self.slots[slot] = NIL;
        self.used -= 1;
        self.first += u8::from(slot == usize::from(self.first));
    }

    /// Empties the slot of the oldest one.
    #[inline(always)]
    fn take_oldest(&mut self) -> u32 {
        while self.slots.get(usize::from(self.first)) == Some(&NIL) {
            self.first += 1;
        }
        let slot = usize::from(self.first);
        let number = self.slots[slot];
        self.take(slot);
        number
    }

    fn numbers(&self) -> impl Iterator<Item = u32> {
        let slots = self.slots.iter().skip(self.first.into());
        slots.copied().filter(|&number| number != NIL)
    }

    fn oldest(&self) -> u32 {
        self.numbers().next().unwrap_or(NIL)
    }

    fn second(&self) -> Option<u32> {
        self.numbers().nth(1)
    }
}

/// The first of some sessions.
pub(super) struct First {
    pub(super) entry: u32,
    pub(super) expiry: Expiry,
    pub(super) epoch: Epoch,
}

/// The order of all sessions.
pub(super) struct Order {
    root: Link,
    nodes: Pool<Node>,
    blocks: Pool<Block>,
    /// The node in which a session was added last.
    latest: u32,
    /// The node below which the first session of all is, if that is known.
    earliest: u32,
    epoch: Epoch,
    len: usize,
}

impl Order {
    pub(super) const fn new() -> Self {
        Order {
            root: Link::NOTHING,
            nodes: Pool::new(),
            blocks: Pool::new(),
            latest: NIL,
            earliest: NIL,
            epoch: Epoch::FIRST,
            len: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Begins a new epoch, and returns it: whatever has a place has it from before.
    pub(super) fn next_epoch(&mut self) -> Epoch {
        self.epoch = self.epoch.next();
        self.epoch
    }

    #[inline(always)]
    fn set_link(&mut self, place: Place, link: Link) {
        match place.in_node() {
            Some((node, digit)) => self.nodes[node].put(digit, link),
            None => self.root = link,
        }
    }

    /// The way to the place where a second is, or has to be.
    #[inline(always)]
    fn find(&self, second: u64) -> Way {
        let start = match self.nodes.get(self.latest) {
            Some(node) if node.covers(second) => Link::node(self.latest),
            _ => self.root,
        };
        let mut way = Way::new(start);
        while let Target::Node(number) = way.link.target() {
            let node = &self.nodes[number];
            if !node.covers(second) {
                break;
            }
            way = Way::down(number, node, node.digit(second));
        }
        way
    }

    /// The way to the first second below a link.
    #[inline(always)]
    fn find_first(&self, start: Link) -> Way {
        let mut way = Way::new(start);
        while let Target::Node(number) = way.link.target() {
            let node = &self.nodes[number];
            way = Way::down(number, node, node.first());
        }
        way
    }

    /// The place of the link to a node.
    fn place_of(&self, node: u32) -> Place {
        let second = self.nodes[node].prefix;
        let mut way = Way::new(self.root);
        while way.link != Link::node(node)
            && let Target::Node(number) = way.link.target()
        {
            let node = &self.nodes[number];
            way = Way::down(number, node, node.digit(second));
        }
        way.place
    }

    /// A second below a link.
    #[inline(always)]
    fn second<S>(&self, pages: &Pages<S>, link: Link) -> u64 {
        match link.target() {
            Target::Entry(number) => pages.entry(number).expiry().raw(),
            Target::Queue(tail) => self.blocks[tail].second,
            Target::Node(number) => self.nodes[number].prefix,
            Target::Nothing => 0,
        }
    }

    /// Returns `true` if this very second is where the way to it led.
    #[inline(always)]
    fn is_there<S>(&self, pages: &Pages<S>, way: &Way, second: u64) -> bool {
        match way.link.target() {
            Target::Nothing | Target::Node(_) => false,
            _ => way.undecided == 0 || self.second(pages, way.link) == second,
        }
    }

    /// Makes sure that a session can be given a place, even if others are removed first.
    #[inline]
    pub(super) fn try_reserve<S>(
        &mut self,
        pages: &Pages<S>,
        expiry: Expiry,
    ) -> Result<(), NoMemory> {
        if self.nodes.room() >= 1 && self.blocks.room() >= 2 {
            return Ok(());
        }
        self.try_reserve_what_it_takes(pages, expiry.raw())
    }

    /// A small cache takes no memory that it does not need; a larger one has some at hand. (Removing
    /// others first takes no more than is reserved here: which nodes there are is determined by the
    /// seconds, and a block that is emptied is free.)
    #[inline(never)]
    fn try_reserve_what_it_takes<S>(
        &mut self,
        pages: &Pages<S>,
        second: u64,
    ) -> Result<(), NoMemory> {
        if self.len > SMALL {
            self.nodes.try_reserve(1, MOST)?;
            return self.blocks.try_reserve(2, MOST);
        }
        let way = self.find(second);
        if way.link == Link::NOTHING {
            return Ok(());
        }
        if !self.is_there(pages, &way, second) {
            return self.nodes.try_reserve(1, MOST);
        }
        let blocks = match way.link.target() {
            Target::Queue(tail) => usize::from(!self.blocks[tail].has_room(self.epoch)),
            // One of its epoch, one of the new one's.
            _ => 2,
        };
        self.blocks.try_reserve(blocks as u32, MOST)
    }

    /// Gives an entry its place by its expiry, as the newest. Memory was reserved.
    pub(super) fn append<S>(&mut self, pages: &Pages<S>, entry: &Entry<S>, number: u32) {
        let second = entry.expiry().raw();
        self.len += 1;
        let way = self.find(second);
        if let Some((node, _)) = way.place.in_node() {
            self.latest = node;
        }
        if self.is_there(pages, &way, second) {
            let position = self.append_to_queue(pages, &way, number);
            entry.set_position(position);
            return;
        }
        entry.set_position(SINGLE | self.epoch.0);
        if self.nodes.get(self.earliest).is_some_and(|node| second < node.prefix) {
            self.earliest = NIL;
        }
        match way.link {
            Link::NOTHING => self.set_link(way.place, Link::entry(number)),
            _ => self.branch(pages, &way, second, Link::entry(number)),
        }
    }

    /// Appends to the queue of its second. Returns the position.
    #[inline(always)]
    fn append_to_queue<S>(&mut self, pages: &Pages<S>, way: &Way, number: u32) -> u32 {
        let tail = match way.link.target() {
            Target::Queue(tail) => tail,
            Target::Entry(single) => self.make_queue(pages, way.place, single),
            Target::Node(_) | Target::Nothing => unreachable!("no queue"),
        };
        let epoch = self.epoch;
        let block = &mut self.blocks[tail];
        if block.has_room(epoch) {
            return tail << SLOT_BITS | block.push(number) as u32;
        }
        let (second, next) = (block.second, block.next);
        let new = self.new_block(second, epoch, number);
        let block = &mut self.blocks[new];
        (block.next, block.prev) = (next, tail);
        self.blocks[tail].next = new;
        self.blocks[next].prev = new;
        self.set_link(way.place, Link::queue(new));
        new << SLOT_BITS
    }

    /// Makes a queue of a single session. Returns its tail.
    fn make_queue<S>(&mut self, pages: &Pages<S>, place: Place, single: u32) -> u32 {
        let entry = pages.entry(single);
        let epoch = Epoch(entry.position() & !SINGLE);
        let new = self.new_block(entry.expiry().raw(), epoch, single);
        entry.set_position(new << SLOT_BITS);
        self.set_link(place, Link::queue(new));
        new
    }

    /// A block with one entry that is a ring by itself.
    fn new_block(&mut self, second: u64, epoch: Epoch, number: u32) -> u32 {
        let mut slots = [NIL; SLOTS];
        slots[0] = number;
        let block = Block { second, next: 0, prev: 0, epoch, first: 0, end: 1, used: 1, slots };
        let new = self.blocks.insert(block);
        let block = &mut self.blocks[new];
        (block.next, block.prev) = (new, new);
        new
    }

    /// Puts a node where seconds differ that did not yet.
    #[cold]
    #[inline(never)]
    fn branch<S>(&mut self, pages: &Pages<S>, way: &Way, second: u64, new: Link) {
        let old_second = self.second(pages, way.link);
        let mut node = Node::between(old_second, second);
        node.put(node.digit(old_second), way.link);
        node.put(node.digit(second), new);
        let number = self.nodes.insert(node);
        self.set_link(way.place, Link::node(number));
        self.latest = number;
    }

    /// Removes an entry from its place.
    pub(super) fn remove<S>(&mut self, entry: &Entry<S>) {
        let position = entry.position();
        self.len -= 1;
        if position & SINGLE != 0 {
            let way = self.find(entry.expiry().raw());
            self.unlink(&way);
            return;
        }
        let (number, slot) = (position >> SLOT_BITS, position as usize % (1 << SLOT_BITS));
        let block = &mut self.blocks[number];
        block.take(slot);
        if block.used == 0 {
            let way = self.find(entry.expiry().raw());
            self.remove_block(number, &way);
        }
    }

    /// Removes the first entry of all from its place, and returns it.
    pub(super) fn remove_first(&mut self) -> Option<u32> {
        let start = if self.earliest == NIL { self.root } else { Link::node(self.earliest) };
        let way = self.find_first(start);
        if let Some((node, _)) = way.place.in_node() {
            self.earliest = node;
        }
        let first = match way.link.target() {
            Target::Queue(tail) => {
                let number = self.blocks[tail].next;
                let head = &mut self.blocks[number];
                let first = head.take_oldest();
                if head.used == 0 {
                    self.remove_block(number, &way);
                }
                first
            }
            Target::Entry(first) => {
                self.unlink(&way);
                first
            }
            Target::Node(_) | Target::Nothing => return None,
        };
        self.len -= 1;
        Some(first)
    }

    /// Removes an empty block of the second to which this is the way.
    fn remove_block(&mut self, number: u32, way: &Way) {
        let Block { next, prev, .. } = self.blocks[number];
        if next == number {
            self.unlink(way);
        } else {
            self.blocks[next].prev = prev;
            self.blocks[prev].next = next;
            if way.link == Link::queue(number) {
                self.set_link(way.place, Link::queue(prev));
            }
        }
        self.blocks.remove(number);
    }

    /// A second is empty. A node with only one left goes too: nothing differs there.
    #[inline(always)]
    fn unlink(&mut self, way: &Way) {
        let Some((number, digit)) = way.place.in_node() else {
            self.root = Link::NOTHING;
            return;
        };
        let node = &mut self.nodes[number];
        node.take(digit);
        if node.used.is_power_of_two() {
            self.remove_node(number);
        }
    }

    #[cold]
    #[inline(never)]
    fn remove_node(&mut self, number: u32) {
        let node = &self.nodes[number];
        let last = node.links[node.first()];
        self.set_link(self.place_of(number), last);
        self.nodes.remove(number);
        for remembered in [&mut self.latest, &mut self.earliest] {
            if *remembered == number {
                *remembered = NIL;
            }
        }
    }

    /// The first entry of all.
    pub(super) fn first(&self) -> Option<u32> {
        match self.first_link(self.root).target() {
            Target::Queue(tail) => Some(self.blocks[self.blocks[tail].next].oldest()),
            Target::Entry(number) => Some(number),
            Target::Node(_) | Target::Nothing => None,
        }
    }

    /// The second entry of all.
    pub(super) fn second_of_all<S>(&self, pages: &Pages<S>) -> Option<u32> {
        let first = self.first_link(self.root);
        if let Target::Queue(tail) = first.target() {
            let head = self.blocks[tail].next;
            let after = self.blocks[head].second();
            let next = self.blocks[head].next;
            match after {
                Some(_) => return after,
                None if head != tail => return Some(self.blocks[next].oldest()),
                None => {}
            }
        }
        let next_second = self.second(pages, first).checked_add(1)?;
        Some(self.first_from(pages, Expiry::from_raw(next_second))?.entry)
    }

    /// The link of the first second below this one.
    #[inline(always)]
    fn first_link(&self, link: Link) -> Link {
        self.find_first(link).link
    }

    /// The first of those that expire at `from` or later.
    pub(super) fn first_from<S>(&self, pages: &Pages<S>, from: Expiry) -> Option<First> {
        let from = from.raw();
        // Where to go on if everything below `link` is before.
        let mut later = None;
        let mut link = self.root;
        let found = loop {
            let Target::Node(number) = link.target() else {
                let is_later = link != Link::NOTHING && self.second(pages, link) >= from;
                break if is_later { Some(link) } else { later };
            };
            let node = &self.nodes[number];
            if !node.covers(from) {
                break if node.prefix > from { Some(link) } else { later };
            }
            let digit = node.digit(from);
            later = node.next(digit).map(|next| node.links[next]).or(later);
            link = node.links[digit];
        }?;
        Some(self.first_of(pages, self.first_link(found)))
    }

    fn first_of<S>(&self, pages: &Pages<S>, link: Link) -> First {
        let expiry = Expiry::from_raw(self.second(pages, link));
        match link.target() {
            Target::Queue(tail) => {
                let block = &self.blocks[self.blocks[tail].next];
                First { entry: block.oldest(), expiry, epoch: block.epoch }
            }
            Target::Entry(entry) => {
                let epoch = Epoch(pages.entry(entry).position() & !SINGLE);
                First { entry, expiry, epoch }
            }
            Target::Node(_) | Target::Nothing => unreachable!("the first is a session"),
        }
    }

    /// Panics unless everything is where it is found; returns the entries in their order.
    pub(super) fn validate<S>(&self, pages: &Pages<S>) -> Vec<u32> {
        let mut seen = Seen::default();
        self.validate_link(pages, self.root, 0, u64::MAX, &mut seen);
        assert_eq!(seen.entries.len(), self.len);
        if self.earliest != NIL {
            let first = self.first_link(Link::node(self.earliest));
            assert!(first == self.first_link(self.root));
        }
        assert_eq!(seen.nodes, self.nodes.len(), "no node is lost");
        assert_eq!(seen.blocks, self.blocks.len(), "no block is lost");
        seen.entries
    }

    fn validate_link<S>(
        &self,
        pages: &Pages<S>,
        link: Link,
        first: u64,
        last: u64,
        seen: &mut Seen,
    ) {
        match link.target() {
            Target::Entry(number) => {
                let entry = pages.entry(number);
                assert!((first..=last).contains(&entry.expiry().raw()));
                assert!(entry.position() & SINGLE != 0);
                seen.entries.push(number);
            }
            Target::Queue(tail) => {
                let second = self.blocks[tail].second;
                assert!((first..=last).contains(&second));
                self.validate_queue(pages, tail, seen);
            }
            Target::Nothing => assert_eq!(self.len, 0, "only a root has nothing"),
            Target::Node(number) => {
                let node = &self.nodes[number];
                seen.nodes += 1;
                assert!(node.used.count_ones() >= 2, "something differs");
                let shift = node.shift();
                let lowest = node.prefix;
                let highest = lowest | (DIGITS as u64 - 1) << shift | ((1 << shift) - 1);
                assert!(first <= lowest && highest <= last, "within the node above");
                for digit in 0..DIGITS {
                    if !node.has(digit) {
                        assert!(node.links[digit] == Link::NOTHING);
                        continue;
                    }
                    let lowest = lowest | (digit as u64) << shift;
                    let highest = lowest | ((1 << shift) - 1);
                    self.validate_link(pages, node.links[digit], lowest, highest, seen);
                }
            }
        }
    }

    fn validate_queue<S>(&self, pages: &Pages<S>, tail: u32, seen: &mut Seen) {
        let mut number = tail;
        loop {
            let prev = number;
            number = self.blocks[number].next;
            let block = &self.blocks[number];
            seen.blocks += 1;
            assert_eq!(block.prev, prev);
            assert_eq!(block.second, self.blocks[tail].second);
            assert!(!block.epoch.is_before(self.blocks[prev].epoch) || prev == tail);
            let slots = usize::from(block.first)..usize::from(block.end);
            let used: Vec<usize> = (0..SLOTS).filter(|&slot| block.slots[slot] != NIL).collect();
            assert!(!used.is_empty() && used.len() == usize::from(block.used));
            for slot in used {
                let entry = pages.entry(block.slots[slot]);
                assert!(slots.contains(&slot));
                assert_eq!(entry.position(), number << SLOT_BITS | slot as u32);
                assert_eq!(entry.expiry().raw(), block.second);
                seen.entries.push(block.slots[slot]);
            }
            if number == tail {
                return;
            }
        }
    }
}

#[derive(Default)]
struct Seen {
    entries: Vec<u32>,
    nodes: usize,
    blocks: usize,
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::super::key::mix;
    use super::super::pages::{Locked, Store};
    use super::*;

    /// Entry numbers count through the pages, which have eight places for six entries.
    fn entry(n: usize) -> u32 {
        (n / 6 * 8 + n % 6) as u32
    }

    fn with_entries(n: usize, test: impl FnOnce(&mut Locked<'_, u8, Order>)) {
        let store = Store::new(Order::new());
        let mut locked = store.lock();
        while locked.pages().view().entry(entry(n)).is_none() {
            locked.add_page(|_| Ok(())).unwrap();
        }
        test(&mut locked);
    }

    fn add(order: &mut Order, pages: &Pages<u8>, number: u32, expiry: u64) {
        let expiry = Expiry::from_raw(expiry);
        order.try_reserve(pages, expiry).unwrap();
        pages.entry(number).set_expiry(expiry);
        order.append(pages, pages.entry(number), number);
    }

    #[test]
    fn sorted_by_expiry_then_by_insertion() {
        let never = u64::MAX;
        let expiries = [5, 3, 9, 5, 3, never, 0, 9, never, 1 << 40, 64, 4096, 3];
        with_entries(expiries.len(), |locked| {
            let pages = locked.pages();
            for (n, expiry) in expiries.into_iter().enumerate() {
                add(locked, pages, entry(n), expiry);
                locked.validate(pages);
            }
            let order = [6, 1, 4, 12, 0, 3, 2, 7, 10, 11, 9, 5, 8].map(entry);
            assert_eq!(locked.validate(pages), order);
            assert_eq!(locked.first(), Some(entry(6)));
            let from = |expiry| {
                let first = locked.first_from(pages, Expiry::from_raw(expiry));
                first.map(|first| (first.entry, first.expiry.raw()))
            };
            assert_eq!(from(0), Some((entry(6), 0)));
            assert_eq!(from(1), Some((entry(1), 3)));
            assert_eq!(from(4), Some((entry(0), 5)));
            assert_eq!(from(10), Some((entry(10), 64)));
            assert_eq!(from(65), Some((entry(11), 4096)));
            assert_eq!(from(1 << 41), Some((entry(5), never)));
        });
    }

    #[test]
    fn agrees_with_a_sorted_list_under_random_changes() {
        let ranges = [3, 50, 5000, 1 << 20, 1 << 63];
        with_entries(6000, |locked| {
            let pages = locked.pages();
            let mut model: Vec<(u64, usize, u32)> = Vec::new();
            let mut free: Vec<u32> = (0..6000).map(entry).collect();
            let mut random = 7;
            for insertion in 0..15_000 {
                random = mix(random + 1);
                let range = ranges[insertion / 1000 % ranges.len()];
                if random >> 60 < 9 || model.is_empty() {
                    let (number, expiry) = (free.pop().unwrap(), mix(random) % range);
                    add(locked, pages, number, expiry);
                    let at = model.partition_point(|m| m.0 <= expiry);
                    model.insert(at, (expiry, insertion, number));
                } else {
                    let at = if random % 2 == 0 { 0 } else { random as usize % model.len() };
                    let (_, _, number) = model.remove(at);
                    locked.remove(pages.entry(number));
                    free.push(number);
                }
                if random % 50 == 0 {
                    locked.next_epoch();
                }
                assert_eq!(locked.first(), model.first().map(|m| m.2));
                assert_eq!(locked.second_of_all(pages), model.get(1).map(|m| m.2));
                let from = mix(random + 9) % range;
                let expected = model.get(model.partition_point(|m| m.0 < from));
                let found = locked.first_from(pages, Expiry::from_raw(from));
                assert_eq!(found.map(|first| first.entry), expected.map(|m| m.2));
                if insertion % 200 == 0 {
                    let entries: Vec<u32> = model.iter().map(|m| m.2).collect();
                    assert_eq!(locked.validate(pages), entries);
                }
            }
            model.iter().for_each(|m| locked.remove(pages.entry(m.2)));
            assert!(locked.validate(pages).is_empty());
        });
    }

    /// What an insertion reserves is enough, though it evicts before it takes its place.
    #[test]
    fn what_is_reserved_is_enough_whatever_is_removed_before_it_is_used() {
        for round in 0..1000 {
            with_entries(40, |locked| {
                let pages = locked.pages();
                let mut random = round;
                let mut next = || {
                    random = mix(random + 1);
                    random
                };
                let range = [2, 5, 100, 1 << 40][round as usize % 4];
                let there = next() % 30;
                for n in 0..there {
                    add(locked, pages, entry(n as usize), next() % range);
                    if next() % 4 == 0 {
                        locked.next_epoch();
                    }
                }
                let expiry = Expiry::from_raw(next() % range);
                locked.try_reserve(pages, expiry).unwrap();
                for _ in 0..there.min(next() % 30) {
                    let first = locked.first().unwrap();
                    locked.remove(pages.entry(first));
                }
                let new = entry(39);
                pages.entry(new).set_expiry(expiry);
                let before = (locked.nodes.places(), locked.blocks.places());
                locked.append(pages, pages.entry(new), new);
                assert_eq!((locked.nodes.places(), locked.blocks.places()), before);
                locked.validate(pages);
            });
        }
    }

    #[test]
    fn an_epoch_tells_what_was_there_before() {
        with_entries(100, |locked| {
            let pages = locked.pages();
            add(locked, pages, 0, 5);
            let epoch = locked.next_epoch();
            add(locked, pages, 1, 5);
            add(locked, pages, 2, 4);
            let first = |order: &Order, from| {
                let first = order.first_from(pages, Expiry::from_raw(from)).unwrap();
                (first.entry, first.epoch.is_before(epoch))
            };
            assert_eq!(first(locked, 4), (2, false));
            assert_eq!(first(locked, 5), (0, true));
            locked.remove(pages.entry(0));
            assert_eq!(first(locked, 5), (1, false));
        });
        let mut epoch = Epoch(SINGLE - 2);
        for _ in 0..5 {
            assert!(epoch.is_before(epoch.next()) && !epoch.next().is_before(epoch));
            assert!(!epoch.is_before(epoch));
            epoch = epoch.next();
        }
    }

    #[test]
    fn what_is_reserved_is_enough_for_any_number_of_sessions_in_a_second() {
        const N: usize = 60_000;
        for each in [1, 2, 3, 7, 10, 11, 12, 100] {
            with_entries(N, |locked| {
                let pages = locked.pages();
                let expiry = |n: usize| 1_764_000_000 + (n as u64 * 7919 % N as u64) / each;
                (0..N).for_each(|n| add(locked, pages, entry(n), expiry(n)));
                assert_eq!(locked.len(), N);
            });
        }
    }

    /// Neither ascending nor descending seconds, nor those far apart, take much for each.
    #[test]
    fn it_takes_little_memory_whatever_the_expiries() {
        const N: usize = 60_000;
        for (stride, most) in [(0, 7), (1, 6), (-1, 6), (1_000_003, 80), (1 << 40, 80)] {
            with_entries(N, |locked| {
                let pages = locked.pages();
                for n in 0..N {
                    add(locked, pages, entry(n), (n as i64 * stride) as u64);
                }
                let bytes = locked.nodes.len() * size_of::<Node>() + locked.blocks.len() * 64;
                assert!(bytes <= N * most, "{stride}: {} each", bytes / N);
            });
        }
    }
}
