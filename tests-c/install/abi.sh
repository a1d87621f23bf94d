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
target=$root/target/abi
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

build() { # build DIRECTORY FILE: the library of a source tree
  (cd "$1" && CARGO_TARGET_DIR=$target cargo build --quiet --lib) >"$tmp/log" 2>&1 &&
    cp "$target/debug/libsslcache.so" "$2" && return
  sed 's/^/     /' "$tmp/log"
  return 1
}
compare() { abidiff --no-added-syms "$committed" "$1" >"$tmp/difference" 2>&1; }

build "$root" "$tmp/now.so" || { fail "it does not build"; done_with; }
if [ "${1-}" = --bless ]; then
  abidw --no-show-locs --no-corpus-path --no-comp-dir-path --no-elf-needed "$tmp/now.so" |
    python3 "$here/prune_abi.py" >"$tmp/new.abi" && cp "$tmp/new.abi" "$committed"
fi

if compare "$tmp/now.so"; then
  ok "every function and struct is as in abi/libsslcache.abi"
else
  fail "the ABI has changed:"
  sed 's/^/     /' "$tmp/difference"
fi
functions=$(grep -c '<function-decl .*elf-symbol-id' "$committed")
exported=$(nm -D --defined-only "$tmp/now.so" | grep -c ' T ')
[ "$functions" = "$exported" ] && ok "all $exported functions are in abi/libsslcache.abi" ||
  fail "$exported functions are exported, abi/libsslcache.abi has $functions: abi.sh --bless"

# --- Would it notice? -------------------------------------------------------------------------

notices() { # notices WHAT FILE SED
  rm -rf "$tmp/changed" && mkdir "$tmp/changed"
  cp -r "$root/src" "$root/Cargo.toml" "$root/Cargo.lock" "$root/build.rs" "$tmp/changed"
  (cd "$root" && sed -n 's/.*path = "\(.*\.rs\)".*/\1/p' Cargo.toml) | while read -r file; do
    mkdir -p "$tmp/changed/$(dirname "$file")" && cp "$root/$file" "$tmp/changed/$file"
  done
  sed -i "$3" "$tmp/changed/$2"
  cmp -s "$root/$2" "$tmp/changed/$2" && { fail "$1: nothing was changed"; return; }
  build "$tmp/changed" "$tmp/changed.so" || { fail "$1: it does not build"; return; }
  compare "$tmp/changed.so" && { fail "$1: not noticed"; return; }
  ok "$1 is noticed"
}

notices "a parameter of another type" src/exports/sslcache.rs \
  '/fn SSLCACHE_accept_session/,/{/ s/id_len: c_uint/id_len: size_t/'
notices "a field that moved" src/exports/sslcache.rs \
  '/pub struct SSLCACHE_STATS/,/^}/ { s/pub held:/pub swap:/; s/pub stored:/pub held:/; s/pub swap:/pub stored:/ }'
notices "a function that went" src/exports/ssl_session_is_resumable.rs \
  's/fn SSL_SESSION_is_resumable/fn SSL_SESSION_may_be_resumed/'
done_with
