//! What is measured, and the numbers to reach.

use crate::build::Side;

/// A program with its arguments, and what is shown of what it prints.
pub struct Case {
    pub program: &'static str,
    pub arguments: String,
    pub sides: Vec<Side>,
    pub rows: Vec<Row>,
    /// Seconds.
    pub time_limit: u64,
}

/// One line of the table.
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
}

use Goal::{AtMost, InterposedTimes, Nothing, Times};

fn case(program: &'static str, arguments: impl Into<String>, rows: Vec<Row>) -> Case {
    Case { program, arguments: arguments.into(), sides: Side::ALL.to_vec(), rows, time_limit: 120 }
}

fn row(title: impl Into<String>, figure: &'static str, goal: Goal) -> Row {
    Row { title: title.into(), figure, goal }
}

/// 20480 as "20,480".
pub fn grouped(n: usize) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// All measurements.
pub fn all(quick: bool) -> Vec<Case> {
    let mut cases = Vec::new();
    cases.extend(lookups(quick));
    cases.extend(mixes(quick));
    cases.extend(stores(quick));
    cases.extend(pauses(quick));
    cases.extend(memory(quick));
    cases.extend(handshakes(quick));
    cases
}

const MILLION: usize = 1_000_000;

fn seconds(quick: bool) -> &'static str {
    if quick { "0.2" } else { "0.5" }
}

fn lookups(quick: bool) -> Vec<Case> {
    let s = seconds(quick);
    let mut cases = vec![
        case(
            "lookup",
            format!("--seconds {s}"),
            vec![row("look-up, 20,480 sessions", "lookup", Times(5.0))],
        ),
        case(
            "lookup",
            format!("--sessions {MILLION} --seconds {s}"),
            vec![row("look-up, 1,000,000 sessions", "lookup", Times(4.0))],
        ),
        case(
            "lookup",
            format!("--prefix 8 --seconds {s}"),
            vec![row("look-up, 20,480 ids that share 8 bytes", "lookup", Times(1000.0))],
        ),
        case(
            "lookup",
            format!("--misses yes --seconds {s}"),
            vec![row("look-up of nothing, 20,480 sessions", "lookup", Nothing)],
        ),
    ];
    for threads in if quick { vec![8] } else { vec![1, 2, 4, 8, 16] } {
        cases.push(case(
            "lookup",
            format!("--threads {threads} --seconds {s}"),
            vec![row(format!("look-ups, 20,480 sessions, {threads} threads"), "lookups", Nothing)],
        ));
    }
    cases
}

fn mixes(quick: bool) -> Vec<Case> {
    let s = seconds(quick);
    let mixes = [
        (10, "", "", Times(10.0)),
        (5, "", "", Nothing),
        (10, "--spread yes", ", not the youngest", Nothing),
    ];
    mixes
        .map(|(writes, spread, which, goal)| {
            let looks = 100 - writes;
            let title =
                format!("{looks}% look-up, {writes}% remove + add{which}, 20,480, 8 threads");
            let arguments = format!("--writes {writes} {spread} --seconds {s}");
            case("mix", arguments, vec![row(title, "operations", goal)])
        })
        .into()
}

fn stores(quick: bool) -> Vec<Case> {
    let s = seconds(quick);
    let sizes = if quick { vec![20_480] } else { vec![1_000, 20_480, 200_000, MILLION] };
    let mut cases = vec![case(
        "store",
        format!("--timeouts equal --seconds {s}"),
        vec![row("add, full cache of 20,480, equal timeouts", "add", Nothing)],
    )];
    for size in sizes {
        let goal = if size == 20_480 { AtMost(1000.0) } else { Nothing };
        let title = format!("add, full cache of {}, mixed timeouts", grouped(size));
        let arguments = format!("--sessions {size} --timeouts mixed --seconds {s}");
        cases.push(case("store", arguments, vec![row(title, "add", goal)]));
    }
    cases.push(case(
        "store",
        format!("--operation readd --sessions {MILLION} --seconds {s}"),
        vec![row("remove + add, not the youngest, 1,000,000 sessions", "readd", Times(5000.0))],
    ));
    cases
}

fn pauses(quick: bool) -> Vec<Case> {
    let actions: &[(&str, &str)] = &[
        ("flush", "a flush of 1,000,000"),
        ("shrink", "the shrinking of 1,000,000 to 10,000"),
        ("free", "SSL_CTX_free of another 1,000,000"),
        ("grow", "the growth to 1,000,000"),
    ];
    let actions = if quick { &actions[..1] } else { actions };
    let pause = |&(action, during): &(&str, &str)| {
        let longest_goal = if action == "flush" { AtMost(1000.0) } else { Nothing };
        let rows = vec![
            row(format!("longest wait of a look-up during {during}"), "wait_longest", longest_goal),
            row("    at 99% of all moments no longer than", "wait_p99", Nothing),
            row("    the whole of it takes", "action", Nothing),
        ];
        case("pause", format!("--action {action} --sessions {MILLION}"), rows)
    };
    actions.iter().map(pause).collect()
}

fn memory(quick: bool) -> Vec<Case> {
    let contexts = if quick { 1_000 } else { 10_000 };
    let many = grouped(contexts);
    let rows = vec![
        row("memory of an idle context", "context", Nothing),
        row("memory of 10 sessions in a context, beyond them", "context_cache", Nothing),
        row(format!("SSL_CTX_new, {many} of them"), "context_new", Nothing),
        row("SSL_CTX_free with 10 sessions", "context_free", Nothing),
        row(format!("SSL_SESSION_set_timeout, {many} contexts"), "set_timeout", Nothing),
    ];
    vec![
        case(
            "memory",
            format!("--sessions {MILLION}"),
            vec![
                row("memory of the cache per session, of 1,000,000", "cache", AtMost(100.0)),
                row("    as the system counts it", "cache_resident", Nothing),
            ],
        ),
        case("memory", format!("--measure contexts --contexts {contexts}"), rows),
    ]
}

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
                    let seconds = if quick { 0.5 } else { 1.0 };
                    let arguments = format!(
                        "--version {version} {flag} --threads {threads} {cached} --seconds {seconds}"
                    );
                    let s = if threads == 1 { "" } else { "s" };
                    let title = format!("{kind} {name} handshakes, {threads} thread{s}, {before}");
                    let rows = vec![row(title, "handshakes", InterposedTimes(1.0))];
                    let sides = vec![Side::Libssl, Side::Interposed];
                    cases.push(Case { sides, ..case("rate", arguments, rows) });
                }
            }
        }
    }
    cases
}
