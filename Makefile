# libsslcache. `make help` lists the targets.

# What the tests compare with: the real OpenSSL and its headers.
C_TOOLS := openssl /usr/include/openssl/ssl.h:libssl-dev

.DEFAULT_GOAL := all
.PHONY: all lib demo test check clean help header compatibility

all: lib ## build target/release/libsslcache.so (the header is include/sslcache.h)

lib:
	@scripts/need cargo cc:gcc
	cargo build --release --lib
	@ln -sf libsslcache.so target/release/libsslcache.so.0

demo: lib ## build, run the examples, and resume TLS sessions of a real server out of the library
	demo/run.sh

test: lib ## every test but the long ones; closes with "N passed, N failed"
	@scripts/need $(C_TOOLS) c++:g++ clang \
	    pkg-config valgrind nm:binutils curl python3 abidiff:abigail-tools mandoc
	scripts/test

header: ## generate include/sslcache.h again
	SSLCACHE_BLESS=1 cargo test --test header

compatibility: ## generate COMPATIBILITY.md again
	SSLCACHE_BLESS=1 cargo test --test compatibility

clean: ## remove what was built
	cargo clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

-include install.mk bench.mk long-tests.mk
