//! SSL_CTX_ctrl(3): the cache's size, mode and counters (SSL_CTX_sess_number(3),
//! SSL_CTX_sess_set_cache_size(3), SSL_CTX_set_session_cache_mode(3) are macros over it)

use libc::{c_int, c_long, c_void};

use crate::ffi::guard::guard;
use crate::ffi::handle::Handle;
use crate::ffi::types::{SSL, SSL_CTX, UntypedCb};
use crate::interpose::calls;
use crate::standalone::Context;
use crate::standing;

/// Performs the command `cmd` on `ctx`: behind the macros SSL_CTX_sess_number() to
/// SSL_CTX_get_session_cache_mode().
///
/// Without a libssl in the process the 16 session commands are known, and every other one returns
/// 0.
///
/// Returns what the macro says; 0 for NULL and for a command that is not known.
/// Thread safety: any thread, any time.
/// See SSL_CTX_ctrl(3), SSL_CTX_sess_number(3).
///
/// # Safety
/// `ctx` is NULL or live; `parg` is what the command takes.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_CTX_ctrl(
    ctx: *mut SSL_CTX,
    cmd: c_int,
    larg: c_long,
    parg: *mut c_void,
) -> c_long {
    if let Some(real) = standing::of(ctx) {
        // SAFETY: the caller's promise.
        return unsafe { calls::ctx_ctrl(real, ctx, cmd, larg, parg) };
    }
    // SAFETY: the caller's promise.
    unsafe { Context::borrow(ctx) }.map_or(0, |ctx| ctx.ctrl(cmd, larg))
}

/// Performs the command `cmd` with a function. None of them concerns sessions.
///
/// Returns what the real libssl returns; 0 without one.
/// See SSL_CTX_callback_ctrl(3).
///
/// # Safety
/// As the real function asks.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_CTX_callback_ctrl(
    ctx: *mut SSL_CTX,
    cmd: c_int,
    fp: UntypedCb,
) -> c_long {
    forward!(standing::of(ctx), SSL_CTX_callback_ctrl(ctx, cmd, fp), 0);
    guard(0, || 0)
}

/// Performs the command `cmd` on a connection. None of them concerns sessions.
///
/// Returns what the real libssl returns; 0 without one.
/// See SSL_ctrl(3).
///
/// # Safety
/// As the real function asks.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_ctrl(
    ssl: *mut SSL,
    cmd: c_int,
    larg: c_long,
    parg: *mut c_void,
) -> c_long {
    forward!(standing::of(ssl), SSL_ctrl(ssl, cmd, larg, parg), 0);
    guard(0, || 0)
}
