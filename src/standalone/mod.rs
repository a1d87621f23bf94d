//! The standalone standing: no libssl in the process, so the objects are our own.

pub mod cipher;
mod connection;
mod context;
pub mod der;
mod ex_data;
pub mod i2d;
pub mod method;
mod peer;
pub mod pem;
pub mod print;
mod published;
mod session;
mod standing;
mod values;

pub use cipher::{Cipher, CipherPtr};
pub use connection::Connection;
pub use context::Context;
pub use session::{Session, SessionHandle};
pub use standing::Standalone;
pub use values::Values;
