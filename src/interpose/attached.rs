//! The state of ours that belongs to a context of the real library.

use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, Ordering};

use libc::{c_int, c_long, c_void};

use super::hooks;
use super::real::{Real, call};
use super::session::RealSession;
use crate::ffi::constants::*;
use crate::ffi::libcrypto::CryptoExData;
use crate::ffi::memory::Counted;
use crate::ffi::types::{SSL, SSL_CTX};
use crate::report;
use crate::rules::{FrozenContexts, InternalCache, Member, Registry, Report};
use crate::standing;

/// What we keep for one real context. libcrypto holds it, as ex_data of the context, and tells us
/// when the context goes.
pub struct Attached {
    /// The application's side of the cache.
    pub cache: InternalCache<RealSession>,
    /// Where the automatic flush was last due; see `hooks`.
    flushes_seen: AtomicI32,
    reported: AtomicBool,
    number: u32,
}

impl Member for Attached {
    type Session = RealSession;

    fn cache(&self) -> &InternalCache<RealSession> {
        &self.cache
    }
}

impl Attached {
    /// The context goes, and with it every session. libssl may tell twice: by flushing everything
    /// first, and by the end of the ex_data.
    pub fn close(&self, ctx: *mut SSL_CTX) {
        self.report();
        self.cache.close(ctx);
    }

    /// Notes that the automatic flush was due for the `number`th time. True if it was not known.
    pub fn see_flush(&self, number: c_int) -> bool {
        // Looked at first: nearly every handshake sees nothing new, and is to write nothing.
        self.flushes_seen.load(Ordering::Relaxed) < number
            && self.flushes_seen.fetch_max(number, Ordering::Relaxed) < number
    }

    /// Writes the statistics, once.
    fn report(&self) {
        if report::stats_wanted() && !self.reported.swap(true, Ordering::Relaxed) {
            let statistics = self.cache.statistics();
            report::stats(Report { standing: "interposed", number: self.number, statistics });
        }
    }
}

static CONTEXTS: Registry<Attached> = Registry::new();
/// Contexts are numbered in the order they were made, for the statistics.
static MADE: AtomicU32 = AtomicU32::new(0);

/// The ex_data index of contexts that holds a `Counted<Attached>`; negative before it is registered.
static CTX_INDEX: AtomicI32 = AtomicI32::new(-1);
/// The ex_data index of connections that holds the context they were made from; negative as long as
/// no connection was ever switched to another.
static SSL_INDEX: AtomicI32 = AtomicI32::new(-1);

/// Takes the place at the front of the queue: an ex_data free function that was registered earlier
/// than ours has freed what it is for when ours calls the application's remove callback.
pub fn prepare(real: &'static Real) {
    // SAFETY: our own function, with libcrypto's prototype; it lives as long as the process.
    let index = unsafe { new_index(real, CRYPTO_EX_INDEX_SSL_CTX, None, Some(context_freed)) };
    CTX_INDEX.store(index, Ordering::Release);
    report::at_exit(report_all);
    crate::fork::register();
}

/// A new ex_data index, negative if there is none to be had.
///
/// # Safety
/// The functions live as long as the process.
unsafe fn new_index(
    real: &Real,
    class: c_int,
    dup: Option<crate::ffi::libcrypto::ExDup>,
    free: Option<crate::ffi::libcrypto::ExNewFree>,
) -> c_int {
    let null = std::ptr::null_mut();
    call!(real, CRYPTO_get_ex_new_index(class, 0, null, None, dup, free) else -1)
}

/// Attaches to a context the real library just made. A second time changes nothing (one constructor
/// may call the other through us).
pub fn attach(real: &'static Real, ctx: *mut SSL_CTX) {
    let index = CTX_INDEX.load(Ordering::Acquire);
    if ctx.is_null() || index < 0 || of(real, ctx).is_some() {
        return;
    }
    let attached = Counted::new(|| Attached {
        cache: InternalCache::default(),
        flushes_seen: AtomicI32::new(0),
        reported: AtomicBool::new(false),
        number: MADE.fetch_add(1, Ordering::Relaxed) + 1,
    });
    // Without memory the context is left alone: it caches as libssl does.
    let Ok(attached) = attached else { return };
    let state = Counted::into_raw(attached.clone()).cast_mut().cast::<c_void>();
    if call!(real, SSL_CTX_set_ex_data(ctx, index, state) else 0) != 1 {
        // SAFETY: from into_raw just above, which libcrypto did not take.
        drop(unsafe { Counted::from_raw(state.cast::<Attached>()) });
        return;
    }
    if report::stats_wanted() {
        // Without memory it is in the report at exit only once it stores a session.
        let _ = CONTEXTS.insert(&attached);
    }
    hooks::install(real, ctx);
    set_real_mode(real, ctx, SSL_SESS_CACHE_SERVER);
    // Only the shadow of a single-use session is ever in the real cache: it must not be evicted.
    call!(real, SSL_CTX_ctrl(ctx, SSL_CTRL_SET_SESS_CACHE_SIZE, 0, std::ptr::null_mut()) else 0);
}

/// Gives the real context what the application has set, and is gone: other free functions that run
/// after ours may still ask.
fn detach(ctx: *mut SSL_CTX, cache: &InternalCache<RealSession>) {
    let Some(real) = standing::real() else { return };
    let null = std::ptr::null_mut();
    call!(real, SSL_CTX_set_ex_data(ctx, CTX_INDEX.load(Ordering::Acquire), null) else 0);
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

/// The state of a context; `None` if it was made without us (and is left alone), or for NULL.
pub fn of<'a>(real: &Real, ctx: *mut SSL_CTX) -> Option<&'a Attached> {
    let index = CTX_INDEX.load(Ordering::Acquire);
    if ctx.is_null() || index < 0 {
        return None;
    }
    let state = call!(real, SSL_CTX_get_ex_data(ctx, index) else std::ptr::null_mut());
    // SAFETY: only `attach` writes this index; the state lives until the context's end.
    unsafe { state.cast::<Attached>().as_ref() }
}

/// Lets `SSL_SESSION_set_time` and a fork find the sessions of this context. Done with the first one.
pub fn register_context(real: &Real, ctx: *mut SSL_CTX) {
    let Some(attached) = of(real, ctx) else { return };
    // SAFETY: the state of a live context, which holds a reference made by `into_raw`.
    let attached = unsafe { Counted::share(std::ptr::from_ref(attached)) };
    // Without memory it has no place, and then it stores nothing.
    let _ = CONTEXTS.insert(&attached);
}

/// The time or timeout of `session` changed.
pub fn reschedule(session: &RealSession) {
    CONTEXTS.reschedule(session);
}

/// Holds every cache still for a fork.
pub fn freeze() -> FrozenContexts<Attached> {
    CONTEXTS.freeze()
}

/// libcrypto's ex_data free function: the context is on its way out, but still whole.
unsafe extern "C-unwind" fn context_freed(
    ctx: *mut c_void,
    state: *mut c_void,
    _: *mut CryptoExData,
    _: c_int,
    _: c_long,
    _: *mut c_void,
) {
    if state.is_null() {
        return;
    }
    crate::ffi::guard::guard((), || {
        // SAFETY: made by `attach`; the context gives up its reference.
        let attached = unsafe { Counted::from_raw(state.cast::<Attached>()) };
        let ctx = ctx.cast::<SSL_CTX>();
        attached.close(ctx);
        CONTEXTS.remove(&attached);
        detach(ctx, &attached.cache);
    });
}

extern "C" fn report_all() {
    for attached in CONTEXTS.contexts() {
        attached.report();
    }
}

/// Remembers the context a connection was made from, before it is switched to another: the cache, the
/// callbacks and the counters stay those of the first.
pub fn remember_session_ctx(real: &'static Real, ssl: *mut SSL) {
    let index = ssl_index(real);
    if index < 0 || !call!(real, SSL_get_ex_data(ssl, index) else std::ptr::null_mut()).is_null() {
        return;
    }
    let ctx = call!(real, SSL_get_SSL_CTX(ssl) else std::ptr::null_mut());
    call!(real, SSL_set_ex_data(ssl, index, ctx.cast()) else 0);
}

/// The context whose cache a connection uses.
pub fn session_ctx(real: &Real, ssl: *const SSL) -> *mut SSL_CTX {
    let index = SSL_INDEX.load(Ordering::Acquire);
    if index >= 0 {
        let first = call!(real, SSL_get_ex_data(ssl, index) else std::ptr::null_mut());
        if !first.is_null() {
            return first.cast();
        }
    }
    call!(real, SSL_get_SSL_CTX(ssl) else std::ptr::null_mut())
}

fn ssl_index(real: &'static Real) -> c_int {
    static REGISTER: std::sync::Once = std::sync::Once::new();
    REGISTER.call_once(|| {
        // SAFETY: our own function; it lives as long as the process.
        let index = unsafe { new_index(real, CRYPTO_EX_INDEX_SSL, Some(connection_dup), None) };
        SSL_INDEX.store(index, Ordering::Release);
    });
    SSL_INDEX.load(Ordering::Acquire)
}

/// A duplicated connection starts from the context its original had switched to: it forgets.
unsafe extern "C-unwind" fn connection_dup(
    _: *mut CryptoExData,
    _: *const CryptoExData,
    value: *mut *mut c_void,
    _: c_int,
    _: c_long,
    _: *mut c_void,
) -> c_int {
    // SAFETY: libcrypto passes the place of the copied value (in 1.1.1 too: a void ** as void *).
    unsafe { *value = std::ptr::null_mut() };
    1
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
