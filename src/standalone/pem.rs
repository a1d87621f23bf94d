//! A session as PEM in a stream of the C library, for a process without libcrypto. (With it, its own PEM
//! functions do this, and encrypted texts and BIOs too.)

use libc::c_int;
use zeroize::Zeroizing;

use crate::ffi::types::FILE;

/// The label of a session.
pub const LABEL: &str = "SSL SESSION PARAMETERS";

/// Writes DER as PEM, as OpenSSL does: lines of 64 characters.
///
/// # Safety
/// `to` is an open stream.
pub unsafe fn write(to: *mut FILE, der: &[u8]) -> bool {
    let Ok(text) = pem_rfc7468::encode_string(LABEL, pem_rfc7468::LineEnding::LF, der) else {
        return false;
    };
    let text = Zeroizing::new(text);
    // SAFETY: the caller's promise; the text's own length.
    unsafe { libc::fwrite(text.as_ptr().cast(), 1, text.len(), to) == text.len() }
}

/// The DER of the next session in a stream, which is then behind it. What comes before it is passed over.
///
/// # Safety
/// `from` is an open stream.
pub unsafe fn read(from: *mut FILE) -> Option<Zeroizing<Vec<u8>>> {
    let begin = format!("-----BEGIN {LABEL}-----");
    let end = format!("-----END {LABEL}-----");
    // SAFETY: the caller's promise.
    while unsafe { line(from) }?.trim_ascii_end() != begin.as_bytes() {}
    let mut text = Zeroizing::new(Vec::with_capacity(ENOUGH));
    text.extend_from_slice(begin.as_bytes());
    text.push(b'\n');
    loop {
        // SAFETY: the caller's promise.
        let line = unsafe { line(from) }?;
        let line = line.trim_ascii_end();
        text.extend_from_slice(line);
        text.push(b'\n');
        if line == end.as_bytes() {
            return Some(Zeroizing::new(pem_rfc7468::decode_vec(&text).ok()?.1));
        }
    }
}

/// For any usual session with its certificate. A longer one leaves copies behind as its text grows.
const ENOUGH: usize = 64 * 1024;

/// The next line; `None` at the end of the stream.
///
/// # Safety
/// `from` is an open stream.
unsafe fn line(from: *mut FILE) -> Option<Zeroizing<Vec<u8>>> {
    let mut line = Zeroizing::new(Vec::with_capacity(128));
    loop {
        // SAFETY: the caller's promise.
        match unsafe { libc::fgetc(from) } {
            libc::EOF if line.is_empty() => return None,
            libc::EOF | NEWLINE => return Some(line),
            byte => line.push(byte as u8),
        }
    }
}

const NEWLINE: c_int = b'\n' as c_int;
