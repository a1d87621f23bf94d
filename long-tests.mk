# Test runs that take longer than `make test`.

# --- Random calls, real programs ---
.PHONY: test-random test-programs
SECONDS ?= 3600

test-random: lib ## random calls, libssl and us, for SECONDS (3600)
	@scripts/need $(C_TOOLS)
	tests-c/differential/run.sh --no-self-test --seconds $(SECONDS)

test-programs: lib ## real programs with the library in front, all that can be installed (minutes)
	@scripts/need $(C_TOOLS) curl python3
	tests-c/preload/run.sh

# --- Suites that others wrote, soak, sanitizers ---
.PHONY: test-suites soak test-sanitizers

test-suites: lib ## test suites of Ruby, Perl, Python and Rust, with and without the library (minutes)
	@scripts/need $(C_TOOLS)
	tests-c/suites/run.sh

soak: lib ## many threads at once, plain and under each sanitizer (minutes)
	@scripts/need $(C_TOOLS) valgrind
	tests-c/soak/run.sh --seconds 60

test-sanitizers: lib ## a short soak under AddressSanitizer, ThreadSanitizer and valgrind
	@scripts/need $(C_TOOLS) valgrind
	tests-c/soak/run.sh --seconds 5 --asan --tsan --valgrind

# --- Other releases of OpenSSL ---
.PHONY: test-versions
test-versions: lib ## the C suites against OpenSSL 1.1.1, 3.4, 3.5 and 4.0, built from crates.io (the first time 20 minutes)
	@scripts/need $(C_TOOLS) cargo cc:gcc perl readelf:binutils
	tests-c/versions/run.sh
# --- end ---
