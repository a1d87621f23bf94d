//! The guard: no panic of ours leaves the library, and whatever the application does passes
//! through.
//!
//! **The rule**: what may call back into the application stands outside a guard. A callback need
//! not return: it may throw a C++ exception, jump (`longjmp`: Perl's die, Ruby's raise), or be
//! where its thread is cancelled or ends. That passes libssl's frames, and so it does ours. But not
//! a guard: Rust ends the process when `catch_unwind` meets what is no panic.
//!
//! So a guard stands around our own code, which may have a fault, and around nothing else. What
//! lies between the guards and the callbacks
//! - has nothing in it that can panic: no indexing, no `expect`, no arithmetic that may overflow;
//! - holds no lock;
//! - leaves what the next call needs to no destructor, since a jump runs none: what leaves the
//!   cache does so session by session (`rules::InternalCache`), and a reference is given back by
//!   hand (`rules::Held`).

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs code of ours that calls nothing back. A panic becomes `failure`: the documented failure
/// value of a function, or nothing done. (The host's panic hook, if it is a Rust program, sees it;
/// nothing is aborted.)
pub fn guard<T>(failure: T, body: impl FnOnce() -> T) -> T {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(value) => value,
        Err(payload) => {
            // A payload whose own drop panics must not get out either.
            std::mem::forget(payload);
            crate::report::verbose("an internal error was caught; the call fails");
            failure
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_the_failure_value() {
        assert_eq!(guard(7, || panic!("seen by the test's output only")), 7);
        assert_eq!(guard(7, || 3), 3);
    }
}
