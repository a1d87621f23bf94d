//! Real processes on one segment, which are killed and stopped, and memory that is scribbled over.
//!
//! ```text
//! cargo test --package sslcache-segment --test processes [-- [NAME] [--kills N]]
//! ```
//!
//! The program is its own helper: as `processes --as ROLE DIRECTORY NUMBER` it is one of the
//! processes that the cases start, with `fork` and `exec` as a server has its workers. What they
//! tell each other goes through memory of their own (`control`), never through the segment.

mod children;
mod control;
mod garbage;
mod inherited;
mod kills;
mod making;
mod probe;
mod steps;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

/// A case: its name, and what it does with so many kills.
type Case = (&'static str, fn(usize));

const CASES: [Case; 14] = [
    ("a_process_killed_at_a_step_takes_nothing_along", |_| steps::kills()),
    ("a_process_stopped_at_a_step_holds_up_nothing_else", |_| steps::stops()),
    ("a_process_that_follows_a_dead_holder_may_die_too", |_| steps::follower()),
    ("nothing_is_lost_when_workers_are_killed", |kills| kills::keeping(kills)),
    ("nothing_is_damaged_when_workers_are_killed_in_a_full_segment", |kills| {
        kills::full(kills / 4)
    }),
    ("a_process_killed_making_a_segment_leaves_nothing_or_all", |_| making::kills()),
    ("of_two_that_make_it_at_once_one_does", |kills| making::race(kills.min(1000))),
    ("a_full_file_system_is_said_at_once", |_| making::no_space()),
    ("children_share_what_has_no_name", |_| inherited::take_once()),
    ("a_forked_child_that_dies_with_a_lock_is_followed", |_| inherited::dead_child()),
    ("garbage_is_survived_by_processes_that_come_later", |_| garbage::before()),
    ("garbage_is_survived_by_processes_at_work", |_| garbage::meanwhile()),
    ("damaged_words_of_each_kind_are_survived", |_| garbage::of_each_kind()),
    ("a_file_made_shorter_ends_a_process_that_has_it_mapped", |_| garbage::shorter()),
];

const USAGE: &str = "usage: processes [NAME] [--kills N] [--list]
  NAME       only the cases with this in their name
  --kills N  how many workers are killed (default 200)
  --list     the names";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [option, role, directory, number] = &arguments[..] {
        if option == "--as" {
            let number = number.parse().expect("a number");
            children::run(role, directory.as_ref(), number);
            return ExitCode::SUCCESS;
        }
    }
    let (mut kills, mut wanted) = (200, String::new());
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--kills" => match arguments.next().and_then(|number| number.parse().ok()) {
                Some(number) => kills = number,
                None => return usage(),
            },
            "--list" => {
                CASES.iter().for_each(|(name, _)| println!("{name}"));
                return ExitCode::SUCCESS;
            }
            // What cargo passes on for libtest.
            "--quiet" | "--nocapture" => {}
            name if !name.starts_with('-') => wanted = name.to_owned(),
            _ => return usage(),
        }
    }
    run(kills, &wanted)
}

fn usage() -> ExitCode {
    eprintln!("{USAGE}");
    ExitCode::from(2)
}

/// Runs the cases, one after the other, and closes as libtest does.
fn run(kills: usize, wanted: &str) -> ExitCode {
    let (mut passed, mut failed) = (0, 0);
    for (name, case) in CASES.iter().filter(|(name, _)| name.contains(wanted)) {
        let begin = std::time::Instant::now();
        let result = catch_unwind(AssertUnwindSafe(|| case(kills)));
        let seconds = begin.elapsed().as_secs_f64();
        let word = if result.is_ok() { "ok" } else { "FAILED" };
        println!("test {name} ... {word} ({seconds:.1} s)");
        *if result.is_ok() { &mut passed } else { &mut failed } += 1;
    }
    let word = if failed == 0 { "ok" } else { "FAILED" };
    println!("\ntest result: {word}. {passed} passed; {failed} failed");
    ExitCode::from(u8::from(failed > 0 || passed == 0))
}
