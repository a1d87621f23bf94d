//! The callbacks that every attached context has in the real library. They call the application's, so
//! no guard stands around them.

use std::mem::ManuallyDrop;

use libc::{c_int, c_uchar};

use super::attached::{self, Attached};
use super::quiet::ends_quiet;
use super::served;
use super::session::RealSession;
use super::{connection, shadow};
use crate::cache::Key;
use crate::clock;
use crate::ffi::constants::*;
use crate::ffi::real::{Real, call};
use crate::ffi::types::{SSL, SSL_CTX, SSL_SESSION};
use crate::rules::{Handshake, SessionRef};

/// Installs the hooks, for as long as the context lives.
pub fn install(real: &Real, ctx: *mut SSL_CTX) {
    call!(real, SSL_CTX_sess_set_new_cb(ctx, Some(new_hook)) else ());
    call!(real, SSL_CTX_sess_set_get_cb(ctx, Some(get_hook)) else ());
    call!(real, SSL_CTX_sess_set_remove_cb(ctx, Some(remove_hook)) else ());
}

/// A handshake made a session, and libssl would have offered it to the application now. (libssl has
/// sorted out the sessions that nobody may cache.)
unsafe extern "C-unwind" fn new_hook(ssl: *mut SSL, session: *mut SSL_SESSION) -> c_int {
    // SAFETY: libssl's own session, live during the callback.
    let session = unsafe { RealSession::borrow(session) };
    if let (Some((real, ctx, attached)), Some(session)) = (concerned(ssl), session) {
        let handshake = handshake(real, ctx, ssl, is_tls13(real, &session));
        attached.cache().established(ctx, &session, &handshake);
        attached.cache().callbacks.offer::<RealSession>(ssl, &session);
        auto_flush(real, ctx, attached, handshake.server);
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
    let Some((real, ctx, attached)) = concerned(ssl) else { return null };
    // SAFETY: libssl gives an id with its length, and a place for the answer.
    let id = unsafe {
        *copy = 0;
        std::slice::from_raw_parts(id, usize::try_from(len).unwrap_or(0))
    };
    let version = negotiated_version(real, ssl);
    let Some(key) = Key::new(version, id) else { return null };
    let handshake = handshake(real, ctx, ssl, version == TLS1_3_VERSION);
    catch_up_flush(real, ctx, attached, handshake.server);
    let found = attached.cache().look_up(ctx, ssl, &key, handshake.single_use);
    let Some(found) = found else { return null };
    let session = if handshake.single_use && found.was_cached {
        shadow::cast(real, ctx, found.session)
    } else {
        found.session
    };
    session.into_inner().into_ptr()
}

/// libssl removed a session, or would have: it calls this for every session it was told to remove.
/// The session is marked not resumable, no lock is held.
unsafe extern "C-unwind" fn remove_hook(ctx: *mut SSL_CTX, session: *mut SSL_SESSION) {
    if ends_quiet(ctx.addr()) {
        return;
    }
    // SAFETY: libssl's own session, live during the callback.
    let session = unsafe { RealSession::borrow(session) };
    if let (Some(attached), Some(session)) = (attached::of(ctx), session) {
        shadow::lifted(ctx, &session);
        attached.cache().removed(ctx, &session, &session.key());
    }
}

/// The context whose cache a connection uses, with our state.
fn concerned<'a>(ssl: *mut SSL) -> Option<(&'static Real, *mut SSL_CTX, &'a Attached)> {
    let real = served::real()?;
    let ctx = connection::session_ctx(real, ssl);
    Some((real, ctx, attached::of(ctx)?))
}

fn is_quic(real: &Real, ssl: *const SSL) -> bool {
    call!(real, SSL_is_quic(ssl) else 0) == 1
}

/// The version a server has chosen, at its look-up. A QUIC connection does not say: it is TLS 1.3.
fn negotiated_version(real: &Real, ssl: *const SSL) -> c_int {
    if is_quic(real, ssl) { TLS1_3_VERSION } else { call!(real, SSL_version(ssl) else 0) }
}

/// The session, not the connection, tells: a QUIC connection's version is its own.
fn is_tls13(real: &Real, session: &ManuallyDrop<RealSession>) -> bool {
    call!(real, SSL_SESSION_get_protocol_version(session.as_ptr()) else 0) == TLS1_3_VERSION
}

fn handshake(real: &Real, ctx: *mut SSL_CTX, ssl: *const SSL, tls13: bool) -> Handshake {
    let options = if is_quic(real, ssl) {
        // A QUIC connection holds its lock in a callback, and would wait for it in SSL_get_options.
        call!(real, SSL_CTX_get_options(ctx) else 0)
    } else {
        call!(real, SSL_get_options(ssl) else 0)
    };
    let server = call!(real, SSL_is_server(ssl) else 0) == 1;
    let early_data = call!(real, SSL_get_max_early_data(ssl) else 0) > 0;
    Handshake {
        server,
        tls13,
        single_use: server && tls13 && early_data && options & SSL_OP_NO_ANTI_REPLAY == 0,
        no_ticket: options & SSL_OP_NO_TICKET != 0,
    }
}

/// Handshakes of this side that succeeded, as libssl has counted them.
fn good_handshakes(real: &Real, ctx: *mut SSL_CTX, server: bool) -> c_int {
    let counter = if server { SSL_CTRL_SESS_ACCEPT_GOOD } else { SSL_CTRL_SESS_CONNECT_GOOD };
    // An int that wraps, which SSL_CTX_ctrl widens.
    call!(real, SSL_CTX_ctrl(ctx, counter, 0, std::ptr::null_mut()) else 0) as c_int
}

fn auto_flush(real: &Real, ctx: *mut SSL_CTX, attached: &Attached, server: bool) {
    let good = good_handshakes(real, ctx, server);
    if server {
        attached.see_flush(good.wrapping_add(1) >> 8);
    }
    attached.cache().auto_flush(ctx, server, good.into(), clock::now());
}

/// The mode is about to change. Where it had no automatic flush, none is owed for the handshakes so far.
pub fn mode_changes(real: &Real, ctx: *mut SSL_CTX, attached: &Attached) {
    let mode = attached.cache().mode();
    if !(mode.covers(true) && mode.auto_clears()) {
        attached.see_flush(good_handshakes(real, ctx, true) >> 8);
    }
}

/// A resumed TLS 1.2 handshake tells us nothing at its end. If one of those was the 256th, what libssl
/// would have flushed then is flushed at the next look-up.
fn catch_up_flush(real: &Real, ctx: *mut SSL_CTX, attached: &Attached, server: bool) {
    if !server {
        return;
    }
    if attached.see_flush(good_handshakes(real, ctx, server) >> 8) {
        attached.cache().auto_flush(ctx, server, 0xff, clock::now());
    }
}
