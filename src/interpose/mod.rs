//! The interposed standing: in front of a real libssl, through its public functions alone.
//!
//! Each context of the real library is *attached*: its own internal cache is switched off
//! (`SSL_SESS_CACHE_NO_INTERNAL`), our callbacks ([`hooks`]) are installed for good, and the state
//! that the application sees (its callbacks, mode, size, counters) is kept here, in a table by the
//! context's address. The exported functions are in [`calls`].
//!
//! libssl is built in two ways. Debian's sends its internal calls of exported functions through us;
//! upstream's (`-Bsymbolic`) does not. So what an application sees once is done in the hooks, which
//! fire in both builds, and the exported wrappers only call the real function and read what the
//! hook found. They may be called from inside libssl, with its locks held: [`quiet`] marks the
//! calls of ours whose way back must go straight through.

mod alone;
mod attach;
mod attached;
mod borrowed;
pub mod calls;
mod connection;
mod decided;
mod ended_tables;
mod ends;
mod hooks;
mod hosts;
mod isolation;
mod quiet;
pub mod served;
mod session;
mod shadow;
mod shared_memory;
mod standing;

pub use attached::is_attached;
