//! Numbers with units, as the environment variables have them.

use std::ops::RangeInclusive;
use std::str::FromStr;

/// A number with one of the units after it, or with none, within bounds.
pub fn number(value: &str, units: &[(&str, u64)], bounds: RangeInclusive<u64>) -> Option<u64> {
    let digits = value.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = match &value[digits.len()..] {
        "" => 1,
        unit => units.iter().find(|(name, _)| *name == unit)?.1,
    };
    // (Without the look at the first digit a sign would do.)
    let starts_well = digits.starts_with(|c: char| c.is_ascii_digit());
    let number = u64::from_str(digits).ok().filter(|_| starts_well)?.checked_mul(unit)?;
    bounds.contains(&number).then_some(number)
}
