//! Single use, where libssl decides it.
//!
//! A TLS 1.3 server that accepts early data resumes a session only if libssl's *own* cache gives it
//! up at that moment. So a session that was taken from our cache, in one step and by one handshake
//! alone, is put into libssl's for the moment until libssl removes it again.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::quiet::quietly;
use super::real::{Real, call};
use super::session::RealSession;
use crate::cache::Key;
use crate::ffi::memory::push;
use crate::ffi::types::SSL_CTX;
use crate::rules::{Held, SessionRef};

/// A session that is in a real cache, which has one of a key at most.
///
/// With a reference of ours: when libssl gives back the one of its cache, it is never the last, and
/// nothing of the application's runs inside that call.
struct Shadow {
    session: RealSession,
    ctx: usize,
    key: Key,
}

/// The sessions that are in a real cache now. libssl links a session into one cache at a time: a
/// second would corrupt its list.
static SHADOWED: Mutex<Vec<Shadow>> = Mutex::new(Vec::new());

/// How many there are, for who only wants to know that there is none: a look-up that finds nothing
/// in our cache, and every removal. Both would else wait for one lock of the whole process.
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// Might there be a session in a real cache?
pub fn any() -> bool {
    COUNT.load(Ordering::Acquire) > 0
}

fn shadowed() -> MutexGuard<'static, Vec<Shadow>> {
    SHADOWED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Puts `session` into the real cache of `ctx`, and returns what to give libssl: the session, or a
/// copy of it if the session itself is in the real cache of another context at this moment. Without
/// memory it gets into no cache, and libssl does not resume it.
pub fn cast(real: &Real, ctx: *mut SSL_CTX, session: Held<RealSession>) -> Held<RealSession> {
    let session = match claim(ctx, &session) {
        true => session,
        false => match session.dup().map(Held::new) {
            // Counted like any other, and in no other cache.
            Some(copy) if claim(ctx, &copy) => {
                session.release();
                copy
            }
            copy => {
                let _ = copy.map(Held::release);
                return session;
            }
        },
    };
    quietly(ctx.addr(), || call!(real, SSL_CTX_add_session(ctx, session.as_ptr()) else 0));
    session
}

/// Notes that `session` is in the real cache of `ctx`. False if it is in one already, and without
/// memory.
fn claim(ctx: *mut SSL_CTX, session: &RealSession) -> bool {
    let key = session.key();
    let mut shadowed = shadowed();
    let shadow = || Shadow { session: session.clone(), ctx: ctx.addr(), key };
    let free = shadowed.iter().all(|other| other.session != *session);
    let claimed = free && push(&mut shadowed, shadow()).is_ok();
    if claimed {
        COUNT.store(shadowed.len(), Ordering::Release);
    }
    claimed
}

/// libssl removed from the cache of `ctx` what had the key of `session`, which may be another object.
pub fn lifted(ctx: *mut SSL_CTX, session: &RealSession) {
    if !any() {
        return;
    }
    let key = session.key();
    // The object itself too, whatever its key has become.
    let is_it = |shadow: &Shadow| shadow.session == *session || shadow.key == key;
    while let Some(shadow) = forget(ctx, is_it) {
        shadow.release();
    }
}

/// The context ends. What was cast for a handshake that failed before libssl came to remove it is
/// still in its cache.
pub fn context_ends(real: &Real, ctx: *mut SSL_CTX) {
    while let Some(shadow) = any().then(|| forget(ctx, |_| true)).flatten() {
        quietly(ctx.addr(), || call!(real, SSL_CTX_remove_session(ctx, shadow.as_ptr()) else 0));
        shadow.release();
    }
}

/// Takes one of the shadows of `ctx` out of the list.
fn forget(ctx: *mut SSL_CTX, is_it: impl Fn(&Shadow) -> bool) -> Option<Held<RealSession>> {
    let mut shadowed = shadowed();
    let at = shadowed.iter().position(|shadow| shadow.ctx == ctx.addr() && is_it(shadow))?;
    let shadow = shadowed.swap_remove(at);
    COUNT.store(shadowed.len(), Ordering::Release);
    Some(Held::new(shadow.session))
}
