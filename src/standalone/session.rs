//! A session: what a handshake negotiated, kept so that a later one can resume it.

use std::sync::atomic::{AtomicBool, Ordering};

use libc::{c_int, c_long, c_void};
use sslcache_sync::{Guard, Lock, forget};
use zeroize::{Zeroize, Zeroizing};

use super::cipher::CipherPtr;
use super::context::Context;
use super::ex_data::ExData;
use super::peer::Peer;
use super::published::Published;
use crate::cache::{Expiry, Key};
use crate::clock;
use crate::ffi::constants::*;
use crate::ffi::handle::{Handle, Tag};
use crate::ffi::memory::{Counted, NoMemory, OwnedCStr, copied};
use crate::ffi::types::{EVP_PKEY, SSL_CTX, SSL_SESSION, X509};
use crate::rules::{Held, Lifetime, SessionRef, Source};

/// Times are those of OpenSSL 3.0, which all else here follows too.
pub const LIFETIME: Lifetime = Lifetime::Checked;

/// Up to 32 bytes, kept in place: a session id or a session id context.
#[derive(Clone, Copy, Default)]
pub struct Id {
    bytes: [u8; 32],
    len: u8,
}

impl PartialEq for Id {
    /// The bytes beyond the length are no part of it.
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl Id {
    /// `None` if `bytes` are more than 32.
    pub fn new(bytes: &[u8]) -> Option<Id> {
        let mut id = Id::default();
        id.set(bytes).then_some(id)
    }

    /// Replaces the value; false, and nothing changed, if `bytes` are more than 32. Bytes beyond the
    /// new length keep their old value: a C program may still hold the pointer.
    pub fn set(&mut self, bytes: &[u8]) -> bool {
        if bytes.len() > self.bytes.len() {
            return false;
        }
        self.bytes[..bytes.len()].copy_from_slice(bytes);
        self.len = bytes.len() as u8;
        true
    }

    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    /// Where the bytes are, also of an empty one (OpenSSL returns a pointer then too).
    pub fn as_ptr(&self) -> *const u8 {
        self.bytes.as_ptr()
    }
}

/// The negotiated values: all that `SSL_SESSION_dup` copies and that DER encodes.
pub struct Values {
    /// `SSL_SESSION_get_protocol_version`
    pub version: c_int,
    /// The session id.
    pub id: Id,
    /// The session id context.
    pub sid_ctx: Id,
    /// The master key, or the resumption secret of TLS 1.3.
    pub master_key: Zeroizing<Vec<u8>>,
    /// Made at, in seconds since the epoch.
    pub time: c_long,
    /// Lives for, in seconds.
    pub timeout: c_long,
    /// The cipher suite, if known.
    pub cipher: CipherPtr,
    /// The cipher suite's number, as decoded; 0 if there never was one.
    pub cipher_id: u32,
    /// X509_V_...
    pub verify_result: c_long,
    /// SSL_SESS_FLAG_...
    pub flags: u64,
    /// The server name.
    pub hostname: Option<OwnedCStr>,
    /// The protocol that ALPN chose.
    pub alpn: Option<Vec<u8>>,
    /// The ticket. One of no bytes is no ticket to anybody, but DER keeps it.
    pub ticket: Option<Zeroizing<Vec<u8>>>,
    /// For how long the server said the ticket is good, in seconds.
    pub ticket_lifetime_hint: u64,
    /// TLS 1.3: obfuscates the ticket's age.
    pub ticket_age_add: u32,
    /// What the application attached to its tickets.
    pub ticket_appdata: Option<Zeroizing<Vec<u8>>>,
    /// How much early data is accepted, in bytes.
    pub max_early_data: u32,
    /// Maximum fragment length mode; 255 is "never negotiated".
    pub max_fragment_len_mode: u8,
    /// PSK identity hint.
    pub psk_identity_hint: Option<OwnedCStr>,
    /// PSK identity.
    pub psk_identity: Option<OwnedCStr>,
    /// SRP user name.
    pub srp_username: Option<OwnedCStr>,
    /// Compression method; 0 is none.
    pub compress_id: u8,
    /// Key exchange group.
    pub kex_group: u32,
    /// The peer's certificate.
    pub peer: Option<Counted<Peer<X509>>>,
    /// The peer's raw public key.
    pub peer_rpk: Option<Counted<Peer<EVP_PKEY>>>,
}

impl Values {
    pub(super) fn key(&self) -> Key {
        Key::new(self.version, self.id.as_slice()).expect("a session id is at most 32 bytes")
    }

    fn expiry(&self) -> Expiry {
        LIFETIME.expiry(self.time, self.timeout)
    }
}

impl Default for Values {
    fn default() -> Self {
        Values {
            version: 0,
            id: Id::default(),
            sid_ctx: Id::default(),
            master_key: Zeroizing::default(),
            time: clock::now(),
            timeout: NEW_SESSION_TIMEOUT,
            cipher: CipherPtr(std::ptr::null()),
            cipher_id: 0,
            verify_result: X509_V_ERR_UNSPECIFIED,
            flags: 0,
            hostname: None,
            alpn: None,
            ticket: None,
            ticket_lifetime_hint: 0,
            ticket_age_add: 0,
            ticket_appdata: None,
            max_early_data: 0,
            max_fragment_len_mode: TLSEXT_MAX_FRAGMENT_LENGTH_UNSPECIFIED,
            psk_identity_hint: None,
            psk_identity: None,
            srp_username: None,
            compress_id: 0,
            kex_group: 0,
            peer: None,
            peer_rpk: None,
        }
    }
}

impl Values {
    /// A copy of them all. It shares the peer.
    fn copy(&self) -> Result<Values, NoMemory> {
        let secret = |bytes: &[u8]| copied(bytes).map(Zeroizing::new);
        let text = |text: &Option<OwnedCStr>| text.as_deref().map(OwnedCStr::copied).transpose();
        Ok(Values {
            master_key: secret(&self.master_key)?,
            hostname: text(&self.hostname)?,
            alpn: self.alpn.as_deref().map(copied).transpose()?,
            ticket: self.ticket.as_deref().map(|ticket| secret(ticket)).transpose()?,
            ticket_appdata: self.ticket_appdata.as_deref().map(|data| secret(data)).transpose()?,
            psk_identity_hint: text(&self.psk_identity_hint)?,
            psk_identity: text(&self.psk_identity)?,
            srp_username: text(&self.srp_username)?,
            peer: self.peer.clone(),
            peer_rpk: self.peer_rpk.clone(),
            ..*self
        })
    }

    /// `SSL_SESSION_has_ticket`
    pub fn has_ticket(&self) -> bool {
        self.ticket.as_ref().is_some_and(|ticket| !ticket.is_empty())
    }
}

impl Drop for Values {
    fn drop(&mut self) {
        // The id is as good as a key to whoever can replay it.
        self.id.bytes.zeroize();
    }
}

/// A session object, counted by reference.
///
/// The lock is there because a C program may set a value while another thread reads it; OpenSSL leaves
/// that a data race. What a pointer getter returned is good until that value is set again, as there.
///
/// In this order: what a cache reads and writes lies together, and with the count of the references.
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
        // libcrypto frees nothing of ours while an exception passes that one of the functions throws.
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

impl SessionRef for SessionHandle {
    type Context = Context;

    fn key(&self) -> Key {
        self.0.published.key().unwrap_or_else(|| self.0.read(Values::key))
    }

    fn expiry(&self) -> Expiry {
        self.0.published.expiry().unwrap_or_else(|| self.0.read(Values::expiry))
    }

    fn key_and_expiry(&self) -> (Key, Expiry) {
        let both = self.0.published.key_and_expiry();
        both.unwrap_or_else(|| self.0.read(|v| (v.key(), v.expiry())))
    }

    unsafe fn context(ctx: *mut SSL_CTX) -> Option<Counted<Context>> {
        // SAFETY: the caller's promise.
        unsafe { Context::share(ctx) }
    }

    fn touch(&self) {
        self.0.write(|v| v.time = clock::now());
    }

    fn as_ptr(&self) -> *mut SSL_SESSION {
        self.0.as_c()
    }

    unsafe fn from_ptr(session: *mut SSL_SESSION) -> Option<Self> {
        // SAFETY: the caller's promise is that of `from_c`.
        unsafe { Session::from_c(session) }.map(SessionHandle)
    }

    fn into_ptr(self) -> *mut SSL_SESSION {
        Session::into_c(self.0)
    }

    fn mark_not_resumable(&self, _: *mut SSL_CTX) -> bool {
        self.0.not_resumable.store(true, Ordering::Relaxed);
        false
    }

    fn is_accepted(&self, from: Source) -> bool {
        from == Source::Cache || !self.0.is_marked()
    }
}
