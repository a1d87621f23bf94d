#!/usr/bin/env bash
# Instructions of the hot paths, counted, not timed: a machine under load gives the same numbers.
set -u

usage() {
    cat <<'END'
usage: benches/counts.sh [--bless] [--only OPERATION] [--lib PATH]

Runs benches/c/hot.c on the library under callgrind and compares with benches/counts.tsv: more than a
tenth above is a failure. The hash is keyed at random, so the number of probes, and with it the count,
differs a little from run to run; of three runs the lowest counts.

  --bless           write counts.tsv anew
  --only OPERATION  this one alone (may be given more than once)
  --list            their names
  --lib PATH        the library (default target/release/libsslcache.so)
  --help            this text
END
}

here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
known=$here/counts.tsv
lib=$root/target/release/libsslcache.so
operations=(hit miss get add add_full add_full_mixed remove)
count=5000 runs=3
chosen=() bless=
while [ $# -gt 0 ]; do
    case $1 in
    --bless) bless=yes ;;
    --only)
        [[ " ${operations[*]} " == *" ${2-} "* ]] || { echo "no such operation: ${2-} (--list shows them)" >&2; exit 2; }
        chosen+=("$2")
        shift
        ;;
    --list) printf '%s\n' "${operations[@]}"; exit 0 ;;
    --lib) lib=$(realpath -m "${2-}"); shift ;;
    --help | -h) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
    esac
    shift
done
[ ${#chosen[@]} -gt 0 ] || chosen=("${operations[@]}")

out=$root/target/counts
mkdir -p "$out"
cp "$lib" "$out/libsslcache.so.0" || exit 2
${CC:-cc} -O2 -g -std=c11 -DOPENSSL_SUPPRESS_DEPRECATED -I"$root/include" -o "$out/hot" \
    "$here/c/hot.c" "$here/c/measure.c" "$out/libsslcache.so.0" -lcrypto -Wl,-rpath,"$out" || exit 2

# Instructions of one run of an operation; nothing if it ends badly.
measure() {
    timeout 300 valgrind --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect=measured \
        "$out/hot" --count "$count" --operation "$1" >"$out/log" 2>&1 &&
        awk -v count="$count" '/Collected :/ { printf "%.0f\n", $4 / count }' "$out/log"
}

passed=0 failed=0
for operation in "${chosen[@]}"; do
    now=$(for ((run = 0; run < runs; run++)); do measure "$operation"; done | sort -n | head -n 1)
    before=$(awk -v name="$operation" '$1 == name { print $2 }' "$known")
    if [ -z "$now" ]; then
        echo "FAIL counts: $operation ends badly"
        tail -n 5 "$out/log"
        failed=$((failed + 1))
    elif [ -n "$bless" ]; then
        { grep -v "^$operation"$'\t' "$known"; printf '%s\t%s\n' "$operation" "$now"; } >"$out/counts.tsv"
        cp "$out/counts.tsv" "$known"
        echo "ok   counts: $operation: $now instructions, written down (were ${before:-unknown})"
        passed=$((passed + 1))
    elif [ -n "$before" ] && [ $((now * 10)) -le $((before * 11)) ]; then
        echo "ok   counts: $operation: $now instructions (known: $before)"
        passed=$((passed + 1))
    else
        echo "FAIL counts: $operation: $now instructions (known: ${before:-none}). If it has to be: benches/counts.sh --bless"
        failed=$((failed + 1))
    fi
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
