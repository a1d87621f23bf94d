#!/usr/bin/env bash
# Breaks the library on purpose, one way after the other, and writes down which suite notices.
set -u

usage() {
    cat <<'END'
usage: tests-c/suites/mutations.sh [--only NAME] [--write]

Applies each mutations/NAME.sed to a copy of the sources under target/suites/mutations (the first line
of the script names the file), builds the library there, and runs against it the suites of this
directory (only what is about sessions), tests-c/run.sh (interposed) and tests-c/handshake/run.sh.
Prints a table of how many results differ, "." where none does. Some minutes for each.

The first row, "none", is the library unbroken: there, nothing may be noticed. A mutation that nobody
notices is a failure.

  --only NAME  this mutation alone (may be given more than once); the other rows are as last measured
  --write      put the table into README.md
  --help       this text
END
}

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
copy=$root/target/suites/mutations
chosen=() write=
while [ $# -gt 0 ]; do
    case $1 in
    --only)
        [ "${2-}" = none ] || [ -f "$here/mutations/${2-}.sed" ] || { echo "no such mutation: ${2-}" >&2; exit 2; }
        chosen+=("$2")
        shift
        ;;
    --write) write=yes ;;
    --help | -h) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
    esac
    shift
done
all=(none)
for script in "$here"/mutations/*.sed; do all+=("$(basename "$script" .sed)"); done
[ ${#chosen[@]} -gt 0 ] || chosen=("${all[@]}")

suites=(ruby net-ssleay io-socket-ssl python rust-openssl)
passed=0 failed=0
export SSLCACHE_LIB=$copy/target/release/libsslcache.so SSLCACHE_BASELINE=$copy/baseline SSLCACHE_QUICK=1
mkdir -p "$SSLCACHE_BASELINE" "$copy/rows"

# A copy of the sources that cargo does not take for new where nothing changed.
restore() {
    mkdir -p "$copy"
    rm -rf "$copy/src.new" && cp -rp "$root/src" "$copy/src.new" && rm -rf "$copy/src" && mv "$copy/src.new" "$copy/src"
    cp -p "$root"/{Cargo.toml,Cargo.lock,build.rs,cbindgen.toml} "$copy/"
    # Cargo insists on the files of the targets that the manifest names.
    ln -sfn "$root/crates" "$copy/crates" && ln -sfn "$root/benches" "$copy/benches" && ln -sfn "$root/tests" "$copy/tests" && ln -sfn "$root/examples" "$copy/examples"
}

# mutate NAME: false if the script no longer changes anything.
mutate() {
    local script=$here/mutations/$1.sed file
    [ "$1" != none ] || return 0
    file=$copy/$(sed -n '1s/^# //p' "$script")
    cp "$file" "$file.before"
    sed -i -f "$script" "$file"
    ! cmp -s "$file" "$file.before"
}

build() {
    (cd "$copy" && touch src/lib.rs && CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
        timeout 300 cargo build -q -j 2 --release --lib --target-dir "$copy/target") >"$copy/build.log" 2>&1
}

# How many results of a suite differ; "ends badly" if it cannot say.
noticed_by_suite() {
    local log=$copy/$1.log differ
    "$here/$1.sh" >"$log" 2>&1
    grep -q '^skip' "$log" && { echo skipped; return; }
    differ=$(sed -n 's/^FAIL [^:]*: \([0-9]*\) results differ/\1/p' "$log")
    if [ -n "$differ" ]; then echo "$differ"; elif grep -q '^FAIL' "$log"; then echo "ends badly"; else echo .; fi
}

# noticed_by_checks SCRIPT OPTION...: how many of its checks fail.
noticed_by_checks() {
    local log=$copy/checks.log script=$1 differ
    shift
    timeout 900 "$root/tests-c/$script" --lib "$SSLCACHE_LIB" "$@" >"$log" 2>&1
    differ=$(sed -nE 's/^[0-9]+ passed, ([0-9]+) failed.*/\1/p' "$log" | tail -n 1)
    case $differ in '') echo "ends badly" ;; 0) echo . ;; *) echo "$differ" ;; esac
}

table() {
    local name
    echo "| broken on purpose | $(printf '%s | ' "${suites[@]}")tests-c/run.sh | tests-c/handshake/run.sh |"
    echo "| --- |$(printf ' --- |%.0s' "${suites[@]}") --- | --- |"
    for name in "${all[@]}"; do cat "$copy/rows/$name" 2>/dev/null; done
}

for name in "${chosen[@]}"; do
    restore
    if ! mutate "$name"; then
        echo "FAIL $name: changes nothing any more"
        failed=$((failed + 1))
        continue
    fi
    if ! build; then
        echo "FAIL $name: does not build"
        grep -m 3 '^error' "$copy/build.log"
        failed=$((failed + 1))
        continue
    fi
    # The suites wait more than they work.
    for suite in "${suites[@]}"; do noticed_by_suite "$suite" >"$copy/$suite.cell"; done &
    checks=("$(noticed_by_checks run.sh --standing interposed)" "$(noticed_by_checks handshake/run.sh)")
    wait
    cells=()
    for suite in "${suites[@]}"; do cells+=("$(cat "$copy/$suite.cell")"); done
    cells+=("${checks[@]}")
    noticed=$(printf '%s\n' "${cells[@]}" | grep -vcxE '\.|skipped')
    what=$(sed -n '2s/^# //p' "$here/mutations/$name.sed" 2>/dev/null)
    echo "| ${what:-Nothing: the library as it is.} |$(printf ' %s |' "${cells[@]}")" >"$copy/rows/$name"
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

table >"$copy/table.md"
cat "$copy/table.md"
if [ -n "$write" ]; then
    awk -v table="$copy/table.md" '
        /^<!-- mutations -->$/ { print; while ((getline line < table) > 0) print line; skipping = 1; next }
        /^<!-- end -->$/ { skipping = 0 }
        !skipping' "$here/README.md" >"$copy/README.md" && cp "$copy/README.md" "$here/README.md"
fi
echo "$passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
