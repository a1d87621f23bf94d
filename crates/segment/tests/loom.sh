#!/usr/bin/env bash
# The protocols of a set under the orders of loads and stores that the memory model allows.
set -eu
cd "$(dirname "$0")/../../.."
# Flags of its own: a target directory of its own, or everything else would be built again.
RUSTFLAGS="--cfg loom" CARGO_TARGET_DIR=target/loom \
    exec cargo test --quiet --release --package sslcache-segment --lib
