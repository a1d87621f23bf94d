//! The value of `SSLCACHE_SHARED`: `PATH[,option...]`, or `anonymous[,option...]`.
//!
//! All of it counts or nothing: a half-understood `ns=` or `sni=` would let sessions be resumed
//! where they are not to be.

use std::fmt;

use libc::{c_char, gid_t, mode_t};
use sslcache_segment::Options as SegmentOptions;

use crate::quantity::number;

/// What the variable says.
pub struct Options<'a> {
    /// Where the memory is.
    pub memory: Memory<'a>,
    /// How it is made.
    pub segment: SegmentOptions,
    /// Where its keys are; `None`: beside it.
    pub key: Option<KeyFrom<'a>>,
    /// The service, whose sessions are its own; `None`: the program's name.
    pub service: Option<&'a str>,
    /// Whether a session resumes only under the name that it was made under.
    pub compares_names: bool,
}

/// Where the memory is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Memory<'a> {
    /// It has no name: this process and those that it forks have it.
    Anonymous,
    /// A file, whose path is this, and the format behind it.
    File(&'a str),
}

/// Where keys are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyFrom<'a> {
    /// In this file.
    File(&'a str),
    /// In this file of the directory that systemd's `LoadCredential=` has made.
    Credential(&'a str),
}

/// What is wrong with a value, or why there is no memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wrong {
    /// It is no text.
    Bytes,
    /// It begins with no path.
    Path,
    /// The option at this place, counted from 1, is none.
    Option(usize),
    /// What follows this option.
    Value(&'static str, &'static str),
    /// This option is there twice.
    Twice(&'static str),
    /// The memory is not there, and cannot be made.
    Segment(sslcache_segment::Error),
    /// The keys are not there, and cannot be made.
    Keys(sslcache_seal::Error),
    /// The memory was made with another key.
    OtherKey,
    /// There is no memory for it.
    NoMemory,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Wrong::Bytes => f.write_str("not a text"),
            Wrong::Path => f.write_str("expected a path with a '/', or anonymous"),
            Wrong::Option(place) => {
                write!(f, "no option that there is at place {place}; there are ")?;
                for (i, option) in OPTIONS.iter().enumerate() {
                    write!(f, "{}{}", if i == 0 { "" } else { ", " }, option.name)?;
                }
                Ok(())
            }
            Wrong::Value(option, values) => write!(f, "{option} expects {values}"),
            Wrong::Twice(option) => write!(f, "{option} is there twice"),
            Wrong::Segment(why) => write!(f, "not attached: {why}"),
            Wrong::Keys(why) => write!(f, "no keys: {why}"),
            Wrong::OtherKey => f.write_str("not attached: it was made with another key"),
            Wrong::NoMemory => f.write_str("not attached: no memory"),
        }
    }
}

/// One option, with what may follow it and how it is taken over.
struct Opt {
    name: &'static str,
    values: &'static str,
    read: for<'a> fn(&mut Options<'a>, &'a str) -> Option<()>,
}

const OPTIONS: [Opt; 6] = [
    Opt {
        name: "size",
        values: "bytes such as 16m or 1g, from 1m to 16g",
        read: |options, value| {
            let units = [("k", 1 << 10), ("m", 1 << 20), ("g", 1 << 30)];
            options.segment.size = number(value, &units, 1 << 20..=SegmentOptions::LARGEST)?;
            Some(())
        },
    },
    Opt {
        name: "mode",
        values: "0600 or 0640, or 0660 after group=NAME",
        read: |options, value| {
            let group_may_write = options.segment.group.is_some();
            let mode = mode_t::from_str_radix(value, 8).ok()?;
            let is_known = matches!(mode, 0o600 | 0o640) || (mode == 0o660 && group_may_write);
            is_known.then(|| options.segment.mode = mode)
        },
    },
    Opt {
        name: "group",
        values: "the name or number of a group, which may then write",
        read: |options, value| {
            options.segment.group = Some(group(value)?);
            options.segment.mode = 0o660;
            Some(())
        },
    },
    Opt {
        name: "key",
        values: "auto, the path of a key file, or cred:NAME",
        read: |options, value| {
            options.key = match value.strip_prefix("cred:") {
                Some(name) if !name.is_empty() && !name.contains('/') => {
                    Some(KeyFrom::Credential(name))
                }
                None if value.contains('/') => Some(KeyFrom::File(value)),
                None if value == "auto" => None,
                _ => return None,
            };
            Some(())
        },
    },
    Opt {
        name: "ns",
        values: "the name of a service",
        read: |options, value| {
            options.service = Some(value).filter(|value| !value.is_empty());
            options.service.map(|_| ())
        },
    },
    Opt {
        name: "sni",
        values: "key or ignore",
        read: |options, value| {
            options.compares_names = match value {
                "key" => true,
                "ignore" => false,
                _ => return None,
            };
            Some(())
        },
    },
];

impl<'a> Options<'a> {
    /// What `value` says.
    pub fn read(value: &'a [u8]) -> Result<Self, Wrong> {
        let value = std::str::from_utf8(value).map_err(|_| Wrong::Bytes)?;
        let mut words = value.split(',');
        let memory = match words.next() {
            Some("anonymous") => Memory::Anonymous,
            Some(path) if path.contains('/') && !path.ends_with('/') => Memory::File(path),
            _ => return Err(Wrong::Path),
        };
        let segment = SegmentOptions::default();
        let mut options =
            Options { memory, segment, key: None, service: None, compares_names: true };
        let mut seen = [false; OPTIONS.len()];
        for (place, word) in words.enumerate() {
            let (name, value) = word.split_once('=').ok_or(Wrong::Option(place + 1))?;
            let found = OPTIONS.iter().position(|option| option.name == name);
            let found = found.ok_or(Wrong::Option(place + 1))?;
            let Opt { name, values, read } = OPTIONS[found];
            if std::mem::replace(&mut seen[found], true) {
                return Err(Wrong::Twice(name));
            }
            read(&mut options, value).ok_or(Wrong::Value(name, values))?;
        }
        // What is on a disk is as safe as its key: one that lies beside it is on the disk, too.
        options.segment.on_disk = options.key.is_some();
        Ok(options)
    }
}

/// The number of a group.
fn group(name: &str) -> Option<gid_t> {
    if let Ok(number) = name.parse() {
        return Some(number);
    }
    let mut c_name = [0u8; 64];
    // The last byte stays NUL.
    c_name[..63].get_mut(..name.len())?.copy_from_slice(name.as_bytes());
    let mut room = [0 as c_char; 4096];
    let mut found = std::ptr::null_mut();
    // SAFETY: a structure of pointers and integers, for which zeros are a value.
    let mut entry: libc::group = unsafe { std::mem::zeroed() };
    // SAFETY: a C string, and places for the answer.
    unsafe {
        let name = c_name.as_ptr().cast();
        libc::getgrnam_r(name, &mut entry, room.as_mut_ptr(), room.len(), &mut found);
    }
    (!found.is_null()).then_some(entry.gr_gid)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(value: &str) -> Wrong {
        Options::read(value.as_bytes()).err().expect("it is refused")
    }

    #[test]
    fn a_path_alone_has_the_defaults() {
        let options = Options::read(b"/dev/shm/web").unwrap();
        assert_eq!(options.memory, Memory::File("/dev/shm/web"));
        assert_eq!((options.segment.size, options.segment.mode), (16 << 20, 0o600));
        assert!(options.compares_names && options.key.is_none() && options.service.is_none());
        assert!(options.segment.group.is_none() && !options.segment.on_disk);
        assert_eq!(Options::read(b"anonymous").unwrap().memory, Memory::Anonymous);
    }

    #[test]
    fn each_option_is_taken() {
        let all = "./web,size=64m,group=0,mode=0640,key=/etc/key,ns=front,sni=ignore";
        let options = Options::read(all.as_bytes()).unwrap();
        assert_eq!((options.segment.size, options.segment.group), (64 << 20, Some(0)));
        assert_eq!((options.segment.mode, options.service), (0o640, Some("front")));
        assert_eq!(options.key, Some(KeyFrom::File("/etc/key")));
        assert!(!options.compares_names && options.segment.on_disk);
        let options = Options::read(b"/web,key=cred:tls,group=root").unwrap();
        assert_eq!(options.key, Some(KeyFrom::Credential("tls")));
        assert_eq!((options.segment.mode, options.segment.group), (0o660, Some(0)));
    }

    #[test]
    fn one_bad_word_and_none_of_it_counts() {
        assert_eq!(wrong("web"), Wrong::Path);
        assert_eq!(wrong(""), Wrong::Path);
        assert_eq!(wrong("/dev/shm/"), Wrong::Path);
        assert_eq!(wrong("/web,sizze=1m"), Wrong::Option(1));
        assert_eq!(wrong("/web,size=1m,"), Wrong::Option(2));
        assert_eq!(wrong("/web,size"), Wrong::Option(1));
        assert_eq!(wrong("/web,sni=key,sni=key"), Wrong::Twice("sni"));
        assert_eq!(Options::read(b"/\xff").err(), Some(Wrong::Bytes));
        for (option, value) in [
            ("size", "1023k"),
            ("size", "17g"),
            ("size", "-1"),
            ("size", "1M"),
            ("mode", "0660"),
            ("mode", "0644"),
            ("mode", "rw"),
            ("group", "no_such_group"),
            ("group", &"x".repeat(100)),
            ("key", "memory"),
            ("key", "cred:"),
            ("key", "cred:a/b"),
            ("ns", ""),
            ("sni", "on"),
        ] {
            let said = wrong(&format!("/web,{option}={value}"));
            assert!(matches!(said, Wrong::Value(name, _) if name == option), "{option}={value}");
        }
        let said = wrong("/web,key=/k,sizze=1m").to_string();
        assert_eq!(
            said,
            "no option that there is at place 2; there are size, mode, group, key, ns, sni"
        );
    }
}
