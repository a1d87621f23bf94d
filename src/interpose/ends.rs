//! How we learn that an object of the real library ends.
//!
//! libcrypto runs the free function of an ex_data index for every object of its class that ends,
//! also if nothing is stored under that index: so nothing is, and no slot is read that may be
//! somebody else's. Since OpenSSL 3 an index belongs to the library context that was the thread's
//! default when it was taken, and an object's end runs the functions of the default at that moment:
//! there may have to be an index in several.

use libc::{c_int, c_long, c_void};

use crate::address_map::AddressMap;
use crate::ffi::per_thread::PerThread;
use crate::ffi::real::{Real, call};
use crate::ffi::types::{CryptoExData, ExNewFree};

/// The ends of one class of objects.
pub struct Ends {
    class: c_int,
    free: ExNewFree,
    /// The library contexts that have an index of ours.
    watched: AddressMap<()>,
}

/// The newest object of this thread that an index of ours has seen being made. What there is no
/// memory to note was not seen.
static MADE: PerThread = PerThread::new();

impl Ends {
    /// Ends of `class`, each of which is to run `free`.
    pub const fn new(class: c_int, free: ExNewFree) -> Self {
        Ends { class, free, watched: AddressMap::new() }
    }

    /// Sees to it that an object that ends now, on this thread, is seen. False if that is
    /// impossible.
    pub fn watch(&self, real: &Real) -> bool {
        let current = library_context(real);
        self.watched.get(current).is_some() || self.take_index(real, current)
    }

    /// The same for the object at this address, which was just made. The address of a library
    /// context proves little: it may be that of an earlier one. An index that has seen the object
    /// does.
    pub fn watch_new(&self, real: &Real, object: usize) -> bool {
        MADE.take() == object || self.take_index(real, library_context(real))
    }

    fn take_index(&self, real: &Real, library_context: usize) -> bool {
        let (null, free) = (std::ptr::null_mut(), Some(self.free));
        // SAFETY: functions that stay as long as the library, which is never unloaded.
        let index = unsafe {
            call!(real, CRYPTO_get_ex_new_index(self.class, 0, null, Some(made), None, free), -1)
        };
        if index < 0 {
            return false;
        }
        // What cannot be noted for want of memory is taken again: then two functions run.
        let _ = self.watched.insert(library_context, std::ptr::dangling_mut());
        true
    }
}

/// The library context that ex_data belongs to now. Before OpenSSL 3 there is one for each
/// libcrypto.
fn library_context(real: &Real) -> usize {
    let only = || real.CRYPTO_get_ex_new_index.map_or(0, |function| function as usize);
    // SAFETY: NULL changes nothing, and only the answer's address is looked at.
    unsafe { call!(real, OSSL_LIB_CTX_set0_default(std::ptr::null_mut()), return only()) }.addr()
}

/// libcrypto's ex_data new function: an object was just made.
unsafe extern "C-unwind" fn made(
    object: *mut c_void,
    _: *mut c_void,
    _: *mut CryptoExData,
    _: c_int,
    _: c_long,
    _: *mut c_void,
) {
    let _ = MADE.set(object.addr());
}
