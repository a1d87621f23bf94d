//! What the rules need of a session, whoever made the object.

use std::mem::ManuallyDrop;

use crate::cache::{Expiry, Key};
use crate::ffi::live::Ctx;
use crate::ffi::types::SSL_SESSION;

/// Where a server's look-up has found a session. One that is marked not resumable is accepted out
/// of the internal cache, where the application may have put it again, but not from a callback.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// The internal cache.
    Cache,
    /// The application's get callback.
    Callback,
}

/// One counted reference to a session. Clone takes a reference, drop gives it back, equal means the
/// very same object.
pub trait SessionRef: Clone + PartialEq + Send + Sync + 'static {
    /// The standing whose sessions these are, a `Standing`.
    type Standing;

    /// Protocol version and session id, as they are now.
    fn key(&self) -> Key;

    /// Time plus timeout, as they are now.
    fn expiry(&self) -> Expiry;

    /// Both at once.
    fn key_and_expiry(&self) -> (Key, Expiry) {
        (self.key(), self.expiry())
    }

    /// Sets the time to now (SSL_SESS_CACHE_UPDATE_TIME).
    fn touch(&self);

    /// The handle that callbacks get. It carries no reference of its own.
    fn as_c(&self) -> *mut SSL_SESSION;

    /// Takes over one reference, `None` for NULL.
    ///
    /// # Safety
    /// `session` is NULL or a live session of this standing, and the caller gives up one reference.
    unsafe fn from_c(session: *mut SSL_SESSION) -> Option<Self>;

    /// Looks at a session without taking a reference. `None` for NULL.
    ///
    /// # Safety
    /// `session` is NULL or live for as long as the result is used.
    unsafe fn borrow(session: *mut SSL_SESSION) -> Option<ManuallyDrop<Self>> {
        // SAFETY: the reference that `from_c` takes over is never dropped, so none is needed.
        unsafe { Self::from_c(session) }.map(ManuallyDrop::new)
    }

    /// Gives the reference to C.
    fn into_c(self) -> *mut SSL_SESSION;

    /// Marks the session not resumable; `ctx` is the context it leaves. True if libssl's own cache
    /// held one with its key, and does no longer.
    fn mark_not_resumable(&self, ctx: Ctx<'_>) -> bool;

    /// Whether a handshake accepts it, coming from there.
    fn is_accepted(&self, from: Source) -> bool;

    /// Writes its DER (`i2d_SSL_SESSION`) to the start of `room`; its length, `None` without room.
    fn encode(&self, room: &mut [u8]) -> Option<usize>;

    /// The session that this is the DER of, a new object (`d2i_SSL_SESSION`).
    fn decode(der: &[u8]) -> Option<Self>;
}
