# Test runs that take longer than `make test`.

.PHONY: test-versions
test-versions: lib ## the C suites against OpenSSL 1.1.1, 3.4, 3.5 and 4.0, built from crates.io (the first time 20 minutes)
	@scripts/need $(C_TOOLS) cargo cc:gcc perl readelf:binutils
	tests-c/versions/run.sh
