#!/usr/bin/env bash
# Breaks the library on purpose, one way after the other: the tests that are named for it must notice.
set -u

usage() {
    cat <<'END'
usage: tests-c/mutations/run.sh [--check | --list] [--only NAME]

Each NAME.sed in this folder breaks one rule of the library, in a copy of the sources, and names the
tests that must fail then. The same tests must pass with a copy that is not broken. A quarter of a
minute for each.

  --check      only look whether each script is complete and still changes its file (a second)
  --list       the names, and what is wrong then
  --only NAME  this one alone (may be given more than once)
  --help       this text
END
}

. "$(dirname "$0")/common.sh"
chosen=() check=
while [ $# -gt 0 ]; do
    case $1 in
    --check) check=yes ;;
    --list) for name in $(mutations); do printf '%-32s %s\n' "$name" "$(mutation_wrong "$name")"; done; exit 0 ;;
    --only)
        [ -f "$mutation_scripts/${2-}.sed" ] || { echo "no such mutation: ${2-} (--list shows them)" >&2; exit 2; }
        chosen+=("$2")
        shift
        ;;
    --help | -h) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
    esac
    shift
done
[ ${#chosen[@]} -gt 0 ] || mapfile -t chosen < <(mutations)

passed=0 failed=0
ok() { passed=$((passed + 1)); echo "ok   mutations: $1"; }
fail() { failed=$((failed + 1)); echo "FAIL mutations: $1"; }
finish() {
    echo "$passed passed, $failed failed"
    [ $failed -eq 0 ] && [ $passed -gt 0 ]
    exit
}

# --- The scripts themselves -------------------------------------------------------------------

scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT

check() {
    local file
    file=$(mutation_file "$1")
    mkdir -p "$scratch/$(dirname "$file")"
    if [ ! -f "$mutation_root/$file" ]; then
        fail "$1: there is no file $file: name the one where the rule is now, in the first line of tests-c/mutations/$1.sed"
    elif [ -z "$(mutation_wrong "$1")" ] || [ -z "$(mutation_noticed_by "$1")" ]; then
        fail "$1: the head of tests-c/mutations/$1.sed is not complete (see common.sh)"
    elif mutation_noticed_by "$1" | grep -qvE '^((conformance|handshake|shared) [a-zA-Z0-9_]+|random|abi)$'; then
        fail "$1: is to be noticed by something that is no suite: $(mutation_noticed_by "$1" | tr '\n' ' ')"
    elif ! mutate "$1" "$scratch"; then
        fail "$1: changes nothing in $file any more. Its pattern in tests-c/mutations/$1.sed has to match the line
     that keeps the rule now, so that: $(mutation_wrong "$1") Then: tests-c/mutations/run.sh --only $1"
    else
        ok "$1 changes $file"
    fi
}

if [ -n "$check" ]; then
    for name in "${chosen[@]}"; do check "$name"; done
    finish
fi

# --- What notices them ------------------------------------------------------------------------

# succeeds MUTATION LIBRARY SUITE [PROGRAM]: no difference is seen. The suites that break the library
# themselves are asked whether they notice.
succeeds() {
    case $3 in
    conformance) "$mutation_root/tests-c/run.sh" --lib "$2" --only "$4" ;;
    handshake) "$mutation_root/tests-c/handshake/run.sh" --lib "$2" --only "$4" ;;
    shared) "$mutation_root/tests-c/shared/run.sh" --lib "$2" --only "$4" ;;
    random) ! "$mutation_root/tests-c/random/run.sh" --self-test --only "$1" ;;
    abi) ! "$mutation_root/tests-c/install/abi.sh" --self-test --only "$1" ;;
    *) echo "no suite $3"; return 2 ;;
    esac >"$scratch/log" 2>&1
}

unbroken=$(build_mutated none) || { fail "the library as it is does not build"; finish; }
declare -A sound
# sound SUITE PROGRAM: the unbroken library passes.
is_sound() {
    case $1 in random | abi) return 0 ;; esac # they look at it themselves
    [ -n "${sound[$*]-}" ] || sound[$*]=$(succeeds none "$unbroken" "$@" && echo yes || echo no)
    [ "${sound[$*]}" = yes ]
}

for name in "${chosen[@]}"; do
    library=$(build_mutated "$name" 2>"$scratch/build") || {
        fail "$name: does not build"
        head -n 20 "$scratch/build"
        continue
    }
    while read -r suite program; do
        # shellcheck disable=SC2086 # no program for some
        if ! is_sound $suite $program; then
            fail "$name: $suite $program fails without it too"
            tail -n 5 "$scratch/log"
        elif succeeds "$name" "$library" $suite $program; then
            fail "$name: $suite $program does not notice"
        else
            ok "$name is noticed by $suite${program:+ $program}"
        fi
    done < <(mutation_noticed_by "$name")
done
finish
