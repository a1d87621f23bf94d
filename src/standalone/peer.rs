//! The peer of a session: its certificate or its raw public key, as DER and as libcrypto's object.

use std::ptr::NonNull;

use libc::{c_int, c_long, c_uchar};

use crate::ffi::libcrypto::{LibCrypto, libcrypto};
use crate::ffi::memory::{Counted, NoMemory, copied, zeroed};
use crate::ffi::types::{EVP_PKEY, X509};

/// libcrypto's functions for one of its types.
pub struct Functions<T> {
    d2i: unsafe extern "C-unwind" fn(*mut *mut T, *mut *const c_uchar, c_long) -> *mut T,
    i2d: unsafe extern "C-unwind" fn(*const T, *mut *mut c_uchar) -> c_int,
    free: unsafe extern "C-unwind" fn(*mut T),
}

/// What libcrypto can make of a peer's DER.
pub trait Object: Sized {
    /// Its functions, if this libcrypto has them all.
    fn functions(crypto: &LibCrypto) -> Option<Functions<Self>>;
}

impl Object for X509 {
    fn functions(crypto: &LibCrypto) -> Option<Functions<X509>> {
        Some(Functions { d2i: crypto.d2i_X509?, i2d: crypto.i2d_X509?, free: crypto.X509_free? })
    }
}

impl Object for EVP_PKEY {
    fn functions(crypto: &LibCrypto) -> Option<Functions<EVP_PKEY>> {
        Some(Functions {
            d2i: crypto.d2i_PUBKEY?,
            i2d: crypto.i2d_PUBKEY?,
            free: crypto.EVP_PKEY_free?,
        })
    }
}

/// A peer. Copies of a session share it, as they would share libcrypto's reference-counted object.
pub struct Peer<T: Object> {
    der: Vec<u8>,
    object: Option<Owned<T>>,
}

impl<T: Object> Peer<T> {
    /// The peer in `der`, one whole element. `None` if libcrypto cannot read it; without libcrypto
    /// it is kept as it is.
    pub fn from_der(der: &[u8]) -> Result<Option<Counted<Peer<T>>>, NoMemory> {
        let Some(functions) = libcrypto().and_then(T::functions) else {
            let der = copied(der)?;
            return Counted::new(|| Peer { der, object: None }).map(Some);
        };
        let Some(object) = Owned::from_der(functions, der) else { return Ok(None) };
        let Some(der) = object.to_der()? else { return Ok(None) };
        Counted::new(|| Peer { der, object: Some(object) }).map(Some)
    }

    /// As DER, in libcrypto's own encoding where it is there.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// As libcrypto's object, which stays the peer's; NULL without libcrypto.
    pub fn object(&self) -> *mut T {
        self.object.as_ref().map_or(std::ptr::null_mut(), |object| object.pointer.as_ptr())
    }
}

/// An object of libcrypto, freed with this.
struct Owned<T> {
    pointer: NonNull<T>,
    functions: Functions<T>,
}

// SAFETY: certificates and keys are counted atomically and guard what they fill in later by locks
// of their own; libssl shares them between threads in the same way.
unsafe impl<T> Send for Owned<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Owned<T> {}

impl<T> Owned<T> {
    fn from_der(functions: Functions<T>, der: &[u8]) -> Option<Self> {
        let (mut at, len) = (der.as_ptr(), c_long::try_from(der.len()).ok()?);
        // SAFETY: reads at most the `len` bytes at `at` and makes a new object.
        let object = unsafe { (functions.d2i)(std::ptr::null_mut(), &mut at, len) };
        let object = Owned { pointer: NonNull::new(object)?, functions };
        (at == der.as_ptr_range().end).then_some(object)
    }

    fn to_der(&self) -> Result<Option<Vec<u8>>, NoMemory> {
        let i2d = self.functions.i2d;
        // SAFETY: the object is live; NULL asks for the length only.
        let len = unsafe { i2d(self.pointer.as_ptr(), std::ptr::null_mut()) };
        let Ok(size) = usize::try_from(len) else { return Ok(None) };
        let mut der = zeroed(size)?;
        let mut at = der.as_mut_ptr();
        // SAFETY: the object is live, and there is room for the length it just named.
        let written = unsafe { i2d(self.pointer.as_ptr(), &mut at) };
        Ok((written == len).then_some(der))
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        // SAFETY: made by the matching d2i, and this is its only owner.
        unsafe { (self.functions.free)(self.pointer.as_ptr()) };
    }
}
