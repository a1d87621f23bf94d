//! What sslcache locks with, and its policy for fork, in one place.
//!
//! - [`Lock`]: a mutex of one word (and the value). It never allocates, knows no poisoning, and
//!   survives a fork. There is no other kind of lock in the library.
//! - [`fork`]: what `pthread_atfork` is to call. While the process forks nobody holds a lock,
//!   unless somebody does not let go of it in time (`gate` says how).
//! - [`SeqLock`]: a sequence lock, for what is read without any lock.
//! - [`Derived`], [`random_of_program`]: a lazy value and random numbers for which nobody waits
//!   either, and which take no memory.
//!
//! # The contract
//!
//! 1. `Lock::new` is `const`. `lock()` gives a [`Guard`], which gives the lock back when it is
//!    dropped. A free lock costs one locked instruction to take and one to give back. Under
//!    contention a thread looks at the word for some time, then sleeps.
//! 2. **In the child of a fork** a lock may be held by a thread that does not exist there. The next
//!    one to ask gets it, marked as abandoned. The value may be half changed then: reset it
//!    *without dropping what is in it* ([`forget`]), and it is as good as new; what was in it is
//!    leaked. Say how with [`Lock::lock_or`], or ask [`Guard::was_abandoned`] in the one function
//!    that takes the lock. The value of a lock that nobody takes any more is leaked as well: it is
//!    not dropped.
//! 3. A lock that the forking thread itself holds (fork in a signal handler) is not abandoned: the
//!    thread goes on with it in both processes.
//! 4. Keep it short: a fork waits for whoever holds a lock. Between batches give others their turn
//!    with [`Guard::let_others_in`]. Nothing foreign runs while a lock is held, except
//!    taking a reference to a session.
//! 5. More than one lock at a time: always in the same order, as anywhere.

// A model needs some of it.
#![cfg_attr(loom, allow(dead_code))]

mod derived;
mod futex;
mod gate;
#[cfg(not(loom))]
mod lock;
mod random;
mod raw;
mod seqlock;

pub use derived::Derived;
#[cfg(not(loom))]
pub use gate::control_block;
#[cfg(not(loom))]
pub use lock::{Guard, Lock, forget, fork};
pub use random::random_of_program;
pub use seqlock::{SeqLock, Writing};

#[cfg(all(test, loom))]
mod model;
