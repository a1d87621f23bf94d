//! The lock and its gate under every order of loads and stores that the memory model allows.
//! `tests/loom.sh` runs it.

use loom::model::Builder;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicU64, Ordering};
use loom::thread;

use crate::gate::{Gate, Thread};
use crate::raw::RawLock;

/// Two values that are changed together under the lock. (Relaxed: what orders them is the lock.)
struct Pair {
    gate: Gate,
    lock: RawLock,
    a: AtomicU64,
    b: AtomicU64,
}

fn pair() -> Arc<Pair> {
    let (a, b) = (AtomicU64::new(0), AtomicU64::new(0));
    Arc::new(Pair { gate: Gate::new(), lock: RawLock::new(), a, b })
}

fn name(number: u64) -> Thread {
    Thread::at(number * 0x1000)
}

impl Pair {
    fn values(&self) -> (u64, u64) {
        (self.a.load(Ordering::Relaxed), self.b.load(Ordering::Relaxed))
    }

    fn change(&self, thread: Thread) {
        self.lock.lock(&self.gate, thread);
        let (a, b) = self.values();
        assert_eq!(a, b, "one at a time");
        self.a.store(a + 1, Ordering::Relaxed);
        self.b.store(b + 1, Ordering::Relaxed);
        self.lock.unlock(&self.gate);
    }
}

fn check(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(model);
}

#[test]
fn one_thread_at_a_time() {
    check(|| {
        let pair = pair();
        let other = pair.clone();
        let thread = thread::spawn(move || other.change(name(2)));
        pair.change(name(1));
        thread.join().unwrap();
        assert_eq!(pair.values(), (2, 2));
    });
}

/// What a fork copies after it has shut the gate is whole: nothing changes until it opens.
#[test]
fn nobody_is_inside_while_the_gate_is_shut() {
    check(|| {
        let pair = pair();
        let other = pair.clone();
        let changing = thread::spawn(move || other.change(name(2)));
        assert!(pair.gate.shut(name(1)));
        let (a, b) = pair.values();
        assert_eq!(a, b);
        // It takes the lock itself.
        pair.change(name(1));
        assert_eq!(pair.values(), (a + 1, b + 1));
        pair.gate.open();
        changing.join().unwrap();
        assert_eq!(pair.values(), (2, 2));
    });
}

/// Two that fork at once: the gate opens when both have.
#[test]
fn two_may_fork_at_once() {
    check(|| {
        let pair = pair();
        let other = pair.clone();
        let forking = thread::spawn(move || {
            assert!(other.gate.shut(name(2)));
            let (a, b) = other.values();
            assert_eq!(a, b);
            other.gate.open();
        });
        assert!(pair.gate.shut(name(1)));
        pair.gate.open();
        pair.change(name(1));
        forking.join().unwrap();
        pair.change(name(1));
        assert_eq!(pair.values(), (2, 2));
    });
}
