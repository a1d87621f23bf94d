#!/usr/bin/env bash
# Installs into a temporary directory, uses what is there as a stranger would, and takes it out again.
#
#   tests-c/install/run.sh      the installed tree and the manual pages (abi.sh holds the ABI)
#
# Needs pkg-config, readelf and a C compiler. Exit status: 0 if every check passed.
set -u
case ${1-} in
  '') ;;
  -h | --help) sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 0 ;;
  *) echo "install/run.sh: unknown argument $1" >&2; exit 2 ;;
esac
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.." || exit 1
unset LD_PRELOAD LD_LIBRARY_PATH SSLCACHE_STATS SSLCACHE_VERBOSE

tmp=$(mktemp -d "${TMPDIR:-/tmp}/sslcache-install.XXXXXX") || exit 1
trap 'rm -rf "$tmp"' EXIT
suite=install
. "$here/../checks.sh"

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
major=${version%%.*}

# --- Staged: DESTDIR, the default PREFIX ------------------------------------------------------

# (The command as it is when it is built for its own tests: what "make command" builds takes a minute more.)
cargo build --quiet --package sslcache-cli || exit 1
install() { make -s install COMMAND=target/debug/sslcache "$@"; }

dest=$tmp/dest
prefix=/usr/local
lib=$dest$prefix/lib
mkdir -p "$lib" && echo foreign >"$lib/libforeign.so"
check "make install puts everything behind DESTDIR" install DESTDIR="$dest"

expected="$prefix/bin/sslcache
$prefix/include/sslcache/openssl/ssl.h
$prefix/include/sslcache/sslcache.h
$prefix/lib/libforeign.so
$prefix/lib/libsslcache.so
$prefix/lib/libsslcache.so.$major
$prefix/lib/libsslcache.so.$version
$prefix/lib/pkgconfig/sslcache.pc
$prefix/share/bash-completion/completions/sslcache
$prefix/share/fish/vendor_completions.d/sslcache.fish
$prefix/share/man/man1/sslcache.1
$prefix/share/man/man3/sslcache.3
$prefix/share/man/man7/sslcache.7
$prefix/share/zsh/site-functions/_sslcache"
installed() { (cd "$1" && find . ! -type d | sed 's/^\.//' | LC_ALL=C sort); }
check "these files are installed and no others" is "$(installed "$dest")" "$expected"
check "libsslcache.so.$major is a link to the real file" is "$(readlink "$lib/libsslcache.so.$major")" "libsslcache.so.$version"
check "libsslcache.so is a link to libsslcache.so.$major" is "$(readlink "$lib/libsslcache.so")" "libsslcache.so.$major"
soname=$(readelf -d "$lib/libsslcache.so.$version" | sed -n 's/.*soname: \[\(.*\)\]/\1/p')
check "the SONAME is the link's name" is "$soname" "libsslcache.so.$major"
check "sslcache.pc knows nothing of DESTDIR" not grep -q "$tmp" "$lib/pkgconfig/sslcache.pc"

pc() { PKG_CONFIG_LIBDIR=$lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$dest pkg-config "$@" sslcache; }
check "pkg-config knows the version" is "$(pc --modversion)" "$version"

# --- The command --------------------------------------------------------------------------------

check "the command finds the library beside it" is "$("$dest$prefix/bin/sslcache" info)" \
  "$lib/libsslcache.so.$major: libsslcache $version"
check "and puts it in front of a program" is "$("$dest$prefix/bin/sslcache" run sh -c 'echo "$LD_PRELOAD"')" \
  "$lib/libsslcache.so.$major"
completes() { bash -c '. "$1" && complete -p sslcache' - "$dest$prefix/share/bash-completion/completions/sslcache"; }
check "bash completes its arguments" completes

# --- A stranger's program ---------------------------------------------------------------------

build() { cc -Wall -Wextra -Werror "$here/installed.c" -o "$tmp/installed" $(pc --cflags --libs); }
check "a program builds with what pkg-config says" build
needed=$(readelf -d "$tmp/installed" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p')
check "the program needs libsslcache.so.$major" grep -qx "libsslcache.so.$major" <<<"$needed"
check "the program does not need libssl" not grep -q "libssl\\." <<<"$needed"
check "the program runs and says the version" is "$(LD_LIBRARY_PATH=$lib timeout 20 "$tmp/installed" 2>&1)" "$version"
check "without the library it does not run" not timeout 20 "$tmp/installed"

# --- The manual pages -------------------------------------------------------------------------

if command -v mandoc >/dev/null; then
  for page in "$dest$prefix"/share/man/man?/*; do
    check "$(basename "$page") is clean" mandoc -Tlint -Wwarning "$page"
  done
elif command -v groff >/dev/null; then
  clean() { [ -z "$(groff -ww -mandoc -Tutf8 "$1" 2>&1 >/dev/null)" ]; }
  for page in "$dest$prefix"/share/man/man?/*; do check "$(basename "$page") is clean" clean "$page"; done
else
  skip "the manual pages: neither mandoc nor groff is installed"
fi

# The example of sslcache(3), and what the page says it prints.
example() { awk '/^#include <stdio.h>/ { on = 1 } /^\.Ed/ { on = 0 } on' docs/man/sslcache.3 | sed 's/\\e/\\/g'; }
printed() { awk '/^It prints/ { seen = 1; next } seen && /^\.Ed/ { exit } seen && !/^\./' docs/man/sslcache.3; }
build_example() { example | cc -Wall -Wextra -Werror -x c - -o "$tmp/example" $(pc --cflags --libs); }
check "the example of sslcache(3) builds" build_example
check "and prints what the page says" is "$(LD_LIBRARY_PATH=$lib timeout 20 "$tmp/example" 2>&1)" "$(printed)"

# --- Out again --------------------------------------------------------------------------------

check "make uninstall removes it" make -s uninstall DESTDIR="$dest"
check "what somebody else installed is left alone" is "$(installed "$dest")" "$prefix/lib/libforeign.so"
check "the directory of the headers is gone" not test -e "$dest$prefix/include/sslcache"
check "the program does not build any more" not build
check "make uninstall a second time is no error" make -s uninstall DESTDIR="$dest"

# --- Other directories ------------------------------------------------------------------------

other=(PREFIX="$tmp/p" LIBDIR="$tmp/p/lib64" INCLUDEDIR="$tmp/i" MANDIR="$tmp/m" DATADIR="$tmp/d")
lib=$tmp/p/lib64 dest=
check "make install with directories of one's own" install "${other[@]}"
check "a program builds there too" build
check "the command finds the library in another lib" is "$("$tmp/p/bin/sslcache" info)" \
  "$lib/libsslcache.so.$major: libsslcache $version"
check "and runs" is "$(LD_LIBRARY_PATH=$lib timeout 20 "$tmp/installed" 2>&1)" "$version"
check "make uninstall finds them" make -s uninstall "${other[@]}"
left() { find "$tmp/p" "$tmp/i" "$tmp/m" "$tmp/d" ! -type d; }
check "nothing is left" is "$(left)" ""

close
