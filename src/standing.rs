//! Decides who answers a call: a libssl behind us, or we ourselves.
//!
//! In front of a libssl the objects are its own: to return one of ours would be fatal, and so would
//! be one library's object in another's function. So:
//!
//! - no libssl in the process, and an object is made: it is ours, the *standalone* standing. A
//!   question (a method, a NULL, what a constructor asks) decides nothing;
//! - one libssl, and no object of ours: it is behind every call, the *interposed* standing. This is
//!   what nearly every process is in, and then there is nothing to find out but one pointer;
//! - several libssls (a plugin may have its own inside), or one that came after objects of ours: an
//!   object of ours is recognised exactly, and so are a context, a method and a cipher suite of
//!   theirs; for the rest the caller tells, which is served by the library it would reach without
//!   us.
//!
//! One libssl is *served*: the one that makes the first context. Calls for others go through.
//!
//! No lock is held here, whatever is asked of the loader: two threads may find out the same thing,
//! and one of them publishes it.

use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};

use crate::address_map::AddressMap;
use crate::ffi::caller::{self, is_ours};
use crate::ffi::handle;
use crate::ffi::libssl::{self, Libssl};
use crate::ffi::per_thread::PerThread;
use crate::ffi::real::Real;
use crate::ffi::types::{SSL, SSL_CIPHER, SSL_CTX, SSL_METHOD, SSL_SESSION};
use crate::interpose::{self, served};
use crate::{fork, report, settings};

/// The answering library: null before anything is known, [`STANDALONE`], [`SEVERAL`], or the one
/// libssl of the process.
static ANSWERING: AtomicPtr<Real> = AtomicPtr::new(std::ptr::null_mut());

/// Markers that are no table's address: tables are aligned.
const STANDALONE: *mut Real = std::ptr::without_provenance_mut(1);
const SEVERAL: *mut Real = std::ptr::without_provenance_mut(2);

/// Whether an object of ours was made.
static MADE_OURS: AtomicBool = AtomicBool::new(false);
/// Which libssl those callers reach that have been looked up, by the address they called from.
static CALLERS: AddressMap<Libssl> = AddressMap::new();
/// The libssl that answered last on this thread. (What there is no memory to note is not known.)
static LAST: PerThread = PerThread::new();

/// The library was loaded: notes what is there, and says if it is in vain.
pub extern "C" fn begin() {
    libssl::begin();
    settings::begin();
    if settings::is_verbose() {
        // SAFETY: dlsym with a C string. (Nobody has a reason to wait for us yet.)
        let first = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"SSL_CTX_new".as_ptr()) }.addr();
        look();
        if let (false, Some(libssl)) = (is_ours(first), libssl::containing(first)) {
            report::say(format_args!("not in front: libssl comes first: {libssl}"));
        }
    }
}

/// The libssl that answers a call; `None`: we do.
pub type Answering = Option<&'static Real>;

#[inline(always)]
fn the_only_one(answering: *mut Real) -> Answering {
    // SAFETY: neither null nor a marker: part of a `Libssl`, which lives for ever.
    (answering > SEVERAL).then(|| unsafe { &*answering })
}

/// An object that C passes by pointer.
pub trait Object {
    /// Whether it is one of ours. NULL is not.
    #[inline(always)]
    fn is_ours(object: *const Self) -> bool
    where
        Self: Sized,
    {
        // SAFETY: C passes NULL or a live object, which is longer than a word.
        !object.is_null() && unsafe { handle::is_tagged(object.cast()) }
    }

    /// Whether [`made_by`](Object::made_by) knows every one.
    const IS_EXACT: bool = false;

    /// The libssl that made this one, if that can be known.
    fn made_by(_object: *const Self) -> Option<&'static Libssl> {
        None
    }
}

impl Object for SSL {}
impl Object for SSL_SESSION {}

impl Object for SSL_CTX {
    fn made_by(ctx: *const Self) -> Option<&'static Libssl> {
        if interpose::is_attached(ctx) { served::served() } else { served::other(ctx) }
    }
}

/// Methods and cipher suites are part of the library itself, and not followed.
impl Object for SSL_METHOD {
    const IS_EXACT: bool = true;

    fn is_ours(method: *const Self) -> bool {
        is_ours(method.addr())
    }

    fn made_by(method: *const Self) -> Option<&'static Libssl> {
        libssl::containing(method.addr())
    }
}

impl Object for SSL_CIPHER {
    const IS_EXACT: bool = true;

    fn is_ours(cipher: *const Self) -> bool {
        is_ours(cipher.addr())
    }

    fn made_by(cipher: *const Self) -> Option<&'static Libssl> {
        libssl::containing(cipher.addr())
    }
}

/// The library that answers a call for `object`.
#[inline(always)]
pub fn of<T: Object>(object: *const T) -> Answering {
    let answering = ANSWERING.load(Ordering::Acquire);
    let the_only_one = the_only_one(answering);
    if the_only_one.is_some() || (answering == STANDALONE && T::is_ours(object)) {
        the_only_one
    } else {
        of_several(object)
    }
}

/// The library that answers a call that makes an object.
pub fn making() -> Answering {
    look();
    let answering = ANSWERING.load(Ordering::Acquire);
    if answering.is_null() && !MADE_OURS.swap(true, Ordering::SeqCst) {
        publish();
        if ANSWERING.load(Ordering::Acquire) == STANDALONE {
            report::verbose("standalone: no libssl in this process");
        }
    }
    asking_now()
}

/// The library that answers a call that makes a context of `method`.
pub fn making_with(method: *const SSL_METHOD) -> Answering {
    let answer = making();
    match SSL_METHOD::made_by(method) {
        Some(libssl) if ANSWERING.load(Ordering::Acquire) == SEVERAL => answered_by(libssl),
        _ => answer,
    }
}

/// The library that answers a question, which decides nothing.
pub fn asking() -> Answering {
    look();
    asking_now()
}

fn asking_now() -> Answering {
    let answering = ANSWERING.load(Ordering::Acquire);
    match the_only_one(answering) {
        None if answering == SEVERAL => of_caller(MADE_OURS.load(Ordering::SeqCst)),
        answer => answer,
    }
}

/// The library that answers a call that reads into the object at `*place`, or makes one.
///
/// # Safety
/// `place` is NULL or readable.
pub unsafe fn reading(place: *mut *mut SSL_SESSION) -> Answering {
    // SAFETY: the caller's promise.
    let object = if place.is_null() { std::ptr::null_mut() } else { unsafe { *place } };
    if object.is_null() { making() } else { of(object) }
}

#[cold]
fn of_several<T: Object>(object: *const T) -> Answering {
    let ours = MADE_OURS.load(Ordering::SeqCst);
    if ours && (T::is_ours(object) || (T::IS_EXACT && T::made_by(object).is_none())) {
        return None;
    }
    let answering = ANSWERING.load(Ordering::Acquire);
    if answering != SEVERAL {
        // An object that somebody else made, or none: there may be a libssl by now.
        look();
        let answering = ANSWERING.load(Ordering::Acquire);
        if answering != SEVERAL {
            return the_only_one(answering);
        }
    }
    if object.is_null() {
        return of_caller(ours);
    }
    let mut all = libssl::all();
    let only = all.next().filter(|_| all.next().is_none());
    match T::made_by(object).or(only) {
        Some(libssl) => answered_by(libssl),
        None => of_caller(false),
    }
}

fn answered_by(libssl: &'static Libssl) -> Answering {
    let _ = LAST.set(std::ptr::from_ref(libssl).expose_provenance());
    Some(&libssl.real)
}

fn last() -> Option<&'static Libssl> {
    // SAFETY: 0, or a `Libssl`, which lives for ever.
    unsafe { std::ptr::with_exposed_provenance::<Libssl>(LAST.get()).as_ref() }
}

/// The library that answers the caller of the function that runs now. `ours`: it may be us.
fn of_caller(ours: bool) -> Answering {
    let caller = caller::caller();
    let reached = match CALLERS.get(caller) {
        // SAFETY: a `Libssl` lives for ever.
        Some(known) => Some(unsafe { &*known }),
        None => libssl::reached_from(caller).inspect(|reached| {
            // Without memory it is looked up again.
            let _ = CALLERS.insert(caller, std::ptr::from_ref(*reached).cast_mut());
        }),
    };
    match reached {
        None if ours => None,
        // The last call of a function may have made it look as if its own caller called us.
        None => {
            last().or_else(served::served).or_else(|| libssl::all().next()).and_then(answered_by)
        }
        Some(reached) => answered_by(reached),
    }
}

/// Looks for libssls that have come or gone.
fn look() {
    // Before the loader is asked: see `ffi::objects`.
    fork::register();
    if libssl::look() {
        CALLERS.clear();
        served::forget_gone();
        publish();
    }
}

/// Publishes which library answers now.
fn publish() {
    loop {
        let before = ANSWERING.load(Ordering::SeqCst);
        let mut all = libssl::all();
        let now = match (all.next(), all.next(), MADE_OURS.load(Ordering::SeqCst)) {
            (None, _, false) => std::ptr::null_mut(),
            (None, _, true) => STANDALONE,
            (Some(only), None, false) => std::ptr::from_ref(&only.real).cast_mut(),
            _ => SEVERAL,
        };
        // The last of several threads here has seen what all others did before.
        if ANSWERING.compare_exchange(before, now, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
            return;
        }
    }
}
