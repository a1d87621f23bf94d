//! What Rust and C share: OpenSSL's types and constants, the guard at the boundary, handles, memory
//! that may run out, and the functions of other libraries.

pub mod args;
pub mod caller;
pub mod constants;
pub mod errors;
pub mod guard;
pub mod handle;
pub mod lhash;
pub mod libcrypto;
pub mod libssl;
pub mod live;
pub mod memory;
pub mod objects;
pub mod per_thread;
pub mod real;
pub mod streams;
pub mod symbols;
pub mod types;
