//! The standalone standing: no libssl in the process, so the objects are our own.

mod connection;
mod context;
mod ex_data;
pub mod method;
mod session;

pub use connection::Connection;
pub use context::{Context, freeze, reschedule};
pub use session::{CipherPtr, Session, SessionHandle};
