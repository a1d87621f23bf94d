//! The session cache mode, and what it decides.

use crate::ffi::constants::*;

/// The facts of a handshake that decide whether its session is stored.
#[derive(Clone, Copy, Debug)]
pub struct Handshake {
    /// We are the server.
    pub server: bool,
    /// The session is one of TLS 1.3.
    pub tls13: bool,
    /// A server that accepts early data and refuses replays: a session resumes once.
    pub single_use: bool,
    /// SSL_OP_NO_TICKET: tickets carry no state.
    pub no_ticket: bool,
}

impl Handshake {
    /// The client will offer the session by its id. With TLS 1.3 it will not if a server's tickets
    /// carry the session themselves.
    pub fn is_found_by_id(&self) -> bool {
        !self.server || !self.tls13 || self.single_use || self.no_ticket
    }
}

/// The bits of `SSL_CTX_set_session_cache_mode`. Unknown bits are kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CacheMode(pub u32);

impl CacheMode {
    fn has(self, bits: u32) -> bool {
        self.0 & bits == bits
    }

    /// The handshake side caches at all.
    pub fn covers(self, server: bool) -> bool {
        self.has(if server { SSL_SESS_CACHE_SERVER } else { SSL_SESS_CACHE_CLIENT })
    }

    /// A handshake flushes expired sessions now and then.
    pub fn auto_clears(self) -> bool {
        !self.has(SSL_SESS_CACHE_NO_AUTO_CLEAR)
    }

    /// A server's handshake looks into the internal cache.
    pub fn looks_up(self) -> bool {
        !self.has(SSL_SESS_CACHE_NO_INTERNAL_LOOKUP)
    }

    /// A handshake, or a look-up in the external cache, stores into the internal cache.
    pub fn stores(self) -> bool {
        !self.has(SSL_SESS_CACHE_NO_INTERNAL_STORE)
    }

    /// The same for a server that is to be served from the cache whatever its application says.
    pub fn with_cache(self) -> Self {
        CacheMode((self.0 | SSL_SESS_CACHE_SERVER) & !SSL_SESS_CACHE_NO_INTERNAL)
    }

    /// The same for a server that is not to keep sessions, whatever its application says.
    pub fn without_servers(self) -> Self {
        CacheMode(self.0 & !SSL_SESS_CACHE_SERVER)
    }

    /// Adding a session sets its time to now.
    pub fn updates_time(self) -> bool {
        self.has(SSL_SESS_CACHE_UPDATE_TIME)
    }

    /// A handshake that made a session stores it in the internal cache. One that is not found there
    /// is of no use, unless the application wants to hear of its removal.
    pub fn stores_after(self, handshake: &Handshake, remove_cb_set: bool) -> bool {
        self.covers(handshake.server)
            && self.stores()
            && (handshake.is_found_by_id() || remove_cb_set)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tls13_server() -> Handshake {
        Handshake { server: true, tls13: true, single_use: false, no_ticket: false }
    }

    #[test]
    fn stateless_tls13_tickets_are_stored_only_when_removal_is_listened_to() {
        let mode = CacheMode(SSL_SESS_CACHE_SERVER);
        assert!(!mode.stores_after(&tls13_server(), false));
        assert!(mode.stores_after(&tls13_server(), true));
    }

    #[test]
    fn stateful_tls13_single_use_clients_and_older_protocols_are_stored() {
        let mode = CacheMode(SSL_SESS_CACHE_SERVER);
        let tls13 = tls13_server();
        assert!(mode.stores_after(&Handshake { no_ticket: true, ..tls13 }, false));
        assert!(mode.stores_after(&Handshake { single_use: true, ..tls13 }, false));
        let client = Handshake { server: false, ..tls13 };
        assert!(CacheMode(SSL_SESS_CACHE_CLIENT).stores_after(&client, false));
        assert!(!mode.stores_after(&client, false));
        assert!(mode.stores_after(&Handshake { tls13: false, ..tls13 }, false));
    }

    #[test]
    fn no_internal_store_stores_nothing() {
        let mode = CacheMode(SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL_STORE);
        assert!(!mode.stores_after(&Handshake { tls13: false, ..tls13_server() }, true));
    }
}
