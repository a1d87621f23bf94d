//! Which cache a connection uses: that of the context it was made from, whatever it was switched to.

use libc::{c_int, c_long, c_void};

use super::ends::Ends;
use crate::address_map::AddressMap;
use crate::ffi::constants::CRYPTO_EX_INDEX_SSL;
use crate::ffi::real::{Real, call};
use crate::ffi::types::CryptoExData;
use crate::ffi::types::{SSL, SSL_CTX};

/// The contexts that connections were made from which have been switched to another. Several maps, so
/// that connections that are switched at one time do not wait for each other.
static SWITCHED: [AddressMap<SSL_CTX>; 16] = [const { AddressMap::new() }; 16];
/// Tells when one of these connections ends.
static CONNECTION_ENDS: Ends = Ends::new(CRYPTO_EX_INDEX_SSL, connection_freed);

fn switched(ssl: *const SSL) -> &'static AddressMap<SSL_CTX> {
    &SWITCHED[(ssl.addr() >> 6) % SWITCHED.len()]
}

/// Remembers the context a connection was made from, before it is switched to another: the cache, the
/// callbacks and the counters stay those of the first.
pub fn remember_session_ctx(real: &Real, ssl: *mut SSL) {
    let map = switched(ssl);
    if map.get(ssl.addr()).is_none() && CONNECTION_ENDS.watch(real) {
        let ctx = call!(real, SSL_get_SSL_CTX(ssl) else std::ptr::null_mut());
        // Without memory its cache will be that of the context it is switched to.
        let _ = map.insert(ssl.addr(), ctx);
    }
}

/// The context whose cache a connection uses.
pub fn session_ctx(real: &Real, ssl: *const SSL) -> *mut SSL_CTX {
    let first = switched(ssl).get(ssl.addr());
    first.unwrap_or_else(|| call!(real, SSL_get_SSL_CTX(ssl) else std::ptr::null_mut()))
}

/// A connection was just made at this address: it has not been switched.
pub fn made(ssl: *const SSL) {
    switched(ssl).remove(ssl.addr());
}

/// The last reference to a connection may be given back now: its end must be seen.
pub fn watch_end(real: &Real, ssl: *const SSL) {
    if switched(ssl).get(ssl.addr()).is_some() {
        CONNECTION_ENDS.watch(real);
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
    let ssl = ssl.cast::<SSL>();
    switched(ssl).remove(ssl.addr());
}
