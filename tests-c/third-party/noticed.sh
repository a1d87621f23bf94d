#!/usr/bin/env bash
# Breaks the library on purpose, one way after the other, and writes down which suite notices.
set -u

usage() {
    cat <<'END'
usage: tests-c/third-party/noticed.sh [--only NAME] [--write]

Runs against each mutation of the library (tests-c/mutations) the suites of this directory (only what
is about sessions), tests-c/run.sh (interposed) and tests-c/handshake/run.sh. Prints a table of how many
results differ, "." where none does. Some minutes for each.

The first row, "none", is the library unbroken: there, nothing may be noticed. A mutation that nobody
notices is a failure.

  --only NAME  this mutation alone (may be given more than once); the other rows are as last measured
  --list       the names
  --write      put the table into README.md
  --help       this text
END
}

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
. "$root/tests-c/mutations/common.sh"
# Those that leave the functions alone and are for a running program to notice.
mapfile -t all < <(echo none; mutations conformance; mutations handshake)
chosen=() write=
while [ $# -gt 0 ]; do
    case $1 in
    --only)
        [[ " ${all[*]} " == *" ${2-} "* ]] || { echo "no such mutation: ${2-} (--list shows them)" >&2; exit 2; }
        chosen+=("$2")
        shift
        ;;
    --list) printf '%s\n' "${all[@]}"; exit 0 ;;
    --write) write=yes ;;
    --help | -h) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
    esac
    shift
done
[ ${#chosen[@]} -gt 0 ] || chosen=("${all[@]}")

suites=(ruby net-ssleay io-socket-ssl python rust-openssl)
passed=0 failed=0
store=$mutated/third-party
export SSLCACHE_BASELINE=$store/baseline SSLCACHE_QUICK=1
mkdir -p "$SSLCACHE_BASELINE" "$store/rows"

# How many results of a suite differ; "ends badly" if it cannot say.
noticed_by_suite() {
    local log=$store/$1.log differ
    "$here/$1.sh" >"$log" 2>&1
    grep -q '^skip' "$log" && { echo skipped; return; }
    differ=$(sed -n 's/^FAIL [^:]*: \([0-9]*\) results differ/\1/p' "$log")
    if [ -n "$differ" ]; then echo "$differ"; elif grep -q '^FAIL' "$log"; then echo "ends badly"; else echo .; fi
}

# noticed_by_checks SCRIPT OPTION...: how many of its checks fail.
noticed_by_checks() {
    local log=$store/checks.log script=$1 differ
    shift
    timeout 900 "$root/tests-c/$script" --lib "$SSLCACHE_LIB" "$@" >"$log" 2>&1
    differ=$(sed -nE 's/^[0-9]+ passed, ([0-9]+) failed.*/\1/p' "$log" | tail -n 1)
    case $differ in '') echo "ends badly" ;; 0) echo . ;; *) echo "$differ" ;; esac
}

table() {
    local name
    echo "| broken on purpose | $(printf '%s | ' "${suites[@]}")tests-c/run.sh | tests-c/handshake/run.sh |"
    echo "| --- |$(printf ' --- |%.0s' "${suites[@]}") --- | --- |"
    for name in "${all[@]}"; do cat "$store/rows/$name" 2>/dev/null; done
}

for name in "${chosen[@]}"; do
    if ! SSLCACHE_LIB=$(build_mutated "$name" 2>"$store/build.log"); then
        echo "FAIL $name: does not build"
        head -n 20 "$store/build.log"
        failed=$((failed + 1))
        continue
    fi
    export SSLCACHE_LIB
    # The suites wait more than they work.
    for suite in "${suites[@]}"; do noticed_by_suite "$suite" >"$store/$suite.cell"; done &
    checks=("$(noticed_by_checks run.sh --standing interposed)" "$(noticed_by_checks handshake/run.sh)")
    wait
    cells=()
    for suite in "${suites[@]}"; do cells+=("$(cat "$store/$suite.cell")"); done
    cells+=("${checks[@]}")
    noticed=$(printf '%s\n' "${cells[@]}" | grep -vcxE '\.|skipped')
    what="Nothing: the library as it is."
    [ "$name" = none ] || what=$(mutation_wrong "$name")
    echo "| $what |$(printf ' %s |' "${cells[@]}")" >"$store/rows/$name"
    if [ "$name" = none ] && [ "$noticed" -eq 0 ]; then
        echo "ok   $name: nothing to notice"
        passed=$((passed + 1))
    elif [ "$name" != none ] && [ "$noticed" -gt 0 ]; then
        echo "ok   $name: noticed by $noticed of ${#cells[@]}: ${cells[*]}"
        passed=$((passed + 1))
    else
        echo "FAIL $name: noticed by $noticed of ${#cells[@]}: ${cells[*]}"
        failed=$((failed + 1))
    fi
done

table >"$store/table.md"
cat "$store/table.md"
if [ -n "$write" ]; then
    awk -v table="$store/table.md" '
        /^<!-- mutations -->$/ { print; while ((getline line < table) > 0) print line; skipping = 1; next }
        /^<!-- end -->$/ { skipping = 0 }
        !skipping' "$here/README.md" >"$store/README.md" && cp "$store/README.md" "$here/README.md"
fi
echo "$passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
