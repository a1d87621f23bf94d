//! What Rust and C share: OpenSSL's types and constants, the guard at the boundary, handles, and the
//! functions of other libraries.

pub mod constants;
pub mod guard;
pub mod handle;
pub mod libcrypto;
pub mod symbols;
pub mod types;
