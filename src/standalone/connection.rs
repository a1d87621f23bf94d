//! A connection: no protocol, but what a handshake does with the session cache, step by step.

use std::ffi::CStr;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering};

use libc::{c_int, c_long, c_uint, c_void};
use sslcache_sync::Lock;

use super::context::Context;
use super::ex_data::ExData;
use super::method::Method;
use super::session::SessionHandle;
use super::values::Id;
use crate::cache::Key;
use crate::clock;
use crate::ffi::constants::*;
use crate::ffi::errors;
use crate::ffi::handle::{Handle, Tag};
use crate::ffi::live::Live;
use crate::ffi::memory::{Counted, NoMemory};
use crate::ffi::types::{GEN_SESSION_CB, SSL, SSL_CTX, SSL_SESSION};
use crate::rules::{Counter, Counters, Handshake, Held, SessionRef};

/// A counted reference to a context, as a connection holds it. Given back by hand, as those to
/// sessions are ([`Held`]): with the last one the application is told of what was in the context's
/// cache.
#[derive(Clone, Copy)]
struct ContextRef(*const Context);

// SAFETY: a context may be used and freed from any thread.
unsafe impl Send for ContextRef {}
// SAFETY: as above.
unsafe impl Sync for ContextRef {}

impl ContextRef {
    fn new(context: &Context) -> Self {
        context.up_ref();
        ContextRef(context)
    }

    fn get(&self) -> &Context {
        // SAFETY: the reference counted in `new` keeps it alive.
        unsafe { &*self.0 }
    }

    fn release(self) {
        // SAFETY: gives back the reference counted in `new`.
        unsafe { Context::free(self.get().as_c()) };
    }
}

/// A connection object.
#[repr(C)]
pub struct Connection {
    tag: Tag,
    references: AtomicUsize,
    /// The context it was made from: its cache, callbacks and counters are used, whatever follows.
    session_ctx: ContextRef,
    state: Lock<State>,
    /// The method's version, duplicated as an atomic so that look-ups need no lock.
    version: AtomicI32,
    is_server: AtomicBool,
    ex_data: ExData,
}

/// Each field is set in one step: in the child of a fork it is good whatever another thread was at.
struct State {
    /// What `SSL_get_SSL_CTX` returns.
    ctx: ContextRef,
    method: &'static Method,
    session: Option<SessionHandle>,
    reused: bool,
    sid_ctx: Id,
    generate_session_id: GEN_SESSION_CB,
}

impl Handle for Connection {
    type C = SSL;
}

impl Connection {
    /// `SSL_new`: one reference.
    pub fn create(context: &Context) -> Result<*mut SSL, NoMemory> {
        let connection = Held::new(Counted::new(|| Connection {
            tag: Tag::OURS,
            references: AtomicUsize::new(1),
            session_ctx: ContextRef::new(context),
            state: Lock::new(State {
                ctx: ContextRef::new(context),
                method: context.method,
                session: None,
                reused: false,
                sid_ctx: context.sid_ctx(),
                generate_session_id: context.generate_session_id(),
            }),
            version: AtomicI32::new(context.method.version),
            is_server: AtomicBool::new(context.method.server),
            ex_data: ExData::new(CRYPTO_EX_INDEX_SSL),
        })?);
        let created = connection.ex_data.created(connection.as_c().cast());
        let ssl = Handle::into_c(connection.into_inner());
        if created.is_err() {
            // SAFETY: just made; its reference is given up.
            unsafe { Connection::free(ssl) };
        }
        created.map(|()| ssl)
    }

    /// `SSL_up_ref`
    pub fn up_ref(&self) {
        self.references.fetch_add(1, Ordering::Relaxed);
    }

    /// `SSL_free`
    ///
    /// # Safety
    /// `ssl` is NULL or a live connection, and the caller gives up one reference.
    pub unsafe fn free(ssl: *mut SSL) {
        // SAFETY: the caller's promise.
        let Some(connection) = (unsafe { Connection::borrow(ssl) }) else { return };
        if connection.references.fetch_sub(1, Ordering::AcqRel) == 1 {
            connection.ex_data.free(ssl.cast());
            // The session goes before the contexts, whose last reference may flush theirs.
            let session = connection.state.lock().session.take();
            drop(session);
            let (session_ctx, ctx) = (connection.session_ctx, connection.state.lock().ctx);
            // SAFETY: `create` gave C this one; nobody holds a reference any more.
            drop(unsafe { Connection::from_c(ssl) });
            session_ctx.release();
            ctx.release();
        }
    }

    fn session_ctx(&self) -> &Context {
        self.session_ctx.get()
    }

    /// `SSL_get_SSL_CTX`
    pub fn ctx(&self) -> *mut SSL_CTX {
        self.state.lock().ctx.get().as_c()
    }

    /// `SSL_set_SSL_CTX`; `None` goes back to the context the connection was made from. The cache
    /// and the callbacks stay those of that one.
    pub fn set_ctx(&self, context: Option<&Context>) -> *mut SSL_CTX {
        let new = ContextRef::new(context.unwrap_or(self.session_ctx()));
        let (pointer, sid_ctx) = (new.get().as_c(), new.get().sid_ctx());
        let mut state = self.state.lock();
        if state.sid_ctx == state.ctx.get().sid_ctx() {
            state.sid_ctx = sid_ctx;
        }
        let old = std::mem::replace(&mut state.ctx, new);
        drop(state);
        old.release();
        pointer
    }

    /// `SSL_version`
    pub fn version(&self) -> c_int {
        self.version.load(Ordering::Relaxed)
    }

    fn set_method(&self, state: &mut State, method: &'static Method) {
        state.method = method;
        self.version.store(method.version, Ordering::Relaxed);
    }

    /// `SSL_is_server`
    pub fn is_server(&self) -> bool {
        self.is_server.load(Ordering::Relaxed)
    }

    /// `SSL_set_accept_state`
    pub fn set_server(&self) {
        self.is_server.store(true, Ordering::Relaxed);
    }

    /// `SSL_get_session`
    pub fn session_ptr(&self) -> *mut SSL_SESSION {
        self.state.lock().session.as_ref().map_or(std::ptr::null_mut(), SessionHandle::as_c)
    }

    /// `SSL_get1_session`
    pub fn session(&self) -> Option<SessionHandle> {
        self.state.lock().session.clone()
    }

    /// `SSL_set_session`. The old session's reference is given back. As in OpenSSL the connection
    /// takes the method, and with it the version, of the context it was switched to.
    pub fn set_session(&self, session: Option<SessionHandle>) {
        let mut state = self.state.lock();
        let method = state.ctx.get().method;
        self.set_method(&mut state, method);
        let old = std::mem::replace(&mut state.session, session);
        drop(state);
        drop(old);
    }

    /// `SSL_session_reused`
    pub fn reused(&self) -> bool {
        self.state.lock().reused
    }

    /// `SSL_copy_session_id`: the session, the method and the session id context.
    pub fn copy_session_id(&self, from: &Connection) {
        let (session, method, sid_ctx) = {
            let state = from.state.lock();
            (state.session.clone(), state.method, state.sid_ctx)
        };
        self.set_session(session);
        let mut state = self.state.lock();
        self.set_method(&mut state, method);
        state.sid_ctx = sid_ctx;
    }

    /// `SSL_set_session_id_context`; false if it is too long.
    pub fn set_sid_ctx(&self, sid_ctx: &[u8]) -> bool {
        self.state.lock().sid_ctx.set(sid_ctx)
    }

    /// `SSL_set_generate_session_id`
    pub fn set_generate_session_id(&self, callback: GEN_SESSION_CB) {
        self.state.lock().generate_session_id = callback;
    }

    /// A new session id, as a server makes it: by the application's generator, or at random.
    /// `None`, with the error queued, if that gives none that is free.
    fn generate_session_id(&self) -> Option<Id> {
        const FUNCTION: &CStr = c"SSLCACHE_negotiated";
        let generator = self.state.lock().generate_session_id;
        let id = match generator {
            None => random_id()?,
            Some(generator) => {
                let mut id = [0; SSL_MAX_SSL_SESSION_ID_LENGTH];
                let mut len = id.len() as c_uint;
                // SAFETY: the application's function; the buffer and its length live across the
                // call.
                if unsafe { generator(self.as_c(), id.as_mut_ptr(), &mut len) } == 0 {
                    errors::raise(SSL_R_SSL_SESSION_ID_CALLBACK_FAILED, FUNCTION);
                    return None;
                }
                let id = id.get(..len as usize).filter(|id| !id.is_empty());
                if id.is_none() {
                    errors::raise(SSL_R_SSL_SESSION_ID_HAS_BAD_LENGTH, FUNCTION);
                }
                Id::new(id?)?
            }
        };
        if self.has_matching_session_id(&Key::new(self.version(), id.as_slice())?) {
            errors::raise(SSL_R_SSL_SESSION_ID_CONFLICT, FUNCTION);
            return None;
        }
        Some(id)
    }

    /// `SSL_set_ex_data`
    pub fn set_ex_data(&self, index: c_int, data: *mut c_void) -> bool {
        self.ex_data.set(index, data)
    }

    /// `SSL_get_ex_data`
    pub fn ex_data(&self, index: c_int) -> *mut c_void {
        self.ex_data.get(index)
    }

    /// `SSL_has_matching_session_id`
    #[inline(always)]
    pub fn has_matching_session_id(&self, key: &Key) -> bool {
        let context = self.session_ctx();
        context.cache().contains(Live::of(context), key)
    }

    /// What a server does with the session id of a ClientHello. A session that may be resumed
    /// becomes the connection's, and is returned.
    pub fn accept_session(&self, id: &[u8]) -> Option<SessionHandle> {
        let context = self.session_ctx();
        context.cache().count(|counters| &counters.accept);
        let key = Key::new(self.version(), id).filter(|key| !key.id().is_empty())?;
        let found = context.cache().look_up(Live::of(context), Live::of(self), &key, false)?;
        let session = found.session;
        if !self.accepts(&session) {
            session.release();
            return None;
        }
        context.cache().count(|counters| &counters.hits);
        let old = {
            let mut state = self.state.lock();
            state.reused = true;
            state.session.replace(session.clone())
        };
        drop(old);
        Some(session.into_inner())
    }

    /// The checks a server makes of a session it found, in OpenSSL's order.
    fn accepts(&self, session: &SessionHandle) -> bool {
        let sid_ctx = self.state.lock().sid_ctx;
        let (version, theirs) = session.0.read(|v| (v.version, v.sid_ctx));
        if version != self.version() || theirs != sid_ctx {
            return false;
        }
        let context = self.session_ctx();
        if session.expiry().is_past(clock::now()) {
            context.cache().count(|counters| &counters.timeouts);
            context.remove(session);
            return false;
        }
        true
    }

    /// What the end of a handshake does with its session: it becomes the connection's, and is
    /// stored, offered to the application, and now and then everything expired is flushed, as the
    /// mode says. A server's session without an id gets one. False if the mode, or the session, has
    /// nothing stored or offered.
    pub fn negotiated(&self, session: &SessionHandle) -> bool {
        let (context, server) = (self.session_ctx(), self.is_server());
        if server && session.key().id().is_empty() {
            let Some(id) = self.generate_session_id() else { return false };
            session.0.write(|v| v.id = id);
        }
        let key = session.key();
        let tls13 = key.version() == TLS1_3_VERSION;
        let (reused, old) = {
            let mut state = self.state.lock();
            let same = state.session.as_ref() == Some(session);
            state.reused &= same;
            (state.reused, state.session.replace(session.clone()))
        };
        drop(old);
        let good: fn(&Counters) -> &Counter = if server {
            |counters| &counters.accept_good
        } else {
            |counters| &counters.connect_good
        };
        // OpenSSL counts a TLS 1.3 handshake before its tickets, an older one after its session.
        if tls13 {
            context.cache().count(good);
        }
        let usable = !key.id().is_empty() && !session.0.is_marked();
        let covered = usable && context.cache().mode().covers(server);
        let caches = covered && (!reused || tls13);
        if caches {
            // No ticket of ours carries state: every session is one for the cache.
            let handshake = Handshake { server, tls13, single_use: false, no_ticket: true };
            context.cache().established(Live::of(context), Live::of(self), session, &handshake);
            context.cache().callbacks.offer(Live::of(self), session);
        }
        if usable {
            context.cache().auto_flush(
                Live::of(context),
                server,
                context.cache().counted(good),
                clock::now(),
            );
        }
        if !tls13 {
            context.cache().count(good);
        }
        caches
    }

    /// The default timeout of the connection's method.
    pub fn default_timeout(&self) -> c_long {
        DEFAULT_TIMEOUT
    }
}

/// `None` if the kernel has no random bytes. (getrandom(2) would be a point where a thread may be
/// cancelled, which the function of OpenSSL's is not.)
fn random_id() -> Option<Id> {
    let mut id = [0u8; SSL_MAX_SSL_SESSION_ID_LENGTH];
    // SAFETY: the buffer and its length. Up to 256 bytes come whole or not at all.
    let got = unsafe { libc::getentropy(id.as_mut_ptr().cast(), id.len()) };
    if got == 0 { Id::new(&id) } else { None }
}
