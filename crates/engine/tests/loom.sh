#!/usr/bin/env bash
# The sequence lock under every order of loads and stores that the memory model allows.
set -eu
cd "$(dirname "$0")"
RUSTFLAGS="--cfg loom" exec cargo test --quiet --release
