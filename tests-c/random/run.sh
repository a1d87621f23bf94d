#!/usr/bin/env bash
# Random sequences of session cache calls, on libssl and on libsslcache: the traces must be the same.
set -u

usage() {
    cat <<'TEXT'
usage: tests-c/random/run.sh [--sequences N] [--length L] [--seed S] [--seconds T] [--lib PATH]
                                   [--libssl DIR] [--standing standalone|interposed|both] [--shared]
                                   [--self-test [--only NAME] | --no-self-test]

From a seed a program makes a long sequence of calls and prints a trace of all that can be seen:
return values, counters, callbacks with their arguments, marks, and when each object is freed. It runs
  on libssl     the oracle
  standalone    built with the project's header, linked with libsslcache, no libssl in the process
  interposed    the oracle's binary with LD_PRELOAD=libsslcache.so
and the traces must be the same bytes. A difference is shrunk to few calls and shown side by side.

  --sequences N    sequences: half with the fixed seeds 1, 2, ..., half with fresh ones (default 3000)
  --length L       calls in a sequence (default 200)
  --seed S         the seeds from S on instead
  --seconds T      go on with fresh seeds for as long as this
  --lib PATH       the library to test (default target/release/libsslcache.so, built if absent)
  --libssl DIR     the oracle: the directory of another libssl.so.3 and libcrypto.so.3
  --standing S     one standing alone (default both)
  --shared         the library has SSLCACHE_SHARED; the sequences stay out of what is to differ then
  --self-test      only break the library in each way of tests-c/mutations that names this test, and see
                   that a few hundred sequences find it
  --only NAME      this mutation alone
  --list           their names
  --no-self-test   leave that out
  --help           this text

Exit status: 0 if all passed, 1 otherwise.
TEXT
}

fail() { echo "run.sh: $*" >&2; exit 2; }

here=$(cd "$(dirname "$0")" && pwd)
. "$here/../mutations/common.sh"
root=$(cd "$here/../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
out=$target/random
mutations=($(mutations random))
sequences=3000 length=200 seed='' seconds=0 lib='' libssl='' standing=both selftest=yes sequencing=yes
. "$here/../segment.sh"
shared_size=64m # what the sequences of one run leave there

while [ $# -gt 0 ]; do
    case $1 in
        --help | -h) usage; exit 0 ;;
        --self-test) sequencing=; shift; continue ;;
        --list) printf '%s\n' "${mutations[@]}"; exit 0 ;;
        --only)
            [[ " ${mutations[*]} " == *" ${2-} "* ]] || fail "no such mutation: ${2-} (--list shows them)"
            mutations=("$2") ;;
        --no-self-test) selftest=; shift; continue ;;
        --shared) shared=yes; shift; continue ;;
        --sequences | --length | --seed | --seconds)
            [[ ${2-} =~ ^[0-9]+$ ]] || fail "$1 needs a number"
            declare "${1#--}=$2" ;;
        --lib | --libssl | --standing)
            [ -n "${2-}" ] || fail "$1 needs a value"
            declare "${1#--}=$2" ;;
        *) usage >&2; exit 2 ;;
    esac
    shift 2
done
case $standing in
    both) standings=(standalone interposed) ;;
    standalone | interposed) standings=("$standing") ;;
    *) fail "no standing $standing" ;;
esac
[ "$length" -gt 0 ] || fail "--length must be at least 1"
if [ -z "$lib" ]; then
    lib=$target/release/libsslcache.so
    [ -e "$lib" ] || (cd "$root" && cargo build --release --lib) || fail "the library does not build"
fi
lib=$(realpath "$lib") || exit 2
if [ -n "$libssl" ]; then libssl=$(realpath "$libssl") || exit 2; fi

# ---- The programs ----

# Puts a library where the standalone program finds it by its SONAME.
install_library() { # file directory
    mkdir -p "$2" && ln -sf "$1" "$2/libsslcache.so.0"
}

compile() { # output arguments...
    local output=$1
    shift
    ${CC:-cc} -O1 -g -Wall -Wextra -Wno-deprecated-declarations "$here/random.c" -o "$output" "$@" ||
        fail "random.c does not compile"
}

install_library "$lib" "$out/library"
compile "$out/random" -lssl -lcrypto
compile "$out/random-standalone" -I"$root/include" "$lib" -lcrypto

# Runs one of the programs, with a library in the standings of ours.
program() { # libssl|standalone|interposed directory arguments...
    local which=$1 directory=$2 around=with_segment
    shift 2
    case $which in
        libssl)
            around=
            set -- env ${libssl:+LD_LIBRARY_PATH="$libssl"} "$out/random" "$@" ;;
        standalone) set -- env LD_LIBRARY_PATH="$directory" "$out/random-standalone" "$@" ;;
        interposed)
            set -- env ${libssl:+LD_LIBRARY_PATH="$libssl"} LD_PRELOAD="$directory/libsslcache.so.0" \
                "$out/random" "$@" ;;
    esac
    # A sequence that hangs ends by its own alarm, a minute at the most; this is for the rest.
    $around timeout 900 "$@"
}

oracle=$(program libssl - --about | sed -n 's/^version //p')
[ -n "$oracle" ] || fail "the oracle does not run"

# The answers must come from whom they are said to come from.
check_about() { # standing expected-library expected-libssl
    local about
    about=$(program "$1" "$out/library" --about)
    if ! grep -q "^SSL_CTX_add_session .*/$2" <<<"$about" || ! grep -q "^libssl $3" <<<"$about"; then
        fail "$1 is not what it is said to be:"$'\n'"$about"
    fi
}
check_about libssl libssl.so loaded
for s in "${standings[@]}"; do
    case $s in
        standalone) check_about standalone libsslcache.so absent ;;
        interposed) check_about interposed libsslcache.so loaded ;;
    esac
done

# What the program is told of its oracle, and of the library that the trace is compared with: in front of libssl it
# counts as that does, by itself as 3.0 (rules.h).
told=()
compared_with() { # standing
    told=(--oracle "$oracle" ${shared:+--shared})
    if [ "$1" = interposed ] || ((16#$oracle < 16#30200000)); then told+=(--counts-alike); fi
}

# ---- Hashes of many traces ----

hashes() { # standing directory first count: a line "seed hash" each; a crash is the hash of its sequence
    local status first=$3 end=$(($3 + $4)) part=$out/part.$$
    while [ "$first" -lt "$end" ]; do
        program "$1" "$2" "${told[@]}" "$first" $((end - first)) "$length" >"$part" 2>/dev/null
        status=$?
        cat "$part"
        first=$((first + $(wc -l <"$part")))
        [ "$first" -lt "$end" ] || break
        echo "$first $1-died-of-$status" # never equal: a death of libssl is the generator's fault
        first=$((first + 1))
    done
    rm -f "$part"
}

differing() { # file file: the seeds whose lines differ
    diff "$1" "$2" | sed -n 's/^< \([0-9]*\) .*/\1/p'
}

# ---- One sequence that differs, made small ----

traced() { # standing directory seed length [only]: the trace, and how it ended if not well
    local status
    program "$1" "$2" "${told[@]}" --trace "$3" "$4" ${5+--only "$5"} 2>&1
    status=$?
    [ $status = 0 ] || echo "ended with status $status"
}

still_differs() { # standing seed only
    ! cmp -s <(traced libssl - "$2" "$length" "$3") <(traced "$1" "$out/library" "$2" "$length" "$3")
}

joined() { local IFS=,; echo "$*"; }

# Leaves out ever smaller parts of the operations, as long as a difference remains.
shrink() { # standing seed: prints the operations that are left
    local standing=$1 seed=$2 last size at
    # Of an operation that crashes there is no trace: then all are kept at first.
    last=$(diff <(traced libssl - "$seed" "$length") <(traced "$standing" "$out/library" "$seed" "$length") |
        sed -n '1s/^\([0-9]*\).*/\1/p')
    last=$(traced libssl - "$seed" "$length" | head -n "${last:-1000000}" | grep -E '^[0-9]+$' | tail -n 1)
    local kept=() fewer=()
    mapfile -t kept < <(seq 0 "${last:-0}")
    still_differs "$standing" "$seed" "$(joined "${kept[@]}")" ||
        mapfile -t kept < <(seq 0 $((length - 1)))
    for ((size = (${#kept[@]} + 1) / 2; size >= 1; size = size == 1 ? 0 : (size + 1) / 2)); do
        for ((at = ${#kept[@]} - size; at > -size; at -= size)); do
            local from=$((at < 0 ? 0 : at))
            fewer=("${kept[@]:0:from}" "${kept[@]:at+size}")
            if still_differs "$standing" "$seed" "$(joined "${fewer[@]}")"; then
                kept=("${fewer[@]}")
            fi
        done
    done
    joined "${kept[@]}"
}

show() { # standing seed
    local only a=$out/trace.libssl b=$out/trace.$1
    compared_with "$1"
    echo "--- seed $2, length $length, $1: another trace than libssl $oracle"
    only=$(shrink "$1" "$2")
    traced libssl - "$2" "$length" "$only" >"$a"
    traced "$1" "$out/library" "$2" "$length" "$only" >"$b"
    echo "    operations $only; libssl on the left"
    diff --side-by-side --expand-tabs -W 200 "$a" "$b" | head -n 150
    echo "    again: $out/random ${told[*]} --trace $2 $length --only '$only'"
}

# ---- Many sequences ----

passed=0 failed=0 shown=0

run_seeds() { # first count
    local s seed bad before=''
    for s in "${standings[@]}"; do
        compared_with "$s"
        [ "${told[*]}" = "$before" ] || hashes libssl - "$1" "$2" >"$out/hashes.libssl"
        before=${told[*]}
        hashes "$s" "$out/library" "$1" "$2" >"$out/hashes.$s"
        mapfile -t bad < <(differing "$out/hashes.libssl" "$out/hashes.$s")
        failed=$((failed + ${#bad[@]})) passed=$((passed + $2 - ${#bad[@]}))
        for seed in "${bad[@]}"; do
            if [ $shown -lt 4 ]; then show "$s" "$seed"; else echo "--- seed $seed, $s"; fi
            shown=$((shown + 1))
        done
    done
}

# What the generator says must not depend on the time or on chance.
run_oracle_twice() {
    compared_with "${standings[-1]}"
    hashes libssl - 1 200 >"$out/hashes.once"
    sleep 1.1
    if hashes libssl - 1 200 | cmp -s - "$out/hashes.once"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "--- libssl does not agree with itself"
    fi
}

run_sequences() {
    local began=$SECONDS fixed=$((sequences / 2)) fresh
    fresh=$(($(date +%s%N) / 1000))
    run_oracle_twice
    if [ -n "$seed" ]; then
        run_seeds "$seed" "$sequences"
        fresh=$((seed + sequences))
    else
        echo "seeds 1 to $fixed, and $((sequences - fixed)) from $fresh on"
        run_seeds 1 "$fixed"
        run_seeds "$fresh" $((sequences - fixed))
        fresh=$((fresh + sequences - fixed))
    fi
    while [ $((SECONDS - began)) -lt "$seconds" ]; do
        run_seeds "$fresh" 1000
        fresh=$((fresh + 1000))
    done
}

# ---- Would it notice? ----

run_self_test() {
    local name library s found enough=400
    for name in "${mutations[@]}"; do
        library=$(build_mutated "$name") || { failed=$((failed + 1)); echo "FAIL $name: does not build"; continue; }
        install_library "$library" "$out/$name"
        for s in "${standings[@]}"; do
            compared_with "$s"
            hashes libssl - 1 $enough >"$out/hashes.libssl"
            hashes "$s" "$out/$name" 1 $enough >"$out/hashes.$s"
            found=$(differing "$out/hashes.libssl" "$out/hashes.$s" | wc -l)
            if [ "$found" -gt 0 ]; then
                passed=$((passed + 1))
            else
                failed=$((failed + 1))
            fi
            echo "$name, $s: $found of $enough sequences show it"
        done
    done
}

[ -z "$sequencing" ] || run_sequences
[ -z "$selftest" ] || run_self_test
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
