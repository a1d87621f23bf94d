#!/usr/bin/env bash
# Runs each handshake scenario on libssl alone and with the library in front, and compares what
# an application saw. Closes with "N passed, N failed"; exits 1 if anything failed.
set -u
shopt -s extglob

usage() {
    cat <<'END'
usage: run.sh [--list] [--only NAME] [--lib PATH] [--libssl DIR [--headers DIR]] [--valgrind] [--shared]
              [--record SIDE] [--keep DIR]

  --only NAME    scenarios whose name matches this shell pattern
  --list         the names of all
  --lib PATH     the library to put in front (default: target/release/libsslcache.so of this tree)
  --libssl DIR   another build of libssl and libcrypto, for both sides (LD_LIBRARY_PATH)
  --headers DIR  build the scenarios anew with the headers of that release, and its libraries
  --valgrind     the side with the library runs under valgrind; any error or leak fails
  --shared       the side with the library has SSLCACHE_SHARED; expected/NAME.shared is what it then prints otherwise
  --record SIDE  write expected/NAME.SIDE of the intended differences from this run (SIDE: libssl, sslcache or, with --shared, shared)
  --keep DIR     leave all traces in DIR
  --help         this text

The expected traces of the intended differences are those of OpenSSL 3.0 to 3.5. Scenarios that a release makes
incomparable are in releases.tsv, with the reason, and are skipped.
END
}

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
lib=$root/target/release/libsslcache.so
only='*' list='' libssl='' headers='' valgrind='' record='' keep=''
. "$here/../segment.sh"

while [ $# -gt 0 ]; do
    case $1 in
    --only) only=$2; shift ;;
    --list) list=1 ;;
    --lib) lib=$2; shift ;;
    --libssl) libssl=$(realpath -m "$2"); shift ;;
    --headers) headers=$(realpath -m "$2"); shift ;;
    --record) record=$2; shift ;;
    --keep) keep=$2; shift ;;
    --valgrind) valgrind=1 ;;
    --shared) shared=1 ;;
    --help | -h) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
    esac
    shift
done

build=$here/build
if [ -n "$headers" ]; then
    build=$root/target/handshake/${headers//\//_}
    mkdir -p "$build"
fi
make -s -j2 -C "$here" BUILD="$build" HEADERS="$headers" ${headers:+LIBSSL="$libssl"} || exit 1
names=$(LD_LIBRARY_PATH="$libssl" "$build/handshake" --list) || exit 1
if [ -n "$list" ]; then
    printf '%s\n' really_in_front $names
    exit 0
fi
if [ ! -f "$lib" ]; then
    echo "no library at $lib (cargo build --release, or --lib PATH)" >&2
    exit 2
fi
lib=$(cd "$(dirname "$lib")" && pwd)/$(basename "$lib")
handshake=$build/handshake
traces=${keep:-$(mktemp -d)}
mkdir -p "$traces"
[ -n "$keep" ] || trap 'rm -rf "$traces"' EXIT

# Variables of the library itself must not leak in from the caller's shell.
for variable in $(env | sed -n 's/^\(SSLCACHE_[A-Z_]*\)=.*/\1/p'); do unset "$variable"; done

alone() {
    timeout 120 env ${libssl:+LD_LIBRARY_PATH="$libssl"} "$handshake" "$@" 2>&1
}

in_front() {
    with_segment timeout 120 env ${libssl:+LD_LIBRARY_PATH="$libssl"} LD_PRELOAD="$lib" "$handshake" "$@" 2>&1
}

under_valgrind() {
    with_segment timeout 600 env ${libssl:+LD_LIBRARY_PATH="$libssl"} HANDSHAKE_TIME_LIMIT=600 LD_PRELOAD="$lib" \
        valgrind -q --error-exitcode=9 --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite \
        --log-file="$traces/$1.valgrind.%p" "$handshake" --no-fork "$@" 2>&1
}

# Linked with -Bsymbolic, libssl asks only its own cache whether a generated id is taken, and tells nobody that it
# flushes a context that ends.
if readelf -d "$(LD_LIBRARY_PATH="$libssl" ldd "$handshake" | awk '/libssl/ { print $3 }')" | grep -q SYMBOLIC; then
    intended_differences='@(difference_*|generator_conflict_*|context_read_while_freed_*)'
else
    intended_differences='difference_*'
fi

# The release of libssl that runs: 3.0.19
release=$(LD_LIBRARY_PATH="$libssl" "$handshake" --version)
not_after() { [ "$1" = "$(printf '%s\n%s\n' "$1" "$2" | sort -V | sed -n 1p)" ]; }

# Why scenario $1 is not comparable with this release; fails if it is.
left_out() {
    local pattern from until reason
    while IFS=$'\t' read -r pattern from until reason; do
        # shellcheck disable=SC2053 # a pattern
        if [[ $1 == $pattern ]] && { [ "$from" = - ] || not_after "$from" "$release"; } &&
            { [ "$until" = - ] || not_after "$release" "$until.99"; }; then
            echo "$reason"
            return
        fi
    done < <(tail -n +2 "$here/releases.tsv")
    return 1
}

# libssl 3 and the library report what one flush or one eviction took out soonest to expire first; 4.0 in the
# reverse order, 1.1.1 in that of its hash table. There, reports that follow each other are compared as a set.
# 1.1.1 blanks the id of a marked session even if it is cached, and never gets rid of that entry.
if not_after 3.0 "$release" && ! not_after 4.0 "$release"; then
    comparable() { cat "$1"; }
else
    comparable() {
        awk -v release="$release" 'release < "3" { sub(/ freed, number=[0-9]+$/, " freed") }
            /^  [^ ]+[.]remove / { reports[++n] = $0; next }
            { if (n) { close_reports() } print }
            END { if (n) close_reports() }
            function close_reports(  i) { for (i = 1; i <= n; i++) print reports[i] | "sort"; close("sort"); n = 0 }' "$1"
    }
fi

skip() { echo "skip handshake/$1"; }
ok() { echo "ok handshake/$1"; }
fail() { echo "FAIL handshake/$1"; }

# Whether the side with the library prints something else with --shared, which is written down.
differs_shared() { [ -n "$shared" ] && { [ -f "$here/expected/$1.shared" ] || [ "$record" = shared ]; }; }

# is_as_written NAME SIDE KIND: the trace of this side is what expected/NAME.KIND says.
is_as_written() {
    local written=$here/expected/$1.$3
    if [ "$record" = "$3" ]; then
        mkdir -p "$here/expected"
        cp "$traces/$1.$2" "$written"
    fi
    diff -u --label "$1 expected of $3" --label "$1 $2" <(comparable "$written") <(comparable "$traces/$1.$2") \
        >"$traces/$1.$2.diff" 2>&1 && return
    sed -n '1,40p' "$traces/$1.$2.diff"
    return 1
}

# is_a_difference NAME FILE KIND: what is written of this kind is not FILE, which is libssl's.
is_a_difference() {
    cmp -s "$2" "$here/expected/$1.$3" || return 0
    echo "$1: $3 is the same as libssl's: no difference any more"
    return 1
}

# The same bytes on both sides.
compare() {
    if diff -u --label "$1 libssl" --label "$1 sslcache" <(comparable "$traces/$1.libssl") \
        <(comparable "$traces/$1.sslcache") >"$traces/$1.diff"; then
        ok "$1"
    else
        fail "$1"
        sed -n '1,40p' "$traces/$1.diff"
    fi
}

# An intended difference: each side as it is written down, and not the same.
compare_with_expected() {
    local kind=sslcache
    ! differs_shared "$1" || kind=shared
    if is_as_written "$1" libssl libssl && is_as_written "$1" sslcache $kind &&
        is_a_difference "$1" "$here/expected/$1.libssl" $kind; then
        ok "$1"
    else
        fail "$1"
    fi
}

# One that is intended with --shared alone: libssl is as it is.
compare_shared() {
    if is_as_written "$1" sslcache shared && is_a_difference "$1" "$traces/$1.libssl" shared; then
        ok "$1"
    else
        fail "$1"
    fi
}

# Without this, a library that was never called would pass everything. $1: the preload of this run.
stored_in_front() {
    rm -f "$traces/stats"
    timeout 60 env ${libssl:+LD_LIBRARY_PATH="$libssl"} SSLCACHE_STATS="$traces/stats" ${1:+LD_PRELOAD="$1"} \
        "$handshake" --no-fork alive_at_exit_tls12 >/dev/null 2>&1
    [ -f "$traces/stats" ] && grep -Eq '(^|[^a-z_])stored"?[ :=]+[1-9]' "$traces/stats"
}

try_scenario() {
    local name=$1 reason status
    if reason=$(left_out "$name"); then
        skip "$name: $reason"
        return
    fi
    alone "$name" >"$traces/$name.libssl"
    if [ -n "$valgrind" ]; then
        under_valgrind "$name" >"$traces/$name.sslcache"
        status=$?
        if [ $status -eq 9 ] || [ $status -eq 124 ]; then
            fail "$name (valgrind, status $status)"
            cat "$traces/$name".valgrind.* | sed -n '1,40p'
            return
        fi
    else
        in_front "$name" >"$traces/$name.sslcache"
    fi
    # shellcheck disable=SC2053 # a pattern
    if [[ $name == $intended_differences ]]; then
        compare_with_expected "$name"
    elif differs_shared "$name"; then
        compare_shared "$name"
    else
        compare "$name"
    fi
}

chosen=()
for name in $names; do
    # shellcheck disable=SC2053 # a pattern
    [[ $name == $only ]] && chosen+=("$name")
done

# Two at a time, told in order.
for name in "${chosen[@]}"; do
    while [ "$(jobs -rp | wc -l)" -ge 2 ]; do wait -n; done
    try_scenario "$name" >"$traces/$name.told" 2>&1 &
done
wait
{
    # shellcheck disable=SC2053 # a pattern
    if [[ really_in_front == $only ]]; then
        if stored_in_front "$lib" && ! stored_in_front ''; then ok really_in_front; else fail really_in_front; fi
    fi
    for name in "${chosen[@]}"; do cat "$traces/$name.told"; done
} | tee "$traces/told"

count() { grep -c "^$1 handshake/" "$traces/told"; }
passed=$(count ok) failed=$(count FAIL) skipped=$(count skip)
if [ $((passed + failed + skipped)) -eq 0 ]; then
    echo "run.sh: no such scenario: $only (--list shows them)" >&2
    exit 2
fi
echo "$passed passed, $failed failed$([ $skipped -gt 0 ] && echo ", $skipped skipped")"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
