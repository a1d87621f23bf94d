# Test runs that take longer than `make test`.

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
# --- end ---
