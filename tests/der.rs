//! Sessions as DER against the real libssl: every getter, what is written again, and for damaged input
//! who refuses it and with which error.

#[path = "der/oracle.rs"]
mod oracle;

use std::collections::BTreeMap;

use oracle::{Outcome, compare};

/// The reference encodings are where the fuzzer starts from too.
fn references() -> Vec<Vec<u8>> {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/d2i");
    let mut files: Vec<_> =
        std::fs::read_dir(directory).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|file| std::fs::read(file).unwrap()).collect()
}

/// Compares all of these, and tells what became of them. A comparison that fails says for which bytes.
fn outcomes(inputs: impl Iterator<Item = Vec<u8>>) -> BTreeMap<Outcome, usize> {
    let mut outcomes = BTreeMap::new();
    for input in inputs {
        let outcome = std::panic::catch_unwind(|| compare(&input)).unwrap_or_else(|_| {
            let hex: String = input.iter().map(|byte| format!("{byte:02x}")).collect();
            panic!("the libraries differ about {hex}")
        });
        *outcomes.entry(outcome).or_default() += 1;
    }
    println!("{outcomes:?}");
    outcomes
}

#[test]
fn the_references_are_read_and_written_alike() {
    let outcomes = outcomes(references().into_iter());
    assert_eq!(outcomes[&Outcome::Accepted], references().len() - 1);
    assert_eq!(outcomes[&Outcome::RawPublicKey], 1);
}

#[test]
fn each_byte_replaced_by_each_other() {
    let inputs = references().into_iter().flat_map(|reference| {
        (0..reference.len()).flat_map(move |at| {
            let reference = reference.clone();
            (0..=255).map(move |byte| {
                let mut input = reference.clone();
                input[at] = byte;
                input
            })
        })
    });
    let outcomes = outcomes(inputs);
    assert!(outcomes[&Outcome::Accepted] > 1000 && outcomes[&Outcome::Refused] > 1000);
}
