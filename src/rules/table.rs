//! What `SSL_CTX_sessions` returns: a hash table of libcrypto's that shows the cache.

use std::ffi::c_void;

use libc::{c_int, c_ulong};
use once_cell::race::OnceBox;
use parking_lot::Mutex;

use super::{InternalCache, SessionRef};
use crate::ffi::libcrypto::{LhVisit, LhVisitWith, LibCrypto, libcrypto};
use crate::ffi::memory::boxed;
use crate::ffi::types::LHASH_OF_SSL_SESSION;

/// The table of one context, made when it is first asked for. It holds no references: like
/// OpenSSL's own, it is good to look at as long as the cache does not change.
#[derive(Default)]
pub struct Table(OnceBox<Mutex<Option<Made>>>);

struct Made {
    crypto: &'static LibCrypto,
    table: *mut LHASH_OF_SSL_SESSION,
}

// SAFETY: the table is used under the mutex only; what a program does with it is the program's to order.
unsafe impl Send for Made {}

impl Made {
    fn new<S: SessionRef>(crypto: &'static LibCrypto) -> Option<Self> {
        // SAFETY: our own functions, with libcrypto's prototypes.
        let table = unsafe { crypto.OPENSSL_LH_new?(Some(hash::<S>), Some(compare::<S>)) };
        if table.is_null() {
            return None;
        }
        // From 3.3 on a program that walks the table crashes without these.
        if let Some(set_thunks) = crypto.OPENSSL_LH_set_thunks {
            // SAFETY: our table, and our own functions, with libcrypto's prototypes.
            unsafe { set_thunks(table, None, None, Some(visit), Some(visit_with)) };
        }
        Some(Made { crypto, table })
    }

    fn insert(&self, session: &impl SessionRef) {
        if let Some(insert) = self.crypto.OPENSSL_LH_insert {
            // SAFETY: our table; the session is live, and its hash and comparison are ours.
            unsafe { insert(self.table, session.as_ptr().cast()) };
        }
    }

    /// Empties the table. A libcrypto that cannot (1.1.1) makes another.
    fn emptied<S: SessionRef>(self) -> Option<Self> {
        let Some(flush) = self.crypto.OPENSSL_LH_flush else { return Made::new::<S>(self.crypto) };
        // SAFETY: our table.
        unsafe { flush(self.table) };
        Some(self)
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        if let Some(free) = self.crypto.OPENSSL_LH_free {
            // SAFETY: our table; it owns nothing that is in it.
            unsafe { free(self.table) };
        }
    }
}

impl<S: SessionRef> InternalCache<S> {
    /// `SSL_CTX_sessions`: the sessions as they are now. `None` if there is no libcrypto, or no memory.
    pub fn table(&self) -> Option<*mut LHASH_OF_SSL_SESSION> {
        let mut made = self.table.0.get_or_try_init(|| boxed(Mutex::new(None))).ok()?.lock();
        let table = match made.take() {
            Some(made) => made.emptied::<S>(),
            None => Made::new::<S>(libcrypto()?),
        }?;
        self.sessions.for_each(|_, session| table.insert(session));
        Some(made.insert(table).table)
    }
}

/// OpenSSL's own hash: the first four bytes of the id, as a little-endian number.
unsafe extern "C-unwind" fn hash<S: SessionRef>(session: *const c_void) -> c_ulong {
    // SAFETY: libcrypto passes what was inserted, or what a program looks up: a live session.
    let Some(session) = (unsafe { S::borrow(session.cast_mut().cast()) }) else { return 0 };
    let key = session.key();
    key.id().iter().take(4).rev().fold(0, |hash, byte| hash << 8 | c_ulong::from(*byte))
}

/// How the walk over the table calls the program's function.
unsafe extern "C-unwind" fn visit(session: *mut c_void, function: LhVisit) {
    if let Some(function) = function {
        // SAFETY: what libcrypto was given, for what is in the table.
        unsafe { function(session) };
    }
}

/// The same with an argument of the program's.
unsafe extern "C-unwind" fn visit_with(
    session: *mut c_void,
    argument: *mut c_void,
    function: LhVisitWith,
) {
    if let Some(function) = function {
        // SAFETY: as above.
        unsafe { function(session, argument) };
    }
}

unsafe extern "C-unwind" fn compare<S: SessionRef>(a: *const c_void, b: *const c_void) -> c_int {
    // SAFETY: as in `hash`.
    let sessions = unsafe { (S::borrow(a.cast_mut().cast()), S::borrow(b.cast_mut().cast())) };
    match sessions {
        (Some(a), Some(b)) if a.key() == b.key() => 0,
        _ => 1,
    }
}
