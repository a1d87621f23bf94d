//! The engine against a naive model: long random sequences of operations on both, every result,
//! the order of departures and the length compared, every invariant checked after each step.
//! Some operations find no memory: they must do their work without it, or nothing at all.

#![allow(missing_docs)]

use proptest::prelude::*;
use sslcache_engine::{Cause, Departures, Expiry, Insertion, Key, SessionCache};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ptr::null_mut;
use std::rc::Rc;

/// The system's allocator, but for a thread that has only so many allocations left.
struct Scarce;

thread_local! {
    static LEFT: Cell<usize> = const { Cell::new(usize::MAX) };
}

// SAFETY: every call is passed on to the system's allocator as it is, or refused with NULL, which
// an allocator may always do.
unsafe impl GlobalAlloc for Scarce {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match LEFT.get() {
            0 => return null_mut(),
            usize::MAX => {}
            left => LEFT.set(left - 1),
        }
        // SAFETY: the caller's promise is the one that is asked for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: it was allocated there, with this layout.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Scarce = Scarce;

/// Runs `f` with so many allocations left, if that is limited.
fn with_memory<R>(left: Option<usize>, f: impl FnOnce() -> R) -> R {
    LEFT.set(left.unwrap_or(usize::MAX));
    let result = f();
    LEFT.set(usize::MAX);
    result
}

/// A session. Equal only to itself; `live` counts what was neither dropped nor leaked.
#[derive(Clone)]
struct Session(Rc<Body>);

struct Body {
    number: usize,
    live: Rc<Cell<usize>>,
}

impl Drop for Body {
    fn drop(&mut self) {
        self.live.set(self.live.get() - 1);
    }
}

impl PartialEq for Session {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

fn number(session: Session) -> usize {
    session.0.number
}

/// A session in the model.
#[derive(Clone)]
struct Held {
    expiry: Expiry,
    key: Key,
    session: usize,
    /// How many flushes had begun when it got its place.
    epoch: usize,
    /// Stays the same until it leaves, even if it is replaced.
    stay: usize,
}

/// What the cache should be: its sessions in order of departure.
#[derive(Default)]
struct Model {
    /// Sorted by expiry, then by insertion.
    held: Vec<Held>,
    capacity: usize,
    flushes: usize,
    stays: usize,
    shrinking: bool,
    hits: u64,
    misses: u64,
}

/// What is to leave.
enum Leaving {
    Nothing,
    Evicted { first: Option<usize>, spared: usize, most: usize },
    Flush { now: Option<i64>, epoch: usize },
}

impl Model {
    fn at(&self, key: &Key) -> Option<usize> {
        self.held.iter().position(|held| held.key == *key)
    }

    fn find(&self, key: &Key) -> Option<usize> {
        self.at(key).map(|at| self.held[at].session)
    }

    fn remove(&mut self, key: &Key) -> Option<usize> {
        self.at(key).map(|at| self.held.remove(at).session)
    }

    fn link(&mut self, key: Key, expiry: Expiry, session: usize, stay: usize) {
        let at = self.held.partition_point(|held| held.expiry <= expiry);
        let epoch = self.flushes;
        self.held.insert(at, Held { expiry, key, session, epoch, stay });
    }

    fn is_over_capacity(&self) -> bool {
        self.held.len() > self.capacity.max(1)
    }

    /// `None` if this very session is there.
    fn insert(
        &mut self,
        key: Key,
        expiry: Expiry,
        session: usize,
    ) -> Option<(Option<usize>, Leaving)> {
        if self.find(&key) == Some(session) {
            return None;
        }
        let (mut replaced, mut first) = (None, None);
        let mut spared = self.stays;
        self.stays += 1;
        if let Some(at) = self.at(&key) {
            let held = self.held.remove(at);
            (replaced, spared) = (Some(held.session), held.stay);
        } else if !self.held.is_empty() && self.held.len() >= self.capacity {
            first = Some(self.held.remove(0).session);
        }
        self.link(key, expiry, session, spared);
        // One evicts all that are too many, others one more meanwhile.
        let is_over = self.is_over_capacity();
        let most = match (is_over, std::mem::replace(&mut self.shrinking, is_over)) {
            (false, _) => 0,
            (true, true) => 1,
            (true, false) => usize::MAX,
        };
        Some((replaced, Leaving::Evicted { first, spared, most }))
    }

    /// Where this very session is, under this key.
    fn held_as(&self, key: &Key, session: usize) -> Option<usize> {
        self.at(key).filter(|&at| self.held[at].session == session)
    }

    fn reschedule(&mut self, key: &Key, session: usize, expiry: Expiry) -> bool {
        let at = self.held_as(key, session);
        if let Some(at) = at {
            let stay = self.held.remove(at).stay;
            self.link(*key, expiry, session, stay);
        }
        at.is_some()
    }

    fn flush(&mut self, now: Option<i64>) -> Leaving {
        self.flushes += 1;
        Leaving::Flush { now, epoch: self.flushes }
    }

    /// The next one that leaves.
    fn next(&mut self, leaving: &mut Leaving) -> Option<usize> {
        let at = match leaving {
            Leaving::Nothing => None,
            Leaving::Evicted { first: first @ Some(_), .. } => return first.take(),
            Leaving::Evicted { most: 0, .. } => None,
            Leaving::Evicted { spared, most, .. } => {
                *most -= 1;
                self.shrinking &= self.is_over_capacity();
                let at = self.held.iter().position(|held| held.stay != *spared);
                at.filter(|_| self.is_over_capacity())
            }
            Leaving::Flush { now, epoch } => self.held.iter().position(|held| {
                held.epoch < *epoch && now.is_none_or(|now| held.expiry.is_past(now))
            }),
        };
        if at.is_none() {
            *leaving = Leaving::Nothing;
        }
        at.map(|at| self.held.remove(at).session)
    }

    fn count(&mut self, found: Option<usize>) {
        match found {
            Some(_) => self.hits += 1,
            None => self.misses += 1,
        }
    }
}

/// One call on the cache.
#[derive(Clone, Debug)]
pub enum Operation {
    Insert {
        key: Key,
        expiry: Expiry,
        again: bool,
        memory: Option<usize>,
    },
    Get(Key),
    Peek(Key),
    Contains(Key),
    Remove(Key),
    Take(Key),
    Reschedule {
        key: Key,
        right: bool,
        expiry: Expiry,
    },
    Flush(i64),
    /// All at once, with so many allocations.
    FlushWith {
        now: i64,
        memory: usize,
    },
    FlushAll,
    SetCapacity(usize),
    /// Take this many from the oldest departures that were not consumed.
    Consume(usize),
    /// Take all of all of them.
    ConsumeAll,
    /// Drop them: what has not left stays.
    DropDepartures,
    ForEach {
        memory: Option<usize>,
    },
}

/// Few ids, so that they collide; of several lengths and in several versions.
fn key(ids: u32) -> impl Strategy<Value = Key> {
    (0..ids, prop::sample::select(vec![771, 772, -1])).prop_map(|(id, version)| {
        let bytes = id.to_be_bytes();
        let id: &[u8] = match id % 4 {
            0 => &bytes,
            1 => &bytes[1..],
            2 => &[&bytes[..], &[9; 28]].concat(),
            _ => &[&[7; 28], &bytes[..]].concat(),
        };
        Key::new(version, id).unwrap()
    })
}

fn expiry() -> impl Strategy<Value = Expiry> {
    prop_oneof![
        8 => (0..12i64).prop_map(Expiry::at),
        4 => (0..100_000i64).prop_map(Expiry::at),
        1 => Just(Expiry::NEVER),
    ]
}

/// How many allocations an operation may make: mostly any number.
fn memory() -> impl Strategy<Value = Option<usize>> {
    prop_oneof![6 => Just(None), 1 => (0..6usize).prop_map(Some)]
}

/// Any of them.
pub fn operation(ids: u32, inserts: u32) -> impl Strategy<Value = Operation> {
    let capacity =
        prop_oneof![0..4usize, 0..40usize, 200..400usize, Just(usize::MAX), Just(usize::MAX),];
    prop_oneof![
        inserts => (key(ids), expiry(), prop::bool::weighted(0.1), memory())
            .prop_map(|(key, expiry, again, memory)| Operation::Insert {
                key,
                expiry,
                again,
                memory,
            }),
        8 => key(ids).prop_map(Operation::Get),
        2 => key(ids).prop_map(Operation::Peek),
        2 => key(ids).prop_map(Operation::Contains),
        6 => key(ids).prop_map(Operation::Remove),
        5 => key(ids).prop_map(Operation::Take),
        6 => (key(ids), prop::bool::weighted(0.8), expiry())
            .prop_map(|(key, right, expiry)| Operation::Reschedule { key, right, expiry }),
        1 => (0..14i64).prop_map(Operation::Flush),
        1 => prop_oneof![Just(-1), 0..100_000i64, Just(i64::MAX)].prop_map(Operation::Flush),
        1 => (0..14i64, 0..3usize)
            .prop_map(|(now, memory)| Operation::FlushWith { now, memory }),
        1 => (prop::bool::weighted(0.1), memory()).prop_map(|(all, memory)| match all {
            true => Operation::FlushAll,
            false => Operation::ForEach { memory },
        }),
        2 => capacity.prop_map(Operation::SetCapacity),
        4 => (0..5usize).prop_map(Operation::Consume),
        4 => Just(Operation::ConsumeAll),
        1 => Just(Operation::DropDepartures),
    ]
}

struct Run<'a> {
    cache: &'a SessionCache<Session>,
    model: Model,
    sessions: Vec<Session>,
    live: Rc<Cell<usize>>,
    /// Departures that were not consumed to the end, and what they are to hand out.
    open: Vec<(Departures<'a, Session>, Leaving)>,
}

impl<'a> Run<'a> {
    fn new_session(&mut self) -> Session {
        self.live.set(self.live.get() + 1);
        let session =
            Session(Rc::new(Body { number: self.sessions.len(), live: self.live.clone() }));
        self.sessions.push(session.clone());
        session
    }

    /// The session that the model says is there, or some other one.
    fn named(&self, key: &Key, right: bool) -> Option<Session> {
        let found = self.model.find(key).filter(|_| right);
        found.map(|n| &self.sessions[n]).or(self.sessions.first()).cloned()
    }

    fn insert(&mut self, key: Key, expiry: Expiry, session: Session, memory: Option<usize>) {
        let n = session.0.number;
        let there = self.model.find(&key) == Some(n);
        match with_memory(memory, || self.cache.insert(key, expiry, session)) {
            Insertion::AlreadyThere(back) => {
                assert_eq!(number(back), n);
                assert!(self.model.insert(key, expiry, n).is_none());
            }
            Insertion::NoMemory(back) => {
                assert_eq!(number(back), n);
                assert!(memory.is_some() && !there);
            }
            Insertion::Added { replaced, evicted } => {
                let (expected, leaving) = self.model.insert(key, expiry, n).unwrap();
                assert_eq!(replaced.map(number), expected);
                self.open.push((evicted, leaving));
            }
        }
    }

    fn step(&mut self, operation: Operation) {
        let (cache, model) = (self.cache, &mut self.model);
        match operation {
            Operation::Insert { key, expiry, again, memory } => {
                let session = match model.find(&key) {
                    Some(n) if again => self.sessions[n].clone(),
                    _ => self.new_session(),
                };
                self.insert(key, expiry, session, memory);
            }
            Operation::Get(key) => {
                let found = cache.get(&key).map(number);
                assert_eq!(found, model.find(&key));
                model.count(found);
            }
            Operation::Peek(key) => assert_eq!(cache.peek(&key).map(number), model.find(&key)),
            Operation::Contains(key) => assert_eq!(cache.contains(&key), model.at(&key).is_some()),
            Operation::Remove(key) => {
                assert_eq!(cache.remove(&key).map(number), model.remove(&key));
            }
            Operation::Take(key) => {
                let taken = cache.take(&key).map(number);
                assert_eq!(taken, model.remove(&key));
                model.count(taken);
            }
            Operation::Reschedule { key, right, expiry } => {
                if let Some(session) = self.named(&key, right) {
                    let held = self.model.held_as(&key, session.0.number);
                    let before = held.map(|at| self.model.held[at].expiry);
                    assert_eq!(cache.expiry_of(&key, &session), before);
                    let expected = self.model.reschedule(&key, session.0.number, expiry);
                    assert_eq!(cache.reschedule(&key, &session, expiry), expected);
                }
            }
            Operation::Flush(now) => self.open.push((cache.flush(now), model.flush(Some(now)))),
            Operation::FlushAll => {
                self.open.push((cache.flush_all(Cause::Closed), model.flush(None)));
            }
            Operation::SetCapacity(capacity) => {
                cache.set_capacity(capacity);
                model.capacity = capacity;
                assert_eq!(cache.capacity(), capacity);
            }
            Operation::Consume(most) => {
                if let Some((departures, leaving)) = self.open.first_mut() {
                    for _ in 0..most {
                        assert_eq!(departures.next().map(number), model.next(leaving));
                        assert_eq!(cache.len(), model.held.len());
                    }
                }
            }
            Operation::ConsumeAll => {
                for (departures, mut leaving) in self.open.drain(..) {
                    departures.for_each(|session| {
                        assert_eq!(Some(number(session)), model.next(&mut leaving));
                    });
                    assert_eq!(model.next(&mut leaving), None);
                }
            }
            Operation::DropDepartures => self.open.clear(),
            Operation::FlushWith { now, memory } => {
                let mut leaving = model.flush(Some(now));
                let mut flushed = Vec::with_capacity(model.held.len());
                with_memory(Some(memory), || flushed.extend(cache.flush(now).map(number)));
                let expected: Vec<_> = std::iter::from_fn(|| model.next(&mut leaving)).collect();
                assert_eq!(flushed, expected);
            }
            Operation::ForEach { memory } => {
                let mut seen = Vec::with_capacity(model.held.len());
                with_memory(memory, || {
                    cache.for_each(|key, session| {
                        assert!(model.find(key) == Some(session.0.number));
                        seen.push(session.0.number);
                    });
                });
                seen.sort_unstable();
                seen.dedup();
                assert_eq!(seen.len(), model.held.len(), "each session once");
            }
        }
    }

    fn check(&self) {
        self.cache.validate();
        let expected = self.model.held.len();
        assert_eq!(self.cache.len(), expected);
        assert_eq!(self.cache.is_empty(), expected == 0);
    }
}

/// Runs them on the engine and on the model, and compares.
pub fn run(capacity: usize, operations: Vec<Operation>) {
    let live = Rc::new(Cell::new(0));
    let cache = SessionCache::new(capacity);
    // The hash's keys are drawn with the first look-up of the process, the one allocation that has
    // to succeed: before memory is made scarce.
    assert!(!cache.contains(&Key::new(0, b"").unwrap()));
    let mut run = Run {
        cache: &cache,
        model: Model { capacity, ..Model::default() },
        sessions: Vec::new(),
        live: live.clone(),
        open: Vec::new(),
    };
    for operation in operations {
        run.step(operation);
        run.check();
    }
    let statistics = cache.statistics();
    assert_eq!(statistics.hits, run.model.hits);
    assert_eq!(statistics.misses(), run.model.misses);
    assert_eq!(statistics.held, run.model.held.len() as u64);
    let left = statistics.replaced
        + statistics.removed
        + statistics.taken
        + statistics.evicted
        + statistics.flushed;
    assert_eq!(statistics.stored, left + statistics.held, "all that came left or is here");

    // The references: one here, one in the cache or in departures that were not consumed.
    let first = |leaving: &Leaving| match leaving {
        Leaving::Evicted { first, .. } => *first,
        _ => None,
    };
    let open: Vec<usize> = run.open.iter().filter_map(|open| first(&open.1)).collect();
    for (n, session) in run.sessions.iter().enumerate() {
        let held = run.model.held.iter().filter(|held| held.session == n).count();
        let departing = open.iter().filter(|&&departing| departing == n).count();
        assert_eq!(Rc::strong_count(&session.0), 1 + held + departing);
    }
    drop(run);
    drop(cache);
    assert_eq!(live.get(), 0, "nothing leaked");
}

fn cases(n: u32) -> ProptestConfig {
    ProptestConfig { cases: n, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn a_small_cache_agrees_with_the_model(
        capacity in prop_oneof![Just(0), Just(1), 2..20usize, Just(usize::MAX)],
        operations in prop::collection::vec(operation(12, 30), 1..300),
    ) {
        run(capacity, operations);
    }
}

proptest! {
    #![proptest_config(cases(6))]

    /// Mostly insertions of many ids: the index grows bucket by bucket.
    #[test]
    fn a_growing_cache_agrees_with_the_model(
        capacity in prop_oneof![230..300usize, Just(usize::MAX), Just(usize::MAX)],
        operations in prop::collection::vec(operation(3000, 400), 300..900),
    ) {
        run(capacity, operations);
    }
}

/// The reasons of misses are those that they have, with 80 times more departures than sessions: but
/// for a few that are forgotten.
#[test]
fn why_sessions_are_missed_is_told_where_somebody_asks() {
    const IDS: u64 = 20_000;
    let cache: SessionCache<u64> = SessionCache::new(1000);
    cache.explain_misses();
    let key = |n: u64| Key::new(0, &n.to_be_bytes()).unwrap();
    let mut why = vec![None; IDS as usize];
    // Unknown, expired, removed, evicted.
    let mut truth = [0u64; 4];
    let mut random = 7u64;
    for time in 0..100_000i64 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let n = (random >> 33) % IDS;
        let is_there = cache.get(&key(n)).is_some();
        if !is_there {
            truth[match why[n as usize] {
                None => 0,
                Some(Cause::Expired) => 1,
                Some(Cause::Evicted) => 3,
                Some(_) => 2,
            }] += 1;
        }
        if is_there && random >> 62 == 0 {
            let cause = if n % 2 == 0 { Cause::Explicit } else { Cause::Taken };
            let gone = if n % 2 == 0 { cache.remove(&key(n)) } else { cache.take(&key(n)) };
            why[gone.unwrap() as usize] = Some(cause);
        } else if !is_there {
            let expiry = Expiry::at(time + if n % 3 == 0 { 300 } else { 3000 });
            let Insertion::Added { evicted, .. } = cache.insert(key(n), expiry, n) else {
                panic!("there is memory, and it was not there")
            };
            evicted.for_each(|n| why[n as usize] = Some(Cause::Evicted));
        }
        if time % 256 == 0 {
            cache.flush(time).for_each(|n| why[n as usize] = Some(Cause::Expired));
        }
    }
    let told = cache.statistics();
    let told = [told.misses_unknown, told.misses_expired, told.misses_removed, told.misses_evicted];
    let is_near = |(&told, truth): (&u64, u64)| told.abs_diff(truth) * 50 <= truth;
    assert!(truth.iter().all(|&truth| truth > 300), "{truth:?}");
    assert!(told.iter().zip(truth).all(is_near), "told {told:?}, true {truth:?}");
}
