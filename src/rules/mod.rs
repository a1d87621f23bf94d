//! What OpenSSL does with its internal cache: who is stored, who leaves, which callback runs when,
//! what is counted. Written once, for both standings, over a [`SessionRef`].
//!
//! **The lock rule**: nothing foreign runs under a lock, except taking a reference to a session.
//! The engine returns what left the cache; the application's callbacks, and the drop of a session's
//! last reference, happen here, when every lock is free again. So a callback may use the cache as
//! it likes.
//!
//! **A callback need not return** (`ffi::guard` says what that asks of us). The engine's part of an
//! operation is guarded; then the application is called, with one session in our hands and all
//! others in the cache, whose next call finds everything in order.

mod add;
mod callbacks;
mod counters;
mod handshake;
mod held;
mod internal_cache;
mod leave;
mod lhash_view;
mod lifetime;
mod mode;
mod presence;
mod registry;
mod session_ref;
mod shared;
mod statistics;

pub use callbacks::Callbacks;
pub use counters::{Counter, Counters};
pub use held::Held;
pub use internal_cache::InternalCache;
pub use lhash_view::EndedView;
pub use lifetime::Lifetime;
pub use mode::{CacheMode, Handshake};
pub use registry::{Member, Registry, Standing};
pub use session_ref::{SessionRef, Source};
pub use statistics::Report;
