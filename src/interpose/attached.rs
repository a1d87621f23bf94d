//! The state of ours that belongs to a context of the real library.

use std::sync::atomic::{AtomicI32, Ordering};

use libc::{c_int, c_long, c_void};

use super::alone::{Why, leave_alone};
use super::ends::Ends;
use super::real::{Real, call};
use super::session::RealSession;
use super::{ended_tables, hooks, shadow, shared_memory};
use crate::address_map::AddressMap;
use crate::ffi::constants::*;
use crate::ffi::guard::guard;
use crate::ffi::libcrypto::CryptoExData;
use crate::ffi::memory::{Counted, NoMemory};
use crate::ffi::types::SSL_CTX;
use crate::rules::{Held, InternalCache, Member, Registry, RegistryEntry};
use crate::standing::{self, Libssl};

/// What we keep for one real context.
pub struct Attached {
    /// The application's side of the cache.
    pub cache: InternalCache<RealSession>,
    /// Where the automatic flush was last due; see `hooks`.
    flushes_seen: AtomicI32,
    entry: RegistryEntry,
    /// Whose context it is.
    libssl: &'static Libssl,
}

impl Member for Attached {
    type Session = RealSession;

    const STANDING: &'static str = "interposed";

    fn registry() -> &'static Registry<Self> {
        &CONTEXTS
    }

    fn entry(&self) -> &RegistryEntry {
        &self.entry
    }

    fn cache(&self) -> &InternalCache<RealSession> {
        &self.cache
    }
}

impl Attached {
    /// The context goes, and with it every session. libssl may tell twice: by flushing everything
    /// first, and by the end of the ex_data.
    pub fn close(&self, ctx: *mut SSL_CTX) {
        guard((), || CONTEXTS.report(self));
        self.cache.close(ctx);
        if let Some(real) = standing::real() {
            shadow::context_ends(real, ctx);
        }
    }

    /// Notes that the automatic flush was due for the `number`th time. True if it was not known.
    pub fn see_flush(&self, number: c_int) -> bool {
        // Looked at first: nearly every handshake sees nothing new, and is to write nothing.
        self.flushes_seen.load(Ordering::Relaxed) < number
            && self.flushes_seen.fetch_max(number, Ordering::Relaxed) < number
    }
}

static CONTEXTS: Registry<Attached> = Registry::new();

/// The states of the contexts that live.
static STATES: AddressMap<Attached> = AddressMap::new();
/// Tells when one of them ends.
static CONTEXT_ENDS: Ends = Ends::new(CRYPTO_EX_INDEX_SSL_CTX, context_freed);

/// Attaches to a context the real library just made, or leaves it as it is.
pub fn attach(real: &'static Real, ctx: *mut SSL_CTX) {
    if ctx.is_null() {
        return;
    }
    ended_tables::forget(ctx.addr());
    // Of one that had this address, and ended unseen.
    release_missed(STATES.remove(ctx.addr()));
    standing::forget_other(ctx);
    match try_attach(real, ctx) {
        Ok(()) => {
            hooks::install(real, ctx);
            set_real_mode(real, ctx, SSL_SESS_CACHE_SERVER);
        }
        Err(why) => leave_alone(why),
    }
}

fn try_attach(real: &'static Real, ctx: *mut SSL_CTX) -> Result<(), Why> {
    if !real.is_openssl() {
        return Err(Why::OfAnother);
    }
    if shared_memory::is_shared(real, ctx.cast()) {
        return Err(Why::SharedMemory);
    }
    if !CONTEXT_ENDS.watch_new(real, ctx.cast()) {
        return Err(Why::EndUnseen);
    }
    let Some(libssl) = standing::serve(real) else {
        standing::note_other(real, ctx);
        return Err(Why::OfAnother);
    };
    let attached = Counted::new(|| Attached {
        cache: InternalCache::default(),
        flushes_seen: AtomicI32::new(0),
        entry: CONTEXTS.new_entry(),
        libssl,
    });
    let attached = attached.map_err(|NoMemory| Why::NoMemory)?;
    let state = Counted::into_raw(attached.clone()).cast_mut();
    if STATES.insert(ctx.addr(), state).is_err() {
        // SAFETY: from `into_raw` just above; nobody else has it.
        drop(unsafe { Counted::from_raw(state) });
        return Err(Why::NoMemory);
    }
    CONTEXTS.made(&attached);
    Ok(())
}

/// The state of a context that ended unseen.
fn release_missed(state: Option<*mut Attached>) {
    if let Some(state) = state {
        // SAFETY: made by `attach`, which put it where it was taken out now.
        let attached = unsafe { Counted::from_raw(state) };
        CONTEXTS.report(&attached);
        CONTEXTS.remove(&attached);
        if attached.libssl.is_gone() {
            // Its sessions are that library's to free, and it took with it what would.
            std::mem::forget(attached);
        }
    }
}

/// The last reference to a context may be given back now: its end must be seen.
pub fn watch_end(real: &Real, ctx: *mut SSL_CTX) {
    if of(ctx).is_some() {
        CONTEXT_ENDS.watch(real);
    }
}

/// Gives the real context what the application has set, and is gone: other free functions that run
/// after ours may still ask.
fn detach(ctx: *mut SSL_CTX, cache: &InternalCache<RealSession>) {
    let Some(real) = standing::real() else { return };
    let null = std::ptr::null_mut();
    call!(real, SSL_CTX_sess_set_new_cb(ctx, cache.callbacks.new_cb()) else ());
    call!(real, SSL_CTX_sess_set_get_cb(ctx, cache.callbacks.get_cb()) else ());
    call!(real, SSL_CTX_sess_set_remove_cb(ctx, cache.callbacks.remove_cb()) else ());
    let restored = [
        (SSL_CTRL_GET_SESS_CACHE_SIZE, SSL_CTRL_SET_SESS_CACHE_SIZE),
        (SSL_CTRL_GET_SESS_CACHE_MODE, SSL_CTRL_SET_SESS_CACHE_MODE),
    ];
    for (get, set) in restored {
        let value = cache.ctrl(get, 0).unwrap_or(0);
        call!(real, SSL_CTX_ctrl(ctx, set, value, null) else 0);
    }
}

/// Gives the real context the application's mode, less what would have it use its own cache. The
/// CLIENT and SERVER bits stay: they decide whether the new hook is called at all.
pub fn set_real_mode(real: &Real, ctx: *mut SSL_CTX, mode: u32) {
    // UPDATE_TIME would reset the time of a single-use session just before its age is checked.
    let mode = (mode & !SSL_SESS_CACHE_UPDATE_TIME)
        | SSL_SESS_CACHE_NO_INTERNAL
        | SSL_SESS_CACHE_NO_AUTO_CLEAR;
    let null = std::ptr::null_mut();
    call!(real, SSL_CTX_ctrl(ctx, SSL_CTRL_SET_SESS_CACHE_MODE, c_long::from(mode), null) else 0);
}

/// The state of a context; `None` if it is not attached, and for NULL. `ctx` is not followed.
#[inline(always)]
pub fn of<'a>(ctx: *mut SSL_CTX) -> Option<&'a Attached> {
    // SAFETY: only `attach` puts a state there; it lives until the context's end.
    Some(unsafe { &*STATES.get(ctx.addr())? })
}

/// Whether a context is one of these.
pub fn is_attached(ctx: *const SSL_CTX) -> bool {
    STATES.get(ctx.addr()).is_some()
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
    let ctx = ctx.cast::<SSL_CTX>();
    let Some(attached) = of(ctx) else { return standing::forget_other(ctx) };
    attached.close(ctx);
    let Some(state) = guard(None, || STATES.remove(ctx.addr())) else { return };
    // SAFETY: made by `attach`; the context gives up its reference.
    let attached = Held::new(unsafe { Counted::from_raw(state) });
    guard((), || {
        CONTEXTS.remove(&attached);
        if let Some(view) = attached.cache.end_table() {
            ended_tables::keep(ctx.addr(), view);
        }
        detach(ctx, &attached.cache);
    });
    attached.release();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_that_never_caches_costs_less_than_200_bytes() {
        let count_of_the_references = size_of::<usize>();
        assert!(size_of::<Attached>() + count_of_the_references < 200);
    }
}
