//! Many threads on one cache.

use sslcache_engine::{Cause, Expiry, Insertion, Key, SessionCache};
use sslcache_sync::fork::ends_well_in_a_child;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::time::Duration;

const THREADS: u64 = 4;

#[derive(Clone)]
struct Session(Arc<u64>);

impl PartialEq for Session {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

fn key(n: u64) -> Key {
    Key::new(771, &n.to_be_bytes()).unwrap()
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let x = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (x ^ x >> 31) % n
    }
}

/// Runs `f` in a thread of its own and fails when it takes too long: a deadlock.
fn within_seconds(seconds: u64, f: impl FnOnce() + Send + 'static) {
    let (done, is_done) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        f();
        let _ = done.send(());
    });
    match is_done.recv_timeout(Duration::from_secs(seconds)) {
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("no end after {seconds} s: a deadlock?"),
        _ => thread.join().unwrap(),
    }
}

/// Runs `f` in several threads at once. Each is joined: leaving a scope is not enough for
/// ThreadSanitizer, which does not see how std waits there.
fn in_threads(f: impl Fn(u64) + Sync) {
    let barrier = Barrier::new(THREADS as usize);
    std::thread::scope(|scope| {
        let (f, barrier) = (&f, &barrier);
        let start = |thread| {
            scope.spawn(move || {
                barrier.wait();
                f(thread);
            })
        };
        let threads: Vec<_> = (0..THREADS).map(start).collect();
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

fn insert(cache: &SessionCache<Session>, key: Key, expiry: Expiry, session: Session) {
    match cache.insert(key, expiry, session) {
        Insertion::Added { replaced, evicted } => drop((replaced, evicted.count())),
        Insertion::AlreadyThere(_) => {}
        Insertion::NoMemory(_) => panic!("no memory"),
    }
}

fn hammer(cache: &SessionCache<Session>, sessions: &[Session], seed: u64, rounds: u64) {
    let mut random = Random(seed);
    for _ in 0..rounds {
        let n = random.below(sessions.len() as u64);
        let session = &sessions[n as usize];
        // Some sessions share a key and replace each other.
        let key = key(n - n % 2 * random.below(2));
        let expiry = Expiry::at(random.below(50) as i64);
        match random.below(100) {
            0..45 => insert(cache, key, expiry, session.clone()),
            45..65 => {
                if let Some(found) = cache.get(&key) {
                    assert!(*found.0 / 2 == n / 2, "the session of this key or its neighbour");
                }
            }
            65..77 => drop(cache.remove(&key)),
            77..84 => drop(cache.take(&key)),
            84..92 => drop(cache.reschedule(&key, session, expiry)),
            92..94 => assert!(cache.flush(random.below(40) as i64).take(3).count() <= 3),
            94..96 => cache.set_capacity([1, 10, 200, 1000, usize::MAX][random.below(5) as usize]),
            96 => cache.for_each(|_, session| assert!(*session.0 < 1_000_000)),
            97 => assert!(cache.statistics().stored < u64::MAX / 2),
            _ => assert!(cache.len() < 1_000_000),
        }
    }
}

/// Every reference is accounted for: one in `sessions`, one in the cache if it is there.
fn check_references(cache: &SessionCache<Session>, sessions: &[Session]) {
    let mut held: HashMap<u64, usize> = HashMap::new();
    let mut count = 0;
    cache.for_each(|_, session| {
        *held.entry(*session.0).or_default() += 1;
        count += 1;
    });
    assert_eq!(count, cache.len());
    for (n, session) in sessions.iter().enumerate() {
        let here = held.get(&(n as u64)).copied().unwrap_or(0);
        assert_eq!(Arc::strong_count(&session.0), 1 + here, "session {n}");
    }
}

fn sessions(n: u64) -> Vec<Session> {
    (0..n).map(|n| Session(Arc::new(n))).collect()
}

/// Hammers one cache and checks it when all is quiet.
fn hammered(capacity: usize, ids: u64, rounds: u64, seed: u64) {
    let cache = SessionCache::new(capacity);
    let sessions = sessions(ids);
    in_threads(|thread| hammer(&cache, &sessions, seed << 32 | thread, rounds));
    cache.validate();
    check_references(&cache, &sessions);
    let statistics = cache.statistics();
    assert_eq!(statistics.held as usize, cache.len());
    let left = statistics.replaced
        + statistics.removed
        + statistics.taken
        + statistics.evicted
        + statistics.flushed;
    assert_eq!(statistics.stored, left + statistics.held);
    drop(cache);
    assert!(sessions.iter().all(|session| Arc::strong_count(&session.0) == 1));
}

#[test]
fn nothing_is_lost_or_doubled_under_any_mix() {
    within_seconds(60, || {
        for seed in 0..4 {
            hammered(usize::MAX, 2000, 6_000, seed);
            hammered(20, 60, 6_000, seed);
        }
    });
}

/// Many short runs, so that a cache is often small and growing.
#[test]
fn growth_loses_nothing() {
    within_seconds(60, || {
        for seed in 0..60 {
            hammered(usize::MAX, 2000, 300, seed);
        }
    });
}

/// The capacity holds whenever all threads are quiet, however they raced.
#[test]
fn the_capacity_holds_when_all_is_quiet() {
    within_seconds(60, || {
        for round in 0..400u64 {
            let capacity = [1, 2, 3, 5, 300][round as usize % 5];
            let cache = SessionCache::new(capacity);
            in_threads(|thread| {
                let mut random = Random(round << 32 | thread);
                for n in 0..capacity as u64 + 5 {
                    let id = key(thread << 32 | n);
                    let expiry = Expiry::at(random.below(3) as i64);
                    insert(&cache, id, expiry, Session(Arc::new(n)));
                    if random.below(4) == 0 {
                        drop(cache.remove(&id));
                    }
                }
                insert(&cache, key(thread), Expiry::at(0), Session(Arc::new(0)));
            });
            cache.validate();
            assert!(cache.len() <= capacity, "{} > {capacity}", cache.len());
            assert!(!cache.is_empty());
        }
    });
}

#[test]
fn of_many_takers_exactly_one_wins() {
    within_seconds(60, || {
        let cache = SessionCache::new(usize::MAX);
        for n in 0..500 {
            insert(&cache, key(n), Expiry::NEVER, Session(Arc::new(n)));
        }
        let wins = AtomicUsize::new(0);
        in_threads(|_| {
            for n in 0..500 {
                if let Some(session) = cache.take(&key(n)) {
                    assert_eq!(*session.0, n);
                    wins.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        assert_eq!(wins.into_inner(), 500);
        let statistics = cache.statistics();
        assert_eq!((statistics.taken, statistics.hits), (500, 500));
        assert_eq!(statistics.misses(), 500 * (THREADS - 1));
        assert!(cache.is_empty());
        cache.validate();
    });
}

/// A session whose end uses the cache it was in, as a callback may: a deadlock if that happens
/// under a lock.
struct Reentrant {
    cache: std::sync::Weak<SessionCache<ReentrantRef>>,
    n: u64,
    ends: Arc<AtomicUsize>,
}

#[derive(Clone)]
struct ReentrantRef(Arc<Reentrant>);

impl PartialEq for ReentrantRef {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Drop for Reentrant {
    fn drop(&mut self) {
        self.ends.fetch_add(1, Ordering::Relaxed);
        if let Some(cache) = self.cache.upgrade() {
            // Should this thread hold the lock, it ends here.
            drop(cache.peek(&key(self.n)));
            drop(cache.remove(&key(self.n + 1_000_000)));
        }
    }
}

#[test]
fn no_session_ends_under_a_lock() {
    within_seconds(60, || {
        let ends = Arc::new(AtomicUsize::new(0));
        let cache = Arc::new(SessionCache::new(usize::MAX));
        let new = |n| {
            ReentrantRef(Arc::new(Reentrant {
                cache: Arc::downgrade(&cache),
                n,
                ends: ends.clone(),
            }))
        };
        let add = |n, session| match cache.insert(key(n), Expiry::at(n as i64), session) {
            Insertion::Added { replaced, evicted } => replaced.is_some() as usize + evicted.count(),
            _ => panic!("not added"),
        };
        for n in 0..400 {
            add(n, new(n));
        }
        assert!((0..100).all(|n| add(n, new(n)) == 1), "replaced");
        drop((0..10).map(|n| cache.take(&key(n))).collect::<Vec<_>>());
        drop((10..20).map(|n| cache.remove(&key(n))).collect::<Vec<_>>());
        drop(cache.get(&key(30)));
        cache.set_capacity(300);
        assert_eq!(add(1000, new(1000)), 81);
        assert_eq!(cache.flush(200).count(), 99);
        cache.for_each(|_, session| assert!(session.0.n < 2000));
        assert_eq!(cache.flush_all(Cause::Closed).count(), 201);
        assert_eq!(ends.load(Ordering::Relaxed), 501);
        assert!(cache.is_empty());
        cache.validate();
        add(1, new(1));
        drop(cache);
        assert_eq!(ends.load(Ordering::Relaxed), 502);
    });
}

/// What a remove callback may do: add the session again, while it is being flushed.
#[test]
fn a_session_added_again_during_a_flush_is_not_flushed_again() {
    within_seconds(60, || {
        for n in [3, 1000] {
            let cache = SessionCache::new(usize::MAX);
            for (i, session) in sessions(n).into_iter().enumerate() {
                insert(&cache, key(i as u64), Expiry::at(5), session);
            }
            let mut flushed = 0;
            for session in cache.flush(6) {
                flushed += 1;
                insert(&cache, key(*session.0), Expiry::at(5), session);
                // Those not handed out yet are still counted, as OpenSSL does.
                assert_eq!(cache.len() as u64, n);
            }
            assert_eq!(flushed, n);
            assert_eq!(cache.len() as u64, n);
            cache.validate();
        }
    });
}

/// A process forks while its threads change the cache: the child has it whole, and what nobody
/// touched is still there.
#[test]
fn a_child_has_a_whole_and_warm_cache() {
    const KEPT: u64 = 1000;
    const FORKS: usize = 50;
    within_seconds(60, || {
        let cache = SessionCache::new(usize::MAX);
        let kept = sessions(KEPT);
        for (n, session) in (1_000_000..).zip(&kept) {
            insert(&cache, key(n), Expiry::NEVER, session.clone());
        }
        let changing = sessions(500);
        let forking = AtomicBool::new(true);
        let warm = std::thread::scope(|scope| {
            for seed in 0..THREADS {
                let (cache, changing, forking) = (&cache, &changing, &forking);
                scope.spawn(move || {
                    while forking.load(Ordering::Relaxed) {
                        change(cache, changing, seed);
                    }
                });
            }
            let warm = || {
                ends_well_in_a_child(|| {
                    assert!(cache.len() <= kept.len() + changing.len());
                    cache.validate();
                    (0..KEPT).for_each(|n| assert!(cache.contains(&key(1_000_000 + n))));
                    change(&cache, &changing, 0);
                    cache.validate();
                })
            };
            let warm = (0..FORKS).filter(|_| warm()).count();
            forking.store(false, Ordering::Relaxed);
            warm
        });
        assert!(warm * 100 >= FORKS * 95, "{warm} of {FORKS}");
        cache.validate();
    });
}

/// Adds, removes and flushes sessions that come and go.
fn change(cache: &SessionCache<Session>, sessions: &[Session], seed: u64) {
    let mut random = Random(seed);
    for _ in 0..100 {
        let n = random.below(sessions.len() as u64);
        match random.below(1000) {
            0..600 => {
                let expiry = Expiry::at(random.below(50) as i64);
                insert(cache, key(n), expiry, sessions[n as usize].clone());
            }
            600..999 => drop(cache.remove(&key(n))),
            _ => drop(cache.flush(random.below(40) as i64)),
        }
    }
}

/// Half of the threads add and remove, so that index and entries grow, move and are used again; the
/// others look up what is always there, and what never is.
#[test]
fn a_look_up_without_the_lock_sees_what_is_there_and_nothing_else() {
    const KEPT: u64 = 100;
    const COMING_AND_GOING: u64 = 1 << 32;
    const NEVER: u64 = 1 << 33;
    for round in 0..20 {
        let cache = SessionCache::new(usize::MAX);
        let add = |n| insert(&cache, key(n), Expiry::at(n as i64), Session(Arc::new(n)));
        (0..KEPT).for_each(add);
        let writing = AtomicUsize::new(THREADS as usize / 2);
        in_threads(|thread| {
            let mut random = Random(round * THREADS + thread);
            if thread % 2 == 0 {
                for n in 0..3000 {
                    let n = COMING_AND_GOING + n * THREADS + thread;
                    add(n);
                    assert!(cache.contains(&key(n)), "its own");
                    if random.below(3) > 0 {
                        assert!(cache.remove(&key(n)).is_some());
                        assert!(!cache.contains(&key(n)), "its own, gone");
                    }
                }
                writing.fetch_sub(1, Ordering::Relaxed);
            } else {
                while writing.load(Ordering::Relaxed) > 0 {
                    assert!(cache.contains(&key(random.below(KEPT))), "always there");
                    assert!(!cache.contains(&key(NEVER + random.below(KEPT))), "never there");
                }
            }
        });
        cache.validate();
    }
}
