//! Sessions as DER, PEM and text where there is neither a libssl nor a libcrypto.

use std::alloc::{GlobalAlloc, Layout, System};
use std::ffi::{c_int, c_long};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use sslcache::exports::d2i_ssl_session::*;
use sslcache::exports::pem_read_bio_ssl_session::*;
use sslcache::exports::ssl_session_free::*;
use sslcache::exports::ssl_session_get0_peer::*;
use sslcache::exports::ssl_session_print::*;
use sslcache::ffi::libcrypto::libcrypto;
use sslcache::ffi::types::{BIO, FILE, SSL_SESSION};

/// The system's allocator, which looks at what is given back while somebody asks for it: memory
/// that still holds [`SECRET`] was not wiped.
struct Watched;

const SECRET: &[u8; 12] = b"secret bytes";
const SECRET_IN_BASE64: &[u8; 16] = b"c2VjcmV0IGJ5dGVz";
static WATCHES: AtomicBool = AtomicBool::new(false);
static LEFT_BEHIND: AtomicUsize = AtomicUsize::new(0);

// SAFETY: the system's own, which this only looks into.
unsafe impl GlobalAlloc for Watched {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise. All of it can be looked at later.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        if WATCHES.load(Ordering::Relaxed) {
            // SAFETY: a block of this size, all of it written by `alloc`.
            let block = unsafe { std::slice::from_raw_parts(memory, layout.size()) };
            let found = |bytes: &[u8]| block.windows(bytes.len()).any(|window| window == bytes);
            if found(SECRET) || found(SECRET_IN_BASE64) {
                LEFT_BEHIND.fetch_add(1, Ordering::Relaxed);
            }
        }
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Watched = Watched;

fn reference(name: &str) -> Vec<u8> {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/d2i");
    std::fs::read(format!("{directory}/{name}")).unwrap()
}

fn decode(der: &[u8]) -> *mut SSL_SESSION {
    assert!(libcrypto().is_none(), "this test is about a process without it");
    // SAFETY: as many bytes as are named.
    unsafe { d2i_SSL_SESSION(null_mut(), &mut der.as_ptr(), der.len() as c_long) }
}

/// Writes, frees.
fn encode(session: *mut SSL_SESSION) -> Vec<u8> {
    let mut at = null_mut();
    // SAFETY: a live session, whose reference is given back; the buffer was allocated for its
    // length.
    unsafe {
        let len = i2d_SSL_SESSION(session, &mut at);
        let der = std::slice::from_raw_parts(at, len as usize).to_vec();
        libc::free(at.cast());
        SSL_SESSION_free(session);
        der
    }
}

/// A temporary file that goes with the stream.
fn stream(text: &[u8]) -> *mut FILE {
    // SAFETY: a new stream, and the text's own length.
    unsafe {
        let stream = libc::tmpfile();
        assert_eq!(libc::fwrite(text.as_ptr().cast(), 1, text.len(), stream), text.len());
        libc::rewind(stream);
        stream
    }
}

/// All that is in a stream, which is closed.
fn content(stream: *mut FILE) -> String {
    let mut text = vec![0; 1 << 18];
    // SAFETY: an open stream, and room for what is read.
    unsafe {
        libc::rewind(stream);
        let len = libc::fread(text.as_mut_ptr().cast(), 1, text.len(), stream);
        libc::fclose(stream);
        text.truncate(len);
    }
    String::from_utf8(text).unwrap()
}

#[test]
fn what_is_read_is_written_the_peer_too() {
    for name in ["fresh", "tls13", "early-data", "ticket-client", "everything", "raw-public-key"] {
        let der = reference(name);
        let session = decode(&der);
        // SAFETY: a live session.
        unsafe {
            assert!(SSL_SESSION_get0_peer(session).is_null(), "nobody could make an X509 of it");
            assert!(SSL_SESSION_get0_peer_rpk(session).is_null());
        }
        assert_eq!(encode(session), der);
    }
    assert!(decode(&reference("fresh")[..50]).is_null());
}

#[test]
fn pem_in_a_stream() {
    let file = stream(b"");
    for name in ["tls13", "everything"] {
        let session = decode(&reference(name));
        // SAFETY: an open stream and a live session.
        unsafe {
            assert!(libc::fputs(c"a line of something else\n".as_ptr(), file) >= 0);
            assert_eq!(PEM_write_SSL_SESSION(file, session), 1);
            SSL_SESSION_free(session);
        }
    }
    // SAFETY: an open stream.
    unsafe { libc::rewind(file) };
    let mut into = decode(&reference("fresh"));
    // SAFETY: an open stream; a live session that is decoded into.
    unsafe {
        let first = PEM_read_SSL_SESSION(file, null_mut(), None, null_mut());
        assert_eq!(encode(first), reference("tls13"));
        assert_eq!(PEM_read_SSL_SESSION(file, &mut into, None, null_mut()), into);
        assert_eq!(encode(into), reference("everything"));
        assert!(PEM_read_SSL_SESSION(file, null_mut(), None, null_mut()).is_null());
    }
    let text = content(file);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[1], "-----BEGIN SSL SESSION PARAMETERS-----");
    assert_eq!(lines[2].len(), 64);
    assert_eq!(lines.last(), Some(&"-----END SSL SESSION PARAMETERS-----"));
}

/// Nor when its text is longer than any buffer, and grows.
#[test]
fn pem_leaves_no_copy_of_a_secret_behind() {
    const TICKETS: [usize; 3] = [100, 5_000, 120_000];
    for size in TICKETS {
        let der = with_ticket(size);
        let file = stream(b"");
        let session = decode(&der);
        WATCHES.store(true, Ordering::Relaxed);
        // SAFETY: an open stream and live sessions.
        unsafe {
            assert_eq!(PEM_write_SSL_SESSION(file, session), 1);
            libc::rewind(file);
            let read = PEM_read_SSL_SESSION(file, null_mut(), None, null_mut());
            SSL_SESSION_free(session);
            SSL_SESSION_free(read);
            assert!(!read.is_null());
        }
        WATCHES.store(false, Ordering::Relaxed);
        assert_eq!(LEFT_BEHIND.load(Ordering::Relaxed), 0, "a ticket of {size} bytes");
        assert!(content(file).contains(std::str::from_utf8(SECRET_IN_BASE64).unwrap()));
    }
}

/// An encoding with a ticket that says the secret again and again, where base64 says it the same
/// way.
fn with_ticket(size: usize) -> Vec<u8> {
    let mut der = b"\x02\x01\x01\x02\x02\x03\x03\x04\x02\xc0\x2f\x04\x02id\x04\0".to_vec();
    der.extend_from_slice(b"\xa1\x03\x02\x01\x05\xa2\x03\x02\x01\x06\xa4\x02\x04\0");
    let tagged = |tag: u8, content: usize| {
        let size = (content as u32).to_be_bytes();
        let short = size.iter().position(|&byte| byte != 0).unwrap();
        let mut bytes = vec![tag];
        if content >= 0x80 {
            bytes.push(0x80 + (4 - short) as u8);
        }
        bytes.extend_from_slice(&size[short..]);
        bytes
    };
    let inner = tagged(4, size);
    let outer = tagged(0xaa, inner.len() + size);
    let whole = tagged(0x30, der.len() + outer.len() + inner.len() + size);
    let der = [whole, der, outer, inner].concat();
    let filler = std::iter::repeat_n(0, (3 - der.len() % 3) % 3);
    let ticket = filler.chain(SECRET.iter().copied().cycle()).take(size);
    der.iter().copied().chain(ticket).collect()
}

#[test]
fn pem_that_is_none() {
    let broken = [
        "-----BEGIN SSL SESSION PARAMETERS-----\nMDECAQ\n",
        "-----BEGIN SSL SESSION PARAMETERS-----\nM*EC\n-----END SSL SESSION PARAMETERS-----\n",
        "-----BEGIN SSL SESSION PARAMETERS-----\nProc-Type: 4,ENCRYPTED\n\nMDEC\n\
         -----END SSL SESSION PARAMETERS-----\n",
        "-----BEGIN CERTIFICATE-----\nMDEC\n-----END CERTIFICATE-----\n",
        "",
    ];
    for text in broken {
        let file = stream(text.as_bytes());
        // SAFETY: an open stream.
        unsafe {
            assert!(PEM_read_SSL_SESSION(file, null_mut(), None, null_mut()).is_null(), "{text}");
            libc::fclose(file);
        }
    }
}

#[test]
fn text_in_a_stream() {
    let session = decode(&reference("tls13"));
    let file = stream(b"");
    // SAFETY: an open stream and a live session.
    unsafe {
        assert_eq!(SSL_SESSION_print_fp(file, session), 1);
        assert_eq!(SSL_SESSION_print_fp(file, std::ptr::null()), 0);
        assert_eq!(SSL_SESSION_print_fp(null_mut(), session), 0);
        SSL_SESSION_free(session);
    }
    let text = content(file);
    let (aa, bb) = ("AA".repeat(32), "BB".repeat(32));
    let expected = format!(
        "SSL-Session:\n    Protocol  : TLSv1.3\n    Cipher    : TLS_AES_128_GCM_SHA256\n    \
         Session-ID: {aa}\n    Session-ID-ctx: \n    Resumption PSK: {bb}\n    \
         PSK identity: None\n    PSK identity hint: None\n    SRP username: None\n    \
         Start Time: 1000000000\n    Timeout   : 304 (sec)\n    \
         Verify return code: 1 (in words only with libcrypto)\n    \
         Extended master secret: no\n    Max Early Data: 0\n"
    );
    assert_eq!(text, expected);
}

#[test]
fn there_are_no_bios() {
    let session = decode(&reference("tls13"));
    let bio = std::ptr::dangling_mut::<BIO>();
    const FAILED: c_int = 0;
    // SAFETY: a live session; the BIO is not to be followed.
    unsafe {
        assert_eq!(SSL_SESSION_print(bio, session), FAILED);
        assert_eq!(SSL_SESSION_print_keylog(bio, session), FAILED);
        assert_eq!(PEM_write_bio_SSL_SESSION(bio, session), FAILED);
        assert!(PEM_read_bio_SSL_SESSION(bio, null_mut(), None, null_mut()).is_null());
        SSL_SESSION_free(session);
    }
}
