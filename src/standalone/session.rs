//! A session: what a handshake negotiated, kept so that a later one can resume it.

use std::sync::atomic::{AtomicBool, Ordering};

use libc::{c_int, c_void};
use sslcache_sync::{Guard, Lock, forget};

use super::ex_data::ExData;
use super::published::Published;
use super::values::Values;
use crate::cache::{Expiry, Key};
use crate::ffi::constants::CRYPTO_EX_INDEX_SSL_SESSION;
use crate::ffi::handle::{Handle, Tag};
use crate::ffi::memory::{Counted, NoMemory};
use crate::ffi::types::{EVP_PKEY, SSL_SESSION, X509};
use crate::rules::Held;

/// A session object, counted by reference.
///
/// The lock is there because a C program may set a value while another thread reads it; OpenSSL
/// leaves that a data race. What a pointer getter returned is good until that value is set again,
/// as there.
///
/// The order of the fields matters: those that a cache reads and writes share a cache line with the
/// count of the references.
#[repr(C)]
pub struct Session {
    tag: Tag,
    /// What a cache asks for, beside the values themselves: it takes no lock for it.
    published: Published,
    not_resumable: AtomicBool,
    values: Lock<Values>,
    ex_data: ExData,
}

impl Handle for Session {
    type C = SSL_SESSION;
}

impl Session {
    /// `SSL_SESSION_new`
    pub fn new() -> Result<Counted<Session>, NoMemory> {
        Session::with_values(Values::default())
    }

    /// A session with these values, and ex_data of its own.
    pub fn with_values(values: Values) -> Result<Counted<Session>, NoMemory> {
        let session = Held::new(Counted::new(|| Session {
            tag: Tag::OURS,
            published: Published::new(&values),
            not_resumable: AtomicBool::new(false),
            values: Lock::new(values),
            ex_data: ExData::new(CRYPTO_EX_INDEX_SSL_SESSION),
        })?);
        let created = session.ex_data.created(session.as_c().cast());
        session.if_made(created)
    }

    /// `SSL_SESSION_dup`: everything but the cache's references to it.
    pub fn dup(&self) -> Result<Counted<Session>, NoMemory> {
        let values = self.read(Values::copy)?;
        let copy = Held::new(Session::with_values(values)?);
        copy.not_resumable.store(self.is_marked(), Ordering::Relaxed);
        let copied = copy.ex_data.copy_from(&self.ex_data);
        copy.if_made(copied)
    }

    /// In the child of a fork, what another thread was just setting is forgotten: all of it.
    fn lock(&self) -> Guard<'_, Values> {
        self.values.lock_or(|values| {
            forget(values, Values::default());
            self.published.publish(values);
        })
    }

    /// Reads the values.
    pub fn read<R>(&self, read: impl FnOnce(&Values) -> R) -> R {
        read(&self.lock())
    }

    /// Changes the values.
    pub fn write<R>(&self, write: impl FnOnce(&mut Values) -> R) -> R {
        let mut values = self.lock();
        let written = write(&mut values);
        self.published.publish(&values);
        written
    }

    /// Takes these values in place of its own. They are dropped outside the lock: a certificate is
    /// freed with them.
    pub fn replace(&self, values: Values) {
        let old = self.write(|own| std::mem::replace(own, values));
        drop(old);
    }

    /// Protocol version and session id.
    pub fn key(&self) -> Key {
        self.published.key().unwrap_or_else(|| self.read(Values::key))
    }

    /// Time plus timeout.
    pub fn expiry(&self) -> Expiry {
        self.published.expiry().unwrap_or_else(|| self.read(Values::expiry))
    }

    /// Both at once.
    pub fn key_and_expiry(&self) -> (Key, Expiry) {
        let both = self.published.key_and_expiry();
        both.unwrap_or_else(|| self.read(|v| (v.key(), v.expiry())))
    }

    /// Marks it not resumable: it leaves a cache.
    pub fn mark_not_resumable(&self) {
        self.not_resumable.store(true, Ordering::Relaxed);
    }

    /// It was marked not resumable when it left a cache.
    pub fn is_marked(&self) -> bool {
        self.not_resumable.load(Ordering::Relaxed)
    }

    /// `SSL_SESSION_is_resumable`
    pub fn is_resumable(&self) -> bool {
        !self.is_marked() && self.read(|v| !v.id.as_slice().is_empty() || v.has_ticket())
    }

    /// `SSL_SESSION_get0_peer`
    pub fn peer(&self) -> *mut X509 {
        self.read(|v| v.peer.as_ref().map_or(std::ptr::null_mut(), |peer| peer.object()))
    }

    /// `SSL_SESSION_get0_peer_rpk`
    pub fn peer_rpk(&self) -> *mut EVP_PKEY {
        self.read(|v| v.peer_rpk.as_ref().map_or(std::ptr::null_mut(), |peer| peer.object()))
    }

    /// `SSL_SESSION_set_ex_data`
    pub fn set_ex_data(&self, index: c_int, data: *mut c_void) -> bool {
        self.ex_data.set(index, data)
    }

    /// `SSL_SESSION_get_ex_data`
    pub fn ex_data(&self, index: c_int) -> *mut c_void {
        self.ex_data.get(index)
    }
}

impl Held<Counted<Session>> {
    /// The new session, unless its ex_data could not be made.
    fn if_made(self, ex_data: Result<(), NoMemory>) -> Result<Counted<Session>, NoMemory> {
        match ex_data {
            Ok(()) => Ok(self.into_inner()),
            Err(no_memory) => {
                self.release();
                Err(no_memory)
            }
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // libcrypto frees nothing of ours while an exception passes that one of the functions
        // throws.
        let values = self.values.get_mut();
        let peers = Held::new((values.peer.clone(), values.peer_rpk.clone()));
        self.ex_data.free(self.as_c().cast());
        peers.release();
    }
}

/// A counted reference to a [`Session`], as the cache holds it: equal means the very same object.
#[derive(Clone)]
pub struct SessionHandle(pub Counted<Session>);

impl PartialEq for SessionHandle {
    fn eq(&self, other: &Self) -> bool {
        self.0.ptr_eq(&other.0)
    }
}
