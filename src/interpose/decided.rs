//! What `SSLCACHE_SET` decides, carried out on libssl's own objects.

use std::sync::atomic::Ordering;

use libc::c_long;

use super::attached::{self, Attached};
use super::borrowed::{RealCtx, RealSsl};
use super::connection;
use super::session::RealSession;
use super::standing::Interposed;
use crate::ffi::live::{Ctx, Live};
use crate::rules::Standing;
use crate::settings::settings;

/// The state of a context about whose timeout something is decided.
fn with_timeout(ctx: Ctx<'_>) -> Option<&Attached> {
    if settings().set.has_timeout() { attached::of(ctx) } else { None }
}

/// A context is new: the application sees libssl's default.
pub fn first_timeout(ctx: RealCtx) {
    if with_timeout(ctx.ctx).is_some() {
        set_ctx_timeout(ctx, ctx.timeout());
    }
}

/// `SSL_CTX_set_timeout`
pub fn set_ctx_timeout(ctx: RealCtx, timeout: c_long) -> c_long {
    let Some(attached) = with_timeout(ctx.ctx) else { return ctx.set_timeout(timeout) };
    ctx.set_timeout(settings().set.timeout(timeout));
    attached.timeout.swap(timeout, Ordering::Relaxed)
}

/// `SSL_CTX_get_timeout`
pub fn ctx_timeout(ctx: RealCtx) -> c_long {
    let decided = with_timeout(ctx.ctx);
    decided.map_or_else(|| ctx.timeout(), |attached| attached.timeout.load(Ordering::Relaxed))
}

/// A context ends: who asks for its timeout now is not answered by us.
pub fn give_timeout_back(ctx: RealCtx, attached: &Attached) {
    if settings().set.has_timeout() {
        ctx.set_timeout(attached.timeout.load(Ordering::Relaxed));
    }
}

/// The application has seen a new session, and may have given it a timeout of its own.
pub fn session_timeout(session: &RealSession) {
    let set = settings().set;
    if set.has_timeout() {
        let theirs = session.timeout();
        let counts = set.timeout(theirs);
        if counts != theirs {
            session.set_timeout(counts);
            Interposed::registry().reschedule(session);
        }
    }
}

/// `SSL_accept` is about to be called, perhaps again.
pub fn accepts(ssl: RealSsl) {
    if !settings().set.is_none() && ssl.is_before_its_handshake() {
        becomes_server(ssl);
    }
}

/// A connection is, or becomes, a server's.
pub fn becomes_server(ssl: RealSsl) {
    let set = settings().set;
    if set.is_none() {
        return;
    }
    // SAFETY: the connection keeps its contexts alive.
    let ctx = unsafe { Live::from_c(connection::session_ctx(ssl)) };
    if ctx.and_then(attached::of).is_none() {
        return;
    }
    if set.tickets_off() {
        ssl.takes_no_tickets();
    }
    if set.replay_off() {
        ssl.takes_early_data_once();
    }
    if let Some(tickets) = set.num_tickets() {
        ssl.set_num_tickets(tickets);
    }
}
