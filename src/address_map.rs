//! A map from the addresses of foreign objects to what we know of them.
//!
//! Read by every call, without a lock and without following the address; written when such an
//! object is made or ends. An address lies within [`WINDOW`] slots from where its hash says, so a
//! removal leaves nothing behind, and a look-up is over after that many slots. When there is no
//! room within the window, a table of twice the size takes over. The older one stays: somebody may
//! be reading it, and all of them together are smaller than the last.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use sslcache_sync::Lock;

use crate::ffi::memory::NoMemory;

/// How far from its hash an address may lie: four cache lines.
const WINDOW: usize = 16;
/// The logarithm of the size of the first table.
const FIRST_BITS: u32 = 6;
/// And of the last: it would not fit into memory.
const MOST_BITS: u32 = 40;

/// Of one address. The value is written first: it is good for as long as the address stands.
struct Slot<T> {
    /// The address with every bit inverted: NULL is not what a free slot has, which is 0.
    inverted: AtomicUsize,
    value: AtomicPtr<T>,
}

/// 2^bits slots, and a window more; behind them one whose value leads to the table before. One
/// word, for one load: `bits` is where the alignment leaves room.
struct Table<T>(*mut Slot<T>);

/// A cache line; greater than any `bits`.
const ALIGNMENT: usize = 64;

impl<T> Clone for Table<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Table<T> {}

impl<T: 'static> Table<T> {
    fn layout(bits: u32) -> Result<Layout, NoMemory> {
        let slots = Layout::array::<Slot<T>>((1 << bits) + WINDOW + 1);
        slots.and_then(|slots| slots.align_to(ALIGNMENT)).map_err(|_| NoMemory)
    }

    fn new(bits: u32) -> Result<Self, NoMemory> {
        // SAFETY: the size is not 0.
        let memory = unsafe { alloc_zeroed(Self::layout(bits)?) }.cast::<Slot<T>>();
        if memory.is_null() {
            return Err(NoMemory);
        }
        Ok(Table(memory.map_addr(|address| address | bits as usize)))
    }

    /// A table of `bits` or more with the entries of `from`.
    fn with_entries(from: Option<Self>, bits: u32) -> Result<Self, NoMemory> {
        for bits in bits..MOST_BITS {
            let table = Self::new(bits)?;
            if from.is_none_or(|from| from.entries().all(|(a, value)| table.put(a, value).is_ok()))
            {
                return Ok(table);
            }
            // SAFETY: from `new`; nobody else has seen it.
            unsafe { dealloc(table.slots().cast(), Self::layout(bits)?) };
        }
        Err(NoMemory)
    }

    fn bits(self) -> u32 {
        (self.0.addr() % ALIGNMENT) as u32
    }

    fn slots(self) -> *mut Slot<T> {
        self.0.map_addr(|address| address & !(ALIGNMENT - 1))
    }

    /// The slots where `address` may be.
    #[inline(always)]
    fn window(self, address: usize) -> &'static [Slot<T>] {
        /// 2^64 divided by the golden ratio: it spreads neighbours.
        const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
        let home = (address as u64).wrapping_mul(SPREAD) >> (u64::BITS - self.bits());
        // SAFETY: `new` allocated, zeroed, 2^bits slots and a window more; a table that others can
        // see is never freed.
        unsafe { std::slice::from_raw_parts(self.slots().add(home as usize), WINDOW) }
    }

    #[inline(always)]
    fn find(self, address: usize) -> Option<&'static Slot<T>> {
        self.window(address).iter().find(|slot| slot.inverted.load(Ordering::Acquire) == !address)
    }

    /// An error if there is no room.
    fn put(self, address: usize, value: *mut T) -> Result<(), NoMemory> {
        let is_free = |slot: &&Slot<T>| slot.inverted.load(Ordering::Relaxed) == 0;
        let slot = self.window(address).iter().find(is_free).ok_or(NoMemory)?;
        slot.value.store(value, Ordering::Relaxed);
        slot.inverted.store(!address, Ordering::Release);
        Ok(())
    }

    /// Where this table is from now on the newest: it keeps the one before within reach.
    fn follow(self, newest: &AtomicPtr<Slot<T>>) {
        // SAFETY: `new` allocated one slot more than there are entries.
        let behind = unsafe { &*self.slots().add((1 << self.bits()) + WINDOW) };
        let before = newest.swap(self.slots(), Ordering::Relaxed);
        behind.value.store(before.cast(), Ordering::Relaxed);
    }

    fn entries(self) -> impl Iterator<Item = (usize, *mut T)> {
        let slots = self.slots();
        (0..(1 << self.bits()) + WINDOW).filter_map(move |number| {
            // SAFETY: `new` allocated that many.
            let slot = unsafe { &*slots.add(number) };
            let inverted = slot.inverted.load(Ordering::Relaxed);
            (inverted != 0).then(|| (!inverted, slot.value.load(Ordering::Relaxed)))
        })
    }
}

/// The map. Its values are pointers that it never follows.
pub struct AddressMap<T> {
    table: AtomicPtr<Slot<T>>,
    /// The same without its bits: a leak checker takes no other pointer for one.
    newest: AtomicPtr<Slot<T>>,
    /// One writer at a time. At no moment is the map half changed, so that in the child of a fork
    /// it is good whatever a writer was at that stayed behind in the parent.
    writer: Lock<()>,
}

impl<T: 'static> AddressMap<T> {
    /// An empty map.
    pub const fn new() -> Self {
        AddressMap {
            table: AtomicPtr::new(std::ptr::null_mut()),
            newest: AtomicPtr::new(std::ptr::null_mut()),
            writer: Lock::new(()),
        }
    }

    #[inline(always)]
    fn table(&self) -> Option<Table<T>> {
        let table = self.table.load(Ordering::Acquire);
        (!table.is_null()).then_some(Table(table))
    }

    /// What is known of `address`. Whatever the address: it is only compared.
    #[inline(always)]
    pub fn get(&self, address: usize) -> Option<*mut T> {
        Some(self.table()?.find(address)?.value.load(Ordering::Relaxed))
    }

    /// Puts an address in, and returns what it replaces: of an object whose end was missed.
    pub fn insert(&self, address: usize, value: *mut T) -> Result<Option<*mut T>, NoMemory> {
        let _writer = self.writer.lock();
        let table = self.table();
        if let Some(slot) = table.and_then(|table| table.find(address)) {
            return Ok(Some(slot.value.swap(value, Ordering::AcqRel)));
        }
        if table.is_none_or(|table| table.put(address, value).is_err()) {
            self.grow(table, address, value)?;
        }
        Ok(None)
    }

    fn grow(&self, from: Option<Table<T>>, a: usize, value: *mut T) -> Result<(), NoMemory> {
        let mut bits = from.map_or(FIRST_BITS, |table| table.bits() + 1);
        loop {
            let table = Table::with_entries(from, bits)?;
            bits = table.bits() + 1;
            if table.put(a, value).is_ok() {
                table.follow(&self.newest);
                self.table.store(table.0, Ordering::Release);
                return Ok(());
            }
            // SAFETY: from `new`; nobody else has seen it.
            unsafe { dealloc(table.slots().cast(), Table::<T>::layout(table.bits())?) };
        }
    }

    /// All that is in it, one after the other; nothing comes in or is taken out meanwhile.
    pub fn each(&self, mut each: impl FnMut(usize, *mut T)) {
        let _writer = self.writer.lock();
        let entries = self.table().into_iter().flat_map(Table::entries);
        entries.for_each(|(address, value)| each(address, value));
    }

    /// Takes everything out.
    pub fn clear(&self) {
        let _writer = self.writer.lock();
        let addresses = self.table().into_iter().flat_map(Table::entries);
        for slot in addresses.filter_map(|(address, _)| self.table()?.find(address)) {
            slot.inverted.store(0, Ordering::Release);
        }
    }

    /// Takes an address out.
    pub fn remove(&self, address: usize) -> Option<*mut T> {
        // Looked at first: of most objects that end nothing is known.
        self.get(address)?;
        let _writer = self.writer.lock();
        let slot = self.table()?.find(address)?;
        let value = slot.value.load(Ordering::Relaxed);
        slot.inverted.store(0, Ordering::Release);
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(number: usize) -> *mut u8 {
        std::ptr::without_provenance_mut(number)
    }

    #[test]
    fn every_address_is_found_until_it_is_taken_out() {
        let map = AddressMap::new();
        let addresses = || (1..=5000).map(|number| number * 0x340);
        for address in addresses() {
            assert_eq!(map.get(0), None);
            assert_eq!(map.get(address), None);
            assert_eq!(map.insert(address, value(address)), Ok(None));
        }
        assert!(addresses().all(|address| map.get(address) == Some(value(address))));
        assert_eq!(map.insert(0x340, value(1)), Ok(Some(value(0x340))));
        assert_eq!(map.remove(0x340), Some(value(1)));
        assert_eq!(map.remove(0x340), None);
        assert!(addresses().skip(1).all(|address| map.remove(address) == Some(value(address))));
        assert!(addresses().all(|address| map.get(address).is_none()));
    }

    #[test]
    fn what_comes_and_goes_takes_no_more_room() {
        let map = AddressMap::new();
        for address in 1..100_000 {
            map.insert(address * 16, value(1)).unwrap();
            map.remove(address * 16).unwrap();
        }
        assert_eq!(map.table().unwrap().bits(), FIRST_BITS);
        map.insert(16, value(1)).unwrap();
        map.clear();
        assert_eq!(map.get(16), None);
    }

    #[test]
    fn threads_find_their_own_while_others_come_and_go() {
        let map = AddressMap::new();
        std::thread::scope(|scope| {
            for thread in 1..=4 {
                let map = &map;
                scope.spawn(move || {
                    for number in 1..20_000 {
                        let address = (number << 8) | (thread << 4);
                        map.insert(address, value(thread)).unwrap();
                        assert_eq!(map.get(address), Some(value(thread)));
                        if number % 3 != 0 {
                            assert_eq!(map.remove(address), Some(value(thread)));
                        }
                    }
                });
            }
        });
    }
}
