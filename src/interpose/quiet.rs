//! What this thread is in the middle of.

use std::cell::Cell;

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
    static FOUND: Cell<bool> = const { Cell::new(false) };
    static FREEING: Cell<usize> = const { Cell::new(0) };
    static MAKING: Cell<bool> = const { Cell::new(false) };
}

/// Calls the real library such that its calls back into us go straight through to it: the hooks do
/// nothing, and `SSL_CTX_ctrl` gives the real library's own numbers.
pub fn quietly<R>(call: impl FnOnce() -> R) -> R {
    let outer = QUIET.replace(true);
    let result = call();
    QUIET.set(outer);
    result
}

/// Inside [`quietly`].
pub fn is_quiet() -> bool {
    QUIET.get()
}

/// Makes a call of the real `SSL_CTX_remove_session`, and returns with its result whether the remove
/// hook it fired found the session in our cache. Nests: a callback may remove another session.
pub fn removing<R>(call: impl FnOnce() -> R) -> (R, bool) {
    let outer = FOUND.replace(false);
    let result = call();
    (result, FOUND.replace(outer))
}

/// The remove hook's answer to the innermost [`removing`]. To be given when the hook is done: the
/// application's callback may have removed others meanwhile.
pub fn set_found(found: bool) {
    FOUND.set(found);
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
pub fn making<R>(call: impl FnOnce() -> R) -> R {
    MAKING.set(true);
    let result = call();
    MAKING.set(false);
    result
}

/// Whether this is the call that the real `SSL_CTX_new` makes inside [`making`]. There is one.
pub fn is_made_by_libssl() -> bool {
    MAKING.take()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_of_a_nested_removal_does_not_reach_the_outer_one() {
        let ((), found) = removing(|| {
            let ((), inner) = removing(|| set_found(true));
            assert!(inner);
        });
        assert!(!found);
        let ((), found) = removing(|| {
            let ((), inner) = removing(|| ());
            assert!(!inner);
            set_found(true);
        });
        assert!(found);
    }

    #[test]
    fn quiet_ends_with_the_outermost_call() {
        quietly(|| {
            quietly(|| ());
            assert!(is_quiet());
        });
        assert!(!is_quiet());
    }
}
