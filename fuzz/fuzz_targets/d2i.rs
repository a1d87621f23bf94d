//! Any bytes as a session, in this library and in the real libssl: what `tests/der/oracle.rs`
//! compares.

#![no_main]

#[path = "../../tests/der/oracle.rs"]
#[allow(dead_code)]
mod oracle;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    oracle::compare(input);
});
