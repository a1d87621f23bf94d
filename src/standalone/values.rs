//! What a session consists of: the values that a handshake negotiated.

use libc::{c_int, c_long};
use zeroize::{Zeroize, Zeroizing};

use super::cipher::CipherPtr;
use super::peer::Peer;
use crate::cache::{Expiry, Key};
use crate::clock;
use crate::ffi::constants::*;
use crate::ffi::memory::{Counted, NoMemory, OwnedCStr, copied};
use crate::ffi::types::{EVP_PKEY, X509};
use crate::rules::Lifetime;

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

    /// Replaces the value; false, and nothing changed, if `bytes` are more than 32. Bytes beyond
    /// the new length keep their old value: a C program may still hold the pointer.
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

    pub(super) fn expiry(&self) -> Expiry {
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
    pub(super) fn copy(&self) -> Result<Values, NoMemory> {
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
