//! The guard at the boundary: no panic leaves the library.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs the body of an exported function. A panic becomes `failure`, the function's documented
/// failure value. (The host's panic hook, if it is a Rust program, sees it; nothing is aborted.)
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
