# Measurements. The table of "bench" is the one of docs/performance.md.

# libssl and this library side by side: half an hour.
bench:
	cargo build --release
	cargo bench --bench compare -- --markdown target/compare/table.md
	cargo run --release --manifest-path benches/engine/Cargo.toml

# The same in two minutes, smaller.
bench-quick:
	cargo build --release
	cargo bench --bench compare -- --quick

# Instructions of the hot paths against benches/counts.tsv; BLESS=--bless writes that file anew.
bench-counts:
	cargo build --release
	cargo bench --bench counts -- $(BLESS)

.PHONY: bench bench-quick bench-counts
