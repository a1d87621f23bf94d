//! A hash table of libcrypto's (`LHASH`), kept by us and read by the program.
//!
//! The program walks it and asks it for items of its own making (`OPENSSL_LH_doall`,
//! `OPENSSL_LH_retrieve`), without a lock, as with any `LHASH`. An item is found by what it is like
//! *now*, and a session may have another id by then than when it was put in. So what we put in we
//! also take out by its address: while one of our own calls runs, the hash of an item is the one
//! that it was put in with, and equal means the very same one.

use std::collections::HashMap;
use std::ffi::c_void;
use std::hash::{BuildHasherDefault, Hasher};
use std::marker::PhantomData;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering};

use libc::{c_int, c_ulong};
use sslcache_sync::Lock;

use super::guard::guard;
use super::types::LHASH_OF_SSL_SESSION;

/// The hash function of a table.
pub type LhHash = Option<unsafe extern "C-unwind" fn(*const c_void) -> c_ulong>;
/// The comparison of a table: 0 for equal.
pub type LhCompare = Option<unsafe extern "C-unwind" fn(*const c_void, *const c_void) -> c_int>;
/// What a program has done with each item.
pub type LhVisit = Option<unsafe extern "C-unwind" fn(*mut c_void)>;
/// The same with an argument.
pub type LhVisitWith = Option<unsafe extern "C-unwind" fn(*mut c_void, *mut c_void)>;
/// How a libcrypto from 3.3 on calls the hash function.
pub type LhHashThunk = Option<unsafe extern "C-unwind" fn(*const c_void, LhHash) -> c_ulong>;
/// How it calls the comparison.
pub type LhCompareThunk =
    Option<unsafe extern "C-unwind" fn(*const c_void, *const c_void, LhCompare) -> c_int>;
/// How it calls what is to be done with each item.
pub type LhVisitThunk = Option<unsafe extern "C-unwind" fn(*mut c_void, LhVisit)>;
/// The same with an argument.
pub type LhVisitWithThunk =
    Option<unsafe extern "C-unwind" fn(*mut c_void, *mut c_void, LhVisitWith)>;

type Table = LHASH_OF_SSL_SESSION;
type New = unsafe extern "C-unwind" fn(LhHash, LhCompare) -> *mut Table;
type SetThunks = unsafe extern "C-unwind" fn(
    *mut Table,
    LhHashThunk,
    LhCompareThunk,
    LhVisitThunk,
    LhVisitWithThunk,
) -> *mut Table;
type Insert = unsafe extern "C-unwind" fn(*mut Table, *mut c_void) -> *mut c_void;
type Delete = unsafe extern "C-unwind" fn(*mut Table, *const c_void) -> *mut c_void;
type Free = unsafe extern "C-unwind" fn(*mut Table);

/// The functions of one libcrypto: a table is made, changed and walked by those of the same one.
#[derive(Clone, Copy)]
pub struct LhashFunctions {
    /// `OPENSSL_LH_new`
    pub new: New,
    /// `OPENSSL_LH_set_thunks`: from 3.3 on a walk crashes without it.
    pub set_thunks: Option<SetThunks>,
    /// `OPENSSL_LH_insert`
    pub insert: Insert,
    /// `OPENSSL_LH_delete`
    pub delete: Delete,
    /// `OPENSSL_LH_free`
    pub free: Free,
}

/// Those in a table of symbols; `None` if they are not there.
macro_rules! lhash_functions {
    ($library:expr) => {
        (|| {
            Some(crate::ffi::lhash::LhashFunctions {
                new: $library.OPENSSL_LH_new?,
                set_thunks: $library.OPENSSL_LH_set_thunks,
                insert: $library.OPENSSL_LH_insert?,
                delete: $library.OPENSSL_LH_delete?,
                free: $library.OPENSSL_LH_free?,
            })
        })()
    };
}

pub(crate) use lhash_functions;

/// What a table needs of its items.
pub trait Item {
    /// The hash of an item.
    ///
    /// # Safety
    /// `item` is live.
    unsafe fn hash(item: *mut c_void) -> c_ulong;

    /// Whether two items are the same for a look-up.
    ///
    /// # Safety
    /// Both are live.
    unsafe fn is_equal(a: *mut c_void, b: *mut c_void) -> bool;
}

/// A table of items that others own.
pub struct Lhash<I> {
    functions: LhashFunctions,
    table: NonNull<Table>,
    /// What we have put in, by address, with the hash of that moment.
    hashes: HashMap<usize, c_ulong, BuildHasherDefault<AddressHasher>>,
    items: PhantomData<fn(I)>,
}

// SAFETY: libcrypto's tables belong to no thread.
unsafe impl<I> Send for Lhash<I> {}

impl<I: Item> Lhash<I> {
    /// An empty table; `None` without memory.
    pub fn new(functions: LhashFunctions) -> Option<Self> {
        // SAFETY: functions of this table's items, with libcrypto's prototypes.
        let table = unsafe { (functions.new)(Some(hash::<I>), Some(compare::<I>)) };
        let table = NonNull::new(table)?;
        if let Some(set_thunks) = functions.set_thunks {
            // SAFETY: as above.
            unsafe { set_thunks(table.as_ptr(), None, None, Some(visit), Some(visit_with)) };
        }
        Some(Lhash { functions, table, hashes: HashMap::default(), items: PhantomData })
    }

    /// What the program gets.
    pub fn as_ptr(&self) -> *mut Table {
        self.table.as_ptr()
    }

    /// Puts an item in, unless we have done so already. Without memory the table goes without it.
    ///
    /// # Safety
    /// `item` stays live until it is removed.
    pub unsafe fn insert(&mut self, item: *mut c_void, hash: c_ulong) {
        if self.hashes.contains_key(&item.addr()) || self.hashes.try_reserve(1).is_err() {
            return;
        }
        self.hashes.insert(item.addr(), hash);
        // SAFETY: our table and a live item.
        known_by(hash, || unsafe { (self.functions.insert)(self.table.as_ptr(), item) });
    }

    /// Takes the item at this address out, if we have put it in and nobody has taken it out since.
    pub fn remove(&mut self, address: usize) {
        if let Some(hash) = self.hashes.remove(&address) {
            self.delete(address, hash);
        }
    }

    fn delete(&self, address: usize, hash: c_ulong) {
        let item = std::ptr::without_provenance(address);
        // SAFETY: our table; the item is compared by its address alone.
        known_by(hash, || unsafe { (self.functions.delete)(self.table.as_ptr(), item) });
    }

    /// Takes out what we have put in.
    pub fn clear(&mut self) {
        for (address, hash) in std::mem::take(&mut self.hashes) {
            self.delete(address, hash);
        }
    }
}

impl<I> Drop for Lhash<I> {
    fn drop(&mut self) {
        // SAFETY: our table, which owns nothing that is in it.
        unsafe { (self.functions.free)(self.table.as_ptr()) };
    }
}

/// Our calls come one at a time, for [`KNOWN_ON`] and [`KNOWN_BY`]: a variable of each thread's own
/// takes memory, and what is in a table must be taken out without.
static CALLING: Lock<()> = Lock::new(());
/// The thread that a call of ours runs on; 0 for none.
static KNOWN_ON: AtomicUsize = AtomicUsize::new(0);
/// The hash of the item that the call is about.
static KNOWN_BY: AtomicUsize = AtomicUsize::new(0);

fn this_thread() -> usize {
    // SAFETY: always succeeds.
    unsafe { libc::pthread_self() as usize }
}

fn known_by<R>(hash: c_ulong, call: impl FnOnce() -> R) {
    let _calling = CALLING.lock();
    KNOWN_BY.store(hash as usize, Ordering::Relaxed);
    KNOWN_ON.store(this_thread(), Ordering::Relaxed);
    call();
    KNOWN_ON.store(0, Ordering::Relaxed);
}

/// Inside a call of ours on this thread: the hash of its item.
fn known() -> Option<c_ulong> {
    let is_known = KNOWN_ON.load(Ordering::Relaxed) == this_thread();
    is_known.then(|| KNOWN_BY.load(Ordering::Relaxed) as c_ulong)
}

unsafe extern "C-unwind" fn hash<I: Item>(item: *const c_void) -> c_ulong {
    // SAFETY: libcrypto passes what a program looks for: a live item.
    known().unwrap_or_else(|| guard(0, || unsafe { I::hash(item.cast_mut()) }))
}

unsafe extern "C-unwind" fn compare<I: Item>(a: *const c_void, b: *const c_void) -> c_int {
    let is_equal = if known().is_some() {
        std::ptr::eq(a, b)
    } else {
        // SAFETY: as in `hash`, and what is in the table is live.
        guard(false, || unsafe { I::is_equal(a.cast_mut(), b.cast_mut()) })
    };
    c_int::from(!is_equal)
}

/// How a walk over the table calls the program's function.
unsafe extern "C-unwind" fn visit(item: *mut c_void, function: LhVisit) {
    if let Some(function) = function {
        // SAFETY: what libcrypto was given, for what is in the table.
        unsafe { function(item) };
    }
}

/// The same with an argument of the program's.
unsafe extern "C-unwind" fn visit_with(
    item: *mut c_void,
    argument: *mut c_void,
    function: LhVisitWith,
) {
    if let Some(function) = function {
        // SAFETY: as above.
        unsafe { function(item, argument) };
    }
}

/// Fibonacci hashing: addresses are far apart and multiples of 16. (The default hasher takes a key
/// of the thread's.)
#[derive(Default)]
struct AddressHasher(u64);

impl Hasher for AddressHasher {
    fn write(&mut self, _: &[u8]) {
        unreachable!("an address is a usize");
    }

    fn write_usize(&mut self, address: usize) {
        self.0 = (address as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(32);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
