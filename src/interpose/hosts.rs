//! Virtual hosts: the name that a client calls the server by, and what that asks of it there.
//!
//! libssl looks a session up before it calls the application's servername callback, and that
//! switches the connection to the context of the host, which may ask for a certificate. (An
//! application may switch earlier, in the client hello callback: then everything is known.) So that
//! no session resumes where another one is asked for, or another authority is trusted, than where it
//! was made:
//!
//! | of this process's contexts | a look-up expects |
//! | --- | --- |
//! | none asks, or only the one that the connection has | what the connection asks now |
//! | others ask, too | what the last handshake came to that began so; before one did: nothing |

use std::ffi::CStr;

use libc::{c_int, size_t};
use sslcache_sync::Lock;

use super::attached::{self, Attached, STATES};
use super::borrowed::{RealCtx, RealSsl};
use super::session::{RealSession, real};
use super::{connection, isolation, served};
use crate::clock;
use crate::ffi::args::bytes;
use crate::ffi::constants::SSL_VERIFY_PEER;
use crate::ffi::real::call;
use crate::ffi::types::SSL_CTX;
use crate::rules::SessionRef;
use crate::shared::{Asked, Name, Tier};

/// The name that a client calls the server by in the hello that is being looked at.
pub fn offered_name(ssl: RealSsl, tier: &Tier) -> Option<Name> {
    if ssl.is_quic() {
        return None;
    }
    let (mut out, mut length): (_, size_t) = (std::ptr::null(), 0);
    // SAFETY: a live connection of this libssl, whose hello is there inside the callback; places
    // for the answers.
    let hello = unsafe {
        let found = call!(
            ssl.real,
            SSL_client_hello_get0_ext(ssl.ssl.as_ptr(), SERVER_NAME, &mut out, &mut length),
            return None
        );
        if found == 1 { bytes(out, length) } else { &[] }
    };
    expected_name(ssl, host_name(hello), tier)
}

/// The type of the extension, and that of the one kind of names there is.
const SERVER_NAME: libc::c_uint = 0;
const HOST_NAME: u8 = 0;

/// The host's name in the extension: a list, of a type and a name; empty if there is none.
fn host_name(extension: &[u8]) -> &[u8] {
    match extension {
        [_, _, HOST_NAME, high, low, name @ ..] => {
            name.get(..u16::from_be_bytes([*high, *low]).into()).unwrap_or_default()
        }
        _ => &[],
    }
}

/// The name that the client of a connection has called the server by.
pub fn agreed_name(ssl: RealSsl, tier: &Tier) -> Option<Name> {
    if ssl.is_quic() {
        return None;
    }
    // SAFETY: a live connection of this libssl, which keeps the name.
    let name = unsafe {
        let null = std::ptr::null();
        let name = call!(
            ssl.real,
            SSL_get_servername(ssl.ssl.as_ptr(), TLSEXT_NAMETYPE_HOST_NAME),
            return None
        );
        if name == null { c"" } else { CStr::from_ptr(name) }
    };
    agreed(ssl, name.to_bytes(), tier)
}

/// `TLSEXT_NAMETYPE_host_name`
const TLSEXT_NAMETYPE_HOST_NAME: c_int = 0;

/// What a session tells of it, and what its context asked last: where there is no connection.
pub fn told_name(context: &Attached, session: &RealSession, tier: &Tier) -> Option<Name> {
    let null = std::ptr::null();
    // SAFETY: a reference of the caller's keeps the session alive, and with it the name.
    let name = unsafe {
        let name = call!(real(), SSL_SESSION_get0_hostname(session.as_c()), null);
        if name == null { c"" } else { CStr::from_ptr(name) }
    };
    tier.name(name.to_bytes(), Asked::here(context.isolation.last_asked()? as u32))
}

// ----------------------------------------------------------------------------- what is asked there

/// The name for a look-up, of a client that calls the server so.
fn expected_name(ssl: RealSsl, host: &[u8], tier: &Tier) -> Option<Name> {
    let (first, asking) = (session_ctx(ssl)?, Asking::now());
    let is_decided = ssl.ctx().addr() != first.addr() || ssl.asks() != asks(first);
    if is_decided || asking.count == 0 {
        return name(ssl, host, tier);
    }
    match tier.expected(asking.beginning(first, host, tier)?) {
        None if asking.is_alone(first) => name(ssl, host, tier),
        None => tier.name(host, Asked::UNKNOWN),
        expected => expected,
    }
}

/// The name at the end of a handshake, which later look-ups expect.
fn agreed(ssl: RealSsl, host: &[u8], tier: &Tier) -> Option<Name> {
    let name = name(ssl, host, tier)?;
    let (first, asking) = (session_ctx(ssl)?, Asking::now());
    // What is decided for one connection alone says nothing of others.
    let is_the_hosts = ssl.ctx().addr() != first.addr() || ssl.asks() == asks(first);
    if asking.count > 0 && is_the_hosts {
        tier.expect(asking.beginning(first, host, tier)?, name);
    }
    Some(name)
}

/// By what the connection asks now, and whom the context trusts that it was switched to.
fn name(ssl: RealSsl, host: &[u8], tier: &Tier) -> Option<Name> {
    let (asks, ctx) = (ssl.asks(), ssl.ctx());
    if asks & VERIFY_PEER == 0 || ctx.addr() == session_ctx(ssl)?.addr() {
        return tier.name(host, Asked::here(asks));
    }
    // SAFETY: the connection keeps its context alive.
    let ctx = unsafe { RealCtx::from_c(ssl.real, ctx) }?;
    let realm = attached::of(ctx.ctx)?.isolation.realm(ctx, tier)?;
    tier.name(host, Asked::elsewhere(asks, &realm))
}

const VERIFY_PEER: u32 = SSL_VERIFY_PEER as u32;

/// The context that the connection was made from.
fn session_ctx(ssl: RealSsl<'_>) -> Option<RealCtx<'_>> {
    // SAFETY: the connection keeps its contexts alive.
    unsafe { RealCtx::from_c(ssl.real, connection::session_ctx(ssl)) }
}

fn asks(ctx: RealCtx) -> u32 {
    ctx.verify_mode() as u32
}

/// Which contexts of the process ask clients for certificates.
#[derive(Clone, Copy)]
struct Asking {
    count: usize,
    /// What they ask, and whom they trust, added up: of one alone it is its own.
    sum: u64,
}

/// What was seen last, and when. Contexts change as a server reads its configuration; one that
/// changes while the server serves is seen within a second.
static SEEN: Lock<(i64, Asking)> = Lock::new((i64::MIN, Asking::NONE));

impl Asking {
    const NONE: Asking = Asking { count: 0, sum: 0 };

    fn now() -> Self {
        let now = clock::now();
        let mut seen = SEEN.lock_or(|seen| seen.0 = i64::MIN);
        if seen.0 != now {
            *seen = (now, Asking::look());
        }
        seen.1
    }

    fn look() -> Self {
        let mut asking = Asking::NONE;
        STATES.each(|address, attached| {
            let ctx = std::ptr::with_exposed_provenance_mut::<SSL_CTX>(address);
            // SAFETY: a context and its state are whole until they have been taken out of the map,
            // and that waits for us. (Where nobody has seen the context's end, its library is gone,
            // and it is not looked at.)
            let ctx = unsafe {
                let libssl = (*attached).libssl;
                let is_served = served::served().is_some_and(|served| std::ptr::eq(served, libssl));
                if is_served { RealCtx::from_c(&libssl.real, ctx) } else { None }
            };
            // What a client's asks concerns nobody that comes in.
            if let Some(ctx) = ctx.filter(|ctx| !ctx.is_clients()) {
                asking.add(ctx);
            }
        });
        asking
    }

    /// A context without a certificate is a client's: what it asks, it asks of servers.
    fn add(&mut self, ctx: RealCtx) {
        let asks = asks(ctx);
        if asks & VERIFY_PEER != 0 && !ctx.certificate().is_null() {
            self.count += 1;
            self.sum = self.sum.wrapping_add(sum(ctx, asks));
        }
    }

    /// Whether `ctx` is the only one.
    fn is_alone(&self, ctx: RealCtx) -> bool {
        self.count == 1 && self.sum == sum(ctx, asks(ctx))
    }

    /// What a handshake begins with, as a key.
    fn beginning(&self, first: RealCtx, host: &[u8], tier: &Tier) -> Option<u64> {
        let (first, sum) = (first.addr().to_le_bytes(), self.sum.to_le_bytes());
        tier.beginning(&[&first, &sum, host])
    }
}

fn sum(ctx: RealCtx, asks: u32) -> u64 {
    isolation::outline(ctx).unwrap_or(u64::from(asks)).wrapping_add(ctx.addr() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_out_of_its_extension() {
        assert_eq!(host_name(b"\x00\x08\x00\x00\x05a.com"), b"a.com");
        for none in [
            &b""[..],
            b"\x00",
            b"\x00\x03\x00\x00",
            b"\x00\x08\x00\x00\x06a.com",
            b"\x00\x08\x01\x00\x05a.com",
        ] {
            assert_eq!(host_name(none), b"");
        }
    }
}
