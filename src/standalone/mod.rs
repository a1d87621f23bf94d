//! The standalone standing: no libssl in the process, so the objects are our own.

pub mod cipher;
mod connection;
mod context;
pub mod der;
mod ex_data;
pub mod method;
mod peer;
pub mod pem;
pub mod print;
mod published;
mod session;

pub use cipher::{Cipher, CipherPtr};
pub use connection::Connection;
pub use context::Context;
pub use session::{Session, SessionHandle, Values};
