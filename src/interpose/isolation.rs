//! Whose sessions a context's are, where processes share them (`crate::shared::Tier` says what for).
//!
//! All of it is asked of libssl anew at each use, as far as that is cheap; what is not, only if
//! something that is has changed. Two contexts that are equal in all of this are one, in one process
//! as in several: so a session outlives a reload of the server's configuration. What libssl does not
//! tell is not seen: certificates that a callback chooses (the name separates those), of several
//! certificates (RSA beside ECDSA) others than the one that was set last, a directory of trusted
//! certificates, what a callback makes of a certificate.

use std::hash::{DefaultHasher, Hash, Hasher};

use libc::{c_int, c_ulong, c_void};
use once_cell::race::OnceBox;
use sslcache_sync::Lock;

use super::borrowed::RealCtx;
use crate::cache::Key;
use crate::ffi::args::bytes;
use crate::ffi::constants::*;
use crate::ffi::memory::boxed;
use crate::ffi::real::{Real, call};
use crate::ffi::types::*;
use crate::shared::{Realm, Tier};

/// What is kept of it for a context. None of it costs anything before there is a tier.
#[derive(Default)]
pub struct Isolation(OnceBox<Lock<Known>>);

/// The session id context, for which libssl has no getter, and the realm as it was told last.
#[derive(Clone, Copy, Default)]
struct Known {
    sid_ctx: SidCtx,
    realm: Option<(Facts, Realm)>,
}

#[derive(Clone, Copy, PartialEq, Eq, Default, Hash)]
struct SidCtx {
    bytes: [u8; Key::MAX_ID],
    length: usize,
}

/// What is cheap to ask. While it stays the same, the realm does.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Facts {
    sid_ctx: SidCtx,
    certificate: Mark,
    asks: c_int,
    depth: c_int,
    flags: [c_ulong; 2],
    ca_names: ListFacts,
    trusted: ListFacts,
}

/// Enough of a certificate, or of a name, to know it by.
type Mark = [u8; 16];

/// A list is known by where it is, how long, and what is at its ends: what a new list is of may be
/// something else, though it lies where an old one lay.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
struct ListFacts {
    at: usize,
    length: c_int,
    ends: [Mark; 2],
}

impl Isolation {
    fn known(&self) -> Option<&Lock<Known>> {
        self.0.get_or_try_init(|| boxed(Lock::default())).ok()
    }

    /// `SSL_CTX_set_session_id_context` was told this.
    pub fn set_sid_ctx(&self, told: &[u8]) {
        let mut sid_ctx = SidCtx { length: told.len(), ..SidCtx::default() };
        if let (Some(place), Some(known)) = (sid_ctx.bytes.get_mut(..told.len()), self.known()) {
            place.copy_from_slice(told);
            known.lock().sid_ctx = sid_ctx;
        }
    }

    /// Whether it was told any.
    pub fn has_sid_ctx(&self) -> bool {
        self.0.get().is_some_and(|known| known.lock().sid_ctx.length > 0)
    }

    /// The realm as it was told last.
    pub fn last_realm(&self) -> Option<Realm> {
        self.0.get()?.lock().realm.map(|(_, realm)| realm)
    }

    /// What the context asked of its clients then.
    pub fn last_asked(&self) -> Option<c_int> {
        self.0.get()?.lock().realm.map(|(facts, _)| facts.asks)
    }

    /// The realm of `ctx`, whose this is.
    pub fn realm(&self, ctx: RealCtx, tier: &Tier) -> Option<Realm> {
        let known = self.known()?;
        let before = *known.lock();
        let facts = Facts::of(ctx, before.sid_ctx)?;
        if let Some((_, realm)) = before.realm.filter(|(then, _)| *then == facts) {
            return Some(realm);
        }
        let realm = facts.realm(ctx, tier)?;
        known.lock().realm = Some((facts, realm));
        Some(realm)
    }
}

impl Facts {
    fn of(ctx: RealCtx, sid_ctx: SidCtx) -> Option<Self> {
        let asks = ctx.verify_mode();
        let mut facts = Facts {
            sid_ctx,
            certificate: mark_of(ctx.real, ctx.certificate()),
            asks,
            depth: 0,
            flags: [0; 2],
            ca_names: ListFacts::default(),
            trusted: ListFacts::default(),
        };
        if asks & SSL_VERIFY_PEER != 0 {
            let (names, store) = (ca_names(ctx), Trusted::of(ctx)?);
            facts.depth = verify_depth(ctx);
            facts.flags = [store.flags(), ctx_flags(ctx)];
            facts.ca_names = names.facts(|name| mark_of_name(ctx.real, name));
            facts.trusted = store.with_objects(|objects| {
                objects.facts(|object| mark_of(ctx.real, certificate_of(ctx.real, object)))
            })?;
            // The list is the same one for as long as the store is.
            facts.trusted.at = store.store.addr();
        }
        Some(facts)
    }

    fn realm(&self, ctx: RealCtx, tier: &Tier) -> Option<Realm> {
        // libssl 1.1.1 does not read what later ones write.
        let generation = (ctx.real.version() >> 28).to_le_bytes();
        let sid_ctx = &self.sid_ctx.bytes[..self.sid_ctx.length];
        let asks = self.asks.to_le_bytes();
        let mut realm = tier.realm_with(tier.first_realm(), &[&generation, sid_ctx, &asks])?;
        let mut add = |what: &[u8]| {
            realm = tier.realm_with(realm, &[what])?;
            Some(())
        };
        match ctx.certificate() {
            none if none.is_null() => add(b"")?,
            certificate => add(&digest_with(ctx.real, ctx.real.X509_digest, certificate)?)?,
        }
        if self.asks & SSL_VERIFY_PEER == 0 {
            return Some(realm);
        }
        add(&self.depth.to_le_bytes())?;
        self.flags.into_iter().try_for_each(|flags| add(&flags.to_le_bytes()))?;
        let names = ca_names(ctx);
        add(&names.len().to_le_bytes())?;
        names.each(|name| add(&digest_of_name(ctx.real, name)?))?;
        add(&digest_of_trusted(ctx)?)?;
        Some(realm)
    }
}

/// Of all certificates and revocation lists that a context trusts, in whatever order: libcrypto
/// sorts them when it first looks for one.
fn digest_of_trusted(ctx: RealCtx) -> Option<Digest> {
    let mut sum = [0; SHA256];
    let add = |object| {
        let digest = digest_of(ctx.real, object)?;
        sum.iter_mut().zip(digest).for_each(|(sum, byte)| *sum ^= byte);
        Some(())
    };
    Trusted::of(ctx)?.with_objects(|objects| objects.each(add))??;
    Some(sum)
}

/// What may be seen of a context without anything being computed. It changes with the realm.
pub fn outline(ctx: RealCtx) -> Option<u64> {
    let mut hasher = DefaultHasher::new();
    Facts::of(ctx, SidCtx::default())?.hash(&mut hasher);
    Some(hasher.finish())
}

// ---------------------------------------------------------------------------- what libssl tells

const SHA256: usize = 32;
type Digest = [u8; SHA256];

/// One of the functions that write a digest.
type Digests<T> = unsafe extern "C-unwind" fn(
    *const T,
    *const c_void,
    *mut libc::c_uchar,
    *mut libc::c_uint,
) -> c_int;

fn digest_with<T>(real: &Real, digest: Option<Digests<T>>, object: *const T) -> Option<Digest> {
    let (mut bytes, mut length) = ([0; SHA256], 0);
    // SAFETY: an object that its context keeps, and room for a digest of this kind.
    let done = unsafe {
        let sha256 = call!(real, EVP_sha256(), std::ptr::null());
        digest?(object, sha256, bytes.as_mut_ptr(), &mut length)
    };
    (done == 1 && length as usize == SHA256).then_some(bytes)
}

fn digest_of_name(real: &Real, name: *mut c_void) -> Option<Digest> {
    digest_with(real, real.X509_NAME_digest, name.cast_const().cast::<c_void>())
}

/// Of a certificate or a revocation list; of anything else that may be trusted, zeros.
fn digest_of(real: &Real, object: *mut c_void) -> Option<Digest> {
    let certificate = certificate_of(real, object);
    // SAFETY: an X509_OBJECT of a store that is locked; what it is of lives as long.
    let list = unsafe { call!(real, X509_OBJECT_get0_X509_CRL(object), std::ptr::null_mut()) };
    if !certificate.is_null() {
        digest_with(real, real.X509_digest, certificate)
    } else if !list.is_null() {
        digest_with(real, real.X509_CRL_digest, list.cast_const())
    } else {
        Some([0; SHA256])
    }
}

/// The certificate that is trusted there, if it is one.
fn certificate_of(real: &Real, object: *mut c_void) -> *const X509 {
    // SAFETY: an X509_OBJECT of a store that is locked; what it is of lives as long.
    unsafe { call!(real, X509_OBJECT_get0_X509(object), std::ptr::null_mut()) }
}

/// The beginning of a certificate's signature, which no other one has. Zeros for NULL.
fn mark_of(real: &Real, certificate: *const X509) -> Mark {
    let (mut mark, mut signature) = (Mark::default(), std::ptr::null());
    if certificate.is_null() {
        return mark;
    }
    // SAFETY: a certificate that the context keeps, and with it the signature.
    let signature = unsafe {
        call!(real, X509_get0_signature(&mut signature, std::ptr::null_mut(), certificate), ());
        if signature.is_null() {
            return mark;
        }
        let length = call!(real, ASN1_STRING_length(signature), 0);
        let start = call!(real, ASN1_STRING_get0_data(signature), std::ptr::null());
        bytes(start, usize::try_from(length).unwrap_or(0))
    };
    mark.iter_mut().zip(signature).for_each(|(to, from)| *to = *from);
    mark
}

/// The end of its encoding: names begin alike.
fn mark_of_name(real: &Real, name: *mut c_void) -> Mark {
    let (mut mark, mut start, mut length) = (Mark::default(), std::ptr::null(), 0);
    // SAFETY: a name that the context keeps, and with it the encoding; places for the answers.
    let encoding = unsafe {
        if call!(real, X509_NAME_get0_der(name, &mut start, &mut length), 0) != 1 {
            return mark;
        }
        bytes(start, length)
    };
    mark.iter_mut().zip(encoding.iter().rev()).for_each(|(to, from)| *to = *from);
    mark
}

/// One of libcrypto's lists, which may be NULL.
struct List {
    real: &'static Real,
    list: *mut c_void,
}

impl List {
    fn len(&self) -> c_int {
        // SAFETY: a list, or NULL, whose length is -1.
        unsafe { call!(self.real, OPENSSL_sk_num(self.list), 0) }.max(0)
    }

    fn at(&self, place: c_int) -> *mut c_void {
        // SAFETY: a list, or NULL; of a place that it has not, NULL.
        unsafe { call!(self.real, OPENSSL_sk_value(self.list, place), std::ptr::null_mut()) }
    }

    fn each(&self, each: impl FnMut(*mut c_void) -> Option<()>) -> Option<()> {
        (0..self.len()).map(|place| self.at(place)).try_for_each(each)
    }

    fn facts(&self, mark: impl Fn(*mut c_void) -> Mark) -> ListFacts {
        let length = self.len();
        let ends = match length {
            0 => Default::default(),
            _ => [0, length - 1].map(|place| mark(self.at(place))),
        };
        ListFacts { at: self.list.addr(), length, ends }
    }
}

/// The names of authorities that a client is sent.
fn ca_names(ctx: RealCtx) -> List {
    let (real, ctx) = (ctx.real, ctx.ctx.as_ptr());
    // SAFETY: a live context of this libssl, which keeps the list.
    let list = unsafe { call!(real, SSL_CTX_get_client_CA_list(ctx), std::ptr::null_mut()) };
    List { real, list }
}

fn verify_depth(ctx: RealCtx) -> c_int {
    // SAFETY: a live context of this libssl.
    unsafe { call!(ctx.real, SSL_CTX_get_verify_depth(ctx.ctx.as_ptr()), 0) }
}

fn ctx_flags(ctx: RealCtx) -> c_ulong {
    let real = ctx.real;
    // SAFETY: a live context of this libssl, which keeps its parameters.
    unsafe {
        let parameters = call!(real, SSL_CTX_get0_param(ctx.ctx.as_ptr()), std::ptr::null_mut());
        call!(real, X509_VERIFY_PARAM_get_flags(parameters), 0)
    }
}

/// Whom a context trusts.
struct Trusted {
    real: &'static Real,
    store: *mut c_void,
}

impl Trusted {
    fn of(ctx: RealCtx) -> Option<Self> {
        let real = ctx.real;
        // SAFETY: a live context of this libssl, which keeps its store.
        let store =
            unsafe { call!(real, SSL_CTX_get_cert_store(ctx.ctx.as_ptr()), std::ptr::null_mut()) };
        (!store.is_null()).then_some(Trusted { real, store })
    }

    fn flags(&self) -> c_ulong {
        let real = self.real;
        // SAFETY: a store that its context keeps, and with it the parameters.
        unsafe {
            let parameters = call!(real, X509_STORE_get0_param(self.store), std::ptr::null_mut());
            call!(real, X509_VERIFY_PARAM_get_flags(parameters), 0)
        }
    }

    /// Its certificates and revocation lists; `None` from a libcrypto that does not tell.
    fn with_objects<R>(&self, look: impl FnOnce(&List) -> R) -> Option<R> {
        let (real, store) = (self.real, self.store);
        let (lock, unlock) = (real.X509_STORE_lock?, real.X509_STORE_unlock?);
        let objects = real.X509_STORE_get0_objects?;
        // SAFETY: a store that its context keeps; the list is looked at while it is locked. Nothing
        // of the application's runs meanwhile.
        unsafe {
            lock(store);
            let seen = look(&List { real, list: objects(store) });
            unlock(store);
            Some(seen)
        }
    }
}
