//! A process that is told of its steps, and does there what it was ordered.

use sslcache_segment::{AtSteps, Key, Process, Step};

use crate::control::Control;

/// Such a process.
pub type Probe = AtSteps<Box<dyn Fn(Step)>>;

/// The process, when it does at each step what `control` orders its worker to do. `lingers`: how
/// long it stays at each step, so that a kill at any moment often comes between two.
pub fn probe(process: Process, control: &'static Control, worker: usize, lingers: u32) -> Probe {
    let obey = move |step| {
        control.obey(worker, step);
        (0..lingers).for_each(|_| std::hint::spin_loop());
    };
    AtSteps(process, Box::new(obey))
}

pub fn mix(x: u64) -> u64 {
    let x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ x >> 31
}

/// Numbers from a seed.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

/// The key of a number.
pub fn key(number: u64) -> Key {
    let (low, high) = (mix(number + 1), mix(number ^ 0x5555_5555_1234_4321));
    Key::new((u128::from(high) << 64 | u128::from(low)).to_le_bytes())
}

/// What is stored under a number: the version, the number, and bytes that follow from both; the
/// last eight are their sum.
pub fn payload(number: u64, version: u64, length: usize) -> Vec<u8> {
    let mut random = Random(number ^ version.rotate_left(32));
    let mut bytes = [version.to_le_bytes(), number.to_le_bytes()].concat();
    while bytes.len() < length.max(24) - 8 {
        bytes.push(random.next() as u8);
    }
    bytes.extend(sum(&bytes).to_le_bytes());
    bytes
}

/// The version of a payload, if it is one of this number.
pub fn version(number: u64, bytes: &[u8]) -> Option<u64> {
    let (body, end) = bytes.split_last_chunk::<8>()?;
    let (version, rest) = body.split_first_chunk::<8>()?;
    let is_whole = sum(body) == u64::from_le_bytes(*end);
    let is_its = rest.first_chunk::<8>()? == &number.to_le_bytes();
    (is_whole && is_its).then(|| u64::from_le_bytes(*version))
}

fn sum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(bytes.len() as u64, |sum, &byte| mix(sum ^ u64::from(byte)))
}
