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
use crate::ffi::memory::{NoMemory, push};
use crate::ffi::types::SSL_CTX;
use crate::rules::SessionRef;

/// A session that is in a real cache, which has one of a key at most.
struct Shadow {
    session: usize,
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
pub fn cast(real: &Real, ctx: *mut SSL_CTX, session: RealSession) -> RealSession {
    let claimed = |session: &RealSession| claim(ctx, session) == Ok(true);
    let session = if claimed(&session) {
        session
    } else {
        // Counted like any other, and in no other cache.
        match session.dup().filter(claimed) {
            Some(copy) => copy,
            None => return session,
        }
    };
    quietly(|| call!(real, SSL_CTX_add_session(ctx, session.as_ptr()) else 0));
    session
}

/// Notes that `session` is in the real cache of `ctx`. False if it is in one already.
fn claim(ctx: *mut SSL_CTX, session: &RealSession) -> Result<bool, NoMemory> {
    let shadow = Shadow { session: session.as_ptr().addr(), ctx: ctx.addr(), key: session.key() };
    let mut shadowed = shadowed();
    let free = shadowed.iter().all(|other| other.session != shadow.session);
    if free {
        push(&mut shadowed, shadow)?;
        COUNT.store(shadowed.len(), Ordering::Release);
    }
    Ok(free)
}

/// libssl removed from the cache of `ctx` what had the key of `session`, which may be another object.
pub fn lifted(ctx: *mut SSL_CTX, session: &RealSession) {
    if !any() {
        return;
    }
    let (ctx, address, key) = (ctx.addr(), session.as_ptr().addr(), session.key());
    let mut shadowed = shadowed();
    // The object itself too, whatever its key has become.
    shadowed.retain(|s| s.ctx != ctx || (s.session != address && s.key != key));
    COUNT.store(shadowed.len(), Ordering::Release);
}
