//! Segments that are made by processes that die, by two at once, and where there is no room.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::atomic::Ordering::SeqCst;

use sslcache_segment::{Error, Options, Put, Record, Step, Wanted};

use crate::children::{Place, ended, open, wait_until};
use crate::control::Control;
use crate::probe::{key, probe};

const SIZE: u64 = 1 << 20;
const RECORD: Record<'static> = Record { expiry: u32::MAX, name: 0, key_id: 0, bytes: b"mine" };

pub fn maker(directory: &Path, number: usize) {
    let control = Control::of(directory);
    let probe = |process| probe(process, control, number, 0);
    let store = open(directory, SIZE, probe).expect("a segment");
    assert_eq!(store.put(key(number as u64), &RECORD, 0), Put::Stored);
}

pub fn kills() {
    for step in [Step::FileMade, Step::Allocated, Step::HeaderWritten, Step::Linked] {
        let place = Place::new();
        place.control().order(1, step, libc::SIGKILL);
        assert_eq!(ended(&mut place.start("make", 1)).signal(), Some(libc::SIGKILL));
        let names = std::fs::read_dir(&place.path).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = names.filter(|name| name != "control").collect();
        if step == Step::Linked {
            assert_eq!(names.pop().unwrap(), "web.v1", "{step:?}");
        }
        assert!(names.is_empty(), "{step:?} leaves {names:?}");
        assert!(ended(&mut place.start("make", 2)).success(), "{step:?}");
        let store = place.open(SIZE);
        assert!(store.peek(&Wanted { key: key(2), name: 0, now: 0 }).is_ok());
        assert_eq!(store.check(), Ok(()));
    }
}

/// Makes a segment in each round, at the moment when the other one does.
pub fn racer(directory: &Path, number: usize) {
    let control = Control::of(directory);
    for round in 1.. {
        while control.round.load(SeqCst) < round {
            if control.stops() {
                return;
            }
            std::hint::spin_loop();
        }
        let store = open(directory, Options::SMALLEST, |process| process).expect("a segment");
        // The other one may lose its processor with the lock of the only set.
        while store.put(key(number as u64), &RECORD, 0) == Put::Busy {}
        control.workers[number].round.store(round, SeqCst);
    }
}

pub fn race(rounds: usize) {
    let place = Place::new();
    let control = place.control();
    let mut racers: Vec<Child> = (0..2).map(|number| place.start("make-again", number)).collect();
    let (mut made, pids) = ([0; 2], [0, 1].map(|number: usize| u64::from(racers[number].id())));
    for round in 1..=rounds as u64 {
        control.round.store(round, SeqCst);
        wait_until("both have it", || {
            (0..2).all(|number| control.workers[number].round.load(SeqCst) == round)
        });
        let store = place.open(Options::SMALLEST);
        for number in 0..2 {
            let wanted = Wanted { key: key(number), name: 0, now: 0 };
            assert!(store.peek(&wanted).is_ok(), "{number} had another segment");
        }
        let creator = pids.iter().position(|&pid| pid == store.identity().creator);
        made[creator.expect("one of the two made it")] += 1;
        std::fs::remove_file(place.segment()).unwrap();
    }
    control.stop.store(1, SeqCst);
    assert!(racers.iter_mut().all(|child| ended(child).success()));
    println!("  made by one {} times, by the other {}", made[0], made[1]);
}

/// In a file system of its own, with little room.
pub fn without_space(directory: &Path) {
    let full = directory.join("full");
    let Err(error) = open(&full, 4 << 20, |process| process) else { panic!("there is no room") };
    assert_eq!(error, Error::System("fallocate", libc::ENOSPC));
    assert_eq!(std::fs::read_dir(&full).unwrap().count(), 0, "nothing is left of it");
    let store = open(&full, Options::SMALLEST, |process| process).expect("for this there is room");
    assert_eq!(store.put(key(1), &RECORD, 0), Put::Stored);
}

pub fn no_space() {
    let place = Place::new();
    std::fs::create_dir(place.path.join("full")).unwrap();
    let script = "mount -t tmpfs -o size=1m none \"$1/full\" || exit 77\n\
                  exec \"$0\" --as no-space \"$1\" 0";
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "sh", "-c", script]);
    command.arg(std::env::current_exe().unwrap()).arg(&place.path);
    let status = command.status().map(|status| status.code());
    match status {
        Ok(Some(0)) => {}
        Ok(Some(101)) | Ok(None) => panic!("see above"),
        other => println!("  not tried: no file system of our own to be had here ({other:?})"),
    }
}
