//! The state of ours that belongs to a context of the real library.

use std::sync::atomic::{AtomicI32, AtomicI64, Ordering};

use libc::c_int;

use super::borrowed::RealCtx;
use super::isolation::Isolation;
use super::served;
use super::session::RealSession;
use super::shadow;
use crate::address_map::AddressMap;
use crate::ffi::guard::guard;
use crate::ffi::libssl::Libssl;
use crate::ffi::live::Ctx;
use crate::ffi::types::SSL_CTX;
use crate::rules::{InternalCache, Member};

/// What we keep for one real context.
pub struct Attached {
    /// The application's side of the cache, and what the rules know of the context.
    pub member: Member<RealSession>,
    /// Where the automatic flush was last due; see `hooks`.
    flushes_seen: AtomicI32,
    /// The application's timeout, where `SSLCACHE_SET` decides about timeouts.
    pub timeout: AtomicI64,
    /// Whose sessions its own are, where processes share them.
    pub isolation: Isolation,
    /// Whose context it is.
    pub libssl: &'static Libssl,
}

impl Attached {
    /// Of a context of `libssl` that was just made.
    pub fn new(libssl: &'static Libssl) -> Self {
        Attached {
            member: Member::new(),
            flushes_seen: AtomicI32::new(0),
            timeout: AtomicI64::new(0),
            isolation: Isolation::default(),
            libssl,
        }
    }

    /// The application's side of the cache.
    pub fn cache(&self) -> &InternalCache<RealSession> {
        &self.member.cache
    }

    /// The context goes, and with it every session. libssl may tell twice: by flushing everything
    /// first, and by the end of the ex_data.
    pub fn close(&self, ctx: Ctx<'_>) {
        guard((), || self.member.report());
        self.cache().close(ctx);
        if let Some(real) = served::real() {
            shadow::context_ends(RealCtx { real, ctx });
        }
    }

    /// Notes that the automatic flush was due for the `number`th time. True if it was not known.
    pub fn see_flush(&self, number: c_int) -> bool {
        // Looked at first: nearly every handshake sees nothing new, and is to write nothing.
        self.flushes_seen.load(Ordering::Relaxed) < number
            && self.flushes_seen.fetch_max(number, Ordering::Relaxed) < number
    }
}

/// The states of the contexts that live.
pub static STATES: AddressMap<Attached> = AddressMap::new();
/// The state of a context; `None` if it is not attached.
#[inline(always)]
pub fn of(ctx: Ctx<'_>) -> Option<&Attached> {
    // SAFETY: only `attach` puts states there; this one lives until the context's end.
    Some(unsafe { &*STATES.get(ctx.addr())? })
}

/// Whether a context is one of these.
pub fn is_attached(ctx: *const SSL_CTX) -> bool {
    STATES.get(ctx.addr()).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_that_never_caches_costs_less_than_200_bytes() {
        let count_of_the_references = size_of::<usize>();
        assert!(size_of::<Attached>() + count_of_the_references < 200);
    }
}
