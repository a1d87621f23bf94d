//! What the processes of a case tell each other: memory that is no part of the segment.

use std::fs::OpenOptions;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use sslcache_segment::Step;

/// Most workers of a case.
pub const WORKERS: usize = 8;
/// Keys that have an owner who knows what was stored.
pub const KEYS: usize = 6000;
/// Keys that are stored once and taken once.
pub const TOKENS: usize = 1 << 20;

#[repr(C)]
pub struct Control {
    /// Not 0: end.
    pub stop: AtomicU64,
    /// Counts up; what begins with each number is the case's.
    pub round: AtomicU64,
    pub workers: [Worker; WORKERS],
    pub faults: Faults,
    /// By key: the version that its owner is storing, or has stored last,
    pub trying: [AtomicU64; KEYS],
    /// and the one that was last stored for certain.
    pub acknowledged: [AtomicU64; KEYS],
    /// Tokens given out.
    pub tokens: AtomicU64,
    pub token_stored: [AtomicU64; TOKENS],
    pub token_taken: [AtomicU64; TOKENS],
}

#[repr(C)]
pub struct Worker {
    pub operations: AtomicU64,
    /// Records that were not stored because a lock was held.
    pub busy: AtomicU64,
    /// 0, or a signal that it is to send itself at a step: see [`Control::order`].
    order: AtomicU64,
    /// The longest operation, in nanoseconds.
    pub longest: AtomicU64,
    /// The round it has done.
    pub round: AtomicU64,
}

#[repr(C)]
#[derive(Debug)]
pub struct Faults {
    /// A record that was certainly stored was not there.
    pub lost: AtomicU64,
    /// What was found was not what anybody stored.
    pub damaged: AtomicU64,
    /// An older version than the one that was certainly there.
    pub stale: AtomicU64,
}

impl Faults {
    pub fn none(&self) -> bool {
        [&self.lost, &self.damaged, &self.stale].iter().all(|count| count.load(SeqCst) == 0)
    }
}

impl Control {
    /// Of the case in this directory: made by the first to ask.
    pub fn of(directory: &Path) -> &'static Control {
        let path = directory.join("control");
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        let file = file.expect("a file");
        file.set_len(size_of::<Control>() as u64).expect("its size");
        let rights = libc::PROT_READ | libc::PROT_WRITE;
        let (null, size) = (std::ptr::null_mut(), size_of::<Control>());
        // SAFETY: a new mapping of a file of this size.
        let base = unsafe { libc::mmap(null, size, rights, libc::MAP_SHARED, file.as_raw_fd(), 0) };
        assert_ne!(base, libc::MAP_FAILED);
        // SAFETY: it is never unmapped, and atomics all through, of which zeros are a value.
        unsafe { &*base.cast::<Control>() }
    }

    /// Has a worker send itself a signal when it comes to a step for the next time.
    pub fn order(&self, worker: usize, step: Step, signal: i32) {
        self.workers[worker].order.store((signal as u64) << 8 | (step as u64 + 1), SeqCst);
    }

    pub fn cancel_order(&self, worker: usize) {
        self.workers[worker].order.store(0, SeqCst);
    }

    /// For a worker at a step.
    pub fn obey(&self, worker: usize, step: Step) {
        let order = &self.workers[worker].order;
        let given = order.load(std::sync::atomic::Ordering::Relaxed);
        if given & 0xff == step as u64 + 1 {
            order.store(0, SeqCst);
            // SAFETY: sends a signal to this thread, which is all there is of the process.
            unsafe { libc::raise((given >> 8) as i32) };
        }
    }

    pub fn stops(&self) -> bool {
        self.stop.load(SeqCst) != 0
    }
}
