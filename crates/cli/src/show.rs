//! Numbers, as people read them.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use crate::failure::{About, Failure};

/// The time, in seconds since the epoch, as segments have it.
pub fn now() -> u32 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    // (The last one stands for "never".)
    since.min(u64::from(u32::MAX - 1)) as u32
}

/// `12,345`
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// `1 session`, `2 sessions`
pub fn number_of(number: u64, things: &str) -> String {
    let plural = match things {
        _ if number == 1 => "",
        things if things.ends_with('s') => "es",
        _ => "s",
    };
    format!("{} {things}{plural}", count(number))
}

/// `16 MiB`
pub fn bytes(number: u64) -> String {
    let units = [(30, "GiB"), (20, "MiB"), (10, "KiB")];
    match units.iter().find(|(shift, _)| number >> shift > 0) {
        None => format!("{number} bytes"),
        Some(&(shift, unit)) => {
            let tenths = (u128::from(number) * 10) >> shift;
            let (whole, tenth) = (tenths / 10, tenths % 10);
            if tenth == 0 { format!("{whole} {unit}") } else { format!("{whole}.{tenth} {unit}") }
        }
    }
}

/// `41 min`
pub fn span(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// `12.3%`, of what is not nothing.
pub fn share(part: u64, whole: u64) -> String {
    if whole == 0 { "-".into() } else { format!("{:.1}%", part as f64 * 100.0 / whole as f64) }
}

/// The time of day and the date, in UTC: `2026-11-25 04:18:02 UTC`.
pub fn time(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Days since 1 March of the year 0, in eras of 400 years: the leap day ends a year then.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let date = of_year - (153 * month + 2) / 5 + 1;
    let (year, month) =
        (era * 400 + year + u64::from(month >= 10), if month < 10 { month + 3 } else { month - 9 });
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year}-{month:02}-{date:02} {hour:02}:{minute:02}:{second:02} UTC")
}

/// One value as JSON, on a line of its own.
pub fn json(value: &impl Serialize) -> Result<(), Failure> {
    println!("{}", serde_json::to_string(value).about("JSON")?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_shown_as_people_read_them() {
        let counts = [0, 999, 1000, 1_234_567].map(count);
        assert_eq!(counts, ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(number_of(1, "session"), "1 session");
        assert_eq!(number_of(0, "process"), "0 processes");
        let sizes = [17, 16 << 20, (1 << 20) * 3 / 2, 16 << 30].map(bytes);
        assert_eq!(sizes, ["17 bytes", "16 MiB", "1.5 MiB", "16 GiB"]);
        let spans = [0, 119, 120, 7199, 7200, 172_800].map(span);
        assert_eq!(spans, ["0 s", "119 s", "2 min", "119 min", "2 h", "2 days"]);
        assert_eq!([share(1, 3), share(0, 0)], ["33.3%", "-"]);
    }

    #[test]
    fn times_are_those_of_date() {
        // date -u -d @NUMBER
        let cases = [
            (0, "1970-01-01 00:00:00 UTC"),
            (951_782_400, "2000-02-29 00:00:00 UTC"),
            (1_709_251_199, "2024-02-29 23:59:59 UTC"),
            (1_795_629_496, "2026-11-25 17:58:16 UTC"),
            (4_102_444_800, "2100-01-01 00:00:00 UTC"),
        ];
        for (seconds, text) in cases {
            assert_eq!(time(seconds), text);
        }
    }
}
