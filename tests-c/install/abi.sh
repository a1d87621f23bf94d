#!/usr/bin/env bash
# Holds the functions and structs of a build against libsslcache.abi beside it: what programs are linked
# with today must be there tomorrow, with the same types. New functions are welcome.
#
#   tests-c/install/abi.sh               compare; also show that a changed type is noticed
#   tests-c/install/abi.sh --bless       write libsslcache.abi: for a new function, or a new SONAME
#   tests-c/install/abi.sh --self-test [--only NAME]
#                                        only break the library in each way of tests-c/mutations that
#                                        names this test, and see that it is noticed
#   tests-c/install/abi.sh --no-self-test    leave that out
#
# Needs abidw and abidiff (Debian: abigail-tools). The build is one of its own, with debug information.
set -u
case ${1-} in
  -h | --help) sed -n '2,13s/^# \{0,1\}//p' "$0"; exit 0 ;;
  '' | --bless | --no-self-test) [ $# -le 1 ] || { echo "abi.sh: one argument" >&2; exit 2; } ;;
  --self-test) ;;
  *) echo "abi.sh: unknown argument $1" >&2; exit 2 ;;
esac
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../mutations/common.sh"
root=$(cd "$here/../.." && pwd)
committed=$here/libsslcache.abi
built=$root/target/abi
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

library=$built/debug/libsslcache.so
compare() { abidiff --no-added-syms "$committed" "$1" >"$tmp/difference" 2>&1; }

# --- Would it notice? -------------------------------------------------------------------------

self_test() { # [NAME]
  local name library
  for name in ${1:-$(mutations abi)}; do
    if ! library=$(build_mutated "$name" 2>"$tmp/log"); then
      fail "$name: it does not build"
      sed 's/^/     /' "$tmp/log"
    elif compare "$library"; then
      fail "$name: not noticed"
    else
      ok "$name is noticed"
    fi
  done
}
if [ "${1-}" = --self-test ]; then
  self_test "${3-}"
  done_with
fi

# --- As it is ---------------------------------------------------------------------------------

(cd "$root" && CARGO_TARGET_DIR=$built cargo build --quiet --lib) || { fail "it does not build"; done_with; }
if [ "${1-}" = --bless ]; then
  abidw --no-show-locs --no-corpus-path --no-comp-dir-path --no-elf-needed "$library" |
    python3 "$here/prune_abi.py" >"$tmp/new.abi" && cp "$tmp/new.abi" "$committed"
fi

if compare "$library"; then
  ok "every function and struct is as in libsslcache.abi"
else
  fail "the ABI has changed:"
  sed 's/^/     /' "$tmp/difference"
fi
functions=$(grep -c '<function-decl .*elf-symbol-id' "$committed")
exported=$(nm -D --defined-only "$library" | grep -c ' T ')
[ "$functions" = "$exported" ] && ok "all $exported functions are in libsslcache.abi" ||
  fail "$exported functions are exported, libsslcache.abi has $functions: abi.sh --bless"

[ "${1-}" = --no-self-test ] || self_test
done_with
