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
//! 1. *Pages below `len` are there.* [`Locked::add_page`] writes a page before it publishes the
//!    `len` that includes it, and nothing is taken back before the drop.
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

type Chunk<S> = AtomicPtr<Page<S>>;

/// The pages of a cache.
pub(super) struct Pages<S> {
    len: AtomicU32,
    small: [Chunk<S>; SMALL],
    large: [OnceBox<[Chunk<S>; DIRECTORY]>; DIRECTORIES],
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

/// The place of a page.
struct Place<'a, S> {
    chunk: &'a Chunk<S>,
    /// Pages in the chunk.
    size: usize,
    /// Pages before it there.
    offset: usize,
}

impl<S> Pages<S> {
    fn new() -> Self {
        Pages {
            len: AtomicU32::new(0),
            small: std::array::from_fn(|_| AtomicPtr::default()),
            large: [const { OnceBox::new() }; DIRECTORIES],
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

    #[inline(always)]
    fn place(&self, page: u32) -> Option<Place<'_, S>> {
        if page >= SMALL_PAGES {
            return self.large_place(page - SMALL_PAGES);
        }
        let log = u32::BITS - 1 - (page + 2).leading_zeros();
        let size = 1 << log;
        let chunk = self.small.get(log as usize - 1)?;
        Some(Place { chunk, size, offset: page as usize + 2 - size })
    }

    #[inline]
    fn large_place(&self, page: u32) -> Option<Place<'_, S>> {
        let (chunk, offset) = ((page / LARGE) as usize, (page % LARGE) as usize);
        let directory = self.large.get(chunk / DIRECTORY)?.get()?;
        Some(Place { chunk: &directory[chunk % DIRECTORY], size: LARGE as usize, offset })
    }
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
        let Place { chunk, offset, .. } = self.pages.place(page)?;
        let first = chunk.load(Ordering::Acquire);
        // SAFETY: rule 1: the page is below what `len` was, so it was written in this chunk, at
        // this offset; and it stays there until the pages are dropped. Pages are shared: what
        // changes in them is atomic, or behind rule 2.
        Some(unsafe { &*first.add(offset) })
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
        for page in 0..self.len() {
            let Some(Place { chunk, offset, .. }) = self.place(page) else { return };
            // SAFETY: rule 1: it is there. It is dropped here and nowhere else: nobody else has
            // the pages any more.
            unsafe { chunk.load(Ordering::Relaxed).add(offset).drop_in_place() };
        }
        let mut first = 0;
        while let Some(Place { chunk, size, .. }) = self.place(first) {
            let pages = chunk.load(Ordering::Relaxed);
            if pages.is_null() {
                return;
            }
            if let Ok(layout) = Layout::array::<Page<S>>(size) {
                // SAFETY: it was allocated with this layout, and what was in it is dropped.
                unsafe { dealloc(pages.cast(), layout) };
            }
            first += size as u32;
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

    /// Puts another session there, or none; returns what was there.
    #[inline(always)]
    pub(super) fn replace_session(&mut self, number: u32, session: Option<S>) -> Option<S> {
        let place = self.pages.entry(number).session.0.get();
        // SAFETY: rule 2: this is the lock, held and mutably borrowed, so nobody else looks at it.
        std::mem::replace(unsafe { &mut *place }, session)
    }

    /// Adds a page. `prepare` is given its bucket before anybody else can see it; if there is no
    /// memory for what it does, there is none for the page.
    pub(super) fn add_page(
        &mut self,
        prepare: impl FnOnce(&Bucket) -> Result<(), NoMemory>,
    ) -> Result<u32, NoMemory> {
        let pages = self.pages;
        let len = pages.len();
        if len == MOST_PAGES {
            return Err(NoMemory);
        }
        if len >= SMALL_PAGES {
            let directory = (len - SMALL_PAGES) / LARGE / DIRECTORY as u32;
            let directory = &pages.large[directory as usize];
            if directory.get().is_none() {
                // Only who holds the lock sets it, and it was not set.
                let _ = directory.set(try_boxed(|_| AtomicPtr::default())?);
            }
        }
        let Place { chunk, size, offset } = pages.place(len).ok_or(NoMemory)?;
        if chunk.load(Ordering::Relaxed).is_null() {
            let layout = Layout::array::<Page<S>>(size).map_err(|_| NoMemory)?;
            // SAFETY: the layout is not of size zero.
            let first = unsafe { alloc(layout) };
            if first.is_null() {
                return Err(NoMemory);
            }
            chunk.store(first.cast(), Ordering::Release);
        }
        // SAFETY: the chunk has `size` pages, and `offset` is less.
        let page = unsafe { chunk.load(Ordering::Relaxed).add(offset) };
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
                assert_eq!(locked.replace_session(number, Some(number.into())), None);
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
            let place = pages.place(next).unwrap();
            assert_eq!((place.size, place.offset), (1 << chunk, 0));
            next += place.size as u32;
        }
        assert_eq!(next, SMALL_PAGES);
        assert!(pages.place(MOST_PAGES - 1).is_none(), "its directory is not there");
        assert!(pages.place(MOST_PAGES).is_none());
        assert!(pages.place(u32::MAX).is_none());
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
        drop(locked.replace_session(0, None));
        drop(locked);
        assert_eq!(Rc::strong_count(&session), 20);
        drop(store);
        assert_eq!(Rc::strong_count(&session), 1);
    }
}
