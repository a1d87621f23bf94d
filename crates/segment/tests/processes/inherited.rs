//! A segment without a name, and processes that are forked and not started.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use sslcache_segment::{AtSteps, MAX_RECORD, Options, Put, Record, Step, Store, Wanted};

use crate::children::Place;
use crate::probe::key;

const RECORD: Record<'static> = Record { expiry: u32::MAX, name: 0, key_id: 0, bytes: b"mine" };

/// Forks; the child does this and ends.
fn fork(work: impl FnOnce()) -> i32 {
    // SAFETY: this program has one thread.
    match unsafe { libc::fork() } {
        0 => {
            let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
            // SAFETY: has no conditions. (Nothing of the parent's is to run at the child's end.)
            unsafe { libc::_exit(i32::from(done.is_err())) }
        }
        pid => pid,
    }
}

fn wait_for(pid: i32) -> i32 {
    let mut status = 0;
    // SAFETY: a child of ours, and a place for the answer.
    assert_eq!(unsafe { libc::waitpid(pid, &mut status, 0) }, pid);
    status
}

pub fn take_once() {
    const TOKENS: u64 = 300;
    let place = Place::new();
    let control = place.control();
    let store = Store::anonymous(1 << 20).unwrap();
    for token in 0..TOKENS {
        assert_eq!(store.put(key(token), &RECORD, 0), Put::Stored);
    }
    let take_all = |store: &Store, taken: &AtomicU64| {
        let mut room = [0; MAX_RECORD];
        let wanted = |token| Wanted { key: key(token), name: 0, now: 0 };
        let takes = |token| store.take(&wanted(token), &mut room).is_ok();
        taken.fetch_add((0..TOKENS).map(takes).map(u64::from).sum(), SeqCst);
    };
    let children: Vec<i32> =
        (0..8).map(|_| fork(|| take_all(&store, &control.workers[0].operations))).collect();
    assert!(children.into_iter().all(|child| wait_for(child) == 0));
    assert_eq!(control.workers[0].operations.load(SeqCst), TOKENS, "each of them once");
    assert_eq!(store.statistics().taken, TOKENS);
}

/// Dies at the first step that it comes to with a lock.
fn die_with_a_lock(step: Step) {
    if step == Step::Locked {
        // SAFETY: sends a signal to this process.
        unsafe { libc::raise(libc::SIGKILL) };
    }
}

/// The lock has the child's own pid, though it has the parent's memory.
pub fn dead_child() {
    let place = Place::new();
    let store = place.open(Options::SMALLEST);
    let mortal = |process| AtSteps(process, die_with_a_lock);
    let mortal = crate::children::open(&place.path, Options::SMALLEST, mortal).expect("a segment");
    let status = wait_for(fork(|| assert_eq!(mortal.put(key(1), &RECORD, 0), Put::Busy)));
    assert!(libc::WIFSIGNALED(status));
    assert_eq!(store.census(0).locked, 1);
    assert_eq!(store.put(key(1), &RECORD, 0), Put::Stored, "at once");
    assert_eq!(store.statistics().taken_over, 1);
    assert_eq!(store.check(), Ok(()));
}
