//! Which libssl is served: that of the first context. Contexts of others are left alone.

use std::sync::atomic::{AtomicPtr, Ordering};

use crate::address_map::AddressMap;
use crate::ffi::libssl::{self, Libssl};
use crate::ffi::real::Real;
use crate::ffi::types::SSL_CTX;
use crate::report;

/// The libssl whose contexts we attach to.
static SERVED: AtomicPtr<Libssl> = AtomicPtr::new(std::ptr::null_mut());
/// Contexts of libssls that are not served.
static OTHERS: AddressMap<Libssl> = AddressMap::new();

/// The libssl whose contexts we attach to, once there is one.
pub fn served() -> Option<&'static Libssl> {
    // SAFETY: null, or a `Libssl`, which lives for ever.
    unsafe { SERVED.load(Ordering::Acquire).as_ref() }
}

/// The functions of the libssl that is served. There is one wherever there is something attached.
pub fn real() -> Option<&'static Real> {
    served().map(|libssl| &libssl.real)
}

/// The libssl with these functions, if contexts of it are to be attached. The first that asks is
/// served as long as it is loaded.
pub fn serve(real: &'static Real) -> Option<&'static Libssl> {
    let libssl = libssl::all().find(|libssl| std::ptr::eq(&libssl.real, real))?;
    let (this, null) = (std::ptr::from_ref(libssl).cast_mut(), std::ptr::null_mut());
    match SERVED.compare_exchange(null, this, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => report::verbose(format_args!("interposed: in front of {libssl}")),
        Err(served) if served != this => return None,
        Err(_) => {}
    }
    Some(libssl)
}

/// A context of a libssl that is not served was made, at this address.
pub fn note_other(real: &'static Real, ctx: usize) {
    if let Some(libssl) = libssl::all().find(|libssl| std::ptr::eq(&libssl.real, real)) {
        // Without memory its callers tell.
        let _ = OTHERS.insert(ctx, std::ptr::from_ref(libssl).cast_mut());
    }
}

/// The libssl that is not served and made this context, if that was noted.
pub fn other(ctx: *const SSL_CTX) -> Option<&'static Libssl> {
    // SAFETY: a `Libssl` lives for ever.
    Some(unsafe { &*OTHERS.get(ctx.addr())? })
}

/// A context ended at this address that may be one of these.
pub fn forget_other(ctx: usize) {
    OTHERS.remove(ctx);
}

/// If the libssl that is served was unloaded, another may be: its last context was freed before it
/// went, or never will be.
pub fn forget_gone() {
    if let Some(gone) = served().filter(|served| served.is_gone()) {
        let (gone, null) = (std::ptr::from_ref(gone).cast_mut(), std::ptr::null_mut());
        let _ = SERVED.compare_exchange(gone, null, Ordering::AcqRel, Ordering::Relaxed);
    }
}
