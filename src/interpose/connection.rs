//! Which cache a connection uses: that of the context it was made from, whatever it was switched
//! to.

use libc::{c_int, c_long, c_void};

use super::borrowed::RealSsl;
use super::ends::Ends;
use crate::address_map::AddressMap;
use crate::ffi::constants::CRYPTO_EX_INDEX_SSL;
use crate::ffi::types::{CryptoExData, SSL_CTX};

/// The contexts that connections were made from which have been switched to another. Several maps,
/// so that connections that are switched at one time do not wait for each other.
static SWITCHED: [AddressMap<SSL_CTX>; 16] = [const { AddressMap::new() }; 16];
/// Tells when one of these connections ends.
static CONNECTION_ENDS: Ends = Ends::new(CRYPTO_EX_INDEX_SSL, connection_freed);

fn switched(ssl: usize) -> &'static AddressMap<SSL_CTX> {
    &SWITCHED[(ssl >> 6) % SWITCHED.len()]
}

/// Remembers the context a connection was made from, before it is switched to another: the cache,
/// the callbacks and the counters stay those of the first.
pub fn remember_session_ctx(ssl: RealSsl) {
    let map = switched(ssl.addr());
    if map.get(ssl.addr()).is_none() && CONNECTION_ENDS.watch(ssl.real) {
        // Without memory its cache will be that of the context it is switched to.
        let _ = map.insert(ssl.addr(), ssl.ctx());
    }
}

/// The context whose cache a connection uses. The connection keeps it alive.
pub fn session_ctx(ssl: RealSsl) -> *mut SSL_CTX {
    let first = switched(ssl.addr()).get(ssl.addr());
    first.unwrap_or_else(|| ssl.ctx())
}

/// A connection was just made at this address: it has not been switched.
pub fn made(ssl: usize) {
    switched(ssl).remove(ssl);
}

/// The last reference to a connection may be given back now: its end must be seen.
pub fn watch_end(ssl: RealSsl) {
    if switched(ssl.addr()).get(ssl.addr()).is_some() {
        CONNECTION_ENDS.watch(ssl.real);
    }
}

/// libcrypto's ex_data free function: a connection ends. It may be any.
unsafe extern "C-unwind" fn connection_freed(
    ssl: *mut c_void,
    _: *mut c_void,
    _: *mut CryptoExData,
    _: c_int,
    _: c_long,
    _: *mut c_void,
) {
    switched(ssl.addr()).remove(ssl.addr());
}
