//! `sslcache enable` and `disable`: the library in front of a service of systemd; and the settings
//! that a program or a service is given.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;
use sslcache_settings::Overrides;
use sslcache_settings::shared::Options;

use crate::failure::{About, DONE, Done, Failure};
use crate::library;

/// What the library is told.
#[derive(Args)]
pub struct Settings {
    /// One cache for all processes: PATH[,option...] or anonymous (SSLCACHE_SHARED)
    #[arg(long, value_name = "PATH")]
    shared: Option<String>,
    /// What is decided in place of the application, such as "tickets=off timeout=2h" (SSLCACHE_SET)
    #[arg(long, value_name = "WORDS")]
    set: Option<String>,
    /// Where each context's numbers go at the end: a file, or 1 for standard error (SSLCACHE_STATS)
    #[arg(long, value_name = "FILE")]
    stats: Option<String>,
    /// The library, if it is not the one beside this command
    #[arg(long, value_name = "FILE", env = "SSLCACHE_LIBRARY")]
    library: Option<PathBuf>,
}

impl Settings {
    /// The library's file.
    pub fn library(&self) -> Result<PathBuf, Failure> {
        library::find(self.library.as_deref())
    }

    /// The variables, if each of them is good: a program that starts in spite of a bad one would
    /// run without it.
    pub fn variables(&self) -> Result<Vec<(&'static str, String)>, Failure> {
        let mut variables = Vec::new();
        let mut add = |name, value: &Option<String>| {
            variables.extend(value.iter().map(|value| (name, value.clone())));
        };
        add("SSLCACHE_SHARED", &self.shared);
        add("SSLCACHE_SET", &self.set);
        add("SSLCACHE_STATS", &self.stats);
        if let Some(shared) = &self.shared {
            check_shared(shared)?;
        }
        if let Some(set) = &self.set {
            let set = Overrides::read(set.as_bytes()).about(format_args!("--set {set}"))?;
            let is_shared = self.shared.is_some() || std::env::var_os("SSLCACHE_SHARED").is_some();
            if set.cache_on() && !is_shared {
                return Err(Failure::new(
                    "--set cache=on needs --shared, if only --shared anonymous",
                ));
            }
        }
        if let Some(stats) = &self.stats {
            if !["0", "1"].contains(&&**stats) && !stats.contains('/') {
                return Err(Failure::new(format_args!("--stats {stats}: a path with a '/', or 1")));
            }
        }
        Ok(variables)
    }

    /// The directory in /run that systemd is to make for what is shared.
    fn runtime_directory(&self) -> Option<&str> {
        let path = self.shared.as_deref()?.split(',').next()?;
        let (directory, _) = path.strip_prefix("/run/")?.rsplit_once('/')?;
        Some(directory)
    }
}

fn check_shared(value: &str) -> Result<(), Failure> {
    Options::read(value.as_bytes()).about(format_args!("--shared {value}")).map(|_| ())
}

/// What a drop-in file of ours begins with.
const MARK: &str = "# Written by \"sslcache enable\"; \"sslcache disable\" removes it.";

#[derive(Args)]
struct Unit {
    /// The service, such as nginx or nginx.service
    #[arg(value_name = "UNIT", value_parser = unit_name)]
    unit: String,
    /// The system's root directory
    #[arg(long, value_name = "DIRECTORY", default_value = "/")]
    root: PathBuf,
}

fn unit_name(name: &str) -> Result<String, String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || ":-_.\\@".contains(c);
    if name.is_empty() || name.starts_with('.') || !name.chars().all(is_plain) {
        return Err("the name of a service, such as nginx".into());
    }
    let has_type = name.ends_with(".service");
    Ok(if has_type { name.into() } else { format!("{name}.service") })
}

impl Unit {
    fn directory(&self) -> PathBuf {
        self.root.join("etc/systemd/system").join(format!("{}.d", self.unit))
    }

    fn file(&self) -> PathBuf {
        self.directory().join("sslcache.conf")
    }

    /// Whether there is a file of ours.
    fn has_file(&self) -> Result<bool, Failure> {
        let file = self.file();
        match fs::read_to_string(&file) {
            Ok(text) if text.starts_with(MARK) => Ok(true),
            Ok(_) => {
                let file = file.display();
                Err(Failure::new(format_args!("{file}: somebody else wrote it: it stays as it is")))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error).about(file.display()),
        }
    }

    /// Has systemd read the files again, where it runs.
    fn reload(&self) -> Result<(), Failure> {
        if self.root == Path::new("/") && Path::new("/run/systemd/system").exists() {
            let status = Command::new("systemctl").arg("daemon-reload").status();
            if !status.about("systemctl")?.success() {
                return Err(Failure::new("systemctl daemon-reload failed"));
            }
        }
        println!("systemctl restart {}", self.unit);
        Ok(())
    }
}

/// Put the library in front of a service of systemd, from its next start on.
#[derive(Args)]
pub struct Enable {
    #[command(flatten)]
    unit: Unit,
    #[command(flatten)]
    settings: Settings,
    /// Print the drop-in file, and write nothing
    #[arg(long)]
    print: bool,
}

impl Enable {
    pub fn run(&self) -> Done {
        let text = self.text()?;
        if self.print {
            print!("{text}");
            return DONE;
        }
        let (directory, file) = (self.unit.directory(), self.unit.file());
        self.unit.has_file()?;
        fs::create_dir_all(&directory).about(directory.display())?;
        fs::write(&file, text).about(file.display())?;
        println!("{} is written; now:", file.display());
        self.unit.reload()?;
        DONE
    }

    fn text(&self) -> Result<String, Failure> {
        let library = self.settings.library()?.display().to_string();
        let mut lines = vec![MARK.to_owned(), "[Service]".to_owned()];
        if let Some(directory) = self.settings.runtime_directory() {
            lines.push(format!("RuntimeDirectory={directory}"));
            lines.push("RuntimeDirectoryPreserve=yes".to_owned());
        }
        let variables = self.settings.variables()?;
        for (name, value) in [("LD_PRELOAD", library)].into_iter().chain(variables) {
            lines.push(format!("Environment={}", quoted(&format!("{name}={value}"))));
        }
        Ok(lines.join("\n") + "\n")
    }
}

/// As systemd.syntax(7) has it; a % would begin a specifier.
fn quoted(word: &str) -> String {
    let word = word.replace('%', "%%");
    if !word.contains([' ', '"', '\\', '\'']) {
        return word;
    }
    format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Take the library out of a service again, from its next start on.
#[derive(Args)]
pub struct Disable {
    #[command(flatten)]
    unit: Unit,
}

impl Disable {
    pub fn run(&self) -> Done {
        let file = self.unit.file();
        if !self.unit.has_file()? {
            let file = file.display();
            return Err(Failure::with_code(1, format_args!("{file} is not there: nothing to do")));
        }
        fs::remove_file(&file).about(file.display())?;
        // Others may have files there.
        let _ = fs::remove_dir(self.unit.directory());
        println!("{} is removed; now:", file.display());
        self.unit.reload()?;
        DONE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_services_are_names() {
        assert_eq!(unit_name("nginx").unwrap(), "nginx.service");
        assert_eq!(unit_name("web@1.service").unwrap(), "web@1.service");
        for name in ["", "../x", "a/b", ".x", "a b", "a\nb"] {
            assert!(unit_name(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn words_are_quoted_where_systemd_would_split_them() {
        assert_eq!(quoted("A=/b/c"), "A=/b/c");
        assert_eq!(quoted("A=size=1k timeout=2h"), "\"A=size=1k timeout=2h\"");
        assert_eq!(quoted("A=%n"), "A=%%n");
        assert_eq!(quoted("A=\"\\"), "\"A=\\\"\\\\\"");
    }

    #[test]
    fn settings_are_looked_at_before_anything_starts() {
        let settings = |shared: Option<&str>, set: Option<&str>, stats: Option<&str>| Settings {
            shared: shared.map(str::to_owned),
            set: set.map(str::to_owned),
            stats: stats.map(str::to_owned),
            library: None,
        };
        let good = settings(Some("/run/a/b,size=2m"), Some("cache=on"), Some("/tmp/x"));
        assert_eq!(good.variables().unwrap().len(), 3);
        assert_eq!(good.runtime_directory(), Some("a"));
        assert_eq!(settings(Some("/dev/shm/b"), None, None).runtime_directory(), None);
        for (bad, part) in [
            (settings(Some("web"), None, None), "--shared web"),
            (settings(Some("/web,sizze=3"), None, None), "size, mode"),
            (settings(None, Some("tikets=off"), None), "tickets"),
            (settings(None, Some("cache=on"), None), "--shared anonymous"),
            (settings(None, None, Some("x")), "--stats x"),
        ] {
            let why = bad.variables().unwrap_err().to_string();
            assert!(why.contains(part), "{why}");
        }
    }
}
