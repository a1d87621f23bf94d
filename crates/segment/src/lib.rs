//! A cache of sealed records in memory that several processes share: one for all workers of a
//! server.
//!
//! A record is some bytes under a key, with an expiry and the hash of a name that it belongs to.
//! What is in the bytes, and who may open them, is the caller's business: this crate knows no TLS,
//! no cryptography, and no clock but for its locks.
//!
//! # Promises
//!
//! - **A process that is killed**, by whatever, at any instruction, takes nothing along but the
//!   record that it was just storing. Nobody waits for it, nothing is repaired: what it can leave
//!   behind is either reached by nobody or whole.
//! - **No lock** for [`Store::get`], [`Store::peek`], [`Store::take`] and [`Store::remove`].
//!   [`Store::put`] takes the lock of one set of 71 records, and waits for it 3 ms at most; then
//!   the record is not stored. A process that stops in the middle of a `put` holds up nothing
//!   else.
//! - **One takes.** Of any number of processes that take a record, one gets it.
//! - **A removal counts at once**, in every process.
//! - **Expiry is exact**; the order in which records leave a full segment is exact within a set.
//! - **Nothing in the memory is trusted.** Whatever a process with access to it stores there, the
//!   others do not crash, do not loop, and read nothing outside of it. They may lose records, and
//!   be given bytes that are none: a record has to be sealed, to its key, by whoever puts it.
//! - **No allocation**, no thread, no descriptor that stays open.
//!
//! # The parts
//!
//! | module | says |
//! | --- | --- |
//! | `layout` | where everything is: a drawing |
//! | `descriptor` | the one word that decides whether a record is there |
//! | `lookup` | how records are found, taken and removed without a lock |
//! | `put` | how they are stored, and why it may be cut off anywhere |
//! | `lock` | the stamp lock |
//! | `sweep` | how records are wiped before anybody needs their place |
//! | `successor` | how a segment takes the place of another one |
//! | `view` | what can be seen without changing anything |
//! | `file` | how a segment is made and published, and which one is trusted |
//! | `unnamed` | files that nobody sees before they are whole |
//! | `mapping` | the memory, as Rust sees it |
//!
//! # Example
//!
//! ```
//! use sslcache_segment::{Key, MAX_RECORD, Miss, Options, Put, Record, Store, Wanted};
//! use std::os::fd::AsFd;
//!
//! let directory = std::fs::File::open("/dev/shm")?;
//! # let name = std::ffi::CString::new(format!("sslcache-example-{}", std::process::id()))?;
//! let options = Options { size: 1 << 20, ..Options::default() };
//! let store = Store::open(directory.as_fd(), &name, &options)?;
//! // Another process: the same call.
//! let other = Store::open(directory.as_fd(), &name, &options)?;
//!
//! let (key, now) = (Key::new([7; 16]), 1_700_000_000);
//! let record = Record { expiry: now + 300, name: 0, key_id: 0, bytes: b"sealed" };
//! assert_eq!(store.put(key, &record, now), Put::Stored);
//!
//! let mut room = [0; MAX_RECORD];
//! let wanted = Wanted { key, name: 0, now };
//! let found = other.take(&wanted, &mut room).expect("it is there");
//! assert_eq!(&room[..found.length], b"sealed");
//! assert_eq!(store.get(&wanted, &mut room), Err(Miss::Unknown));
//! # std::fs::remove_file(format!("/dev/shm/{}.v1", name.to_str()?))?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![deny(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::disallowed_methods, clippy::disallowed_macros))]
// A model needs some of it.
#![cfg_attr(loom, allow(dead_code, unused_imports))]

mod atomic;
mod check;
mod counters;
mod descriptor;
mod error;
mod file;
mod host;
mod identity;
mod layout;
mod lock;
mod lookup;
mod mapping;
mod put;
mod store;
mod successor;
mod sweep;
mod unnamed;
mod view;

pub use check::{Census, Fault};
pub use counters::Statistics;
pub use error::{Errno, Error};
pub use file::{Options, file_status, is_in_memory, own_file};
pub use host::{AtSteps, Host, Process, Step};
pub use identity::Identity;
pub use layout::{EPOCHS, Key, MAX_RECORD, SEALING_KEYS};
pub use lookup::{Buffer, Found, Miss, Wanted};
pub use put::{Put, Record};
pub use store::Store;
pub use successor::{Moved, Successor};
pub use sweep::Swept;
pub use unnamed::{Unnamed, open_at, open_directory};
pub use view::{Listed, View};

#[cfg(all(test, loom))]
mod model;
