//! OpenSSL's session cache as a library of its own.
//!
//! `libsslcache.so` exports the functions of OpenSSL's session API over a concurrent cache. One
//! file, two **standings** (`standing`):
//!
//! - *standalone*: there is no libssl in the process; contexts and sessions are our own objects
//!   (`standalone`);
//! - *interposed*: a real libssl is in the process, behind us; the objects are its own and only the
//!   session cache is ours (`interpose`).
//!
//! The layers, each calling only the next: [`exports`] (the C functions, one file per manual page)
//! → `standalone` or `interpose` → `rules` (what OpenSSL does with its cache, written once) →
//! [`cache`] (the engine, `crates/engine`). What Rust and C share is in [`ffi`].
//!
//! **The lock rule**: nothing foreign runs under a lock, except taking a reference to a session.
//! The engine returns what left it; callbacks, and the last `SSL_SESSION_free`, come when every
//! lock is free again.
//!
//! **No abort of ours**: nothing allocates but what may fail (`ffi::memory`, `try_reserve`), and
//! the call then answers as OpenSSL's does. clippy.toml lists what is denied for it.

#![cfg_attr(not(test), deny(clippy::disallowed_methods, clippy::disallowed_macros))]

pub use sslcache_engine as cache;

pub mod exports;
pub mod ffi;
mod interpose;
mod rules;
mod shared;
mod standalone;
mod standing;

/// Runs when the library is loaded, before the program does.
#[used]
#[cfg_attr(target_os = "linux", unsafe(link_section = ".init_array"))]
static BEGIN: extern "C" fn() = standing::begin;

mod address_map;
mod clock;
mod fork;
mod output;
mod report;
mod seen;
mod settings;
mod trusted_path;
mod undisturbed;

/// What the tests of this crate compare with the real library. No part of the interface.
#[doc(hidden)]
pub mod for_tests {
    pub use crate::ffi::real::Real;
    pub use crate::interpose::served::real;
}
