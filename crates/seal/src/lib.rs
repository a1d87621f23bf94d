//! Keys and sealing for records that lie in memory that processes share: what is there opens with
//! the key file alone, and only as what it was sealed as.
//!
//! - [`KeyFile`] reads up to four keys, one a line, or makes such a file for the first to ask.
//! - [`Secret`] keeps them in a page that core dumps, swap and `/proc/PID/mem` do not get.
//! - [`Keys`] derives from each line what is needed: a key that seals, a key for hashes, and a
//!   check of each that everybody may see. It hashes, with a key, what a record is found by; and
//!   it seals and opens: AES-256-GCM-SIV, bound to the record's key, expiry and name.
//! - [`Sealed`] is a store of which everything is sealed.
//!
//! # Why a nonce is no random number
//!
//! A process that preloads a library may be forked, copied with its machine, or restored from an
//! image of it, and then draws the same "random" number twice. For GCM that ends everything;
//! GCM-SIV only tells that two messages were the same. So the nonce is the first 96 bits of the
//! record's own key: nothing is drawn, and nothing counted. A record that is sealed again under
//! its key, with other bytes, tells whoever compares the two that they differ.
//!
//! # What it does not do
//!
//! Whoever runs code in a process that has the keys has the keys. And a record that was sealed once
//! opens as often as somebody puts it there again: that a session is used once only is as good as
//! the processes that share the memory are honest.
#![deny(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::disallowed_methods, clippy::disallowed_macros))]

mod file;
mod keys;
mod sealed;
mod secret;

pub use file::{Error, KeyFile};
pub use keys::{Bound, KEYS, Keys, LINE, Line, TAG};
pub use sealed::{Name, Sealed, Service, Thing, epoch_of};
pub use secret::{Kept, Secret};
