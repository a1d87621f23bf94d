//! Any sequence of operations on the engine and on the naive model of
//! `crates/engine/tests/model.rs`.
//!
//! Each four bytes of the input are the seed of one operation, drawn by the model's own strategy:
//! the fuzzer keeps, drops, repeats and swaps operations that led somewhere.

#![no_main]

#[path = "../../crates/engine/tests/model.rs"]
#[allow(dead_code, unused_imports)]
mod model;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let Some((&capacity, seeds)) = input.split_first() else { return };
    let capacity = if capacity < 0xFF { usize::from(capacity) } else { usize::MAX };
    let operation = model::operation(12, 30);
    let operations = seeds.chunks_exact(4).map(|seed| drawn(&operation, seed)).collect();
    model::run(capacity, operations);
});

fn drawn<S: Strategy>(strategy: &S, seed: &[u8]) -> S::Value {
    let mut whole_seed = [0; 32];
    whole_seed[..seed.len()].copy_from_slice(seed);
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &whole_seed);
    let mut runner = TestRunner::new_with_rng(Config::default(), random);
    strategy.new_tree(&mut runner).expect("nothing is filtered").current()
}
