//! A session as text for people and for key logs, byte for byte as OpenSSL 3.0 prints it.
//!
//! The text holds the master key, so it is made in one piece and wiped after use.

use std::ffi::CStr;
use std::fmt::Display;
use std::io::{self, Write};

use libc::{c_int, c_long};
use zeroize::Zeroizing;

use super::values::Values;
use crate::ffi::constants::*;
use crate::ffi::libcrypto::libcrypto;
use crate::ffi::memory::{NoMemory, OwnedCStr, zeroed};

/// Text that is wiped. Not a `String`: names are whatever bytes the peer sent.
pub type Text = Zeroizing<Vec<u8>>;

/// `SSL_SESSION_print`. OpenSSL gives up at a name or a ticket of no bytes, which no peer sends;
/// here the rest follows.
pub fn print(v: &Values) -> Result<Text, NoMemory> {
    text(v, |to| session(to, v))
}

/// `SSL_SESSION_print_keylog`; `None` without an id or without a master key.
pub fn print_keylog(v: &Values) -> Result<Option<Text>, NoMemory> {
    let (id, key) = (v.id.as_slice(), v.master_key.as_slice());
    if id.is_empty() || key.is_empty() {
        return Ok(None);
    }
    text(v, |to| writeln!(to, "RSA Session-ID:{} Master-Key:{}", Hex(id), Hex(key))).map(Some)
}

/// What `write` writes. It is all one allocation: growing would leave copies of the secrets behind.
fn text(
    v: &Values,
    write: impl FnOnce(&mut &mut [u8]) -> io::Result<()>,
) -> Result<Text, NoMemory> {
    let names = [&v.psk_identity, &v.psk_identity_hint, &v.srp_username];
    let names: usize = names.into_iter().flatten().map(|name| name.count_bytes()).sum();
    let ticket = v.ticket.as_ref().map_or(0, |ticket| ticket.len());
    // A line of the dump is less than 6 characters for each of its 16 bytes. All that has no length
    // of its own fits in 2 KB.
    let most = 2048 + 2 * v.master_key.len() + names + 6 * (ticket + 16);
    let mut text = Zeroizing::new(zeroed(most)?);
    let mut left = text.as_mut_slice();
    let written = write(&mut left);
    debug_assert!(written.is_ok(), "there is room for all");
    let len = most - left.len();
    text.truncate(len);
    Ok(text)
}

fn session(to: &mut &mut [u8], v: &Values) -> io::Result<()> {
    let is_tls13 = v.version == TLS1_3_VERSION;
    writeln!(to, "SSL-Session:")?;
    writeln!(to, "    Protocol  : {}", protocol(v.version))?;
    match v.cipher.cipher() {
        Some(cipher) => line(to, "    Cipher    : ", cipher.name.to_bytes())?,
        // Three bytes: a suite of SSL 2.
        None if v.cipher_id >> 24 == 2 => {
            writeln!(to, "    Cipher    : {:06X}", v.cipher_id & 0xFF_FFFF)?;
        }
        None => writeln!(to, "    Cipher    : {:04X}", v.cipher_id & 0xFFFF)?,
    }
    writeln!(to, "    Session-ID: {}", Hex(v.id.as_slice()))?;
    writeln!(to, "    Session-ID-ctx: {}", Hex(v.sid_ctx.as_slice()))?;
    let key = if is_tls13 { "Resumption PSK" } else { "Master-Key" };
    writeln!(to, "    {key}: {}", Hex(&v.master_key))?;
    line(to, "    PSK identity: ", or_none(&v.psk_identity))?;
    line(to, "    PSK identity hint: ", or_none(&v.psk_identity_hint))?;
    line(to, "    SRP username: ", or_none(&v.srp_username))?;
    if v.ticket_lifetime_hint != 0 {
        // Signed, as OpenSSL prints it.
        let hint = v.ticket_lifetime_hint as c_long;
        writeln!(to, "    TLS session ticket lifetime hint: {hint} (seconds)")?;
    }
    if let Some(ticket) = &v.ticket {
        writeln!(to, "    TLS session ticket:")?;
        dump(to, ticket)?;
        writeln!(to)?;
    }
    if v.compress_id != 0 {
        writeln!(to, "    Compression: {}", v.compress_id)?;
    }
    if v.time != 0 {
        writeln!(to, "    Start Time: {}", v.time)?;
    }
    if v.timeout != 0 {
        writeln!(to, "    Timeout   : {} (sec)", v.timeout)?;
    }
    write!(to, "    Verify return code: {} (", v.verify_result)?;
    to.write_all(in_words(v.verify_result).to_bytes())?;
    writeln!(to, ")")?;
    let extended = v.flags & u64::from(SSL_SESS_FLAG_EXTMS) != 0;
    writeln!(to, "    Extended master secret: {}", if extended { "yes" } else { "no" })?;
    if is_tls13 {
        writeln!(to, "    Max Early Data: {}", v.max_early_data)?;
    }
    Ok(())
}

fn line(to: &mut &mut [u8], title: &str, value: &[u8]) -> io::Result<()> {
    to.write_all(title.as_bytes())?;
    to.write_all(value)?;
    to.write_all(b"\n")
}

fn or_none(name: &Option<OwnedCStr>) -> &[u8] {
    name.as_ref().map_or(b"None", |name| name.to_bytes())
}

fn protocol(version: c_int) -> &'static str {
    match version {
        TLS1_3_VERSION => "TLSv1.3",
        TLS1_2_VERSION => "TLSv1.2",
        TLS1_1_VERSION => "TLSv1.1",
        TLS1_VERSION => "TLSv1",
        SSL3_VERSION => "SSLv3",
        DTLS1_BAD_VER => "DTLSv0.9",
        DTLS1_VERSION => "DTLSv1",
        DTLS1_2_VERSION => "DTLSv1.2",
        _ => "unknown",
    }
}

/// A verify result in libcrypto's words. Without libcrypto there are none.
fn in_words(result: c_long) -> &'static CStr {
    match libcrypto().and_then(|crypto| crypto.X509_verify_cert_error_string) {
        // SAFETY: takes any number; returns a static C string.
        Some(words) => unsafe { CStr::from_ptr(words(result)) },
        None => c"in words only with libcrypto",
    }
}

/// 16 bytes to a line: their offset, then they in hexadecimal, then those that are printable ASCII.
fn dump(to: &mut &mut [u8], bytes: &[u8]) -> io::Result<()> {
    for (row, bytes) in bytes.chunks(16).enumerate() {
        write!(to, "    {:04x} - ", row * 16)?;
        for at in 0..16 {
            match bytes.get(at) {
                Some(byte) => write!(to, "{byte:02x}{}", if at == 7 { '-' } else { ' ' })?,
                None => write!(to, "   ")?,
            }
        }
        write!(to, "  ")?;
        for byte in bytes {
            to.write_all(&[if matches!(byte, b' '..=b'~') { *byte } else { b'.' }])?;
        }
        writeln!(to)?;
    }
    Ok(())
}

/// Upper-case hexadecimal without spaces.
struct Hex<'a>(&'a [u8]);

impl Display for Hex<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}
