//! What a store asks of the process that it runs in: who it is, what time it is, whether another
//! process is still there, and how to wait. [`Process`] is the real one. Tests have others, which
//! are told of each step and stop or die there.
#![allow(unsafe_code)]

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// The process that a store works for.
pub trait Host {
    /// Its number: not 0, below 2^22.
    fn pid(&self) -> u32;

    /// Milliseconds of a clock that all processes of the machine share and nobody sets. It may be
    /// some milliseconds late.
    fn milliseconds(&self) -> u64;

    /// Microseconds of such a clock, exactly.
    fn microseconds(&self) -> u64;

    /// Returns `true` if there certainly is no process of this number any more.
    fn is_gone(&self, pid: u32) -> bool;

    /// Waits a little, the longer the higher the number of the round.
    fn wait(&self, round: u32);

    /// Told of each step; for tests.
    #[inline(always)]
    fn step(&self, _: Step) {}
}

/// The steps of the protocols at which the death of a process makes a difference.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Step {
    /// `put`, `take`, `remove`: has the lock of the set.
    Locked,
    /// Has the lock of one that is gone; nothing has been looked at yet.
    TakenOver,
    /// `put`: the record of the same key is DEAD.
    Retired,
    /// A record is DEAD because it has to leave: expired, damaged or evicted.
    Evicted,
    /// The cells of a DEAD record are wiped, its slot is not FREE yet.
    Wiped,
    /// Its slot is FREE.
    Freed,
    /// `put`: one cell more is written, and linked.
    CellWritten,
    /// `put`: everything is written, and nothing leads to it yet.
    Written,
    /// `put`: the record is LIVE, the lock still held.
    Published,
    /// The lock has been given back.
    Unlocked,
    /// `get`, `take`: the record is copied, and not validated yet.
    Copied,
    /// `take`, `remove`: the record is DEAD, its cells are not wiped.
    Removed,
    /// Making a segment: there is a file without a name.
    FileMade,
    /// It has all its memory.
    Allocated,
    /// It is a segment, whole, without a name.
    HeaderWritten,
    /// It has its name.
    Linked,
}

impl Step {
    /// All of them, in the order of their numbers.
    pub const ALL: [Step; 16] = [
        Step::Locked,
        Step::TakenOver,
        Step::Retired,
        Step::Evicted,
        Step::Wiped,
        Step::Freed,
        Step::CellWritten,
        Step::Written,
        Step::Published,
        Step::Unlocked,
        Step::Copied,
        Step::Removed,
        Step::FileMade,
        Step::Allocated,
        Step::HeaderWritten,
        Step::Linked,
    ];
}

/// The process itself.
#[derive(Clone, Copy, Debug)]
pub struct Process {
    /// Whether the pids in the segment mean here what they mean where it was made.
    knows_pids: bool,
}

/// Its number, asked for once: a lock is to cost no system call. 0: not asked yet.
static PID: AtomicU32 = AtomicU32::new(0);

/// The process, or one that it descends from, was forked into a pid namespace of its own. Pids in
/// segments that it has inherited mean nothing to it.
static HAS_LEFT_NAMESPACE: AtomicBool = AtomicBool::new(false);

/// Waiting: so many looks at the lock without giving the processor away,
const SPINS: u32 = 60;
/// so many with that, and then sleeps
const YIELDS: u32 = 10;
/// of so many nanoseconds.
const SLEEP: i64 = 50_000;

impl Process {
    /// The process that calls, with a segment made where pids have this namespace (0: unknown).
    pub(crate) fn beside(namespace: u64) -> Self {
        notice_forks();
        Process { knows_pids: namespace != 0 && namespace == pid_namespace() }
    }
}

impl Host for Process {
    #[inline]
    fn pid(&self) -> u32 {
        match PID.load(Ordering::Relaxed) {
            0 => learn_pid(),
            pid => pid,
        }
    }

    #[inline]
    fn milliseconds(&self) -> u64 {
        let time = clock(libc::CLOCK_MONOTONIC_COARSE);
        time.tv_sec as u64 * 1000 + time.tv_nsec as u64 / 1_000_000
    }

    fn microseconds(&self) -> u64 {
        let time = clock(libc::CLOCK_MONOTONIC);
        time.tv_sec as u64 * 1_000_000 + time.tv_nsec as u64 / 1000
    }

    fn is_gone(&self, pid: u32) -> bool {
        if !self.knows_pids || HAS_LEFT_NAMESPACE.load(Ordering::Relaxed) {
            return false;
        }
        with_errno_kept(|| {
            // SAFETY: sends nothing. (0 would be the caller's own group: it is there.)
            let answer = unsafe { libc::kill(pid as libc::pid_t, 0) };
            answer < 0 && errno() == libc::ESRCH
        })
    }

    fn wait(&self, round: u32) {
        if round < SPINS {
            (0..20).for_each(|_| std::hint::spin_loop());
            return;
        }
        let (sleep, null) = (libc::timespec { tv_sec: 0, tv_nsec: SLEEP }, 0);
        with_errno_kept(|| {
            // SAFETY: a time that lives across the call; nobody asks what was left of it. As bare
            // system calls they are no points at which the thread is cancelled.
            unsafe {
                if round < SPINS + YIELDS {
                    libc::syscall(libc::SYS_sched_yield)
                } else {
                    libc::syscall(libc::SYS_nanosleep, &raw const sleep, null)
                }
            }
        });
    }
}

/// A process that does something of its own at each step; for tests.
pub struct AtSteps<F>(pub Process, pub F);

impl<F: Fn(Step)> Host for AtSteps<F> {
    fn pid(&self) -> u32 {
        self.0.pid()
    }
    fn milliseconds(&self) -> u64 {
        self.0.milliseconds()
    }
    fn microseconds(&self) -> u64 {
        self.0.microseconds()
    }
    fn is_gone(&self, pid: u32) -> bool {
        self.0.is_gone(pid)
    }
    fn wait(&self, round: u32) {
        self.0.wait(round);
    }
    fn step(&self, step: Step) {
        self.1(step);
    }
}

#[cold]
fn learn_pid() -> u32 {
    let pid = std::process::id();
    PID.store(pid, Ordering::Relaxed);
    pid
}

#[inline]
fn clock(clock: libc::clockid_t) -> libc::timespec {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the clock exists, and the place to write to lives across the call.
    unsafe { libc::clock_gettime(clock, &mut time) };
    time
}

/// Which pid namespace the process is in; 0 where nobody says.
pub(crate) fn pid_namespace() -> u64 {
    // SAFETY: a structure of integers, for which zeros are a value.
    let mut status: libc::stat = unsafe { std::mem::zeroed() };
    // SAFETY: a C string, and a place for the answer.
    let found = unsafe { libc::stat(c"/proc/self/ns/pid".as_ptr(), &mut status) };
    if found == 0 { status.st_ino } else { 0 }
}

/// From now on a child learns its own number. Once. (A child of a bare `clone` does not, and stamps
/// locks as its parent: if it is killed with one, that lock is freed by its age.)
fn notice_forks() {
    static NOTICED: AtomicBool = AtomicBool::new(false);
    if NOTICED.load(Ordering::Relaxed) || NOTICED.swap(true, Ordering::Relaxed) {
        return;
    }
    // SAFETY: a function that makes two system calls and stores two words.
    unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
}

unsafe extern "C" fn in_child() {
    learn_pid();
    // SAFETY: has no conditions. 0: the parent cannot be seen from here.
    if unsafe { libc::getppid() } == 0 {
        HAS_LEFT_NAMESPACE.store(true, Ordering::Relaxed);
    }
}

pub(crate) fn errno() -> i32 {
    // SAFETY: `errno` is this thread's.
    unsafe { *libc::__errno_location() }
}

fn with_errno_kept<T>(call: impl FnOnce() -> T) -> T {
    let before = errno();
    let answer = call();
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = before };
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_knows_itself_and_who_is_gone() {
        let here = Process::beside(pid_namespace());
        assert_eq!(here.pid(), std::process::id());
        assert!(!here.is_gone(here.pid()) && !here.is_gone(1) && !here.is_gone(0));
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pid = child.id();
        child.wait().unwrap();
        assert!(here.is_gone(pid));
        assert!(!Process::beside(0).is_gone(pid), "another namespace: nobody can tell");
    }

    #[test]
    fn steps_have_their_numbers() {
        assert!(Step::ALL.iter().enumerate().all(|(number, &step)| step as usize == number));
    }
}
