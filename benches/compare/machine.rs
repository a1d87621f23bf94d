//! What the figures were measured on.

use std::process::Command;

/// Processor, kernel and libssl, and what else the machine does just now, in one line.
pub fn describe() -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(':'))
        .map_or("an unknown processor", |(_, model)| model.trim());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split_whitespace().next().unwrap_or("unknown");
    format!(
        "{model}, {cores} cores, Linux {}, {}; load before {load}",
        kernel.trim(),
        libssl_version()
    )
}

fn libssl_version() -> String {
    let output = Command::new("openssl").arg("version").output();
    let text = output.map(|o| String::from_utf8_lossy(&o.stdout).into_owned()).unwrap_or_default();
    let words: Vec<&str> = text.split_whitespace().take(2).collect();
    if words.is_empty() { "an unknown libssl".to_owned() } else { words.join(" ") }
}
