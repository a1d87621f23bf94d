//! The application's session callbacks.

use std::sync::atomic::{AtomicPtr, Ordering};

use libc::c_void;

use super::SessionRef;
use crate::cache::Key;
use crate::ffi::live::{Ctx, Ssl};
use crate::ffi::types::{GetSessionCb, NewSessionCb, RemoveSessionCb};

/// The three callbacks. Plain stores and loads, as in OpenSSL; the getters return what was set.
#[derive(Default)]
pub struct Callbacks {
    new: AtomicPtr<c_void>,
    remove: AtomicPtr<c_void>,
    get: AtomicPtr<c_void>,
}

/// A callback and a data pointer have one size; NULL is `None`.
macro_rules! callback_accessors {
    ($($field:ident, $set:ident, $get:ident: $type:ty;)*) => {$(
        #[doc = concat!("Sets the `", stringify!($field), "` callback.")]
        pub fn $set(&self, callback: $type) {
            let address = callback.map_or(std::ptr::null_mut(), |f| f as *mut c_void);
            self.$field.store(address, Ordering::Release);
        }

        #[doc = concat!("The `", stringify!($field), "` callback.")]
        pub fn $get(&self) -> $type {
            let address = self.$field.load(Ordering::Acquire);
            // SAFETY: only the setter above writes it, from the same type; NULL is None.
            unsafe { std::mem::transmute::<*mut c_void, $type>(address) }
        }
    )*};
}

impl Callbacks {
    callback_accessors! {
        new, set_new_cb, new_cb: NewSessionCb;
        remove, set_remove_cb, remove_cb: RemoveSessionCb;
        get, set_get_cb, get_cb: GetSessionCb;
    }

    /// Tells the application that `session` was removed.
    pub fn removed(&self, ctx: Ctx<'_>, session: &impl SessionRef) {
        if let Some(callback) = self.remove_cb() {
            // SAFETY: the application's function, with a live context and session, no lock held.
            unsafe { callback(ctx.as_ptr(), session.as_c()) };
        }
    }

    /// Offers the application a new session. True if it keeps the reference it was given.
    pub fn offer<S: SessionRef>(&self, ssl: Ssl<'_>, session: &S) -> bool {
        let Some(callback) = self.new_cb() else { return false };
        let given = session.clone().into_c();
        // SAFETY: the application's function, with a live connection and a reference of its own.
        let kept = unsafe { callback(ssl.as_ptr(), given) } != 0;
        if !kept {
            // SAFETY: 0 gives the reference back, which is the one made above.
            drop(unsafe { S::from_c(given) });
        }
        kept
    }

    /// Asks the application's external cache. What comes back is a reference of ours.
    pub fn ask<S: SessionRef>(&self, ssl: Ssl<'_>, key: &Key) -> Option<S> {
        let callback = self.get_cb()?;
        let mut copy = 1;
        // SAFETY: the application's function; the id lives across the call.
        let session =
            unsafe { callback(ssl.as_ptr(), key.id().as_ptr(), key.id().len() as i32, &mut copy) };
        // SAFETY: NULL or a live session; copy 0 hands its reference over. Otherwise it stays the
        // application's: the clone is ours, and `given` is forgotten again below.
        let given = unsafe { S::from_c(session) }?;
        if copy == 0 {
            return Some(given);
        }
        let ours = given.clone();
        given.into_c();
        Some(ours)
    }
}
