//! The libssls of this process: whatever defines their functions beside us, whatever its file is
//! called.

use std::cell::UnsafeCell;
use std::ffi::CStr;
use std::fmt;
use std::mem::MaybeUninit;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, AtomicUsize, Ordering};

use libc::c_void;

use super::memory::boxed;
use super::objects::{self, Changes, Loaded, Object};
use super::real::Real;

/// What every libssl defines, and nobody else.
const PROBE: &CStr = c"SSL_CTX_new";
/// What we define ourselves, and another copy of us.
const OURS: &CStr = c"SSLCACHE_version";
/// What every libcrypto defines.
const LIBCRYPTO: &CStr = c"CRYPTO_new_ex_data";

/// One libssl.
pub struct Libssl {
    /// Its functions, and those of the libcrypto it uses.
    pub real: Real,
    /// Where it is.
    span: Range<usize>,
    /// Where its libcrypto begins.
    libcrypto: usize,
    path: Path,
    unloaded: AtomicBool,
    next: Option<&'static Libssl>,
}

/// The newest one that was found.
static NEWEST: AtomicPtr<Libssl> = AtomicPtr::new(std::ptr::null_mut());
/// What had been loaded and unloaded when we last looked.
static SEEN: [AtomicU64; 2] = [const { AtomicU64::new(0) }; 2];
/// How many objects were there before the first was loaded by a program: what the loader searches
/// first.
static AT_START: AtomicUsize = AtomicUsize::new(0);

/// The path of an object, cut if it is long.
#[derive(Clone, Copy)]
struct Path([u8; 256]);

impl Path {
    fn new(path: &CStr) -> Self {
        let mut copy = [0; 256];
        let bytes = path.to_bytes();
        let len = bytes.len().min(copy.len() - 1);
        copy[..len].copy_from_slice(&bytes[..len]);
        Path(copy)
    }

    fn as_c_str(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.0).unwrap_or(c"")
    }
}

impl fmt::Display for Libssl {
    /// Its path.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_c_str().to_bytes() {
            b"" => f.write_str("the program itself"),
            path => path.escape_ascii().fmt(f),
        }
    }
}

/// The place of the first one. It takes no memory: or else, where there is none, a process that has
/// a libssl would be taken for one that has not.
struct First {
    is_taken: AtomicBool,
    place: UnsafeCell<MaybeUninit<Libssl>>,
}

static FIRST: First =
    First { is_taken: AtomicBool::new(false), place: UnsafeCell::new(MaybeUninit::uninit()) };

// SAFETY: `is_taken` gives the place to one thread, which publishes what it has written there.
unsafe impl Sync for First {}

fn is_libssl(object: Object) -> bool {
    object.defines(PROBE) && !object.defines(OURS)
}

/// The object that another one means by `name`.
fn named<'a>(loaded: &'a Loaded, name: &CStr) -> Option<Object<'a>> {
    loaded.each(|object| {
        let path = object.path.to_bytes();
        let file = path.rsplit(|&byte| byte == b'/').next().unwrap_or(path);
        (object.soname() == Some(name) || file == name.to_bytes()).then_some(object)
    })
}

/// An object and what it needs, near before far; cut if it is much.
fn family<'a>(loaded: &'a Loaded, object: Object<'a>) -> [Option<Object<'a>>; 24] {
    let mut family = [None; 24];
    family[0] = Some(object);
    let mut len = 1;
    for number in 0..family.len() {
        let Some(object) = family[number] else { break };
        for needed in object.needed().filter_map(|name| named(loaded, name)) {
            let is_known = family.iter().flatten().any(|known| known.base == needed.base);
            if !is_known && len < family.len() {
                family[len] = Some(needed);
                len += 1;
            }
        }
    }
    family
}

impl Libssl {
    /// A libssl that is not known yet. What it does not define itself is looked for in what it
    /// needs, but never in another libssl, nor in us.
    fn unknown(loaded: &Loaded) -> Option<Libssl> {
        let object = loaded.each(|object| {
            let is_new =
                is_libssl(object) && all().all(|known| known.span.start != object.span().start);
            is_new.then_some(object)
        })?;
        let family = family(loaded, object);
        let may_help = |other: &&Object| other.base == object.base || !other.defines(PROBE);
        let helpers = family.each_ref().map(|other| other.as_ref().filter(may_help));
        let real = Real::resolve(|name| {
            let mut addresses = helpers.iter().flatten().map(|other| other.symbol(name));
            addresses.find(|address| !address.is_null()).unwrap_or(std::ptr::null_mut())
        });
        let libcrypto = helpers.iter().flatten().find(|other| other.defines(LIBCRYPTO));
        Some(Libssl {
            real,
            span: object.span(),
            libcrypto: libcrypto.map_or(0, |libcrypto| libcrypto.span().start),
            path: Path::new(object.path),
            unloaded: AtomicBool::new(false),
            next: None,
        })
    }

    /// Makes it known, unless another thread was faster.
    fn publish(self) {
        // Without memory it is looked for again at the next call.
        let Some(new) = self.placed() else { return };
        let mut newest = NEWEST.load(Ordering::Acquire);
        loop {
            // SAFETY: from `placed`, and nobody else has seen it.
            let libssl = unsafe { &mut *new };
            // SAFETY: null, or one that was published here and stays.
            libssl.next = unsafe { newest.as_ref() };
            if all().any(|known| known.span == libssl.span) {
                return Libssl::give_up(new);
            }
            match NEWEST.compare_exchange(newest, new, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return,
                Err(other) => newest = other,
            }
        }
    }

    /// Where it stays for ever.
    fn placed(self) -> Option<*mut Libssl> {
        if FIRST.is_taken.swap(true, Ordering::AcqRel) {
            return boxed(self).ok().map(Box::into_raw);
        }
        let first = FIRST.place.get().cast::<Libssl>();
        // SAFETY: the place is this thread's now.
        unsafe { first.write(self) };
        Some(first)
    }

    fn give_up(placed: *mut Libssl) {
        if placed == FIRST.place.get().cast() {
            FIRST.is_taken.store(false, Ordering::Release);
        } else {
            // SAFETY: from `placed`, and nobody else has seen it.
            drop(unsafe { Box::from_raw(placed) });
        }
    }

    /// Whether `address` is in it.
    pub fn contains(&self, address: usize) -> bool {
        self.span.contains(&address)
    }

    /// Whether it was unloaded: nothing of it may be called or freed any more.
    pub fn is_gone(&self) -> bool {
        self.unloaded.load(Ordering::Relaxed)
    }
}

/// The address of a function of libcrypto: the one behind the libssl that is there, else what the
/// program sees.
pub fn libcrypto_symbol(name: &CStr) -> *mut c_void {
    match all().next() {
        Some(libssl) => {
            let symbol = |loaded: &Loaded| Some(loaded.containing(libssl.libcrypto)?.symbol(name));
            objects::held(symbol).flatten().unwrap_or(std::ptr::null_mut())
        }
        // SAFETY: dlsym with a C string; RTLD_DEFAULT searches what the program can see.
        None => unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) },
    }
}

/// The libssls that are loaded.
pub fn all() -> impl Iterator<Item = &'static Libssl> {
    // SAFETY: null, or one that was leaked by `publish`.
    let newest = unsafe { NEWEST.load(Ordering::Acquire).as_ref() };
    std::iter::successors(newest, |libssl| libssl.next).filter(|libssl| !libssl.is_gone())
}

/// The one that has `address` in it.
pub fn containing(address: usize) -> Option<&'static Libssl> {
    all().find(|libssl| libssl.contains(address))
}

/// Notes what the loader searches before anything that a program loads later.
pub fn begin() {
    let mut count = 0;
    objects::held(|loaded| {
        loaded.each(|_| {
            count += 1;
            None::<()>
        })
    });
    AT_START.store(count, Ordering::Relaxed);
}

/// Looks at what is loaded, if that has changed. True if there is one more libssl, or one less.
pub fn look() -> bool {
    let Changes { loaded, unloaded } = objects::changes();
    let before = SEEN.each_ref().map(|seen| seen.load(Ordering::Acquire));
    if before == [loaded, unloaded] {
        return false;
    }
    let mut changed = false;
    if before[1] != unloaded {
        for libssl in all() {
            let gone = |loaded: &Loaded| {
                loaded.containing(libssl.span.start).is_none_or(|o| !is_libssl(o))
            };
            if objects::held(gone).unwrap_or(false) {
                libssl.unloaded.store(true, Ordering::Relaxed);
                changed = true;
            }
        }
    }
    while let Some(libssl) = objects::held(Libssl::unknown).flatten() {
        let span = libssl.span.clone();
        libssl.publish();
        changed = true;
        if all().all(|known| known.span != span) {
            // There is no memory for it: the next call looks again.
            return changed;
        }
    }
    SEEN[0].store(loaded, Ordering::Release);
    SEEN[1].store(unloaded, Ordering::Release);
    changed
}

/// The libssl that the code at `caller` would reach if we were not there: the loader searches what
/// the whole program sees first, then what was loaded with the caller.
pub fn reached_from(caller: usize) -> Option<&'static Libssl> {
    let local = objects::held(|loaded| {
        let object = loaded.containing(caller)?;
        if object.defines(LIBCRYPTO) && !object.defines(PROBE) {
            return all().find(|libssl| libssl.libcrypto == object.span().start);
        }
        family(loaded, object).iter().flatten().find_map(|needed| containing(needed.span().start))
    });
    match (local.flatten(), global()) {
        // It goes on where the version is another than the one that the caller was linked with.
        (Some(local), Some(global)) if is_other_version(local, global) => Some(local),
        (local, global) => global.or(local),
    }
}

/// The libssl that comes behind us in the search order of the program.
fn global() -> Option<&'static Libssl> {
    // SAFETY: dlsym with a C string.
    let next = unsafe { libc::dlsym(libc::RTLD_NEXT, PROBE.as_ptr()) };
    if next.is_null() {
        return None;
    }
    // Behind a copy of ours: what comes next at the start of the process.
    containing(next.addr()).or_else(|| {
        let mut number = 0;
        let first = |loaded: &Loaded| {
            loaded.each(|object| {
                number += 1;
                let at_start = number <= AT_START.load(Ordering::Relaxed);
                if at_start { containing(object.span().start) } else { None }
            })
        };
        objects::held(first).flatten()
    })
}

fn is_other_version(one: &Libssl, other: &Libssl) -> bool {
    let are_different = |loaded: &Loaded| {
        let version = |libssl: &Libssl| loaded.containing(libssl.span.start)?.version(PROBE);
        // Without a version it is as good as any.
        version(one).zip(version(other)).is_some_and(|(one, other)| one != other)
    };
    objects::held(are_different).unwrap_or(false)
}
