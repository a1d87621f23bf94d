//! The exported functions that are more than a jump to the real library.
//!
//! A context is NULL, attached, or another that libssl is left alone with: [`Seen`].

use std::ffi::CStr;

use libc::{c_char, c_int, c_long, c_uchar, c_uint, c_void, time_t};

use super::alone::{Why, leave_alone};
use super::attach::{self, attach};
use super::attached::{self, Attached};
use super::borrowed::{RealCtx, RealSsl};
use super::quiet::{freeing, is_freeing, is_made_by_libssl, is_quiet, making};
use super::session::{RealSession, lifetime};
use super::standing::Interposed;
use super::{connection, decided, hooks, served, shadow};
use crate::cache::{Key, Statistics};
use crate::ffi::args;
use crate::ffi::caller::is_called_by_name;
use crate::ffi::constants::*;
use crate::ffi::guard::guard;
use crate::ffi::lhash::lhash_functions;
use crate::ffi::live::Live;
use crate::ffi::real::{Real, call};
use crate::ffi::types::*;
use crate::report;
use crate::rules::{SessionRef, Standing};
use crate::shared;

/// A context that C passes.
enum Seen<'a> {
    Null,
    Attached(RealCtx<'a>, &'a Attached),
    /// One that is left alone.
    Other,
}

/// Looks at a context that C passes.
///
/// # Safety
/// `ctx` is NULL, or a context of this libssl that is alive as long as the result is used.
unsafe fn seen<'a>(real: &'static Real, ctx: *mut SSL_CTX) -> Seen<'a> {
    // SAFETY: the caller's promise.
    match unsafe { RealCtx::from_c(real, ctx) } {
        None => Seen::Null,
        Some(ctx) => match attached::of(ctx.ctx) {
            Some(attached) => Seen::Attached(ctx, attached),
            None => Seen::Other,
        },
    }
}

/// The state of a context that C passes; `None` if it has none, and for NULL.
///
/// # Safety
/// `ctx` is NULL, or a context that is alive as long as the result is used.
unsafe fn state_of<'a>(ctx: *mut SSL_CTX) -> Option<&'a Attached> {
    // SAFETY: the caller's promise.
    unsafe { Live::from_c(ctx) }.and_then(attached::of)
}

/// `SSL_CTX_new`
///
/// # Safety
/// `method` is NULL or one of this libssl.
pub unsafe fn ctx_new(real: &'static Real, method: *const SSL_METHOD) -> *mut SSL_CTX {
    // SAFETY: the caller's promise.
    let ctx = making(|| unsafe { call!(real, SSL_CTX_new(method), std::ptr::null_mut()) });
    // SAFETY: libssl has just made it.
    guard((), || unsafe { RealCtx::from_c(real, ctx) }.map_or((), attach));
    ctx
}

/// `SSL_CTX_new_ex`
///
/// # Safety
/// As for libssl's own.
pub unsafe fn ctx_new_ex(
    real: &'static Real,
    libctx: *mut OSSL_LIB_CTX,
    propq: *const c_char,
    method: *const SSL_METHOD,
) -> *mut SSL_CTX {
    let is_inside = is_made_by_libssl();
    // SAFETY: the caller's promise; what comes back was just made.
    let (ctx, made) = unsafe {
        let ctx = call!(real, SSL_CTX_new_ex(libctx, propq, method), std::ptr::null_mut());
        (ctx, RealCtx::from_c(real, ctx))
    };
    // What the real SSL_CTX_new calls inside ours is ours to attach. Of a program that has taken
    // the real one from its handle, we see this call and no other, as far as libssl calls itself
    // through us: half a context is none.
    if let (false, Some(made)) = (is_inside, made) {
        let is_half = libctx.is_null() && propq.is_null() && !is_called_by_name(SSL_CTX_NEW_EX);
        guard((), || if is_half { leave_alone(Why::TakenFromHandle) } else { attach(made) });
    }
    ctx
}

const SSL_CTX_NEW_EX: &CStr = c"SSL_CTX_new_ex";

/// `SSL_CTX_ctrl`
///
/// # Safety
/// `ctx` is NULL or live; `pointer` is what the command asks for.
pub unsafe fn ctx_ctrl(
    real: &'static Real,
    ctx: *mut SSL_CTX,
    command: c_int,
    argument: c_long,
    pointer: *mut c_void,
) -> c_long {
    // SAFETY: the caller's promise.
    let pass = || unsafe { call!(real, SSL_CTX_ctrl(ctx, command, argument, pointer), 0) };
    // The session commands are few; the rest costs one comparison.
    if !(SSL_CTRL_SESS_NUMBER..=SSL_CTRL_GET_SESS_CACHE_MODE).contains(&command)
        || is_quiet(ctx.addr())
    {
        return pass();
    }
    // SAFETY: the caller's promise.
    let Seen::Attached(ctx, attached) = (unsafe { seen(real, ctx) }) else { return pass() };
    match command {
        // libssl still counts a client's misses, and no others: its own cache is not looked into.
        SSL_CTRL_SESS_MISSES => pass() + attached.cache().counted(|counters| &counters.misses),
        SSL_CTRL_SET_SESS_CACHE_MODE => {
            hooks::mode_changes(ctx, attached);
            let before = attached.cache().ctrl(command, argument).unwrap_or(0);
            attach::set_real_mode(ctx, attached.cache().mode());
            before
        }
        _ => attached.cache().ctrl(command, argument).unwrap_or_else(pass),
    }
}

/// `SSL_CTX_add_session`
///
/// # Safety
/// `ctx` and `session` are NULL or live.
pub unsafe fn add_session(
    real: &'static Real,
    ctx: *mut SSL_CTX,
    session: *mut SSL_SESSION,
) -> c_int {
    // SAFETY: the caller's promise.
    let (seen, borrowed) = unsafe { (seen(real, ctx), RealSession::borrow(session)) };
    match (seen, borrowed) {
        (Seen::Null, _) | (_, None) => 0,
        (Seen::Attached(ctx, attached), Some(session)) => {
            attached.cache().add(ctx.ctx, &session).into()
        }
        // SAFETY: the caller's promise; not NULL.
        (Seen::Other, _) => unsafe { call!(real, SSL_CTX_add_session(ctx, session), 0) },
    }
}

/// `SSL_CTX_remove_session`
///
/// # Safety
/// `ctx` and `session` are NULL or live.
pub unsafe fn remove_session(
    real: &'static Real,
    ctx: *mut SSL_CTX,
    session: *mut SSL_SESSION,
) -> c_int {
    // SAFETY: the caller's promise.
    let (seen, borrowed) = unsafe { (seen(real, ctx), RealSession::borrow(session)) };
    match (seen, borrowed) {
        (Seen::Null, _) | (Seen::Attached(..), None) => 0,
        (Seen::Attached(ctx, attached), Some(session)) => {
            attached.cache().remove(ctx.ctx, &session).into()
        }
        // SAFETY: the caller's promise; NULL for a session is libssl's to refuse.
        (Seen::Other, _) => unsafe { call!(real, SSL_CTX_remove_session(ctx, session), 0) },
    }
}

/// `SSL_CTX_free`
///
/// # Safety
/// `ctx` is NULL or live, and the caller has a reference to give back.
pub unsafe fn ctx_free(real: &'static Real, ctx: *mut SSL_CTX) {
    // SAFETY: the caller's promise.
    if let Some(ctx) = unsafe { RealCtx::from_c(real, ctx) } {
        attach::watch_end(ctx);
    }
    // SAFETY: the caller's promise.
    let pass = || unsafe { call!(real, SSL_CTX_free(ctx), ()) };
    // Only the report at the end, and what others share, care that it is the end; connections come
    // here all the time.
    if report::stats_wanted() || shared::tier().is_some() {
        freeing(ctx.addr(), pass);
    } else {
        pass();
    }
}

/// `SSL_CTX_flush_sessions`. The real cache is empty, but for contexts that are not attached.
///
/// # Safety
/// `ctx` is NULL or live.
pub unsafe fn flush_sessions(real: &'static Real, ctx: *mut SSL_CTX, tm: c_long) {
    // SAFETY: the caller's promise.
    match unsafe { seen(real, ctx) } {
        Seen::Null => {}
        Seen::Attached(ctx, attached) if tm == 0 && is_freeing(ctx.addr()) => {
            attached.close(ctx.ctx);
        }
        Seen::Attached(ctx, attached) => attached.cache().flush(ctx.ctx, tm, lifetime(real)),
        // The older function calls the newer, where there is one: perhaps through us.
        // SAFETY: the caller's promise.
        Seen::Other => unsafe {
            call!(
                real,
                SSL_CTX_flush_sessions_ex(ctx, tm),
                call!(real, SSL_CTX_flush_sessions(ctx, tm), ())
            )
        },
    }
}

/// `SSL_CTX_sessions`; without memory for a table the real library's own, which is empty.
///
/// # Safety
/// `ctx` is live.
pub unsafe fn sessions(real: &Real, ctx: *mut SSL_CTX) -> *mut LHASH_OF_SSL_SESSION {
    // SAFETY: the caller's promise.
    unsafe { state_of(ctx) }
        .and_then(|attached| attached.cache().table(lhash_functions!(real)?))
        // SAFETY: the caller's promise.
        .unwrap_or_else(|| unsafe { call!(real, SSL_CTX_sessions(ctx), std::ptr::null_mut()) })
}

/// `SSL_CTX_set_timeout`
///
/// # Safety
/// `ctx` is NULL or live.
pub unsafe fn ctx_set_timeout(real: &'static Real, ctx: *mut SSL_CTX, timeout: c_long) -> c_long {
    // SAFETY: the caller's promise.
    let ctx = unsafe { RealCtx::from_c(real, ctx) };
    ctx.map_or(0, |ctx| decided::set_ctx_timeout(ctx, timeout))
}

/// `SSL_CTX_get_timeout`
///
/// # Safety
/// `ctx` is NULL or live.
pub unsafe fn ctx_get_timeout(real: &'static Real, ctx: *const SSL_CTX) -> c_long {
    // SAFETY: the caller's promise.
    unsafe { RealCtx::from_c(real, ctx) }.map_or(0, decided::ctx_timeout)
}

/// `SSL_CTX_set_session_id_context`
///
/// # Safety
/// `ctx` is live; `sid_ctx` points to `length` bytes.
pub unsafe fn ctx_set_session_id_context(
    real: &Real,
    ctx: *mut SSL_CTX,
    sid_ctx: *const c_uchar,
    length: c_uint,
) -> c_int {
    // SAFETY: the caller's promise.
    let set = unsafe { call!(real, SSL_CTX_set_session_id_context(ctx, sid_ctx, length), 0) };
    // SAFETY: the caller's promise; libssl has taken as many.
    let attached = if set == 1 { unsafe { state_of(ctx) } } else { None };
    if let (Some(_), Some(attached)) = (shared::tier(), attached) {
        // SAFETY: as above.
        let sid_ctx = unsafe { args::bytes(sid_ctx, length as usize) };
        guard((), || attached.isolation.set_sid_ctx(sid_ctx));
    }
    set
}

macro_rules! callback_calls {
    ($($set:ident, $get:ident, $type:ty: $real_set:ident, $real_get:ident;)*) => {$(
        #[doc = concat!("`", stringify!($real_set), "`")]
        ///
        /// # Safety
        /// `ctx` is NULL or live.
        pub unsafe fn $set(real: &'static Real, ctx: *mut SSL_CTX, callback: $type) {
            // SAFETY: the caller's promise.
            match unsafe { seen(real, ctx) } {
                Seen::Null => {}
                Seen::Attached(_, attached) => attached.cache().callbacks.$set(callback),
                // SAFETY: the caller's promise.
                Seen::Other => unsafe { call!(real, $real_set(ctx, callback), ()) },
            }
        }

        #[doc = concat!("`", stringify!($real_get), "`")]
        ///
        /// # Safety
        /// `ctx` is NULL or live.
        pub unsafe fn $get(real: &'static Real, ctx: *mut SSL_CTX) -> $type {
            // SAFETY: the caller's promise.
            match unsafe { seen(real, ctx) } {
                Seen::Null => None,
                Seen::Attached(_, attached) => attached.cache().callbacks.$get(),
                // SAFETY: the caller's promise.
                Seen::Other => unsafe { call!(real, $real_get(ctx), None) },
            }
        }
    )*};
}

callback_calls! {
    set_new_cb, new_cb, NewSessionCb: SSL_CTX_sess_set_new_cb, SSL_CTX_sess_get_new_cb;
    set_remove_cb, remove_cb, RemoveSessionCb: SSL_CTX_sess_set_remove_cb, SSL_CTX_sess_get_remove_cb;
    set_get_cb, get_cb, GetSessionCb: SSL_CTX_sess_set_get_cb, SSL_CTX_sess_get_get_cb;
}

/// `SSL_has_matching_session_id`: in our cache, then (a shadow) in the real one.
///
/// # Safety
/// `ssl` is NULL or live; `id` points to `len` bytes.
// Not inlined: what it needs would burden the standalone look-up, which is so much shorter.
#[inline(never)]
pub unsafe fn has_matching_session_id(
    real: &'static Real,
    ssl: *const SSL,
    id: *const c_uchar,
    len: c_uint,
) -> c_int {
    if len as usize > SSL_MAX_SSL_SESSION_ID_LENGTH {
        return 0;
    }
    // SAFETY: the caller's promise.
    let Some(connection) = (unsafe { RealSsl::from_c(real, ssl) }) else { return 0 };
    // SAFETY: the caller's promise; the connection keeps its contexts alive.
    let (key, attached) = unsafe {
        let key = args::key(connection.version(), id, len);
        let ctx = Live::from_c(connection::session_ctx(connection));
        (key, ctx.and_then(|ctx| Some((ctx, attached::of(ctx)?))))
    };
    let ours = attached
        .zip(key)
        .is_some_and(|((ctx, attached), key)| attached.cache().contains(ctx, &key));
    if ours {
        return 1;
    }
    // The real cache of an attached context holds shadows alone. Its lock is one for all: not to be
    // taken, by the two look-ups for each new id, if there are none.
    if attached.is_some() && !shadow::any() {
        return 0;
    }
    // SAFETY: the caller's promise.
    unsafe { call!(real, SSL_has_matching_session_id(ssl, id, len), 0) }
}

/// `SSL_new`
///
/// # Safety
/// `ctx` is NULL or live.
pub unsafe fn new(real: &Real, ctx: *mut SSL_CTX) -> *mut SSL {
    // SAFETY: the caller's promise.
    let ssl = unsafe { call!(real, SSL_new(ctx), std::ptr::null_mut()) };
    connection::made(ssl.addr());
    ssl
}

/// `SSL_set_accept_state`
///
/// # Safety
/// `ssl` is NULL or live.
pub unsafe fn set_accept_state(real: &'static Real, ssl: *mut SSL) {
    // SAFETY: the caller's promise.
    if let Some(connection) = unsafe { RealSsl::from_c(real, ssl) } {
        // SAFETY: as above.
        unsafe { call!(real, SSL_set_accept_state(ssl), ()) };
        decided::becomes_server(connection);
    }
}

/// `SSL_accept`, which is called again until the handshake is done.
///
/// # Safety
/// `ssl` is NULL or live.
pub unsafe fn accept(real: &'static Real, ssl: *mut SSL) -> c_int {
    // SAFETY: the caller's promise.
    let Some(connection) = (unsafe { RealSsl::from_c(real, ssl) }) else { return -1 };
    decided::accepts(connection);
    // SAFETY: as above.
    unsafe { call!(real, SSL_accept(ssl), -1) }
}

/// `SSL_free`
///
/// # Safety
/// `ssl` is NULL or live, and the caller has a reference to give back.
pub unsafe fn free(real: &'static Real, ssl: *mut SSL) {
    // SAFETY: the caller's promise.
    if let Some(connection) = unsafe { RealSsl::from_c(real, ssl) } {
        connection::watch_end(connection);
    }
    // SAFETY: the caller's promise.
    unsafe { call!(real, SSL_free(ssl), ()) };
}

/// `SSL_set_SSL_CTX`
///
/// # Safety
/// `ssl` and `ctx` are NULL or live.
pub unsafe fn set_ssl_ctx(real: &'static Real, ssl: *mut SSL, ctx: *mut SSL_CTX) -> *mut SSL_CTX {
    let null = std::ptr::null_mut();
    // SAFETY: the caller's promise.
    let Some(connection) = (unsafe { RealSsl::from_c(real, ssl) }) else { return null };
    if is_served(real) {
        connection::remember_session_ctx(connection);
    }
    // SAFETY: the caller's promise.
    unsafe { call!(real, SSL_set_SSL_CTX(ssl, ctx), null) }
}

/// Whether this is the library whose contexts are attached: of another nothing is in a cache of
/// ours.
fn is_served(real: &Real) -> bool {
    served::real().is_some_and(|served| std::ptr::eq(served, real))
}

/// After `SSL_SESSION_set_time` and its like: the session moves in the caches that hold it.
///
/// # Safety
/// `session` is NULL or live.
unsafe fn rescheduled(real: &Real, session: *mut SSL_SESSION) {
    if !is_served(real) {
        return;
    }
    // SAFETY: the caller's promise.
    if let Some(session) = unsafe { RealSession::borrow(session) } {
        Interposed::registry().reschedule(&session);
    }
}

/// `SSL_SESSION_set_time`
///
/// # Safety
/// `session` is NULL or live.
pub unsafe fn set_time(real: &Real, session: *mut SSL_SESSION, time: c_long) -> c_long {
    // SAFETY: the caller's promise.
    unsafe {
        let result = call!(real, SSL_SESSION_set_time(session, time), 0);
        rescheduled(real, session);
        result
    }
}

/// `SSL_SESSION_set_time_ex`, also in front of a release that has only the older function.
///
/// # Safety
/// `session` is NULL or live.
pub unsafe fn set_time_ex(real: &Real, session: *mut SSL_SESSION, time: time_t) -> time_t {
    let Some(set) = real.SSL_SESSION_set_time_ex else {
        // SAFETY: the caller's promise.
        return unsafe { set_time(real, session, time) };
    };
    // SAFETY: libssl's own function; the caller's promise.
    unsafe {
        let result = set(session, time);
        rescheduled(real, session);
        result
    }
}

/// `SSL_SESSION_set_timeout`
///
/// # Safety
/// `session` is NULL or live.
pub unsafe fn set_timeout(real: &Real, session: *mut SSL_SESSION, timeout: c_long) -> c_long {
    // SAFETY: the caller's promise.
    unsafe {
        let result = call!(real, SSL_SESSION_set_timeout(session, timeout), 0);
        if result == 1 {
            rescheduled(real, session);
        }
        result
    }
}

/// `SSLCACHE_get1_session`
///
/// # Safety
/// `ctx` is NULL or live.
pub unsafe fn get1_session(ctx: *mut SSL_CTX, key: &Key) -> *mut SSL_SESSION {
    // SAFETY: the caller's promise.
    unsafe { state_of(ctx) }
        .and_then(|attached| attached.cache().get(key))
        .map_or(std::ptr::null_mut(), RealSession::into_c)
}

/// `SSLCACHE_stats`
///
/// # Safety
/// `ctx` is NULL or live.
pub unsafe fn statistics(ctx: *mut SSL_CTX) -> Option<Statistics> {
    // SAFETY: the caller's promise.
    unsafe { state_of(ctx) }.map(|attached| attached.cache().asked_statistics())
}
