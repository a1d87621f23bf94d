//! The caller of an exported function of ours: where it returns to.

use std::ffi::CStr;
use std::sync::atomic::{AtomicUsize, Ordering};

use libc::{c_int, c_void};

use super::libssl;
use super::objects::{self, Loaded};

/// Where this library begins and ends in memory; 0 as long as nobody asked.
static START: AtomicUsize = AtomicUsize::new(0);
static END: AtomicUsize = AtomicUsize::new(0);

/// Whether `address` is in this library.
pub fn is_ours(address: usize) -> bool {
    let mut end = END.load(Ordering::Acquire);
    if end == 0 {
        let within = (&raw const START).addr();
        let own = objects::held(|loaded| loaded.containing(within).map(|own| own.span()));
        let Some(own) = own.flatten() else { return false };
        START.store(own.start, Ordering::Relaxed);
        END.store(own.end, Ordering::Release);
        end = own.end;
    }
    (START.load(Ordering::Relaxed)..end).contains(&address)
}

/// What the unwinder calls for each frame.
type Visit = unsafe extern "C-unwind" fn(*mut c_void, *mut c_void) -> c_int;

unsafe extern "C-unwind" {
    fn _Unwind_Backtrace(visit: Visit, argument: *mut c_void) -> c_int;
    fn _Unwind_GetIP(frame: *mut c_void) -> usize;
}

/// The unwinder's `_URC_NO_REASON`, and one that makes it stop.
const GO_ON: c_int = 0;
const STOP: c_int = 5;

/// The first address up the stack that is not in this library; 0 if there is none. Only frames of
/// our own are unwound, so it does not matter what the caller was compiled by. Nothing is
/// allocated.
pub fn caller() -> usize {
    unsafe extern "C-unwind" fn visit(frame: *mut c_void, caller: *mut c_void) -> c_int {
        // SAFETY: the unwinder's frame. A return address is behind the call.
        let address = unsafe { _Unwind_GetIP(frame) }.wrapping_sub(1);
        if is_ours(address) {
            return GO_ON;
        }
        // SAFETY: the variable below.
        unsafe { *caller.cast::<usize>() = address };
        STOP
    }
    let mut caller = 0usize;
    // SAFETY: a function of the unwinder's prototype, and a variable that outlives the call.
    unsafe { _Unwind_Backtrace(visit, (&raw mut caller).cast()) };
    caller
}

/// Whether the caller of the exported function that runs now has it by its `name`, from the loader.
/// A function of libssl whose last act is the call looks like its own caller; that one may have it
/// from a handle, by dlsym, and does not ask for `name`.
pub fn is_called_by_name(name: &CStr) -> bool {
    let caller = caller();
    let asks = |loaded: &Loaded| {
        let caller = loaded.containing(caller)?;
        Some(caller.asks_for(name) && !caller.asks_for(c"dlsym"))
    };
    libssl::containing(caller).is_none() && objects::held(asks).flatten().unwrap_or(false)
}
