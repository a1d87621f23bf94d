//! What is measured, and the numbers to reach.

use crate::build::Side;

/// A program with its arguments, and what is shown of what it prints.
#[derive(Clone)]
pub struct Case {
    pub program: &'static str,
    pub arguments: String,
    pub sides: Vec<Side>,
    /// The part of the table in which the rows stand.
    pub section: &'static str,
    pub rows: Vec<Row>,
    /// How often each side runs in each turn.
    pub repeats: usize,
    /// Not more turns than this: what takes long, or is but a point in a picture.
    pub turns: usize,
}

/// One line of the table.
#[derive(Clone)]
pub struct Row {
    pub title: String,
    /// The name of the figure.
    pub figure: &'static str,
    pub goal: Goal,
}

/// The number to reach.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Goal {
    /// None is set.
    Nothing,
    /// Standalone so many times as good as libssl.
    Times(f64),
    /// Standalone at most this, in the figure's unit.
    AtMost(f64),
    /// Interposed so many times as good as libssl.
    InterposedTimes(f64),
    /// Interposed at most so much more than libssl, in the figure's unit.
    InterposedMore(f64),
}

use Goal::{AtMost, InterposedMore, InterposedTimes, Nothing, Times};

impl Case {
    /// On all sides, for the pictures alone.
    pub fn new(program: &'static str, arguments: impl Into<String>) -> Case {
        let sides = Side::ALL.to_vec();
        let arguments = arguments.into();
        Case { program, arguments, sides, section: "", rows: Vec::new(), repeats: 1, turns: 3 }
    }

    /// Whether it is the same measurement, whatever is shown of it.
    pub fn is(&self, other: &Case) -> bool {
        self.program == other.program && self.arguments == other.arguments
    }
}

fn case(program: &'static str, arguments: impl Into<String>, rows: Vec<Row>) -> Case {
    Case { rows, turns: usize::MAX, ..Case::new(program, arguments) }
}

fn row(title: impl Into<String>, figure: &'static str, goal: Goal) -> Row {
    Row { title: title.into(), figure, goal }
}

/// 20480 as "20,480".
pub fn grouped(n: usize) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// All rows of the table.
pub fn all(quick: bool) -> Vec<Case> {
    let sections = [
        ("One thread", one_thread(quick)),
        ("Several threads", threads(quick)),
        ("Waits", waits(quick)),
        ("Memory", vec![memory()]),
        ("Contexts", vec![contexts(quick)]),
        ("Handshakes", handshakes(quick)),
    ];
    let in_section = |(section, cases): (_, Vec<Case>)| {
        cases.into_iter().map(move |case| Case { section, ..case })
    };
    sections.into_iter().flat_map(in_section).collect()
}

const MILLION: usize = 1_000_000;
/// Of timeouts that are mixed: 300 to 7500 seconds.
pub const MIXED: usize = 7200;

/// A look-up in a cache of this size.
pub fn lookup(sessions: usize) -> Case {
    large(sessions, Case::new("lookup", format!("--sessions {sessions} --seconds 0.3")))
}

/// An add to a full cache of this size, whose timeouts differ by up to `spread` seconds.
pub fn add(sessions: usize, spread: usize) -> Case {
    let arguments = format!("--sessions {sessions} --spread {spread} --seconds 0.3");
    large(sessions, Case::new("store", arguments))
}

/// Filling takes much longer than measuring.
fn large(sessions: usize, case: Case) -> Case {
    if sessions <= MILLION {
        return case;
    }
    Case { sides: vec![Side::Libssl, Side::Standalone], turns: 2, ..case }
}

/// So many threads; so many of 100 operations remove a session and add it again, the others look
/// up.
pub fn mix(sessions: usize, writes: usize, threads: usize) -> Case {
    let arguments =
        format!("--sessions {sessions} --writes {writes} --threads {threads} --seconds 0.5");
    Case::new("mix", arguments)
}

/// What another thread's look-ups or adds wait during this action on a million sessions.
pub fn pause(action: &str, operation: &str) -> Case {
    Case::new(
        "pause",
        format!("--action {action} --operation {operation} --sessions {MILLION} --curve yes"),
    )
}

/// As a row of the table: measured in every turn, unless it takes too long.
fn shown(case: Case, rows: Vec<Row>) -> Case {
    let turns = if case.turns < 3 { case.turns } else { usize::MAX };
    Case { rows, turns, ..case }
}

fn one_thread(quick: bool) -> Vec<Case> {
    let mut cases = Vec::new();
    for (sessions, goal) in [(20_480, Times(5.0)), (MILLION, Times(4.0))] {
        let title = format!("look-up, {} sessions", grouped(sessions));
        cases.push(shown(lookup(sessions), vec![row(title, "lookup", goal)]));
    }
    cases.push(case(
        "lookup",
        "--prefix 8 --seconds 0.3",
        vec![row("look-up, 20,480 ids that share 8 bytes", "lookup", Times(1000.0))],
    ));
    cases.push(case(
        "lookup",
        "--misses yes --seconds 0.3",
        vec![row("look-up of nothing, 20,480 sessions", "lookup", Nothing)],
    ));
    let sizes =
        if quick { vec![20_480] } else { vec![10, 1_000, 20_480, 200_000, MILLION, 4 * MILLION] };
    for (spread, timeouts, goal) in [(0, "equal", Times(1.0)), (MIXED, "mixed", AtMost(1000.0))] {
        for &size in &sizes {
            let title = format!("add, full cache of {}, {timeouts} timeouts", grouped(size));
            cases.push(shown(add(size, spread), vec![row(title, "add", goal)]));
        }
    }
    cases.push(case(
        "store",
        format!("--operation readd --sessions {MILLION} --seconds 0.3"),
        vec![row("remove + add, not the youngest, 1,000,000 sessions", "readd", Times(5000.0))],
    ));
    cases
}

fn threads(quick: bool) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut push = |what: &str, sessions: usize, writes: usize, threads: usize, goal: Goal| {
        let title = format!("{what}, {} sessions, {threads} threads", grouped(sessions));
        cases.push(shown(mix(sessions, writes, threads), vec![row(title, "operations", goal)]));
    };
    let sizes = if quick { vec![20_480] } else { vec![10, 1_000, 20_480, MILLION] };
    for &size in &sizes {
        push("look-ups", size, 0, 16, Times(1.0));
    }
    push("95% look-up, 5% remove + add", 20_480, 5, 8, Times(10.0));
    push("90% look-up, 10% remove + add", 20_480, 10, 8, Times(10.0));
    if !quick {
        for &size in &sizes {
            push("95% look-up, 5% remove + add", size, 5, 16, Nothing);
        }
        push("90% look-up, 10% remove + add", 20_480, 10, 16, Nothing);
    }
    let title = "90% look-up, 10% remove + add, not the youngest, 20,480 sessions, 8 threads";
    cases.push(case("mix", "--apart yes", vec![row(title, "operations", Nothing)]));
    cases
}

/// The actions, and what happens during them.
pub const ACTIONS: [(&str, &str); 5] = [
    ("flush", "1,000,000 sessions are flushed"),
    ("shrink", "a cache of 1,000,000 is shrunk to 10,000"),
    ("free", "another context with 1,000,000 is freed"),
    ("grow", "another thread adds, up to 1,000,000"),
    ("fill", "another thread adds to a full cache of 1,000,000"),
];

fn waits(quick: bool) -> Vec<Case> {
    let mut cases = Vec::new();
    let actions = if quick { &ACTIONS[..1] } else { &ACTIONS };
    for (operation, of) in [("lookup", "a look-up"), ("add", "an add")] {
        for &(action, during) in actions {
            let longest = format!("longest wait of {of} while {during}");
            // The first add to a cache that became too small makes it small, in OpenSSL as here: no
            // wait, but work that a program can see done.
            let is_the_work = (action, operation) == ("shrink", "add");
            let goal = if is_the_work { Nothing } else { AtMost(1000.0) };
            let mut rows = vec![
                row(longest, "wait_longest", goal),
                row("&emsp;at 99% of all moments no longer than", "wait_p99", Nothing),
            ];
            match (action, operation) {
                ("grow" | "fill", _) => rows.push(row("&emsp;it adds", "adds", Nothing)),
                (_, "lookup") => rows.push(row("&emsp;the whole takes", "action", Nothing)),
                _ => {}
            }
            if (action, operation) == ("flush", "lookup") {
                let before = "&emsp;longest wait before, when nothing happens";
                rows.push(row(before, "idle_longest", Nothing));
            }
            cases.push(shown(pause(action, operation), rows));
        }
    }
    cases
}

fn memory() -> Case {
    case(
        "memory",
        format!("--sessions {MILLION}"),
        vec![
            row("memory of the cache per session, of 1,000,000", "cache", AtMost(100.0)),
            row("&emsp;as the system counts it", "cache_resident", Nothing),
            row("memory of a session itself", "session", Nothing),
        ],
    )
}

fn contexts(quick: bool) -> Case {
    let contexts = if quick { 1_000 } else { 10_000 };
    let many = grouped(contexts);
    let rows = vec![
        row("memory of an idle context", "context", InterposedMore(200.0)),
        row("memory of 10 sessions in a context, beyond them", "context_cache", Nothing),
        row(format!("SSL_CTX_new, {many} of them"), "context_new", InterposedTimes(1.0)),
        row("SSL_CTX_free with 10 sessions", "context_free", Nothing),
        row(format!("SSL_SESSION_set_timeout, {many} contexts"), "set_timeout", Nothing),
    ];
    case("memory", format!("--measure contexts --contexts {contexts}"), rows)
}

/// Short, and many of them: with client and server in all threads, they differ most from run to
/// run.
fn handshakes(quick: bool) -> Vec<Case> {
    let mut cases = Vec::new();
    for (version, name) in [("tls12", "TLS 1.2"), ("tls13", "TLS 1.3")] {
        for (flag, kind) in [("", "full"), ("--resume", "resumed")] {
            for threads in [1, 4] {
                for (cached, before) in [
                    ("", "empty cache"),
                    ("--cached 200000 --timeouts equal", "200,000 of equal timeouts"),
                    ("--cached 200000 --timeouts mixed", "200,000 of mixed timeouts"),
                ] {
                    let in_quick = threads == 4 && !cached.contains("equal");
                    if quick && !in_quick {
                        continue;
                    }
                    let arguments = format!(
                        "--version {version} {flag} --threads {threads} {cached} --seconds 0.3"
                    );
                    let s = if threads == 1 { "" } else { "s" };
                    let title = format!("{kind} {name} handshakes, {threads} thread{s}, {before}");
                    let rows = vec![row(title, "handshakes", InterposedTimes(1.0))];
                    let sides = vec![Side::Libssl, Side::Interposed];
                    let repeats = if quick { 1 } else { 3 };
                    cases.push(Case { sides, repeats, ..case("rate", arguments, rows) });
                }
            }
        }
    }
    cases
}
