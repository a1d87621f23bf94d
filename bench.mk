# Measurements. The table of "bench" is the one of docs/performance.md.

bench: ## libssl and this library side by side, and Rust's caches: half an hour
	@scripts/need $(C_TOOLS) cc:gcc
	cargo build --release
	cargo bench --bench compare -- --markdown target/compare/table.md
	cargo run --release --manifest-path benches/engine/Cargo.toml

bench-quick: ## the first of it in two minutes
	@scripts/need $(C_TOOLS) cc:gcc
	cargo build --release
	cargo bench --bench compare -- --quick

bench-counts: ## instructions of the hot paths against benches/counts.tsv (BLESS=--bless writes it)
	@scripts/need $(C_TOOLS) valgrind
	cargo build --release
	cargo bench --bench counts -- $(BLESS)

.PHONY: bench bench-quick bench-counts
