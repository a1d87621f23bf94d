//! What the environment variables `SSLCACHE_SET` and `SSLCACHE_SHARED` may say: for the library,
//! which reads them, and for the command, which writes them.
#![cfg_attr(not(test), deny(clippy::disallowed_methods, clippy::disallowed_macros))]

pub mod overrides;
mod quantity;
pub mod shared;

pub use overrides::Overrides;
pub use quantity::number;
