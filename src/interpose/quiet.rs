//! What this thread is in the middle of.
//!
//! A callback that jumps away leaves such a mark behind, for later calls to stumble over. So
//! [`quietly`] makes calls in which nothing of the application's runs, and [`freeing`] marks a context
//! that nobody can use any more when its own callbacks are called. The mark of
//! [`making`] has the next `SSL_CTX_new_ex` leave its context alone, at worst.

use std::cell::Cell;

use crate::ffi::types::SSL_CTX;

thread_local! {
    static QUIET: Cell<usize> = const { Cell::new(0) };
    static FREEING: Cell<usize> = const { Cell::new(0) };
    static MAKING: Cell<bool> = const { Cell::new(false) };
}

/// Calls the real library such that its calls back into us for the context at this address go
/// straight through to it: `SSL_CTX_ctrl` gives the real library's own numbers, and the remove hook,
/// which it calls once at most, does nothing.
pub fn quietly<R>(ctx: usize, call: impl FnOnce() -> R) -> R {
    QUIET.set(ctx);
    let result = call();
    QUIET.set(0);
    result
}

/// Inside [`quietly`] for this context.
pub fn is_quiet(ctx: usize) -> bool {
    QUIET.get() == ctx
}

/// The same, which ends here: to be asked by the remove hook. When it has run, libssl gives back its
/// reference to the session.
pub fn ends_quiet(ctx: usize) -> bool {
    is_quiet(ctx) && QUIET.replace(0) == ctx
}

/// Makes a call that gives back a reference to the context at this address.
pub fn freeing(ctx: usize, call: impl FnOnce()) {
    let outer = FREEING.replace(ctx);
    call();
    FREEING.set(outer);
}

/// Inside [`freeing`] for this context: a flush of everything now is its end.
pub fn is_freeing(ctx: usize) -> bool {
    FREEING.get() == ctx
}

/// Makes a call of the real `SSL_CTX_new`, which may call `SSL_CTX_new_ex` through us.
pub fn making(call: impl FnOnce() -> *mut SSL_CTX) -> *mut SSL_CTX {
    MAKING.set(true);
    let ctx = call();
    MAKING.set(false);
    ctx
}

/// Whether this is the call that the real `SSL_CTX_new` makes inside [`making`]. There is one.
pub fn is_made_by_libssl() -> bool {
    MAKING.take()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_is_one_context_until_the_hook_has_run() {
        quietly(8, || {
            assert!(is_quiet(8) && !is_quiet(16));
            assert!(!ends_quiet(16));
            assert!(ends_quiet(8));
            assert!(!is_quiet(8));
        });
        quietly(8, || assert!(is_quiet(8)));
        assert!(!is_quiet(8));
    }
}
