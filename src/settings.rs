//! The environment variables, in one table, read once.
//!
//! A new variable is a row of [`VARIABLES`], a field of [`Settings`], and an entry each in
//! README.md and docs/man/sslcache.7, which the tests below hold to the table. A new kind of value
//! is a function beside [`switch`].

use std::ffi::CStr;
use std::fmt::{self, Write};

use once_cell::race::OnceBox;
use sslcache_settings::overrides::{self, Overrides};

use crate::ffi::memory::boxed;
use crate::output::{Output, Text};
use crate::shared;
use crate::trusted_path::Refused;
use crate::undisturbed::Undisturbed;

/// What the environment says.
#[derive(Clone, Copy)]
pub struct Settings {
    /// Where statistics are written, if anywhere.
    pub stats: Option<Output>,
    /// Whether standard error is told what the library finds.
    pub verbose: bool,
    /// What is decided in place of the application.
    pub set: Overrides,
}

impl Settings {
    /// Without any variable.
    const DEFAULT: Settings = Settings { stats: None, verbose: false, set: Overrides::NONE };
}

/// One environment variable.
struct Variable {
    name: &'static CStr,
    /// The values it may have, for a complaint about another one.
    values: &'static str,
    /// The value that stands for none, for an empty one, and for one that makes no sense.
    default: &'static str,
    /// What it does, in one line: for the manual page and the README.
    #[cfg_attr(not(test), expect(dead_code))]
    help: &'static str,
    /// Takes over a value that is not empty.
    read: fn(&mut Settings, &CStr) -> Result<(), Wrong>,
}

const VARIABLES: [Variable; 4] = [
    Variable {
        name: c"SSLCACHE_SET",
        values: "size=N timeout=T tickets=off num_tickets=N replay=off cache=on or cache=off",
        default: "nothing",
        help: "decides these in place of the application, for every context",
        read: |settings, value| {
            let read = Overrides::read(value.to_bytes()).map_err(Wrong::Set);
            read.map(|set| settings.set = set)
        },
    },
    Variable {
        name: SHARED,
        values: "a path with a '/', or anonymous; then ,size=16m and others",
        default: "not shared",
        help: "has all processes that name this file in memory share one cache",
        read: |_, value| shared::attach(value).map_err(Wrong::Shared),
    },
    Variable {
        name: c"SSLCACHE_STATS",
        values: "0, 1 (standard error) or a path with a '/'",
        default: "0",
        help: "writes what each context did: when it is freed, or when the process exits",
        read: |settings, value| output(value).map(|output| settings.stats = output),
    },
    Variable {
        name: c"SSLCACHE_VERBOSE",
        values: "0 or 1",
        default: "0",
        help: "says on standard error whether there is a libssl behind the library, and which",
        read: |settings, value| switch(value).map(|switch| settings.verbose = switch),
    },
];

/// What keeps the sessions of one name or realm from another is the tier's.
const CACHE_ON_UNSHARED: &str = "cache=on needs SSLCACHE_SHARED, if only SSLCACHE_SHARED=anonymous";

/// Processes that name the same file share a cache.
const SHARED: &CStr = c"SSLCACHE_SHARED";

/// The library was loaded: attaches to what is shared, if it is there already. The program may be
/// confined before its first call.
pub fn begin() {
    if let Some(value) = environment(SHARED).filter(|value| !value.is_empty()) {
        let _undisturbed = Undisturbed::begin();
        shared::attach_if_there(value);
    }
}

/// What is wrong with a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Wrong {
    /// It is none of those that the variable may have.
    Value,
    /// It is a path, whose file is not opened.
    File(Refused),
    /// One of its words makes no sense.
    Set(overrides::Wrong),
    /// The same, or there is nothing to share.
    Shared(shared::Wrong),
}

fn switch(value: &CStr) -> Result<bool, Wrong> {
    match value.to_bytes() {
        b"0" => Ok(false),
        b"1" => Ok(true),
        _ => Err(Wrong::Value),
    }
}

fn output(value: &CStr) -> Result<Option<Output>, Wrong> {
    match switch(value) {
        Ok(wanted) => Ok(wanted.then(Output::standard_error)),
        Err(_) if !value.to_bytes().contains(&b'/') => Err(Wrong::Value),
        Err(_) => Output::open(value).map(Some).map_err(Wrong::File),
    }
}

/// The settings of the process. Files are opened by the first call, before a server changes its
/// root or its user.
pub fn settings() -> &'static Settings {
    SETTINGS.get().unwrap_or_else(|| first_settings())
}

/// Settled without a lock: threads that come first at once all read the environment, and what one
/// of them has read is kept.
static SETTINGS: OnceBox<Settings> = OnceBox::new();

/// Whether [`Settings::verbose`] is on, without anything else being read, or opened.
pub fn is_verbose() -> bool {
    environment(c"SSLCACHE_VERBOSE").is_some_and(|value| switch(value) == Ok(true))
}

#[cold]
fn first_settings() -> &'static Settings {
    let _undisturbed = Undisturbed::begin();
    let (mut settings, mut said) = read_settings(environment);
    if settings.set.cache_on() && shared::tier().is_none() {
        settings.set = Overrides::NONE;
        let _ = writeln!(said, "sslcache: SSLCACHE_SET: {CACHE_ON_UNSHARED}; taken as nothing");
    }
    if settings.verbose && !settings.set.is_none() {
        // A `Text` takes everything.
        let _ = writeln!(said, "sslcache: set for every context: {}", settings.set);
    }
    if settings.verbose {
        let _ = shared::describe(&mut said);
    }
    let kept = boxed(settings).is_ok_and(|settings| SETTINGS.set(settings).is_ok());
    if kept {
        Output::standard_error().write(&said);
    } else if let Some(stats) = settings.stats {
        stats.close();
    }
    // Without memory for them there are none for now.
    SETTINGS.get().unwrap_or(&Settings::DEFAULT)
}

/// The value of a variable. A program with more rights than its caller does not listen to that one.
fn environment(name: &CStr) -> Option<&'static CStr> {
    // SAFETY: getauxval only reads what the kernel gave the process.
    if unsafe { libc::getauxval(libc::AT_SECURE) } != 0 {
        return None;
    }
    // SAFETY: a C string. (Not std's, which allocates the value and ends the process if it cannot.)
    let value = unsafe { libc::getenv(name.as_ptr()) };
    // SAFETY: NULL or a C string, which no program changes while it makes its first call.
    (!value.is_null()).then(|| unsafe { CStr::from_ptr(value) })
}

/// The settings, and the complaints about values of theirs.
fn read_settings<'a>(value_of: impl Fn(&CStr) -> Option<&'a CStr>) -> (Settings, Text) {
    let (mut settings, mut complaints) = (Settings::DEFAULT, Text::new());
    for variable in &VARIABLES {
        let Some(value) = value_of(variable.name).filter(|value| !value.is_empty()) else {
            continue;
        };
        if let Err(wrong) = (variable.read)(&mut settings, value) {
            // A `Text` takes everything.
            let _ = writeln!(complaints, "{}", Complaint { variable, value, wrong });
        }
    }
    (settings, complaints)
}

/// Every complaint has this form.
struct Complaint<'a> {
    variable: &'a Variable,
    value: &'a CStr,
    wrong: Wrong,
}

impl fmt::Display for Complaint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 100;
        let Variable { name, values, default, .. } = self.variable;
        let value = self.value.to_bytes();
        let start = value[..value.len().min(SHOWN)].escape_ascii();
        let more = if value.len() > SHOWN { "..." } else { "" };
        write!(f, "sslcache: {}={start}{more}: ", name.to_str().unwrap_or_default())?;
        match self.wrong {
            Wrong::Value => write!(f, "expected {values}")?,
            Wrong::File(why) => write!(f, "not opened: {why}")?,
            Wrong::Set(why) => write!(f, "{why}")?,
            Wrong::Shared(why) => write!(f, "{why}")?,
        }
        write!(f, "; taken as {default}")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::ffi::CString;

    use super::*;

    fn read(variable: &str, value: &str) -> (Settings, String) {
        let value = CString::new(value).unwrap();
        let (settings, complaints) = read_settings(|name| {
            (name.to_bytes() == variable.as_bytes()).then_some(value.as_c_str())
        });
        (settings, String::from_utf8(complaints.as_bytes().to_vec()).unwrap())
    }

    #[test]
    fn an_empty_environment_asks_for_nothing() {
        let (settings, complaints) = read_settings(|_| None);
        assert!(settings.stats.is_none() && !settings.verbose && settings.set.is_none());
        assert_eq!(complaints.as_bytes(), b"");
    }

    #[test]
    fn each_value_is_taken_or_complained_about() {
        let expected = "expected 0, 1 (standard error) or a path with a '/'; taken as 0\n";
        let stats = |value: &str| format!("sslcache: SSLCACHE_STATS={value}: {expected}");
        let verbose = |value: &str| {
            format!("sslcache: SSLCACHE_VERBOSE={value}: expected 0 or 1; taken as 0\n")
        };
        let file = |value: &str, why: &str| {
            format!("sslcache: SSLCACHE_STATS={value}: not opened: {why}; taken as 0\n")
        };
        let long = "x".repeat(5000);
        let long_path = format!("/{}", "x/".repeat(5000));
        let none = String::new();
        let cases: &[(&str, &str, bool, String)] = &[
            ("SSLCACHE_VERBOSE", "", false, none.clone()),
            ("SSLCACHE_VERBOSE", "0", false, none.clone()),
            ("SSLCACHE_VERBOSE", "1", true, none.clone()),
            ("SSLCACHE_VERBOSE", "2", false, verbose("2")),
            ("SSLCACHE_VERBOSE", "01", false, verbose("01")),
            ("SSLCACHE_VERBOSE", "1 ", false, verbose("1 ")),
            ("SSLCACHE_VERBOSE", "yes", false, verbose("yes")),
            ("SSLCACHE_VERBOSE", "/dev/null", false, verbose("/dev/null")),
            ("SSLCACHE_VERBOSE", "a\nb\x1b[m\u{e9}", false, verbose(r"a\nb\x1b[m\xc3\xa9")),
            ("SSLCACHE_VERBOSE", &long, false, verbose(&format!("{}...", "x".repeat(100)))),
            ("SSLCACHE_STATS", "", false, none.clone()),
            ("SSLCACHE_STATS", "0", false, none.clone()),
            ("SSLCACHE_STATS", "1", true, none.clone()),
            ("SSLCACHE_STATS", "2", false, stats("2")),
            ("SSLCACHE_STATS", "file", false, stats("file")),
            ("SSLCACHE_STATS", "/dev/null", true, none.clone()),
            ("SSLCACHE_STATS", "/", false, file("/", "Is a directory")),
            ("SSLCACHE_STATS", "/dev/", false, file("/dev/", "Is a directory")),
            ("SSLCACHE_STATS", "/dev/null/x", false, file("/dev/null/x", "Not a directory")),
            ("SSLCACHE_STATS", "./no/x", false, file("./no/x", "No such file or directory")),
            (
                "SSLCACHE_STATS",
                &long_path,
                false,
                file(&format!("{}...", &long_path[..100]), "No such file or directory"),
            ),
            ("SSLCACHE_OTHER", "1", false, none.clone()),
        ];
        for (variable, value, taken, complaint) in cases {
            let (settings, complaints) = read(variable, value);
            assert_eq!(complaints, *complaint, "{variable}={value}");
            let [stats, verbose] = [settings.stats.is_some(), settings.verbose];
            assert_eq!(stats, *taken && *variable == "SSLCACHE_STATS", "{variable}={value}");
            assert_eq!(verbose, *taken && *variable == "SSLCACHE_VERBOSE", "{variable}={value}");
        }
    }

    #[test]
    fn what_is_set_is_set_whole_or_not_at_all() {
        let (settings, complaints) = read("SSLCACHE_SET", "size=20k, timeout=2h");
        assert_eq!(
            (settings.set.to_string(), complaints),
            ("size=20000 timeout=7200".into(), "".into())
        );
        let (settings, complaints) = read("SSLCACHE_SET", "size=20k tikets=off");
        assert!(settings.set.is_none());
        let keys = "size, timeout, tickets, num_tickets, cache, replay, unsafe";
        let why = format!("no key that there is in word 2; there are {keys}; taken as nothing");
        assert_eq!(complaints, format!("sslcache: SSLCACHE_SET=size=20k tikets=off: {why}\n"));
    }

    /// Whatever a value is: at most one complaint, of one line, that names the variable.
    #[test]
    fn every_short_value_gets_an_answer() {
        let bytes = || (0..=255u8).filter(|&byte| byte != 0 && byte != b'/');
        let values = bytes().flat_map(|a| bytes().map(move |b| [a, b]));
        for value in values.map(|value| CString::new(value).unwrap()) {
            for variable in &VARIABLES {
                let (settings, text) =
                    read_settings(|name| (name == variable.name).then_some(value.as_c_str()));
                assert!(settings.stats.is_none() && !settings.verbose);
                let text = std::str::from_utf8(text.as_bytes()).unwrap();
                let start = format!("sslcache: {}=", variable.name.to_str().unwrap());
                let end = format!("; taken as {}\n", variable.default);
                assert!(text.starts_with(&start) && text.ends_with(&end), "{text}");
                assert_eq!(text.lines().count(), 1);
            }
        }
    }

    // ------------------------------------------------------------------------- the documents

    fn document(path: &str) -> String {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    }

    fn names() -> Vec<&'static str> {
        VARIABLES.iter().map(|variable| variable.name.to_str().unwrap()).collect()
    }

    /// The words in capitals that begin as our variables do.
    fn mentioned(text: &str) -> BTreeSet<&str> {
        text.split(|c: char| !c.is_ascii_uppercase() && c != '_')
            .filter(|word| word.starts_with("SSLCACHE_") && *word != "SSLCACHE_")
            .collect()
    }

    #[test]
    fn the_readme_has_each_variable_and_no_other() {
        let readme = document("README.md");
        let rows = VARIABLES
            .iter()
            .map(|v| format!("| `{}` | {} | {} |\n", v.name.to_str().unwrap(), v.values, v.help));
        let table = format!(
            "| variable | value | effect |\n| --- | --- | --- |\n{}\n",
            rows.collect::<String>()
        );
        assert!(readme.contains(&table), "README.md is to have:\n{table}");
        assert_eq!(mentioned(&readme), names().into_iter().collect());
    }

    #[test]
    fn the_manual_page_has_each_variable_and_no_other() {
        let page = document("docs/man/sslcache.7");
        let section = page.split(".Sh ENVIRONMENT\n").nth(1).expect("a section");
        let section = section.split("\n.Sh ").next().unwrap();
        let items: Vec<&str> = section.split("\n.It Ev ").skip(1).collect();
        assert_eq!(items.iter().map(|i| i.lines().next().unwrap()).collect::<Vec<_>>(), names());
        for (item, variable) in items.iter().zip(&VARIABLES) {
            let text = item.lines().skip(1).take_while(|line| !line.starts_with('.'));
            let first = text.collect::<Vec<_>>().join(" ");
            let (start, rest) = variable.help.split_at(1);
            assert_eq!(first, format!("{}{rest}.", start.to_uppercase()));
            assert!(item.contains(&format!("\n.Cm {}", variable.default)), "the default: {item}");
        }
        assert_eq!(mentioned(&page), names().into_iter().collect());
    }
}
