//! The exported functions that are more than a jump to the real library.

use std::ffi::CStr;

use libc::{c_char, c_int, c_long, c_uchar, c_uint, c_void, time_t};

use super::alone::{Why, leave_alone};
use super::attach::{self, attach};
use super::attached;
use super::quiet::{freeing, is_freeing, is_made_by_libssl, is_quiet, making};
use super::served;
use super::session::{RealSession, lifetime};
use super::standing::Interposed;
use super::{connection, hooks, shadow};
use crate::cache::{Key, Statistics};
use crate::ffi::args;
use crate::ffi::caller::is_called_by_name;
use crate::ffi::constants::*;
use crate::ffi::guard::guard;
use crate::ffi::lhash::lhash_functions;
use crate::ffi::real::{Real, call};
use crate::ffi::types::*;
use crate::report;
use crate::rules::{SessionRef, Standing};

/// `SSL_CTX_new`
pub fn ctx_new(real: &'static Real, method: *const SSL_METHOD) -> *mut SSL_CTX {
    let ctx = making(|| call!(real, SSL_CTX_new(method) else std::ptr::null_mut()));
    guard((), || attach(real, ctx));
    ctx
}

/// `SSL_CTX_new_ex`
pub fn ctx_new_ex(
    real: &'static Real,
    libctx: *mut OSSL_LIB_CTX,
    propq: *const c_char,
    method: *const SSL_METHOD,
) -> *mut SSL_CTX {
    let is_inside = is_made_by_libssl();
    let ctx = call!(real, SSL_CTX_new_ex(libctx, propq, method) else std::ptr::null_mut());
    // What the real SSL_CTX_new calls inside ours is ours to attach. Of a program that has taken the real
    // one from its handle, we see this call and no other, as far as libssl calls itself through us: half
    // a context is none.
    if !is_inside {
        let is_half = libctx.is_null() && propq.is_null() && !is_called_by_name(SSL_CTX_NEW_EX);
        guard((), || if is_half { leave_alone(Why::TakenFromHandle) } else { attach(real, ctx) });
    }
    ctx
}

const SSL_CTX_NEW_EX: &CStr = c"SSL_CTX_new_ex";

/// `SSL_CTX_ctrl`
pub fn ctx_ctrl(
    real: &Real,
    ctx: *mut SSL_CTX,
    command: c_int,
    argument: c_long,
    pointer: *mut c_void,
) -> c_long {
    let pass = || call!(real, SSL_CTX_ctrl(ctx, command, argument, pointer) else 0);
    // The session commands are few; the rest costs one comparison.
    if !(SSL_CTRL_SESS_NUMBER..=SSL_CTRL_GET_SESS_CACHE_MODE).contains(&command)
        || is_quiet(ctx.addr())
    {
        return pass();
    }
    let Some(attached) = attached::of(ctx) else { return pass() };
    match command {
        // libssl still counts a client's misses, and no others: its own cache is not looked into.
        SSL_CTRL_SESS_MISSES => pass() + attached.cache().counted(|counters| &counters.misses),
        SSL_CTRL_SET_SESS_CACHE_MODE => {
            hooks::mode_changes(real, ctx, attached);
            attach::set_real_mode(real, ctx, argument as u32);
            attached.cache().ctrl(command, argument).unwrap_or(0)
        }
        _ => attached.cache().ctrl(command, argument).unwrap_or_else(pass),
    }
}

/// `SSL_CTX_add_session`
///
/// # Safety
/// `session` is NULL or live.
pub unsafe fn add_session(real: &Real, ctx: *mut SSL_CTX, session: *mut SSL_SESSION) -> c_int {
    let Some(attached) = attached::of(ctx) else {
        return if ctx.is_null() || session.is_null() {
            0
        } else {
            call!(real, SSL_CTX_add_session(ctx, session) else 0)
        };
    };
    // SAFETY: the caller's promise.
    let Some(session) = (unsafe { RealSession::borrow(session) }) else { return 0 };
    attached.cache().add(ctx, &session).into()
}

/// `SSL_CTX_remove_session`
///
/// # Safety
/// `session` is NULL or live.
pub unsafe fn remove_session(real: &Real, ctx: *mut SSL_CTX, session: *mut SSL_SESSION) -> c_int {
    let Some(attached) = attached::of(ctx) else {
        return if ctx.is_null() {
            0
        } else {
            call!(real, SSL_CTX_remove_session(ctx, session) else 0)
        };
    };
    // SAFETY: the caller's promise.
    let Some(session) = (unsafe { RealSession::borrow(session) }) else { return 0 };
    attached.cache().remove(ctx, &session).into()
}

/// `SSL_CTX_free`
pub fn ctx_free(real: &Real, ctx: *mut SSL_CTX) {
    attach::watch_end(real, ctx);
    let pass = || call!(real, SSL_CTX_free(ctx) else ());
    // Only the report at the end cares that it is the end; connections come here all the time.
    if report::stats_wanted() { freeing(ctx.addr(), pass) } else { pass() }
}

/// `SSL_CTX_flush_sessions`. The real cache is empty, but for contexts that are not attached.
pub fn flush_sessions(real: &Real, ctx: *mut SSL_CTX, tm: c_long) {
    match attached::of(ctx) {
        Some(attached) if tm == 0 && is_freeing(ctx.addr()) => attached.close(ctx),
        Some(attached) => attached.cache().flush(ctx, tm, lifetime(real)),
        None if ctx.is_null() => {}
        // The older function calls the newer, where there is one: perhaps through us.
        None => call!(real, SSL_CTX_flush_sessions_ex(ctx, tm)
            else call!(real, SSL_CTX_flush_sessions(ctx, tm) else ())),
    }
}

/// `SSL_CTX_sessions`; without memory for a table the real library's own, which is empty.
pub fn sessions(real: &Real, ctx: *mut SSL_CTX) -> *mut LHASH_OF_SSL_SESSION {
    attached::of(ctx)
        .and_then(|attached| attached.cache().table(lhash_functions!(real)?))
        .unwrap_or_else(|| call!(real, SSL_CTX_sessions(ctx) else std::ptr::null_mut()))
}

macro_rules! callback_calls {
    ($($set:ident, $get:ident, $type:ty: $real_set:ident, $real_get:ident;)*) => {$(
        #[doc = concat!("`", stringify!($real_set), "`")]
        pub fn $set(real: &Real, ctx: *mut SSL_CTX, callback: $type) {
            match attached::of(ctx) {
                Some(attached) => attached.cache().callbacks.$set(callback),
                None if ctx.is_null() => {}
                None => call!(real, $real_set(ctx, callback) else ()),
            }
        }

        #[doc = concat!("`", stringify!($real_get), "`")]
        pub fn $get(real: &Real, ctx: *mut SSL_CTX) -> $type {
            match attached::of(ctx) {
                Some(attached) => attached.cache().callbacks.$get(),
                None if ctx.is_null() => None,
                None => call!(real, $real_get(ctx) else None),
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
/// `id` points to `len` bytes.
// Not inlined: what it needs would burden the standalone look-up, which is so much shorter.
#[inline(never)]
pub unsafe fn has_matching_session_id(
    real: &Real,
    ssl: *const SSL,
    id: *const c_uchar,
    len: c_uint,
) -> c_int {
    if ssl.is_null() || len as usize > SSL_MAX_SSL_SESSION_ID_LENGTH {
        return 0;
    }
    let version = call!(real, SSL_version(ssl) else 0);
    // SAFETY: the caller's promise.
    let key = unsafe { args::key(version, id, len) };
    let attached = attached::of(connection::session_ctx(real, ssl));
    let ours = attached.zip(key).is_some_and(|(attached, key)| attached.cache().contains(&key));
    if ours {
        return 1;
    }
    // The real cache of an attached context holds shadows alone. Its lock is one for all: not to be
    // taken, by the two look-ups for each new id, if there are none.
    let in_real = attached.is_none() || shadow::any();
    if !in_real { 0 } else { call!(real, SSL_has_matching_session_id(ssl, id, len) else 0) }
}

/// `SSL_new`
pub fn new(real: &Real, ctx: *mut SSL_CTX) -> *mut SSL {
    let ssl = call!(real, SSL_new(ctx) else std::ptr::null_mut());
    connection::made(ssl);
    ssl
}

/// `SSL_free`
pub fn free(real: &Real, ssl: *mut SSL) {
    connection::watch_end(real, ssl);
    call!(real, SSL_free(ssl) else ());
}

/// `SSL_set_SSL_CTX`
pub fn set_ssl_ctx(real: &'static Real, ssl: *mut SSL, ctx: *mut SSL_CTX) -> *mut SSL_CTX {
    if ssl.is_null() {
        return std::ptr::null_mut();
    }
    if is_served(real) {
        connection::remember_session_ctx(real, ssl);
    }
    call!(real, SSL_set_SSL_CTX(ssl, ctx) else std::ptr::null_mut())
}

/// Whether this is the library whose contexts are attached: of another nothing is in a cache of ours.
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
    let result = call!(real, SSL_SESSION_set_time(session, time) else 0);
    // SAFETY: the caller's promise.
    unsafe { rescheduled(real, session) };
    result
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
    let result = call!(real, SSL_SESSION_set_timeout(session, timeout) else 0);
    if result == 1 {
        // SAFETY: the caller's promise.
        unsafe { rescheduled(real, session) };
    }
    result
}

/// `SSLCACHE_get1_session`
pub fn get1_session(ctx: *mut SSL_CTX, key: &Key) -> *mut SSL_SESSION {
    attached::of(ctx)
        .and_then(|attached| attached.cache().find(key))
        .map_or(std::ptr::null_mut(), RealSession::into_ptr)
}

/// `SSLCACHE_stats`
pub fn statistics(ctx: *mut SSL_CTX) -> Option<Statistics> {
    attached::of(ctx).map(|attached| attached.cache().statistics())
}
