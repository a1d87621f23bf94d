# Measurements. The table of "bench" is the one of docs/performance.md.

bench: ## libssl and this library side by side, and Rust's caches, with pictures: half an hour
	@scripts/need $(C_TOOLS) cc:gcc
	cargo build --release
	cargo build --release --package sslcache-engine-bench
	@mkdir -p target/compare && cp docs/performance.md target/compare/
	cargo bench --bench compare -- --svg target/compare --markdown target/compare/performance.md; \
	measured=$$?; \
	cargo run --release --package sslcache-engine-bench -- --markdown target/compare/performance.md && \
	echo "cp target/compare/performance.md target/compare/*.svg docs/   brings it into the documentation" && \
	exit $$measured

bench-quick: ## the most important of it in two minutes
	@scripts/need $(C_TOOLS) cc:gcc
	cargo build --release
	cargo bench --bench compare -- --quick

bench-counts: ## instructions of the hot paths against benches/counts.tsv (BLESS=--bless writes it)
	@scripts/need $(C_TOOLS) valgrind
	cargo build --release
	cargo bench --bench counts -- $(BLESS)

.PHONY: bench bench-quick bench-counts
