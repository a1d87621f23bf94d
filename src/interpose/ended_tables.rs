//! The tables of contexts that have ended.
//!
//! libssl frees its own table when the last ex_data free function of the context has run, and one
//! of the program's may still look at it. Ours is the first of them, and hears nothing of the last.
//! But one thing tells that a context is gone: libssl makes another one at its address. Until then
//! its table stays, empty.

use std::sync::atomic::{AtomicUsize, Ordering};

use sslcache_sync::{Guard, Lock, forget as leak};

use super::session::RealSession;
use crate::ffi::memory::push;
use crate::rules::EndedView;

/// Where a context was, and its table.
type Ended = (usize, EndedView<RealSession>);

static ENDED: Lock<Vec<Ended>> = Lock::new(Vec::new());

/// How many there are: nearly always none, and then nobody takes the lock.
static COUNT: AtomicUsize = AtomicUsize::new(0);

fn ended() -> Guard<'static, Vec<Ended>> {
    ENDED.lock_or(|ended| leak(ended, Vec::new()))
}

/// Keeps the table of a context that ends.
pub fn keep(ctx: usize, view: EndedView<RealSession>) {
    let mut ended = ended();
    // Without memory for a note of it, it is freed at once.
    let _ = push(&mut ended, (ctx, view));
    COUNT.store(ended.len(), Ordering::Release);
}

/// Frees what was kept of a context at this address: there is a new one.
pub fn forget(ctx: usize) {
    if COUNT.load(Ordering::Acquire) == 0 {
        return;
    }
    let mut ended = ended();
    let found = ended.iter().position(|(address, _)| *address == ctx);
    let gone = found.map(|found| ended.swap_remove(found));
    COUNT.store(ended.len(), Ordering::Release);
    drop(ended);
    drop(gone);
}
