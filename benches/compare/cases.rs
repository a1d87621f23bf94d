//! What is measured.

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
}

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

fn row(title: impl Into<String>, figure: &'static str) -> Row {
    Row { title: title.into(), figure }
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
        ("Memory", memory()),
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
    Case::new("lookup", format!("--sessions {sessions} --seconds 0.3"))
}

/// An add to a full cache of this size, whose timeouts differ by up to `spread` seconds.
pub fn add(sessions: usize, spread: usize) -> Case {
    Case::new("store", format!("--sessions {sessions} --spread {spread} --seconds 0.3"))
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

/// As a row of the table: measured in every turn.
fn shown(case: Case, rows: Vec<Row>) -> Case {
    Case { rows, turns: usize::MAX, ..case }
}

fn one_thread(quick: bool) -> Vec<Case> {
    let mut cases = Vec::new();
    for sessions in [20_480, MILLION] {
        let title = format!("look-up, {} sessions", grouped(sessions));
        cases.push(shown(lookup(sessions), vec![row(title, "lookup")]));
    }
    cases.push(case(
        "lookup",
        "--prefix 8 --seconds 0.3",
        vec![row("look-up, 20,480 ids that share 8 bytes", "lookup")],
    ));
    cases.push(case(
        "lookup",
        "--misses yes --seconds 0.3",
        vec![row("look-up of nothing, 20,480 sessions", "lookup")],
    ));
    let sizes = if quick { vec![20_480] } else { vec![10, 1_000, 20_480, 200_000, MILLION] };
    for (spread, timeouts) in [(0, "equal"), (MIXED, "mixed")] {
        for &size in &sizes {
            let title = format!("add, full cache of {}, {timeouts} timeouts", grouped(size));
            cases.push(shown(add(size, spread), vec![row(title, "add")]));
        }
    }
    cases.push(case(
        "store",
        format!("--operation readd --sessions {MILLION} --seconds 0.3"),
        vec![row("remove + add, not the youngest, 1,000,000 sessions", "readd")],
    ));
    cases
}

fn threads(quick: bool) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut push = |what: &str, sessions: usize, writes: usize, threads: usize| {
        let s = if threads == 1 { "" } else { "s" };
        let title = format!("{what}, {} sessions, {threads} thread{s}", grouped(sessions));
        cases.push(shown(mix(sessions, writes, threads), of_threads(title)));
    };
    let sizes = if quick { vec![20_480] } else { vec![10, 1_000, 20_480, MILLION] };
    for &size in &sizes {
        push("look-ups", size, 0, 8);
    }
    push("95% look-up, 5% remove + add", 20_480, 5, 8);
    push("90% look-up, 10% remove + add", 20_480, 10, 8);
    for &threads in if quick { &[8][..] } else { &[1, 2, 4, 8, 16] } {
        push("remove + add alone", 20_480, 100, threads);
    }
    if !quick {
        push("95% look-up, 5% remove + add", MILLION, 5, 8);
    }
    let title = "90% look-up, 10% remove + add, not the youngest, 20,480 sessions, 8 threads";
    cases.push(case("mix", "--apart yes", of_threads(title.to_owned())));
    cases
}

fn of_threads(title: String) -> Vec<Row> {
    vec![row(title, "operations"), row("&emsp;processor time of an operation", "operation")]
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
            let mut rows = vec![
                row(format!("longest wait of {of} while {during}"), "wait_longest"),
                row("&emsp;at 99.9% of all moments no longer than", "wait_p99.9"),
            ];
            match (action, operation) {
                ("grow" | "fill", _) => rows.push(row("&emsp;it adds", "adds")),
                (_, "lookup") => rows.push(row("&emsp;the whole takes", "action")),
                _ => {}
            }
            if (action, operation) == ("flush", "lookup") {
                let before = "&emsp;longest wait before, when nothing happens";
                rows.push(row(before, "idle_longest"));
            }
            cases.push(shown(pause(action, operation), rows));
        }
    }
    cases
}

fn memory() -> Vec<Case> {
    let of = |sessions: usize| {
        let title = format!("memory of the cache per session, of {}", grouped(sessions));
        let resident = row("&emsp;as the system counts it", "cache_resident");
        case("memory", format!("--sessions {sessions}"), vec![row(title, "cache"), resident])
    };
    let mut cases = vec![of(20_480), of(MILLION)];
    cases[1].rows.push(row("memory of a session itself", "session"));
    cases
}

fn contexts(quick: bool) -> Case {
    let contexts = if quick { 1_000 } else { 10_000 };
    let many = grouped(contexts);
    let rows = vec![
        row("memory of an idle context", "context"),
        row("memory of 10 sessions in a context, beyond them", "context_cache"),
        row(format!("SSL_CTX_new, {many} of them"), "context_new"),
        row("SSL_CTX_free with 10 sessions", "context_free"),
        row(format!("SSL_SESSION_set_timeout, {many} contexts"), "set_timeout"),
    ];
    case("memory", format!("--measure contexts --contexts {contexts}"), rows)
}

/// What is in the server's cache before, of timeouts from 300 seconds to a day.
const CACHED: [usize; 4] = [0, 1_000, 20_480, 200_000];

/// Processor time of both ends of a handshake, with so many sessions in the cache.
pub fn handshake(version: &str, is_resumed: bool, cached: usize) -> Case {
    let resume = if is_resumed { "--resume" } else { "" };
    let arguments =
        format!("--version {version} {resume} --cached {cached} --timeouts mixed --seconds 0.3");
    // Short, and many of them: they differ most from run to run.
    let sides = vec![Side::Libssl, Side::Interposed];
    Case { sides, repeats: 3, ..Case::new("rate", arguments) }
}

fn handshakes(quick: bool) -> Vec<Case> {
    let mut cases = Vec::new();
    for (version, name) in [("tls12", "TLS 1.2"), ("tls13", "TLS 1.3")] {
        for (is_resumed, kind) in [(false, "full"), (true, "resumed")] {
            for cached in CACHED {
                let in_quick = cached == 0 || (cached == 20_480 && !is_resumed);
                if (quick && !in_quick) || (is_resumed && (1..200_000).contains(&cached)) {
                    continue;
                }
                let before = match cached {
                    0 => "empty cache".to_owned(),
                    n => format!("{} of mixed timeouts", grouped(n)),
                };
                let title = format!("{kind} {name} handshake, {before}");
                let case = handshake(version, is_resumed, cached);
                let repeats = if quick { 1 } else { case.repeats };
                cases.push(shown(Case { repeats, ..case }, vec![row(title, "handshake")]));
            }
        }
    }
    cases
}
