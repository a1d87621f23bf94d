//! Where entries and index lie: in pages that never move, beside the lock of the cache.
//!
//! A page is a bucket of the index and six entries, seven cache lines:
//!
//! ```text
//!  +--------+---------+---------+---------+---------+---------+---------+
//!  | bucket | entry 0 | entry 1 | entry 2 | entry 3 | entry 4 | entry 5 |
//!  +--------+---------+---------+---------+---------+---------+---------+
//! ```
//!
//! So there is always one bucket for six entries, and a cache grows one page at a time: nobody
//! waits for more than that. (The bucket of a page is not where its own entries are found, but
//! where those are whose keys hash there.) Pages lie in chunks: of 2, 4, 8, ... pages at first, in
//! a directory of equal ones later, which is as little memory too much. A page is written when it
//! is first used, not when its chunk is allocated. None is freed before all are: a look-up that
//! takes no lock may be reading it.
//!
//! This is the only module of the crate with `unsafe` in it. It rests on two rules:
//!
//! 1. *Pages below `len` are there.* [`Locked::add_page`] writes a page, into a chunk that has room
//!    for it, before it publishes the `len` that includes it, and nothing is taken back before the
//!    drop.
//! 2. *Sessions are reached by who holds the lock.* [`Handle`]'s cell is private to this module,
//!    and only methods of [`Locked`], which is the lock held, get at it: through `&Locked` to look
//!    at it, through `&mut Locked` to change it.
#![allow(unsafe_code)]

use super::bucket::Bucket;
use super::entry::Entry;
use super::memory::{NoMemory, try_boxed};
use super::sync::{AtomicPtr, AtomicU32, Guard, Lock, Ordering};
use once_cell::race::OnceBox;
use std::alloc::{Layout, alloc, dealloc};
use std::cell::UnsafeCell;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::sync::Mutex;

/// Entries in a page.
pub(super) const ENTRIES: u32 = 6;

/// Bits of an entry's number that say which entry of its page it is.
const ENTRY_BITS: u32 = 3;

/// A bucket and the entries that pay for it.
#[repr(C)]
struct Page<S> {
    bucket: Bucket,
    entries: [Entry<S>; ENTRIES as usize],
}

impl<S> Page<S> {
    fn new() -> Self {
        Page { bucket: Bucket::new(), entries: std::array::from_fn(|_| Entry::new()) }
    }
}

/// The session of an entry, if there is one. See the module for who may use it.
pub(super) struct Handle<S>(UnsafeCell<Option<S>>);

impl<S> Handle<S> {
    pub(super) const fn new() -> Self {
        Handle(UnsafeCell::new(None))
    }
}

/// Small chunks, each twice as large as the one before; the first has two pages.
const SMALL: usize = 13;
/// Pages in all of them.
const SMALL_PAGES: u32 = (2 << SMALL) - 2;
/// Pages in a large chunk.
const LARGE: u32 = 1 << 10;
/// Large chunks in a directory.
const DIRECTORY: usize = 1 << 10;
const DIRECTORIES: usize = 8;
/// As many as there can be.
pub(super) const MOST_PAGES: u32 = SMALL_PAGES + (DIRECTORIES * DIRECTORY) as u32 * LARGE;

/// Where page 0 would lie if this chunk went back as far: a page is found with one addition.
type Chunk<S> = AtomicPtr<Page<S>>;

type Directory<S> = OnceBox<[Chunk<S>; DIRECTORY]>;

/// The pages of a cache.
pub(super) struct Pages<S> {
    len: AtomicU32,
    /// How many pages there are chunks for.
    room: AtomicU32,
    small: [Chunk<S>; SMALL],
    large: OnceBox<[Directory<S>; DIRECTORIES]>,
    /// What the chunks own. A `Mutex`, because the sessions are behind a lock.
    _sessions: PhantomData<Mutex<Option<S>>>,
}

/// The pages that there were at one moment; none is gone since.
pub(super) struct View<'a, S> {
    pages: &'a Pages<S>,
    len: u32,
}

impl<S> Clone for View<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for View<'_, S> {}

/// Where the chunk of a page is noted.
struct Place<'a, S> {
    chunk: &'a Chunk<S>,
    /// Pages in the chunk.
    size: u32,
    /// The first of them.
    first: u32,
}

impl<S> Pages<S> {
    fn new() -> Self {
        Pages {
            len: AtomicU32::new(0),
            room: AtomicU32::new(0),
            small: std::array::from_fn(|_| AtomicPtr::default()),
            large: OnceBox::new(),
            _sessions: PhantomData,
        }
    }

    /// The pages there are.
    #[inline(always)]
    pub(super) fn view(&self) -> View<'_, S> {
        View { pages: self, len: self.len() }
    }

    /// How many there are.
    #[inline(always)]
    pub(super) fn len(&self) -> u32 {
        self.len.load(Ordering::Acquire)
    }

    /// The entry with this number, which index or order hold.
    #[inline(always)]
    pub(super) fn entry(&self, number: u32) -> &Entry<S> {
        self.view().entry(number).expect("a number that was given out")
    }

    /// A page that is there, or has a place at least.
    #[inline(always)]
    fn page(&self, page: u32) -> *mut Page<S> {
        let chunk = if page < SMALL_PAGES {
            self.small[small_chunk(page)].load(Ordering::Acquire)
        } else {
            self.large_place(page).chunk.load(Ordering::Acquire)
        };
        chunk.wrapping_add(page as usize)
    }

    #[inline]
    fn large_place(&self, page: u32) -> Place<'_, S> {
        let chunk = ((page - SMALL_PAGES) / LARGE) as usize;
        let directory = self.large.get().and_then(|large| large[chunk / DIRECTORY].get());
        let directory = directory.expect("its directory is there");
        let first = SMALL_PAGES + chunk as u32 * LARGE;
        Place { chunk: &directory[chunk % DIRECTORY], size: LARGE, first }
    }

    /// The place of the chunk of a page; its directory is there.
    fn place(&self, page: u32) -> Place<'_, S> {
        if page >= SMALL_PAGES {
            return self.large_place(page);
        }
        let chunk = small_chunk(page);
        let size = 2 << chunk;
        Place { chunk: &self.small[chunk], size, first: size - 2 }
    }

    /// Allocates the chunk that comes next.
    #[cold]
    fn add_chunk(&self) -> Result<(), NoMemory> {
        let room = self.room.load(Ordering::Relaxed);
        if room == MOST_PAGES {
            return Err(NoMemory);
        }
        if room >= SMALL_PAGES {
            let directory = (room - SMALL_PAGES) / LARGE / DIRECTORY as u32;
            let large = self.large.get_or_try_init(|| try_boxed(|_| OnceBox::new()))?;
            large[directory as usize].get_or_try_init(|| try_boxed(|_| AtomicPtr::default()))?;
        }
        let Place { chunk, size, first } = self.place(room);
        let layout = Layout::array::<Page<S>>(size as usize).map_err(|_| NoMemory)?;
        // SAFETY: the layout is not of size zero.
        let memory = unsafe { alloc(layout) }.cast::<Page<S>>();
        if memory.is_null() {
            return Err(NoMemory);
        }
        chunk.store(memory.wrapping_sub(first as usize), Ordering::Release);
        self.room.store(room + size, Ordering::Relaxed);
        Ok(())
    }
}

/// The number of the small chunk that has this page.
#[inline(always)]
fn small_chunk(page: u32) -> usize {
    (page + 2).ilog2() as usize - 1
}

impl<'a, S> View<'a, S> {
    /// How many pages.
    #[inline(always)]
    pub(super) fn len(self) -> u32 {
        self.len
    }

    #[inline(always)]
    fn page(self, page: u32) -> Option<&'a Page<S>> {
        if page >= self.len {
            return None;
        }
        // SAFETY: rule 1: the page is below what `len` was, so it was written in this chunk; and it
        // stays there until the pages are dropped. Pages are shared: what changes in them is
        // atomic, or behind rule 2.
        Some(unsafe { &*self.pages.page(page) })
    }

    /// The bucket of a page.
    #[inline(always)]
    pub(super) fn bucket(self, page: u32) -> Option<&'a Bucket> {
        self.page(page).map(|page| &page.bucket)
    }

    /// The entry with this number.
    #[inline(always)]
    pub(super) fn entry(self, number: u32) -> Option<&'a Entry<S>> {
        let page = self.page(number >> ENTRY_BITS)?;
        page.entries.get(number as usize % (1 << ENTRY_BITS))
    }
}

impl<S> Drop for Pages<S> {
    fn drop(&mut self) {
        let (len, room) = (self.len(), self.room.load(Ordering::Relaxed));
        let mut page = 0;
        while page < room {
            let Place { chunk, size, first } = self.place(page);
            let chunk = chunk.load(Ordering::Relaxed);
            for page in first..len.min(first + size) {
                // SAFETY: rule 1: it is there. It is dropped here and nowhere else: nobody else has
                // the pages any more.
                unsafe { chunk.wrapping_add(page as usize).drop_in_place() };
            }
            if let Ok(layout) = Layout::array::<Page<S>>(size as usize) {
                // SAFETY: it was allocated with this layout, and what was in it is dropped.
                unsafe { dealloc(chunk.wrapping_add(first as usize).cast(), layout) };
            }
            page = first + size;
        }
    }
}

/// The numbers of the entries of a page.
pub(super) fn numbers(page: u32) -> impl Iterator<Item = u32> {
    (0..ENTRIES).map(move |entry| page << ENTRY_BITS | entry)
}

/// Pages, and a lock with what else belongs to them behind it.
pub(super) struct Store<S, T> {
    pages: Pages<S>,
    state: Lock<T>,
}

impl<S, T> Store<S, T> {
    /// Without a page.
    pub(super) fn new(state: T) -> Self {
        Store { pages: Pages::new(), state: Lock::new(state) }
    }

    /// What may be read without the lock.
    #[inline(always)]
    pub(super) fn pages(&self) -> &Pages<S> {
        &self.pages
    }

    #[inline(always)]
    pub(super) fn lock(&self) -> Locked<'_, S, T> {
        Locked { pages: &self.pages, state: self.state.lock() }
    }
}

/// The lock, held.
pub(super) struct Locked<'a, S, T> {
    pages: &'a Pages<S>,
    state: Guard<'a, T>,
}

impl<S, T> Deref for Locked<'_, S, T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        &self.state
    }
}

impl<S, T> DerefMut for Locked<'_, S, T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.state
    }
}

impl<'a, S, T> Locked<'a, S, T> {
    #[inline(always)]
    pub(super) fn pages(&self) -> &'a Pages<S> {
        self.pages
    }

    /// Whether the lock was taken from a thread that is not in this process, and may have left
    /// anything half changed.
    #[inline(always)]
    pub(super) fn was_abandoned(&self) -> bool {
        self.state.was_abandoned()
    }

    /// The session of an entry.
    #[inline(always)]
    pub(super) fn session(&self, number: u32) -> Option<&S> {
        let session = self.pages.entry(number).session.0.get();
        // SAFETY: rule 2: this is the lock, held and borrowed, so nobody changes it meanwhile.
        unsafe { &*session }.as_ref()
    }

    /// Puts another session there, or none; returns the entry and what was there.
    #[inline(always)]
    pub(super) fn replace_session(
        &mut self,
        number: u32,
        session: Option<S>,
    ) -> (&'a Entry<S>, Option<S>) {
        let entry = self.pages.entry(number);
        // SAFETY: rule 2: this is the lock, held and mutably borrowed, so nobody else looks at it.
        let place = unsafe { &mut *entry.session.0.get() };
        (entry, std::mem::replace(place, session))
    }

    /// Adds a page. `prepare` is given its bucket before anybody else can see it; if there is no
    /// memory for what it does, there is none for the page.
    pub(super) fn add_page(
        &mut self,
        prepare: impl FnOnce(&Bucket) -> Result<(), NoMemory>,
    ) -> Result<u32, NoMemory> {
        let pages = self.pages;
        let len = pages.len();
        if len == pages.room.load(Ordering::Relaxed) {
            pages.add_chunk()?;
        }
        let page = pages.page(len);
        // SAFETY: the memory is there and aligned, and as it is not below `len`, nobody reads it.
        unsafe { page.write(Page::new()) };
        // SAFETY: just written.
        let bucket = unsafe { &(*page).bucket };
        if let Err(NoMemory) = prepare(bucket) {
            // SAFETY: just written; nobody has seen it, and it is not used again.
            unsafe { page.drop_in_place() };
            return Err(NoMemory);
        }
        pages.len.store(len + 1, Ordering::Release);
        Ok(len)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::rc::Rc;

    #[test]
    fn pages_have_places_of_their_own() {
        let store = Store::<u64, ()>::new(());
        let mut locked = store.lock();
        let none = locked.pages().view();
        assert!(none.entry(0).is_none() && none.bucket(0).is_none());
        let many = SMALL_PAGES + 2 * LARGE + 10;
        for page in 0..many {
            assert_eq!(locked.add_page(|_| Ok(())).unwrap(), page);
            for number in numbers(page) {
                assert_eq!(locked.replace_session(number, Some(number.into())).1, None);
            }
        }
        for number in (0..many).flat_map(numbers) {
            assert_eq!(locked.session(number), Some(&u64::from(number)));
        }
        for nowhere in [6, 7, many << ENTRY_BITS, u32::MAX] {
            assert!(locked.pages().view().entry(nowhere).is_none());
        }
        assert!(locked.pages().view().bucket(many).is_none());
        assert!(none.entry(0).is_none(), "it was not there then");
    }

    #[test]
    fn every_page_has_its_place_up_to_the_last() {
        let pages = Pages::<u64>::new();
        let mut next = 0;
        for chunk in 1..=SMALL {
            let Place { size, first, .. } = pages.place(next);
            assert_eq!((size, first), (1 << chunk, next));
            assert_eq!(small_chunk(next + size - 1), small_chunk(next));
            next += size;
        }
        assert_eq!(next, SMALL_PAGES);
    }

    #[test]
    fn sessions_are_dropped_once_and_a_refused_page_leaves_nothing() {
        let session = Rc::new(());
        let store = Store::new(());
        let mut locked = store.lock();
        for page in 0..20 {
            assert!(locked.add_page(|_| Err(NoMemory)).is_err());
            assert_eq!(locked.pages().len(), page);
            assert!(locked.add_page(|bucket| bucket.try_reserve(20)).is_ok());
            locked.replace_session(page << ENTRY_BITS, Some(session.clone()));
        }
        drop(locked.replace_session(0, None).1);
        drop(locked);
        assert_eq!(Rc::strong_count(&session), 20);
        drop(store);
        assert_eq!(Rc::strong_count(&session), 1);
    }
}
