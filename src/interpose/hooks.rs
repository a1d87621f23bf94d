//! The callbacks that every attached context has in the real library. They call the application's,
//! so no guard stands around them.

use libc::{c_int, c_uchar};

use super::attached::{self, Attached};
use super::borrowed::{RealCtx, RealSsl};
use super::quiet::ends_quiet;
use super::session::RealSession;
use super::{connection, decided, served, shadow};
use crate::cache::Key;
use crate::clock;
use crate::ffi::constants::*;
use crate::ffi::live::Live;
use crate::ffi::types::{SSL, SSL_CTX, SSL_SESSION};
use crate::rules::{Handshake, SessionRef};

/// Installs the hooks, for as long as the context lives.
pub fn install(ctx: RealCtx) {
    ctx.set_callbacks(Some(new_hook), Some(get_hook), Some(remove_hook));
}

/// Leaves a context that was just made as libssl makes it.
pub fn take_out(ctx: RealCtx) {
    ctx.set_callbacks(None, None, None);
    ctx.ctrl(SSL_CTRL_SET_SESS_CACHE_MODE, SSL_SESS_CACHE_SERVER.into());
}

/// A handshake made a session, and libssl would have offered it to the application now. (libssl has
/// sorted out the sessions that nobody may cache.)
unsafe extern "C-unwind" fn new_hook(ssl: *mut SSL, session: *mut SSL_SESSION) -> c_int {
    // SAFETY: libssl's own session and connection, live during the callback.
    let (session, hooked) = unsafe { (RealSession::borrow(session), Hooked::from_c(ssl)) };
    if let (Some(hooked), Some(session)) = (hooked, session) {
        let Hooked { ctx, ssl, attached } = hooked;
        // The session, not the connection, tells the version: that of a QUIC connection is its own.
        let is_tls13 = session.protocol_version() == TLS1_3_VERSION;
        let handshake = hooked.handshake(is_tls13, ssl.is_quic());
        attached.cache().established(ctx.ctx, ssl.ssl, &session, &handshake);
        // Where the cache is on in spite of the application, it is told what it would have been.
        if attached.cache().mode().covers(handshake.server) {
            attached.cache().callbacks.offer::<RealSession>(ssl.ssl, &session);
        }
        decided::session_timeout(&session);
        hooked.auto_flush(handshake.server);
    }
    // Our own references, and the application's, are their own: libssl takes back the one it gave.
    0
}

/// A server looks for a session by its id.
unsafe extern "C-unwind" fn get_hook(
    ssl: *mut SSL,
    id: *const c_uchar,
    len: c_int,
    copy: *mut c_int,
) -> *mut SSL_SESSION {
    let null = std::ptr::null_mut();
    // SAFETY: libssl's own connection, live during the callback.
    let Some(hooked) = (unsafe { Hooked::from_c(ssl) }) else { return null };
    let Hooked { ctx, ssl, attached } = hooked;
    // SAFETY: libssl gives an id with its length, and a place for the answer.
    let id = unsafe {
        *copy = 0;
        std::slice::from_raw_parts(id, usize::try_from(len).unwrap_or(0))
    };
    // The version the server has chosen. A QUIC connection does not say: it is TLS 1.3.
    let is_quic = ssl.is_quic();
    let version = if is_quic { TLS1_3_VERSION } else { ssl.version() };
    let Some(key) = Key::new(version, id) else { return null };
    let handshake = hooked.handshake(version == TLS1_3_VERSION, is_quic);
    hooked.catch_up_flush(handshake.server);
    let found = attached.cache().look_up(ctx.ctx, ssl.ssl, &key, handshake.single_use);
    let Some(found) = found else { return null };
    let session = if handshake.single_use && found.was_cached {
        shadow::install(ctx, found.session)
    } else {
        found.session
    };
    session.into_inner().into_c()
}

/// libssl removed a session, or would have: it calls this for every session it was told to remove.
/// The session is marked not resumable, no lock is held.
unsafe extern "C-unwind" fn remove_hook(ctx: *mut SSL_CTX, session: *mut SSL_SESSION) {
    if ends_quiet(ctx.addr()) {
        return;
    }
    // SAFETY: libssl's own context and session, live during the callback.
    let (ctx, session) = unsafe { (Live::from_c(ctx), RealSession::borrow(session)) };
    let (Some(ctx), Some(session)) = (ctx, session) else { return };
    if let Some(attached) = attached::of(ctx) {
        shadow::uninstalled(ctx, &session);
        attached.cache().removed(ctx, &session, &session.key());
    }
}

/// A connection in one of these callbacks, and the context whose cache it uses.
#[derive(Clone, Copy)]
struct Hooked<'a> {
    ctx: RealCtx<'a>,
    ssl: RealSsl<'a>,
    attached: &'a Attached,
}

impl Hooked<'_> {
    /// `None` if that context is not attached.
    ///
    /// # Safety
    /// `ssl` is a connection of the libssl that is served, alive as long as the result is used.
    unsafe fn from_c(ssl: *mut SSL) -> Option<Self> {
        let real = served::real()?;
        // SAFETY: the caller's promise; the connection keeps its contexts alive.
        let (ssl, ctx) = unsafe {
            let ssl = RealSsl::from_c(real, ssl)?;
            (ssl, RealCtx::from_c(real, connection::session_ctx(ssl))?)
        };
        Some(Hooked { ctx, ssl, attached: attached::of(ctx.ctx)? })
    }

    /// What decides whether a session of this handshake is stored, and how often it may resume.
    fn handshake(self, tls13: bool, is_quic: bool) -> Handshake {
        // A QUIC connection holds its lock in a callback, and would wait for it in SSL_get_options.
        let options = if is_quic { self.ctx.options() } else { self.ssl.options() };
        let server = self.ssl.is_server();
        let anti_replay = self.ssl.takes_early_data() && options & SSL_OP_NO_ANTI_REPLAY == 0;
        Handshake {
            server,
            tls13,
            single_use: server && tls13 && anti_replay,
            no_ticket: options & SSL_OP_NO_TICKET != 0,
        }
    }

    fn auto_flush(self, server: bool) {
        let good = self.ctx.good_handshakes(server);
        if server {
            self.attached.see_flush(good.wrapping_add(1) >> 8);
        }
        self.attached.cache().auto_flush(self.ctx.ctx, server, good.into(), clock::now());
    }

    /// A resumed TLS 1.2 handshake tells us nothing at its end. If one of those was the 256th, what
    /// libssl would have flushed then is flushed at the next look-up.
    fn catch_up_flush(self, server: bool) {
        if server && self.attached.see_flush(self.ctx.good_handshakes(server) >> 8) {
            self.attached.cache().auto_flush(self.ctx.ctx, server, 0xff, clock::now());
        }
    }
}

/// The mode is about to change. Where it had no automatic flush, none is owed for the handshakes so
/// far.
pub fn mode_changes(ctx: RealCtx, attached: &Attached) {
    let mode = attached.cache().mode();
    if !(mode.covers(true) && mode.auto_clears()) {
        attached.see_flush(ctx.good_handshakes(true) >> 8);
    }
}
