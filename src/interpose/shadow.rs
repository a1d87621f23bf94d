//! Single use, where libssl decides it.
//!
//! A TLS 1.3 server that accepts early data resumes a session only if libssl's *own* cache gives it
//! up at that moment. So a session that was taken from our cache, in one step and by one handshake
//! alone, is put into libssl's for the moment until libssl removes it again.

use std::sync::atomic::{AtomicUsize, Ordering};

use sslcache_sync::{Guard, Lock, forget};

use super::borrowed::RealCtx;
use super::quiet::quietly;
use super::session::RealSession;
use crate::cache::Key;
use crate::ffi::live::Ctx;
use crate::ffi::memory::push;
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
struct Shadows {
    known: Vec<Shadow>,
    /// There may be others.
    incomplete: bool,
}

static SHADOWS: Lock<Shadows> = Lock::new(Shadows { known: Vec::new(), incomplete: false });

/// How many there may be. A look-up that finds nothing in our cache, and every removal, only want
/// to know whether there are any, and would otherwise wait for one lock of the whole process.
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// Returns `false` if there is surely no session in a real cache.
pub fn any() -> bool {
    COUNT.load(Ordering::Acquire) > 0
}

/// In the child of a fork, what another thread was just changing is not known any more.
fn shadows() -> Guard<'static, Shadows> {
    SHADOWS.lock_or(|shadows| {
        forget(shadows, Shadows { known: Vec::new(), incomplete: true });
        shadows.count();
    })
}

impl Shadows {
    fn count(&self) {
        COUNT.store(self.known.len() + usize::from(self.incomplete), Ordering::Release);
    }
}

/// Puts `session` into the real cache of `ctx`, and returns what to give libssl: the session, or a
/// copy of it if the session itself is in the real cache of another context at this moment. Without
/// memory it gets into no cache, and libssl does not resume it.
pub fn install(ctx: RealCtx, session: Held<RealSession>) -> Held<RealSession> {
    let session = match claim(ctx.addr(), &session, false) {
        true => session,
        false => match session.dup().map(Held::new) {
            // Counted like any other, and in no other cache.
            Some(copy) if claim(ctx.addr(), &copy, true) => {
                session.release();
                copy
            }
            copy => {
                let _ = copy.map(Held::release);
                return session;
            }
        },
    };
    quietly(ctx.addr(), || session.add_to(ctx));
    session
}

/// Notes that `session` is in the real cache of the context at `ctx`. False without memory, and if
/// it is in one already, or may be: one that `is_new` is not.
fn claim(ctx: usize, session: &RealSession, is_new: bool) -> bool {
    let key = session.key();
    let mut shadows = shadows();
    let shadow = || Shadow { session: session.clone(), ctx, key };
    let free = shadows.known.iter().all(|other| other.session != *session)
        && (is_new || !shadows.incomplete);
    let claimed = free && push(&mut shadows.known, shadow()).is_ok();
    if claimed {
        shadows.count();
    }
    claimed
}

/// libssl removed from the cache of `ctx` what had the key of `session`, which may be another
/// object.
pub fn uninstalled(ctx: Ctx<'_>, session: &RealSession) {
    if !any() {
        return;
    }
    let key = session.key();
    // The object itself too, whatever its key has become.
    let is_it = |shadow: &Shadow| shadow.session == *session || shadow.key == key;
    while let Some(shadow) = take(ctx.addr(), is_it) {
        shadow.release();
    }
}

/// The context ends. What was installed for a handshake that failed before libssl came to remove it
/// is still in its cache.
pub fn context_ends(ctx: RealCtx) {
    while let Some(shadow) = any().then(|| take(ctx.addr(), |_| true)).flatten() {
        quietly(ctx.addr(), || shadow.remove_from(ctx));
        shadow.release();
    }
}

/// Takes one of the shadows of the context at `ctx` out of the list.
fn take(ctx: usize, is_it: impl Fn(&Shadow) -> bool) -> Option<Held<RealSession>> {
    let mut shadows = shadows();
    let at = shadows.known.iter().position(|shadow| shadow.ctx == ctx && is_it(shadow))?;
    let shadow = shadows.known.swap_remove(at);
    shadows.count();
    Some(Held::new(shadow.session))
}
