//! What the figures were measured on, and what else ran there.

use std::process::Command;
use std::time::Instant;

/// Watches how busy the machine is with other programs.
pub struct Watch {
    began: Instant,
    all: f64,
    own: f64,
}

impl Watch {
    pub fn begin() -> Watch {
        Watch { began: Instant::now(), all: all_cpu(), own: own_cpu() }
    }

    /// Processor, kernel, libssl, and what other programs have taken of the processors since then,
    /// in one line.
    pub fn describe(&self) -> String {
        let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpu
            .lines()
            .find_map(|line| line.strip_prefix("model name")?.split_once(':'))
            .map_or("an unknown processor", |(_, model)| model.trim());
        let cores = cores();
        let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let others = (all_cpu() - self.all) - (own_cpu() - self.own);
        let share = others / (self.began.elapsed().as_secs_f64() * cores as f64);
        format!(
            "{model}, {cores} cores, Linux {}, {}; other programs took {:.0}% of the processors",
            kernel.trim(),
            libssl_version(),
            100.0 * share.clamp(0.0, 1.0)
        )
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Seconds that the processors were busy, with whatever it was, all of them together.
fn all_cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/stat").unwrap_or_default();
    let times = stat.lines().next().unwrap_or_default().split_whitespace().skip(1);
    let times: Vec<f64> = times.map(|time| time.parse().unwrap_or(0.0)).collect();
    // user, nice, system, idle, iowait, irq, softirq, steal; in hundredths of a second.
    [0, 1, 2, 5, 6, 7].iter().filter_map(|&i| times.get(i)).sum::<f64>() / 100.0
}

/// Seconds of this program and of those that it has run to their end.
fn own_cpu() -> f64 {
    [libc::RUSAGE_SELF, libc::RUSAGE_CHILDREN].map(cpu_of).iter().sum()
}

fn cpu_of(who: libc::c_int) -> f64 {
    // SAFETY: a rusage is numbers alone, for which zeros are good.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: the place to write to lives across the call.
    unsafe { libc::getrusage(who, &mut usage) };
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    seconds(usage.ru_utime) + seconds(usage.ru_stime)
}

fn libssl_version() -> String {
    let output = Command::new("openssl").arg("version").output();
    let text = output.map(|o| String::from_utf8_lossy(&o.stdout).into_owned()).unwrap_or_default();
    let words: Vec<&str> = text.split_whitespace().take(2).collect();
    if words.is_empty() { "an unknown libssl".to_owned() } else { words.join(" ") }
}
