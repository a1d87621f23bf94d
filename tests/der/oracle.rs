//! Our d2i, getters and i2d beside those of the real libssl, in one process: the real one is loaded
//! where nobody else sees it, after this library has decided that it stands alone. Used by
//! `tests/der/main.rs` and by the fuzz target `d2i`.

use std::ffi::{CStr, CString, c_char, c_int, c_long, c_uchar, c_uint, c_ulong, c_void};
use std::ptr::{null, null_mut};
use std::sync::OnceLock;

use sslcache::exports::d2i_ssl_session::*;
use sslcache::exports::ssl_ctx_set_session_ticket_cb::*;
use sslcache::exports::ssl_get_client_random::*;
use sslcache::exports::ssl_read_early_data::*;
use sslcache::exports::ssl_session_free::*;
use sslcache::exports::ssl_session_get_compress_id::*;
use sslcache::exports::ssl_session_get_protocol_version::*;
use sslcache::exports::ssl_session_get_time::*;
use sslcache::exports::ssl_session_get0_cipher::*;
use sslcache::exports::ssl_session_get0_hostname::*;
use sslcache::exports::ssl_session_get0_id_context::*;
use sslcache::exports::ssl_session_get0_peer::*;
use sslcache::exports::ssl_session_has_ticket::*;
use sslcache::exports::ssl_session_is_resumable::*;
use sslcache::exports::ssl_session_print::*;
use sslcache::exports::ssl_session_set1_id::*;
use sslcache::ffi::types::{BIO, SSL_SESSION};
use sslcache::for_tests::Real;

/// The real libssl, and what the tests need of libcrypto.
pub struct Oracle {
    /// libssl
    pub ssl: Real,
    /// libcrypto
    pub crypto: Crypto,
}

/// A struct of functions, found by their names.
macro_rules! functions {
    ($(#[$doc:meta])* pub struct $table:ident { $($name:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[allow(non_snake_case, missing_docs)]
        pub struct $table {
            $(pub $name: $type,)*
        }

        impl $table {
            fn from_library(handle: *mut c_void) -> Self {
                $table {
                    $($name: {
                        let name = CString::new(stringify!($name)).unwrap();
                        // SAFETY: dlsym with a live handle and a C string; the function of this
                        // name has this type, and a null pointer is refused.
                        unsafe {
                            let found = libc::dlsym(handle, name.as_ptr());
                            assert!(!found.is_null(), "{name:?}");
                            std::mem::transmute::<*mut c_void, $type>(found)
                        }
                    },)*
                }
            }
        }
    };
}

functions! {
    /// What the tests need of libcrypto.
    pub struct Crypto {
        ERR_get_error: unsafe extern "C-unwind" fn() -> c_ulong,
        BIO_s_mem: unsafe extern "C-unwind" fn() -> *const c_void,
        BIO_new: unsafe extern "C-unwind" fn(*const c_void) -> *mut BIO,
        BIO_ctrl_pending: unsafe extern "C-unwind" fn(*mut BIO) -> usize,
        BIO_read: unsafe extern "C-unwind" fn(*mut BIO, *mut c_void, c_int) -> c_int,
        BIO_free: unsafe extern "C-unwind" fn(*mut BIO) -> c_int,
        CRYPTO_free: unsafe extern "C-unwind" fn(*mut c_void, *const c_char, c_int),
    }
}

/// What `print` writes to a BIO, and what it returns.
pub fn printed(print: impl FnOnce(*mut BIO) -> c_int) -> (c_int, Vec<u8>) {
    let crypto = &oracle().crypto;
    // SAFETY: a memory BIO that is ours alone, and room for what is read.
    unsafe {
        let bio = (crypto.BIO_new)((crypto.BIO_s_mem)());
        let result = print(bio);
        let mut text = vec![0; (crypto.BIO_ctrl_pending)(bio)];
        (crypto.BIO_read)(bio, text.as_mut_ptr().cast(), text.len() as c_int);
        (crypto.BIO_free)(bio);
        (result, text)
    }
}

fn library(name: &CStr, flags: c_int) -> *mut c_void {
    // SAFETY: dlopen with a C string; the library's constructors are meant to run.
    let handle = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW | flags) };
    assert!(!handle.is_null(), "this test compares with {name:?}, which is not installed");
    handle
}

/// Loads everything, in the only order that leaves this library standing alone.
pub fn oracle() -> &'static Oracle {
    static ORACLE: OnceLock<Oracle> = OnceLock::new();
    ORACLE.get_or_init(|| {
        let crypto = library(c"libcrypto.so.3", libc::RTLD_GLOBAL);
        // SAFETY: makes and frees an object; the first call decides the standing.
        unsafe { SSL_SESSION_free(SSL_SESSION_new()) };
        assert!(sslcache::for_tests::real().is_none(), "libssl was there too early");
        // SAFETY: a handle that `library` opened and nobody closes.
        let ssl = unsafe { Real::from_library(library(c"libssl.so.3", libc::RTLD_LOCAL)) };
        Oracle { ssl, crypto: Crypto::from_library(crypto) }
    })
}

/// Calls one of our functions.
macro_rules! ours {
    ($function:ident($($argument:expr),*)) => {
        // SAFETY: a live session and pointers to locals.
        unsafe { $function($($argument),*) }
    };
}

/// Calls the real one.
macro_rules! theirs {
    ($function:ident($($argument:expr),*)) => {
        // SAFETY: as for ours; the session is one of the real libssl's.
        unsafe { oracle().ssl.$function.expect(stringify!($function))($($argument),*) }
    };
}

/// What the getters tell.
#[derive(Debug, PartialEq)]
pub struct Seen {
    version: c_int,
    id: Vec<u8>,
    id_context: Vec<u8>,
    master_key: Vec<u8>,
    time: c_long,
    timeout: c_long,
    hostname: Option<CString>,
    alpn: (bool, Vec<u8>),
    has_ticket: c_int,
    lifetime_hint: c_ulong,
    ticket: (bool, Vec<u8>),
    appdata: (bool, Vec<u8>),
    max_early_data: u32,
    max_fragment_length: u8,
    compress_id: c_uint,
    is_resumable: c_int,
    has_cipher: bool,
    has_peer: bool,
}

fn copied(pointer: *const c_uchar, len: usize) -> Vec<u8> {
    if len == 0 {
        return Vec::new();
    }
    // SAFETY: a getter just named these bytes.
    unsafe { std::slice::from_raw_parts(pointer, len) }.to_vec()
}

macro_rules! seen {
    ($call:ident, $s:expr) => {{
        let (s, mut n, mut len, mut at) = ($s, 0, 0, null());
        let mut data = null_mut();
        let id = $call!(SSL_SESSION_get_id(s, &mut n));
        let id = copied(id, n as usize);
        let id_context = $call!(SSL_SESSION_get0_id_context(s, &mut n));
        let id_context = copied(id_context, n as usize);
        let mut master_key = vec![0; $call!(SSL_SESSION_get_master_key(s, null_mut(), 0))];
        if !master_key.is_empty() {
            $call!(SSL_SESSION_get_master_key(s, master_key.as_mut_ptr(), master_key.len()));
        }
        let hostname = $call!(SSL_SESSION_get0_hostname(s));
        // SAFETY: a C string of the session's, if there is one.
        let hostname = (!hostname.is_null()).then(|| unsafe { CStr::from_ptr(hostname) }.into());
        $call!(SSL_SESSION_get0_alpn_selected(s, &mut at, &mut len));
        let alpn = (at.is_null(), copied(at, len));
        $call!(SSL_SESSION_get0_ticket(s, &mut at, &mut len));
        let ticket = (at.is_null(), copied(at, len));
        $call!(SSL_SESSION_get0_ticket_appdata(s, &mut data, &mut len));
        Seen {
            version: $call!(SSL_SESSION_get_protocol_version(s)),
            id,
            id_context,
            master_key,
            time: $call!(SSL_SESSION_get_time(s)),
            timeout: $call!(SSL_SESSION_get_timeout(s)),
            hostname,
            alpn,
            has_ticket: $call!(SSL_SESSION_has_ticket(s)),
            lifetime_hint: $call!(SSL_SESSION_get_ticket_lifetime_hint(s)),
            ticket,
            appdata: (data.is_null(), copied(data.cast(), len)),
            max_early_data: $call!(SSL_SESSION_get_max_early_data(s)),
            max_fragment_length: $call!(SSL_SESSION_get_max_fragment_length(s)),
            compress_id: $call!(SSL_SESSION_get_compress_id(s)),
            is_resumable: $call!(SSL_SESSION_is_resumable(s)),
            has_cipher: !$call!(SSL_SESSION_get0_cipher(s)).is_null(),
            has_peer: !$call!(SSL_SESSION_get0_peer(s)).is_null(),
        }
    }};
}

macro_rules! decoded {
    ($call:ident, $input:expr) => {{
        let mut at = $input.as_ptr();
        let session = $call!(d2i_SSL_SESSION(null_mut(), &mut at, $input.len() as c_long));
        (session, at.addr() - $input.as_ptr().addr(), errors())
    }};
}

macro_rules! encoded {
    ($call:ident, $s:expr) => {{
        let len = $call!(i2d_SSL_SESSION($s, null_mut()));
        let mut der = vec![0; len as usize];
        let mut at = der.as_mut_ptr();
        assert_eq!($call!(i2d_SSL_SESSION($s, &mut at)), len);
        assert_eq!(at.cast_const(), der.as_ptr_range().end);
        der
    }};
}

/// What is on libcrypto's queue, which is empty then: library and reason of each.
pub fn errors() -> Vec<(c_ulong, c_ulong)> {
    // SAFETY: a plain call.
    let next = || Some(unsafe { (oracle().crypto.ERR_get_error)() }).filter(|&error| error != 0);
    std::iter::from_fn(next).map(|error| (error >> 23 & 0xff, error & 0x7f_ffff)).collect()
}

/// What became of some bytes.
#[derive(Debug, PartialEq, Eq, Clone, Copy, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Both took them.
    Accepted,
    /// Neither did.
    Refused,
    /// Only the real one did, and they were BER that is not DER.
    NotDer,
    /// Only we did: a raw public key, which the real one is too old for.
    RawPublicKey,
}

/// Decodes `input` in both libraries and compares everything that can be seen of it.
pub fn compare(input: &[u8]) -> Outcome {
    oracle();
    let (our, our_taken, our_errors) = decoded!(ours, input);
    let (their, their_taken, their_errors) = decoded!(theirs, input);
    let outcome = match (our.is_null(), their.is_null()) {
        (false, false) => {
            assert_eq!(our_taken, their_taken, "taken");
            compare_sessions(our, their);
            Outcome::Accepted
        }
        (true, true) => {
            assert_eq!((our_taken, their_taken), (0, 0));
            compare_errors(&our_errors, &their_errors, input);
            Outcome::Refused
        }
        (true, false) => {
            assert!(!is_der(input), "only the real one took this DER; our errors {our_errors:?}");
            Outcome::NotDer
        }
        (false, true) => {
            let key = ours!(SSL_SESSION_get0_peer_rpk(our));
            assert!(!key.is_null(), "only we took it; their errors {their_errors:?}");
            Outcome::RawPublicKey
        }
    };
    if !our.is_null() {
        // What is written of it is read again, and then written the same.
        let der = encoded!(ours, our);
        let (again, taken, _) = decoded!(ours, der);
        assert_eq!(taken, der.len());
        assert_eq!(encoded!(ours, again), der);
        ours!(SSL_SESSION_free(again));
    }
    ours!(SSL_SESSION_free(our));
    theirs!(SSL_SESSION_free(their));
    outcome
}

fn compare_sessions(our: *mut SSL_SESSION, their: *mut SSL_SESSION) {
    // A session without a time is made now, and now may be a second later in one of them.
    let (our_time, their_time) =
        (ours!(SSL_SESSION_get_time(our)), theirs!(SSL_SESSION_get_time(their)));
    if our_time.abs_diff(their_time) == 1 {
        theirs!(SSL_SESSION_set_time(their, our_time));
    }
    assert_eq!(seen!(ours, our), seen!(theirs, their));
    assert_eq!(encoded!(ours, our), encoded!(theirs, their), "written");
    let our_text = printed(|bio| ours!(SSL_SESSION_print(bio, our)));
    let their_text = printed(|bio| theirs!(SSL_SESSION_print(bio, their)));
    // The real one gives up at a name or a ticket of no bytes; we go on.
    let gave_up = their_text.0 == 0 && our_text.0 == 1 && our_text.1.starts_with(&their_text.1);
    assert!(gave_up || our_text == their_text, "printed: {our_text:?} {their_text:?}");
    assert_eq!(
        printed(|bio| ours!(SSL_SESSION_print_keylog(bio, our))),
        printed(|bio| theirs!(SSL_SESSION_print_keylog(bio, their)))
    );
}

/// The same libraries complain, libssl for the same reason.
fn compare_errors(our: &[(c_ulong, c_ulong)], their: &[(c_ulong, c_ulong)], input: &[u8]) {
    const SSL: c_ulong = 20;
    const SEQUENCE_LENGTH_MISMATCH: (c_ulong, c_ulong) = (13, 148);
    // The raw public key, which the real one is too old for, is where it stops. What is not DER
    // ours refuses at once, where the real one reads on and may refuse it for something else.
    if our == their || their == [SEQUENCE_LENGTH_MISMATCH] || !is_der(input) {
        return;
    }
    let mixed =
        [our, their].iter().any(|errors| errors.is_empty() || errors.iter().any(|e| e.0 == SSL));
    assert!(!mixed, "errors: ours {our:?}, theirs {their:?} for {input:02x?}");
}

/// Whether the framing of the elements is DER: short tags, definite lengths that are as short as
/// can be, no strings in pieces. (What is inside a certificate is libcrypto's to judge, in either
/// library.)
pub fn is_der(input: &[u8]) -> bool {
    element(input).is_some_and(|(_, mut content, _)| {
        while !content.is_empty() {
            let Some((tag, inside, rest)) = element(content) else { return false };
            let explicit = tag & 0xE0 == 0xA0;
            if tag == 0x24 || tag == 0xA0 || (explicit && !is_one_der_element(inside)) {
                return false;
            }
            content = rest;
        }
        true
    })
}

fn is_one_der_element(input: &[u8]) -> bool {
    element(input).is_some_and(|(tag, _, rest)| rest.is_empty() && tag != 0x24)
}

/// The tag and the content of the first element, and what follows it.
fn element(input: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, input) = input.split_first().filter(|(tag, _)| *tag & 0x1F != 0x1F)?;
    let (&first, input) = input.split_first()?;
    let (bytes, input) = input.split_at_checked(usize::from(first).saturating_sub(0x80))?;
    let length = match bytes {
        [] if first < 0x80 => usize::from(first),
        [] | [0, ..] => return None,
        [short] if *short < 0x80 => return None,
        bytes => bytes
            .iter()
            .try_fold(0usize, |length, &byte| Some(length.checked_mul(256)? + usize::from(byte)))?,
    };
    let (content, rest) = input.split_at_checked(length)?;
    Some((tag, content, rest))
}
