//! Contexts that are left alone: with them everything is as if we were not there.
//! `SSLCACHE_VERBOSE=1` tells why, once for each reason.

use std::sync::atomic::{AtomicU8, Ordering};

use crate::report;

/// Why a context is not attached.
#[derive(Clone, Copy)]
pub enum Why {
    /// It was made by libssl's own function, which the program has from a handle.
    TakenFromHandle,
    /// It is in memory that other processes see.
    SharedMemory,
    /// It is of a libssl beside the one that is served, or of something that only looks like one.
    OfAnother,
    /// There is no ex_data index to see its end by.
    EndUnseen,
    /// There is no memory for what we would keep.
    NoMemory,
    /// `cache=on` is not for one that asks clients for certificates, but does not tell its sessions
    /// from those of others: libssl would end the handshake.
    NoSidCtx,
}

impl Why {
    fn text(self) -> &'static str {
        match self {
            Why::TakenFromHandle => "its functions are taken from libssl's own handle",
            Why::SharedMemory => "it is in memory that is shared with other processes",
            Why::OfAnother => "it is not of the libssl behind the others",
            Why::EndUnseen => "libcrypto has no index for us to see its end by",
            Why::NoMemory => "there is no memory for its cache",
            Why::NoSidCtx => "cache=on, but it verifies clients and has no session id context",
        }
    }
}

/// Notes that a context is left alone.
pub fn leave_alone(why: Why) {
    static TOLD: AtomicU8 = AtomicU8::new(0);
    let bit = 1 << why as u8;
    if TOLD.fetch_or(bit, Ordering::Relaxed) & bit == 0 {
        report::verbose(format_args!("a context is left alone: {}", why.text()));
    }
}
