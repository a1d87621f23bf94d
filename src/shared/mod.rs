//! The shared tier: one cache for all processes that name the same memory in `SSLCACHE_SHARED`.
//!
//! Beside the engine, below the rules: it knows bytes, keys and names, and neither sessions nor
//! OpenSSL. What lies in the memory is `crates/segment`'s, how it is sealed `crates/seal`'s.
//!
//! | file | says |
//! | --- | --- |
//! | `attach` | how a process finds the memory and its keys, and when |
//! | `tier` | what is done with a session there, and under which key it lies |
//! | `id` | a session's DER without its id, which is not stored twice |
//! | `recent` | whose the last sessions were, for the application that adds or changes one later |

mod attach;
mod id;
mod recent;
mod tier;

pub use attach::{attach, attach_if_there, describe, tier};
pub use sslcache_settings::shared::Wrong;
pub use tier::{Asked, Maker, Name, Place, Realm, Room, Tier, seconds};
