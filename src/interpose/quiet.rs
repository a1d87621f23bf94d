//! What this thread is in the middle of.
//!
//! A callback that jumps away leaves such a mark behind, for later calls to stumble over. So
//! [`quietly`] makes calls in which nothing of the application's runs, and [`freeing`] marks a
//! context that nobody can use any more when its own callbacks are called. The mark of [`making`]
//! has the next `SSL_CTX_new_ex` leave its context alone, at worst.

use sslcache_sync::fork;

use crate::ffi::per_thread::PerThread;
use crate::ffi::types::SSL_CTX;

/// Addresses of contexts.
static QUIET: PerThread = PerThread::new();
static FREEING: PerThread = PerThread::new();
/// Not 0 for yes.
static MAKING: PerThread = PerThread::new();

/// Calls the real library such that its calls back into us for the context at this address go
/// straight through to it: `SSL_CTX_ctrl` gives the real library's own numbers, and the remove
/// hook, which it calls once at most, does nothing. `None`, and nothing is called, without memory
/// for that. What such a call locks is the real context, which every thread evicts from: a fork
/// waits for it.
pub fn quietly<R>(ctx: usize, call: impl FnOnce() -> R) -> Option<R> {
    QUIET.set(ctx).ok()?;
    let result = fork::put_off(call);
    QUIET.clear();
    Some(result)
}

/// Inside [`quietly`] for this context.
pub fn is_quiet(ctx: usize) -> bool {
    QUIET.get() == ctx
}

/// The same, which ends here: to be asked by the remove hook. When it has run, libssl gives back
/// its reference to the session.
pub fn ends_quiet(ctx: usize) -> bool {
    is_quiet(ctx) && QUIET.take() == ctx
}

/// Makes a call that gives back a reference to the context at this address. (Without memory for the
/// mark its end is taken for a flush, until its ex_data tells.)
pub fn freeing(ctx: usize, call: impl FnOnce()) {
    let outer = FREEING.get();
    let _ = FREEING.set(ctx);
    call();
    let _ = FREEING.set(outer);
}

/// Inside [`freeing`] for this context: a flush of everything now is its end.
pub fn is_freeing(ctx: usize) -> bool {
    FREEING.get() == ctx
}

/// Makes a call of the real `SSL_CTX_new`, which may call `SSL_CTX_new_ex` through us. (Without
/// memory for the mark the context is attached twice; the second time takes the place of the
/// first.)
pub fn making(call: impl FnOnce() -> *mut SSL_CTX) -> *mut SSL_CTX {
    let _ = MAKING.set(1);
    let ctx = call();
    MAKING.clear();
    ctx
}

/// Whether this is the call that the real `SSL_CTX_new` makes inside [`making`]. There is one.
pub fn is_made_by_libssl() -> bool {
    MAKING.take() != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_is_one_context_until_the_hook_has_run() {
        let called = quietly(8, || {
            assert!(is_quiet(8) && !is_quiet(16));
            assert!(!ends_quiet(16));
            assert!(ends_quiet(8));
            assert!(!is_quiet(8));
        });
        assert_eq!(called, Some(()));
        assert_eq!(quietly(8, || is_quiet(8)), Some(true));
        assert!(!is_quiet(8));
    }
}
