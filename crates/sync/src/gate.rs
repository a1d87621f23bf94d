//! The gate that every critical section passes, and that a fork shuts.
//!
//! A child inherits memory as it is at the moment of the fork, and of the threads only the one that
//! forks. What another thread was changing stays half changed there. So the thread that forks shuts
//! the gate, and waits until nobody is inside. It is a big-reader lock: a thread that takes a lock
//! notes in a cache line of its own, its *seat*, that it is inside; a forking thread looks at all
//! seats. So a fork costs the same whatever the number of locks, and writes to none of them: no
//! page is copied for its sake.
//!
//! Thread T takes a lock, thread F forks:
//!
//! 1. T notes in its seat that it is inside; then takes the lock; then looks at the gate.
//! 2. F shuts the gate; then looks at the seats.
//! 3. In the one order of these steps either T finds the gate shut, gives the lock back untouched
//!    and waits; or F finds T inside, and waits until it has left.
//! 4. T passes a shut gate if it is inside already (it holds a lock that F waits for), or is F
//!    itself (what else runs at a fork may use the library).
//!
//! **Every wait ends.** F waits [`QUIET_WITHIN`] at most, T [`SHUT_FOR`]: after that the fork goes
//! on without the gate. Then, and where nobody shut it (`_Fork`, `clone`), a lock in the child may
//! be held by a thread that does not exist there. A lock says in which *generation* of the process
//! it was taken; a child begins the next one. What was taken earlier is *abandoned*
//! ([`Gate::is_abandoned`]), unless the thread that forked holds it: it forked in a signal handler,
//! and goes on in both processes when the handler returns.

#[cfg(loom)]
use loom::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};
#[cfg(not(loom))]
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};
use std::time::Duration;
#[cfg(not(loom))]
use std::time::Instant;

use crate::futex;

/// How long a fork waits for others to leave. Long enough that on a loaded machine a thread that
/// was interrupted inside gets its turn.
const QUIET_WITHIN: Duration = Duration::from_millis(50);

/// How long anybody waits for a fork. Long enough for the kernel to copy the tables of 100 GB; over
/// sooner only if what else runs at the fork waits for this very thread.
const SHUT_FOR: Duration = Duration::from_secs(1);

/// In the word of a lock: somebody sleeps until it is free.
pub(crate) const WAITERS: u64 = 1;
/// In the word of a lock: it was taken from a thread that is gone.
pub(crate) const ABANDONED: u64 = 1 << 1;
/// From here on the generation, in the word of a lock and in the state of the gate. It wraps:
/// nobody is a child that deep of where a lock was left.
const GENERATION: u64 = 1 << 2;
/// From here on the thread, in the word of a lock (0 is none); in the state of the gate, how many
/// have shut it.
const THREAD: u64 = 1 << 20;

fn generation(word: u64) -> u64 {
    word % THREAD / GENERATION
}

/// A thread, as the word of a lock names it. The thread that forks keeps its name in the child.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Thread(u64);

impl Thread {
    /// The one that asks.
    #[inline(always)]
    #[cfg(not(loom))]
    pub(crate) fn current() -> Self {
        Thread::at(control_block())
    }

    /// The one whose control block is at this address.
    #[inline(always)]
    pub(crate) const fn at(address: u64) -> Self {
        Thread((address >> 4) * THREAD)
    }

    /// The one that a lock's word names.
    #[inline(always)]
    pub(crate) fn of(word: u64) -> Self {
        Thread(word / THREAD * THREAD)
    }

    /// What a lock's word is while this thread holds it.
    #[inline(always)]
    pub(crate) fn stamp(self, state: State) -> u64 {
        self.0 | (state.0 % THREAD)
    }

    /// A number below 2^`bits` (Fibonacci hashing: addresses of control blocks are far apart).
    #[inline(always)]
    fn hash(self, bits: u32) -> usize {
        ((self.0 / THREAD).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - bits)) as usize
    }
}

/// The address of the thread's control block: no two threads have the same. It has 48 bits at most,
/// and is aligned to 16.
#[inline(always)]
#[cfg(all(not(loom), target_arch = "x86_64", target_os = "linux"))]
pub fn control_block() -> u64 {
    let address;
    // SAFETY: reads what the ABI keeps there, the address itself: pthread_self, without a call.
    unsafe {
        std::arch::asm!("mov {}, fs:0", out(reg) address, options(nostack, readonly, preserves_flags));
    }
    address
}

#[inline(always)]
#[cfg(all(not(loom), not(all(target_arch = "x86_64", target_os = "linux"))))]
pub fn control_block() -> u64 {
    // SAFETY: has no conditions.
    unsafe { libc::pthread_self() as u64 }
}

/// The state of the gate at one moment.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct State(u64);

impl State {
    #[inline(always)]
    pub(crate) fn is_open(self) -> bool {
        self.0 < THREAD
    }
}

/// Where a thread notes that it is inside.
#[cfg_attr(loom, derive(Default))]
#[repr(align(64))]
struct Seat {
    /// Whose it is, 0 for nobody's. For good: threads do not say when they end. A later thread at
    /// the same address has it then.
    owner: AtomicU64,
    /// How many locks the owner holds, or tries to take.
    depth: AtomicU32,
}

const SEAT_BITS: u32 = if cfg!(loom) { 1 } else { 8 };
/// Seats that a thread looks at for its own.
const TRIES: usize = 4;

/// The gate. A process has one.
#[cfg_attr(loom, derive(Default))]
pub(crate) struct Gate {
    state: AtomicU64,
    /// Counts how often it was opened; who waits sleeps on it.
    opened: AtomicU32,
    /// The thread that shut it last.
    forking: AtomicU64,
    /// The thread that this process began with, if a fork was announced, and for how many
    /// generations in a row it has been the one.
    survivor: AtomicU64,
    survived: AtomicU64,
    /// The process that this is, as far as is known.
    process: AtomicU32,
    seats: [Seat; 1 << SEAT_BITS],
    /// Those inside that found no seat.
    guests: AtomicU32,
}

impl Gate {
    /// Open, and nobody inside.
    #[cfg(not(loom))]
    pub(crate) const fn new() -> Self {
        Gate {
            state: AtomicU64::new(0),
            opened: AtomicU32::new(0),
            forking: AtomicU64::new(0),
            survivor: AtomicU64::new(0),
            survived: AtomicU64::new(0),
            process: AtomicU32::new(0),
            seats: [const { Seat { owner: AtomicU64::new(0), depth: AtomicU32::new(0) } };
                1 << SEAT_BITS],
            guests: AtomicU32::new(0),
        }
    }

    /// Open, and nobody inside.
    #[cfg(loom)]
    pub(crate) fn new() -> Self {
        Gate::default()
    }

    // --- Taking and giving back locks ---

    #[inline(always)]
    pub(crate) fn state(&self) -> State {
        State(self.state.load(Ordering::Relaxed))
    }

    /// The state after a lock was taken: if it is open, a thread that shuts it finds us inside.
    #[inline(always)]
    pub(crate) fn state_inside(&self) -> State {
        // On x86 the locked instruction that took the lock is such a fence already.
        if cfg!(any(loom, not(any(target_arch = "x86", target_arch = "x86_64")))) {
            fence(Ordering::SeqCst);
        }
        State(self.state.load(Ordering::SeqCst))
    }

    /// Notes that the thread is inside. Tells whether it was already, as far as is known.
    #[inline(always)]
    pub(crate) fn enter(&self, thread: Thread) -> bool {
        let Some(seat) = self.seat(thread) else {
            self.guests.fetch_add(1, Ordering::Relaxed);
            return false;
        };
        let depth = seat.depth.load(Ordering::Relaxed);
        seat.depth.store(depth.wrapping_add(1), Ordering::Relaxed);
        depth > 0
    }

    /// The end of one [`enter`](Self::enter).
    #[inline(always)]
    pub(crate) fn leave(&self, thread: Thread) {
        match self.seat(thread) {
            Some(seat) => {
                let depth = seat.depth.load(Ordering::Relaxed);
                seat.depth.store(depth.wrapping_sub(1), Ordering::Release);
            }
            None => self.leave_as_guest(),
        }
    }

    #[cold]
    fn leave_as_guest(&self) {
        // Zero already, if a guest forked inside a lock and this is the child.
        let less = |guests: u32| guests.checked_sub(1);
        let _ = self.guests.fetch_update(Ordering::Release, Ordering::Relaxed, less);
    }

    #[inline(always)]
    fn seat(&self, thread: Thread) -> Option<&Seat> {
        let seat = &self.seats[thread.hash(SEAT_BITS)];
        if seat.owner.load(Ordering::Relaxed) == thread.0 {
            Some(seat)
        } else {
            self.find_seat(thread)
        }
    }

    /// Its own seat near by, or one that is nobody's and now its own. `None` always, or never:
    /// nobody gives up a seat.
    #[cold]
    fn find_seat(&self, thread: Thread) -> Option<&Seat> {
        (0..TRIES).find_map(|next| {
            let seat = &self.seats[(thread.hash(SEAT_BITS) + next) % self.seats.len()];
            let taken =
                seat.owner.compare_exchange(0, thread.0, Ordering::Relaxed, Ordering::Relaxed);
            let is_own = taken.is_ok() || taken == Err(thread.0);
            is_own.then_some(seat)
        })
    }

    /// Whether `thread` is the one that shut the gate.
    pub(crate) fn is_shut_by(&self, thread: Thread) -> bool {
        self.forking.load(Ordering::Relaxed) == thread.0
    }

    /// Waits until the gate is open. Opens it when the fork takes too long.
    #[cold]
    pub(crate) fn wait_until_open(&self) {
        #[cfg(not(loom))]
        let began = Instant::now();
        loop {
            let opened = self.opened.load(Ordering::Acquire);
            if State(self.state.load(Ordering::Acquire)).is_open() {
                return;
            }
            futex::wait(&raw const self.opened, opened, SHUT_FOR);
            #[cfg(not(loom))]
            if began.elapsed() >= SHUT_FOR {
                self.state.fetch_and(THREAD - 1, Ordering::AcqRel);
                self.wake_all();
                return;
            }
        }
    }

    /// Whether a lock with this word belongs to a thread that is not in this process.
    #[inline]
    pub(crate) fn is_abandoned(&self, word: u64) -> bool {
        let age = generation(self.state.load(Ordering::Relaxed)).wrapping_sub(generation(word));
        word != 0 && age != 0 && {
            let is_survivor = Thread::of(word).0 == self.survivor.load(Ordering::Relaxed);
            let age = age % (THREAD / GENERATION);
            !(is_survivor && age <= self.survived.load(Ordering::Relaxed))
        }
    }

    /// The generation of this process: another one in the child of a fork.
    #[inline(always)]
    pub(crate) fn generation(&self) -> u32 {
        (self.state.load(Ordering::Relaxed) % THREAD) as u32
    }

    // --- Forking ---

    /// Before a fork: shuts the gate, and waits until nobody else is inside. False if somebody
    /// stayed.
    pub(crate) fn shut(&self, thread: Thread) -> bool {
        self.forking.store(thread.0, Ordering::Relaxed);
        self.state.fetch_add(THREAD, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        #[cfg(not(loom))]
        let began = Instant::now();
        let mut turn = 0;
        while !self.is_quiet(thread) {
            #[cfg(not(loom))]
            if began.elapsed() >= QUIET_WITHIN {
                return false;
            }
            self.pause(turn);
            turn += 1;
        }
        true
    }

    /// Lets others run: a moment at first, then longer.
    fn pause(&self, turn: u32) {
        const LONGER: Duration = Duration::from_micros(50);
        if cfg!(loom) || turn >= 20 {
            // Nobody opens it meanwhile. (A sleep, but no point where the thread is cancelled.)
            futex::wait(&raw const self.opened, self.opened.load(Ordering::Relaxed), LONGER);
        } else {
            std::thread::yield_now();
        }
    }

    /// Whether no other thread is inside.
    pub(crate) fn is_quiet(&self, thread: Thread) -> bool {
        let is_empty = |seat: &Seat| {
            seat.depth.load(Ordering::Acquire) == 0
                || seat.owner.load(Ordering::Relaxed) == thread.0
        };
        self.guests.load(Ordering::Acquire) == 0 && self.seats.iter().all(is_empty)
    }

    /// After a fork, in the parent.
    pub(crate) fn open(&self) {
        // Open already, if somebody has waited too long.
        let less = |state| if State(state).is_open() { None } else { Some(state - THREAD) };
        let _ = self.state.fetch_update(Ordering::Release, Ordering::Relaxed, less);
        if self.state().is_open() {
            self.forking.store(0, Ordering::Relaxed);
        }
        self.wake_all();
    }

    fn wake_all(&self) {
        self.opened.fetch_add(1, Ordering::Release);
        futex::wake(&raw const self.opened, i32::MAX);
    }

    /// After a fork, in the child, whose only thread this is: the next generation begins.
    pub(crate) fn begin_generation(&self, thread: Thread) {
        let is_same = self.survivor.swap(thread.0, Ordering::Relaxed) == thread.0;
        let before = if is_same { self.survived.load(Ordering::Relaxed) } else { 0 };
        self.survived.store(before + 1, Ordering::Relaxed);
        self.forget_others(thread);
        self.forking.store(0, Ordering::Relaxed);
        self.begin_next();
    }

    /// Notes which process this is.
    pub(crate) fn know_process(&self, process: u32) {
        self.process.store(process, Ordering::Relaxed);
    }

    /// Begins the next generation if this process is the child of a fork that nobody announced.
    /// Other threads may run by now.
    #[cold]
    pub(crate) fn recognise_child(&self) {
        let process = std::process::id();
        let known = self.process.load(Ordering::Relaxed);
        let is_child = known != 0 && known != process;
        if is_child
            && self
                .process
                .compare_exchange(known, process, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
        {
            self.survivor.store(0, Ordering::Relaxed);
            self.forking.store(0, Ordering::Relaxed);
            self.begin_next();
        }
    }

    /// An open gate, in the next generation.
    fn begin_next(&self) {
        let next = generation(self.state.load(Ordering::Relaxed)) + 1;
        let next = next % (THREAD / GENERATION);
        self.state.store(next * GENERATION, Ordering::Release);
    }

    /// Empties the seats of threads that are not in this process. Writes nothing that is right.
    fn forget_others(&self, thread: Thread) {
        for seat in &self.seats {
            let is_other = seat.owner.load(Ordering::Relaxed) != thread.0;
            if is_other && seat.depth.load(Ordering::Relaxed) != 0 {
                seat.depth.store(0, Ordering::Relaxed);
            }
        }
        if self.guests.load(Ordering::Relaxed) != 0 {
            self.guests.store(0, Ordering::Relaxed);
        }
    }
}
