#!/usr/bin/env bash
# Holds the functions and structs of a build against abi/libsslcache.abi: what programs are linked
# with today must be there tomorrow, with the same types. New functions are welcome.
#
#   tests-c/install/abi.sh           compare; also show that a changed type is noticed
#   tests-c/install/abi.sh --bless   write abi/libsslcache.abi: for a new function, or a new SONAME
#
# Needs abidw and abidiff (Debian: abigail-tools). The build is one of its own, with debug information.
set -u
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
committed=$root/abi/libsslcache.abi
built=$root/target/abi
# A tree of its own, built in a directory of its own: cargo would take one's library for the other's.
changed=$root/target/abi-changed
passed=0 failed=0

done_with() { echo "$passed passed, $failed failed"; [ "$failed" = 0 ]; exit; }
ok() { passed=$((passed + 1)); echo "ok   abi: $1"; }
fail() { failed=$((failed + 1)); echo "FAIL abi: $1"; }

for tool in abidw abidiff python3; do
  command -v $tool >/dev/null && continue
  echo "skip abi: $tool is not installed"
  done_with
done

tmp=$(mktemp -d "${TMPDIR:-/tmp}/sslcache-abi.XXXXXX") || exit 1
trap 'rm -rf "$tmp"' EXIT

build() { # build TREE DIRECTORY: the library of a source tree, in DIRECTORY/debug
  (cd "$1" && CARGO_TARGET_DIR=$2 cargo build --quiet --lib) >"$tmp/log" 2>&1 && return
  sed 's/^/     /' "$tmp/log"
  return 1
}
library=$built/debug/libsslcache.so
compare() { abidiff --no-added-syms "$committed" "$1" >"$tmp/difference" 2>&1; }

build "$root" "$built" || { fail "it does not build"; done_with; }
if [ "${1-}" = --bless ]; then
  abidw --no-show-locs --no-corpus-path --no-comp-dir-path --no-elf-needed "$library" |
    python3 "$here/prune_abi.py" >"$tmp/new.abi" && cp "$tmp/new.abi" "$committed"
fi

if compare "$library"; then
  ok "every function and struct is as in abi/libsslcache.abi"
else
  fail "the ABI has changed:"
  sed 's/^/     /' "$tmp/difference"
fi
functions=$(grep -c '<function-decl .*elf-symbol-id' "$committed")
exported=$(nm -D --defined-only "$library" | grep -c ' T ')
[ "$functions" = "$exported" ] && ok "all $exported functions are in abi/libsslcache.abi" ||
  fail "$exported functions are exported, abi/libsslcache.abi has $functions: abi.sh --bless"

# --- Would it notice? -------------------------------------------------------------------------

notices() { # notices WHAT FILE SED
  local tree=$changed/tree
  rm -rf "$tree" && mkdir -p "$tree"
  cp -r "$root/src" "$root/benches" "$root/Cargo.toml" "$root/Cargo.lock" "$root/build.rs" "$tree"
  grep -q '^\[workspace\]' "$tree/Cargo.toml" || printf '\n[workspace]\n' >>"$tree/Cargo.toml"
  (cd "$root" && sed -n 's/.*path = "\(.*\.rs\)".*/\1/p' Cargo.toml) | while read -r file; do
    mkdir -p "$tree/$(dirname "$file")" && cp "$root/$file" "$tree/$file"
  done
  sed -i "$3" "$tree/$2"
  cmp -s "$root/$2" "$tree/$2" && { fail "$1: nothing was changed"; return; }
  build "$tree" "$changed" || { fail "$1: it does not build"; return; }
  compare "$changed/debug/libsslcache.so" && { fail "$1: not noticed"; return; }
  ok "$1 is noticed"
}

notices "a parameter of another type" src/exports/sslcache.rs \
  '/fn SSLCACHE_accept_session/,/{/ s/id_len: c_uint/id_len: size_t/'
notices "a field that moved" src/exports/sslcache.rs \
  '/pub struct SSLCACHE_STATS/,/^}/ { s/pub held:/pub swap:/; s/pub stored:/pub held:/; s/pub swap:/pub stored:/ }'
notices "a function that went" src/exports/ssl_session_is_resumable.rs \
  's/fn SSL_SESSION_is_resumable/fn SSL_SESSION_may_be_resumed/'
done_with
