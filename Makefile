# libsslcache. `make help` lists the targets.

# What the tests compare with: the real OpenSSL and its headers.
C_TOOLS := openssl /usr/include/openssl/ssl.h:libssl-dev

.DEFAULT_GOAL := all
.PHONY: all lib command demo generated header compatibility abi clean help \
    test check test-mutations test-random test-programs test-suites test-soak test-sanitizers \
    test-versions test-segment whom-it-helps test-shared bench bench-quick bench-counts install uninstall

# --- Build ------------------------------------------------------------------------------------

all: lib command ## build target/release/libsslcache.so (the header is include/sslcache.h) and the command

lib:
	@scripts/need cargo cc:gcc
	cargo build --release --lib
	@ln -sf libsslcache.so target/release/libsslcache.so.0

command: ## build target/command/sslcache: programs with the library in front, and what they share
	@scripts/need cargo cc:gcc
	cargo build --profile command --package sslcache-cli

demo: lib ## build, run the examples, and resume TLS sessions of a real server out of the library
	examples/demo.sh

clean: ## remove what was built
	cargo clean

# --- What is generated ------------------------------------------------------------------------

whom-it-helps: lib ## real servers with and without us: writes the table of README.md (minutes)
	@scripts/need $(C_TOOLS) cc:gcc python3
	tests-c/preload/reach.sh --table README.md
	tests-c/preload/cost.sh --table docs/performance.md

generated: header compatibility abi ## all of it: after a new function, or a change of one

header: ## write include/sslcache.h again
	SSLCACHE_BLESS=1 cargo test --test header

compatibility: ## write COMPATIBILITY.md again
	SSLCACHE_BLESS=1 cargo test --test compatibility

abi: ## write tests-c/install/libsslcache.abi again: after a new function, or with a new SONAME
	tests-c/install/abi.sh --bless

# --- Tests ------------------------------------------------------------------------------------

test: lib ## every test but the long ones; closes with "N passed, N failed"
	@scripts/need $(C_TOOLS) c++:g++ clang \
	    pkg-config valgrind nm:binutils curl python3 abidiff:abigail-tools mandoc
	scripts/test

check: test ## the same

test-mutations: ## break the library on purpose, one way after the other: do its tests notice?
	@scripts/need $(C_TOOLS) cargo cc:gcc abidiff:abigail-tools
	tests-c/mutations/run.sh

SECONDS ?= 3600
test-random: lib ## random calls, libssl and us, for SECONDS (3600)
	@scripts/need $(C_TOOLS)
	tests-c/random/run.sh --no-self-test --seconds $(SECONDS)

test-programs: lib ## real programs with the library in front, all that can be installed (minutes)
	@scripts/need $(C_TOOLS) curl python3
	tests-c/preload/run.sh

test-suites: lib ## test suites of Ruby, Perl, Python and Rust, with and without the library (minutes)
	@scripts/need $(C_TOOLS)
	tests-c/third-party/run.sh

test-soak: lib ## many threads at once, plain and under each sanitizer (minutes)
	@scripts/need $(C_TOOLS) valgrind
	tests-c/soak/run.sh --seconds 60

test-sanitizers: lib ## a short soak under AddressSanitizer, ThreadSanitizer and valgrind
	@scripts/need $(C_TOOLS) valgrind
	tests-c/soak/run.sh --seconds 5 --asan --tsan --valgrind

test-versions: lib ## the C suites against OpenSSL 1.1.1, 3.4, 3.5 and 4.0, built from crates.io (the first time 20 minutes)
	@scripts/need $(C_TOOLS) cargo cc:gcc perl readelf:binutils
	tests-c/versions/run.sh

test-shared: lib ## every suite with one cache for all processes: SSLCACHE_SHARED (minutes)
	@scripts/need $(C_TOOLS) c++:g++ valgrind curl python3
	scripts/test --shared

KILLS ?= 5000
test-segment: ## KILLS processes (5000) killed on one shared segment, a third of them and more with a lock
	@scripts/need cargo cc:gcc
	cargo test --release --package sslcache-segment --test processes -- --kills $(KILLS)
	crates/segment/tests/loom.sh

# --- Measurements -----------------------------------------------------------------------------

# The tables of "bench" are those of docs/performance.md.
page := target/compare/performance.md
bench: ## all of docs/performance.md on this machine, with pictures: less than 25 minutes
	@scripts/need $(C_TOOLS) cc:gcc
	cargo build --release
	cargo build --release --package sslcache-engine-bench --package sslcache-segment-bench
	@mkdir -p target/compare && cp docs/performance.md target/compare/
	cargo bench --bench compare -- --svg target/compare --markdown $(page); \
	measured=$$?; \
	target/release/sslcache-engine-bench --markdown $(page) && \
	target/release/sslcache-engine-bench --pauses 10000000 --markdown $(page) && \
	target/release/sslcache-segment-bench --markdown $(page) && \
	echo "cp $(page) target/compare/*.svg target/compare/*.csv docs/   brings it into the documentation" && \
	exit $$measured

bench-quick: ## the most important of it in two minutes
	@scripts/need $(C_TOOLS) cc:gcc
	cargo build --release
	cargo bench --bench compare -- --quick

bench-counts: lib ## instructions of the hot paths against benches/counts.tsv (BLESS=--bless writes it)
	@scripts/need $(C_TOOLS) valgrind
	benches/counts.sh $(BLESS)

# --- Install ----------------------------------------------------------------------------------

# PREFIX, BINDIR, LIBDIR, INCLUDEDIR, MANDIR, DATADIR and DESTDIR are the usual ones. The headers go into a directory of
# their own, so that OpenSSL's <openssl/ssl.h> stays what it is; sslcache.pc names the directory.
PREFIX     ?= /usr/local
BINDIR     ?= $(PREFIX)/bin
LIBDIR     ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
DATADIR    ?= $(PREFIX)/share
MANDIR     ?= $(DATADIR)/man
INSTALL    ?= install

version := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
soname  := libsslcache.so.$(firstword $(subst ., ,$(version)))
real    := libsslcache.so.$(version)

# The command, built here or before.
built   := target/command/sslcache
COMMAND ?= $(built)

# Where each goes; uninstall removes these files and no others.
to_bin     := $(DESTDIR)$(BINDIR)
to_lib     := $(DESTDIR)$(LIBDIR)
to_include := $(DESTDIR)$(INCLUDEDIR)/sslcache
to_man     := $(DESTDIR)$(MANDIR)
# What shells need, for each of them: NAME=FILE.
to_shells  := bash=bash-completion/completions/sslcache zsh=zsh/site-functions/_sslcache \
    fish=fish/vendor_completions.d/sslcache.fish

install: lib $(if $(filter $(built),$(COMMAND)),command) ## install under PREFIX (/usr/local), behind DESTDIR if that is set
	$(INSTALL) -d $(to_bin) $(to_lib)/pkgconfig $(to_include)/openssl $(addprefix $(to_man)/man,1 3 7)
	$(INSTALL) -m 755 $(COMMAND) $(to_bin)/sslcache
	for shell in $(to_shells); do file=$(DESTDIR)$(DATADIR)/$${shell#*=}; $(INSTALL) -d $${file%/*} && \
	    $(COMMAND) completions $${shell%=*} > $$file && chmod 644 $$file || exit; done
	$(INSTALL) -m 755 target/release/libsslcache.so $(to_lib)/$(real)
	ln -sf $(real) $(to_lib)/$(soname)
	ln -sf $(soname) $(to_lib)/libsslcache.so
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' -e 's|@INCLUDEDIR@|$(INCLUDEDIR)|' \
	    -e 's|@VERSION@|$(version)|' scripts/sslcache.pc.in > $(to_lib)/pkgconfig/sslcache.pc
	chmod 644 $(to_lib)/pkgconfig/sslcache.pc
	$(INSTALL) -m 644 include/sslcache.h $(to_include)/sslcache.h
	$(INSTALL) -m 644 include/openssl/ssl.h $(to_include)/openssl/ssl.h
	for section in 1 3 7; do \
	    $(INSTALL) -m 644 docs/man/sslcache.$$section $(to_man)/man$$section/ || exit; done

uninstall: ## remove what install put there
	rm -f $(to_bin)/sslcache $(foreach shell,$(to_shells),$(DESTDIR)$(DATADIR)/$(lastword $(subst =, ,$(shell))))
	rm -f $(to_lib)/$(real) $(to_lib)/$(soname) $(to_lib)/libsslcache.so
	rm -f $(to_lib)/pkgconfig/sslcache.pc
	rm -f $(to_include)/sslcache.h $(to_include)/openssl/ssl.h
	rm -f $(foreach section,1 3 7,$(to_man)/man$(section)/sslcache.$(section))
	-test ! -d $(to_include) || rmdir $(to_include)/openssl $(to_include)

help: ## this list
	@awk -F ':.*## ' '/^# --- / { gsub(/^# --- | -+$$/, ""); heading = $$0 } \
	    /^[a-z-]+:.*## / { if (heading) print "\n" heading; heading = ""; printf "  %-18s%s\n", $$1, $$2 }' \
	    $(MAKEFILE_LIST)
