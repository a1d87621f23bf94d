//! How a context of the real library gets and loses our hooks and our state.

use libc::{c_int, c_long, c_void};

use super::alone::{Why, leave_alone};
use super::attached::{self, Attached, STATES};
use super::borrowed::RealCtx;
use super::ends::Ends;
use super::served;
use super::{decided, ended_tables, hooks, shared_memory};
use crate::ffi::constants::*;
use crate::ffi::guard::guard;
use crate::ffi::live::Live;
use crate::ffi::memory::{Counted, NoMemory};
use crate::ffi::types::{CryptoExData, SSL_CTX};
use crate::rules::{CacheMode, Held};
use crate::settings::settings;

/// Tells when a context ends.
static CONTEXT_ENDS: Ends = Ends::new(CRYPTO_EX_INDEX_SSL_CTX, context_freed);

/// Attaches to a context that its library just made, or leaves it as it is.
pub fn attach(ctx: RealCtx) {
    ended_tables::forget(ctx.addr());
    // Of one that had this address, and ended unseen; or of this one (`quiet::making`).
    let known = STATES.remove(ctx.addr());
    let may_have_hooks = known.is_some();
    release_missed(known);
    served::forget_other(ctx.addr());
    match try_attach(ctx) {
        Ok(attached) => {
            hooks::install(ctx);
            set_real_mode(ctx, attached.cache().mode());
            decided::first_timeout(ctx);
        }
        Err(why) => {
            if may_have_hooks {
                hooks::take_out(ctx);
            }
            leave_alone(why);
        }
    }
}

fn try_attach(ctx: RealCtx) -> Result<Counted<Attached>, Why> {
    let real = ctx.real;
    if !real.is_openssl() {
        return Err(Why::OfAnother);
    }
    if shared_memory::is_shared(real, ctx.addr()) {
        return Err(Why::SharedMemory);
    }
    if !CONTEXT_ENDS.watch_new(real, ctx.addr()) {
        return Err(Why::EndUnseen);
    }
    let Some(libssl) = served::serve(real) else {
        served::note_other(real, ctx.addr());
        return Err(Why::OfAnother);
    };
    let attached = Counted::new(|| Attached::new(libssl)).map_err(|NoMemory| Why::NoMemory)?;
    let state = Counted::into_raw(attached.clone()).cast_mut();
    if STATES.insert(ctx.addr(), state).is_err() {
        // SAFETY: from `into_raw` just above; nobody else has it.
        drop(unsafe { Counted::from_raw(state) });
        return Err(Why::NoMemory);
    }
    attached.member.made(&attached);
    Ok(attached)
}

/// The state of a context that ended unseen.
fn release_missed(state: Option<*mut Attached>) {
    if let Some(state) = state {
        // SAFETY: made by `attach`, which put it where it was taken out now.
        let attached = unsafe { Counted::from_raw(state) };
        attached.member.report();
        attached.member.leave();
        if attached.libssl.is_gone() {
            // Its sessions are that library's to free, and it took with it what would.
            std::mem::forget(attached);
        }
    }
}

/// The last reference to a context may be given back now: its end must be seen.
pub fn watch_end(ctx: RealCtx) {
    if attached::of(ctx.ctx).is_some() {
        CONTEXT_ENDS.watch(ctx.real);
    }
}

/// Gives the real context what the application has set, and is gone: other free functions that run
/// after ours may still ask.
fn detach(ctx: RealCtx, attached: &Attached) {
    decided::give_timeout_back(ctx, attached);
    let cache = attached.cache();
    let callbacks = &cache.callbacks;
    ctx.set_callbacks(callbacks.new_cb(), callbacks.get_cb(), callbacks.remove_cb());
    let restored = [
        (SSL_CTRL_GET_SESS_CACHE_SIZE, SSL_CTRL_SET_SESS_CACHE_SIZE),
        (SSL_CTRL_GET_SESS_CACHE_MODE, SSL_CTRL_SET_SESS_CACHE_MODE),
    ];
    for (get, set) in restored {
        ctx.ctrl(set, cache.ctrl(get, 0).unwrap_or(0));
    }
}

/// Gives the real context the application's mode, less what would have it use its own cache. The
/// CLIENT and SERVER bits stay: they decide whether the new hook is called at all.
pub fn set_real_mode(ctx: RealCtx, mode: CacheMode) {
    // UPDATE_TIME would reset the time of a single-use session just before its age is checked.
    let mode = if settings().set.cache_on() { mode.with_cache() } else { mode };
    let mode = (mode.0 & !SSL_SESS_CACHE_UPDATE_TIME)
        | SSL_SESS_CACHE_NO_INTERNAL
        | SSL_SESS_CACHE_NO_AUTO_CLEAR;
    ctx.ctrl(SSL_CTRL_SET_SESS_CACHE_MODE, c_long::from(mode));
}

/// libcrypto's ex_data free function: a context is on its way out, but still whole. It may be any.
unsafe extern "C-unwind" fn context_freed(
    ctx: *mut c_void,
    _: *mut c_void,
    _: *mut CryptoExData,
    _: c_int,
    _: c_long,
    _: *mut c_void,
) {
    // SAFETY: libcrypto passes the context that ends, which is still whole.
    let Some(ctx) = (unsafe { Live::from_c(ctx.cast::<SSL_CTX>()) }) else { return };
    let Some(attached) = attached::of(ctx) else { return served::forget_other(ctx.addr()) };
    attached.close(ctx);
    let Some(state) = guard(None, || STATES.remove(ctx.addr())) else { return };
    // SAFETY: made by `attach`; the context gives up its reference.
    let attached = Held::new(unsafe { Counted::from_raw(state) });
    guard((), || {
        attached.member.leave();
        if let Some(view) = attached.cache().end_table() {
            ended_tables::keep(ctx.addr(), view);
        }
        if let Some(real) = served::real() {
            detach(RealCtx { real, ctx }, &attached);
        }
    });
    attached.release();
}
