//! A context: settings shared by connections, and the session cache.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicPtr, AtomicUsize, Ordering};

use libc::{c_int, c_long, c_void};
use sslcache_sync::Lock;

use super::ex_data::ExData;
use super::method::Method;
use super::session::SessionHandle;
use super::values::{Id, LIFETIME};
use crate::ffi::constants::*;
use crate::ffi::guard::guard;
use crate::ffi::handle::{Handle, Tag};
use crate::ffi::live::Live;
use crate::ffi::memory::{Counted, NoMemory};
use crate::ffi::types::{GEN_SESSION_CB, SSL_CTX};
use crate::rules::{Held, InternalCache, Member};

/// A context object.
///
/// [`Counted`] keeps the memory; `references` counts what C holds. When that count ends, the
/// sessions go and the ex_data free functions run, while the handle is still good for their
/// callbacks.
#[repr(C)]
pub struct Context {
    tag: Tag,
    /// What a connection starts as.
    pub method: &'static Method,
    references: AtomicUsize,
    closed: AtomicBool,
    member: Member<SessionHandle>,
    timeout: AtomicI64,
    sid_ctx: Lock<Id>,
    generate_session_id: AtomicPtr<c_void>,
    ex_data: ExData,
}

impl Handle for Context {
    type C = SSL_CTX;
}

impl Context {
    /// `SSL_CTX_new`: one reference.
    pub fn create(method: &'static Method) -> Result<*mut SSL_CTX, NoMemory> {
        let context = Held::new(Counted::new(|| Context {
            tag: Tag::OURS,
            method,
            references: AtomicUsize::new(1),
            closed: AtomicBool::new(false),
            member: Member::new(),
            timeout: AtomicI64::new(DEFAULT_TIMEOUT),
            sid_ctx: Lock::default(),
            generate_session_id: AtomicPtr::default(),
            ex_data: ExData::new(CRYPTO_EX_INDEX_SSL_CTX),
        })?);
        let created = context.ex_data.created(context.as_c().cast());
        if created.is_ok() {
            guard((), || context.member.made(&context));
        }
        let ctx = Handle::into_c(context.into_inner());
        if created.is_err() {
            // SAFETY: just made; its reference is given up.
            unsafe { Context::free(ctx) };
        }
        created.map(|()| ctx)
    }

    /// What the rules know of it.
    pub(super) fn member(&self) -> &Member<SessionHandle> {
        &self.member
    }

    /// Its cache.
    pub fn cache(&self) -> &InternalCache<SessionHandle> {
        &self.member.cache
    }

    /// `SSL_CTX_up_ref`
    pub fn up_ref(&self) {
        self.references.fetch_add(1, Ordering::Relaxed);
    }

    /// `SSL_CTX_free`
    ///
    /// # Safety
    /// `ctx` is NULL or a live context, and the caller gives up one reference.
    pub unsafe fn free(ctx: *mut SSL_CTX) {
        // SAFETY: the caller's promise.
        let Some(context) = (unsafe { Context::borrow(ctx) }) else { return };
        let last = context.references.fetch_sub(1, Ordering::AcqRel) == 1;
        // A callback may take and give back a reference while the context closes.
        if last && !context.closed.swap(true, Ordering::Relaxed) {
            context.close();
            // SAFETY: `create` gave C this one; nobody holds a reference any more.
            drop(unsafe { Context::from_c(ctx) });
        }
    }

    /// The sessions go first, then the ex_data: a remove callback may read it.
    fn close(&self) {
        guard((), || {
            self.member.report();
            self.member.leave();
        });
        self.cache().close(Live::of(self));
        self.ex_data.free(self.as_c().cast());
    }

    /// `SSL_CTX_add_session`
    pub fn add(&self, session: &SessionHandle) -> bool {
        self.cache().add(Live::of(self), session)
    }

    /// `SSL_CTX_remove_session`
    pub fn remove(&self, session: &SessionHandle) -> bool {
        self.cache().remove(Live::of(self), session)
    }

    /// `SSL_CTX_flush_sessions`
    pub fn flush(&self, tm: c_long) {
        self.cache().flush(Live::of(self), tm, LIFETIME);
    }

    /// `SSL_CTX_ctrl`
    pub fn ctrl(&self, command: c_int, argument: c_long) -> c_long {
        let cache = self.cache();
        match command {
            SSL_CTRL_SESS_CONNECT => cache.counted(|counters| &counters.connect),
            SSL_CTRL_SESS_CONNECT_GOOD => cache.counted(|counters| &counters.connect_good),
            SSL_CTRL_SESS_ACCEPT => cache.counted(|counters| &counters.accept),
            SSL_CTRL_SESS_ACCEPT_GOOD => cache.counted(|counters| &counters.accept_good),
            SSL_CTRL_SESS_HIT => cache.counted(|counters| &counters.hits),
            SSL_CTRL_SESS_MISSES => cache.counted(|counters| &counters.misses),
            SSL_CTRL_SESS_TIMEOUTS => cache.counted(|counters| &counters.timeouts),
            // There is no renegotiation, and no other command.
            _ => cache.ctrl(command, argument).unwrap_or(0),
        }
    }

    /// `SSL_CTX_set_timeout`: the previous one.
    pub fn set_timeout(&self, timeout: c_long) -> c_long {
        self.timeout.swap(timeout, Ordering::Relaxed)
    }

    /// `SSL_CTX_get_timeout`
    pub fn timeout(&self) -> c_long {
        self.timeout.load(Ordering::Relaxed)
    }

    /// `SSL_CTX_set_session_id_context`; false if it is too long.
    pub fn set_sid_ctx(&self, sid_ctx: &[u8]) -> bool {
        self.sid_ctx.lock().set(sid_ctx)
    }

    /// The session id context that a new connection gets.
    pub fn sid_ctx(&self) -> Id {
        *self.sid_ctx.lock()
    }

    /// `SSL_CTX_set_generate_session_id`
    pub fn set_generate_session_id(&self, callback: GEN_SESSION_CB) {
        let address = callback.map_or(std::ptr::null_mut(), |f| f as *mut c_void);
        self.generate_session_id.store(address, Ordering::Release);
    }

    /// The generator that a new connection gets.
    pub fn generate_session_id(&self) -> GEN_SESSION_CB {
        let address = self.generate_session_id.load(Ordering::Acquire);
        // SAFETY: only the setter writes it, from this type; NULL is None.
        unsafe { std::mem::transmute::<*mut c_void, GEN_SESSION_CB>(address) }
    }

    /// `SSL_CTX_set_ex_data`
    pub fn set_ex_data(&self, index: c_int, data: *mut c_void) -> bool {
        self.ex_data.set(index, data)
    }

    /// `SSL_CTX_get_ex_data`
    pub fn ex_data(&self, index: c_int) -> *mut c_void {
        self.ex_data.get(index)
    }
}
