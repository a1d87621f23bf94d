//! System calls that libssl would not have made, such that the program does not notice them.

use std::mem::MaybeUninit;

use libc::{c_int, sigset_t};

unsafe extern "C" {
    /// pthread_setcancelstate(3), which the libc crate does not declare.
    fn pthread_setcancelstate(state: c_int, old: *mut c_int) -> c_int;
}

const PTHREAD_CANCEL_DISABLE: c_int = 1;

/// While one of these lives the thread opens and writes files undisturbed:
/// - no signal of a write reaches the program: SIGPIPE of a pipe that nobody reads any more,
///   SIGXFSZ of a file that may not grow, SIGTTOU of a terminal that belongs to another job;
/// - the thread is not cancelled: with libssl alone the function is no cancellation point;
/// - `errno` is afterwards what it was.
pub struct Undisturbed {
    errno: c_int,
    cancelling: c_int,
    signals: sigset_t,
    /// What waited before, and so is none of ours.
    pending: sigset_t,
}

impl Undisturbed {
    /// From here on.
    pub fn begin() -> Self {
        let blocked = set(&[libc::SIGPIPE, libc::SIGXFSZ, libc::SIGTTOU]);
        let (mut signals, mut pending, mut cancelling) = (set(&[]), set(&[]), 0);
        // SAFETY: places for the answers, which live across the calls; `errno` is this thread's.
        unsafe {
            let errno = *libc::__errno_location();
            pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &mut cancelling);
            libc::sigpending(&mut pending);
            libc::pthread_sigmask(libc::SIG_BLOCK, &blocked, &mut signals);
            Undisturbed { errno, cancelling, signals, pending }
        }
    }

    /// The error of the last system call.
    pub fn error(&self) -> c_int {
        // SAFETY: `errno` is this thread's.
        unsafe { *libc::__errno_location() }
    }

    /// Takes back the signal that comes with the error of a write.
    pub fn take_signal_of_write(&self) {
        self.take_signal_of(self.error());
    }

    /// The same, where something else has told the error.
    pub fn take_signal_of(&self, error: c_int) {
        let signal = match error {
            libc::EPIPE => libc::SIGPIPE,
            libc::EFBIG => libc::SIGXFSZ,
            _ => return,
        };
        let at_once = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: sets of signals and a time; NULL asks for no details.
        unsafe {
            if libc::sigismember(&self.pending, signal) == 0 {
                libc::sigtimedwait(&set(&[signal]), std::ptr::null_mut(), &at_once);
            }
        }
    }
}

impl Drop for Undisturbed {
    fn drop(&mut self) {
        let null = std::ptr::null_mut();
        // SAFETY: as in `begin`; what it found is put back.
        unsafe {
            libc::pthread_sigmask(libc::SIG_SETMASK, &self.signals, null);
            pthread_setcancelstate(self.cancelling, &mut self.cancelling);
            *libc::__errno_location() = self.errno;
        }
    }
}

fn set(signals: &[c_int]) -> sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: sigemptyset fills the set; the signals exist.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        for &signal in signals {
            libc::sigaddset(set.as_mut_ptr(), signal);
        }
        set.assume_init()
    }
}
