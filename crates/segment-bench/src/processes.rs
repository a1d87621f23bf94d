//! Processes that measure, and one that stops with a lock in its hand.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

use sslcache_segment::Step;

/// How long two processes work for one measurement.
const TIME: Duration = Duration::from_millis(400);
const BATCH: u64 = 256;

/// Forks; the child does this and ends.
pub fn fork(work: impl FnOnce()) -> libc::pid_t {
    // SAFETY: this program has one thread.
    match unsafe { libc::fork() } {
        0 => {
            work();
            // SAFETY: has no conditions. (Nothing of the parent's is to run at the child's end.)
            unsafe { libc::_exit(0) }
        }
        pid => pid,
    }
}

fn wait(pid: libc::pid_t, flags: i32) {
    let mut status = 0;
    // SAFETY: a child of ours, and a place for the answer.
    assert_eq!(unsafe { libc::waitpid(pid, &mut status, flags) }, pid);
}

pub fn wait_until_stopped(pid: libc::pid_t) {
    wait(pid, libc::WUNTRACED);
}

pub fn kill_and_wait(pid: libc::pid_t) {
    // SAFETY: a child that has not been waited for: the number is its own.
    unsafe { libc::kill(pid, libc::SIGKILL) };
    wait(pid, 0);
}

/// Nanoseconds that this process has computed: other programs do not show.
fn processor_time() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the clock exists, and the place to write to lives across the call.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// What two processes did: operations, and nanoseconds of processor time.
struct Totals {
    ready: AtomicU64,
    operations: AtomicU64,
    time: AtomicU64,
}

fn totals() -> &'static Totals {
    let (null, size) = (std::ptr::null_mut(), size_of::<Totals>());
    let rights = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_SHARED | libc::MAP_ANONYMOUS;
    // SAFETY: a new mapping, which is never unmapped.
    let base = unsafe { libc::mmap(null, size, rights, flags, -1, 0) };
    assert_ne!(base, libc::MAP_FAILED, "no memory");
    // SAFETY: as large as that, aligned to a page, and zeros, which are a value of atomics.
    unsafe { &*base.cast() }
}

/// The processor time of an operation, in nanoseconds, while two processes do nothing else.
pub fn two_at_work<O: FnMut()>(operation: impl Fn(u64) -> O) -> f64 {
    let totals = totals();
    let children = [0, 1].map(|process| {
        fork(|| {
            let mut operation = operation(process);
            // What each page costs at first, the other's memory and one's own.
            (0..20_000).for_each(|_| operation());
            totals.ready.fetch_add(1, SeqCst);
            while totals.ready.load(SeqCst) < 2 {
                std::hint::spin_loop();
            }
            let (begin, processor) = (Instant::now(), processor_time());
            let mut operations = 0;
            while begin.elapsed() < TIME {
                (0..BATCH).for_each(|_| operation());
                operations += BATCH;
            }
            totals.time.fetch_add(processor_time() - processor, SeqCst);
            totals.operations.fetch_add(operations, SeqCst);
        })
    });
    children.into_iter().for_each(|child| wait(child, 0));
    totals.time.load(SeqCst) as f64 / totals.operations.load(SeqCst) as f64
}

/// Stops when it has a lock.
pub fn stop_with_a_lock(step: Step) {
    if step == Step::Locked {
        // SAFETY: sends a signal to this process.
        unsafe { libc::raise(libc::SIGSTOP) };
    }
}
