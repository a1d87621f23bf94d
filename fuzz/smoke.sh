#!/bin/sh
# Runs each fuzz target for a while.
#
#   fuzz/smoke.sh [SECONDS] [--only NAME]
#   fuzz/smoke.sh --list                    the names
#
# Without SECONDS a fixed number of inputs from a fixed seed: what a test run can rely on. With them,
# new inputs each time.
#
# cargo-fuzz is installed under target/tools if it is not there, and the targets are skipped by name if
# that cannot be done. What libFuzzer finds new stays in a directory of its own: the committed corpus
# is not touched.
set -u
cd "$(dirname "$0")" || exit 1
targets="d2i engine" seconds=
while [ $# -gt 0 ]; do
    case $1 in
    -h | --help) sed -n '2,13s/^# \{0,1\}//p' "$(basename "$0")"; exit 0 ;;
    --list) printf '%s\n' $targets; exit 0 ;;
    --only)
        case " $targets " in *" ${2-} "*) ;; *) echo "no such target: ${2-} (--list shows them)" >&2; exit 2 ;; esac
        targets=$2
        shift ;;
    *[!0-9]* | '') echo "smoke.sh: unknown argument $1" >&2; exit 2 ;;
    *) seconds=$1 ;;
    esac
    shift
done
tools=$(cd .. && pwd)/target/tools
PATH=$tools/bin:$PATH

if ! cargo fuzz --version >/dev/null 2>&1 &&
    ! cargo install --quiet --locked --root "$tools" --version 0.13.2 cargo-fuzz; then
    for target in $targets; do
        echo "skip fuzz $target: cargo-fuzz could not be installed"
    done
    echo "0 passed, 0 failed, $(set -- $targets; echo $#) skipped"
    exit 0
fi

how_long() { # of target $1
    if [ -n "$seconds" ]; then
        echo "-max_total_time=$seconds"
    elif [ "$1" = engine ]; then
        echo "-seed=1 -runs=3000"
    else
        echo "-seed=1 -runs=100000"
    fi
}

passed=0 failed=0
for target in $targets; do
    found=$(mktemp -d)
    # cargo-fuzz asks for a nightly compiler, of which only the sanitizer flags are used.
    if RUSTC_BOOTSTRAP=1 cargo fuzz build "$target" >"$found/log" 2>&1 &&
        mkdir "$found/new" &&
        RUSTC_BOOTSTRAP=1 timeout $((${seconds:-120} + 60)) cargo fuzz run "$target" "$found/new" "corpus/$target" -- \
            $(how_long "$target") -max_len=4096 -print_final_stats=1 >"$found/log" 2>&1; then
        echo "ok   fuzz $target: $(sed -n 's/^stat::number_of_executed_units: *//p' "$found/log") inputs"
        passed=$((passed + 1))
    else
        tail -40 "$found/log"
        echo "FAIL fuzz $target"
        failed=$((failed + 1))
    fi
    rm -r "$found"
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
