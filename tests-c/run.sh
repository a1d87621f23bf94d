#!/usr/bin/env bash
# Runs the conformance programs and compares what they print, byte for byte.
set -u

usage() {
    cat <<'END'
usage: tests-c/run.sh [--list] [--only NAME] [--standing libssl|standalone|interposed] [--valgrind] [--shared]
                      [--lib PATH] [--libssl DIR --headers DIR --out DIR]

Each program runs in three standings and must print the same bytes in each:
  libssl      built with OpenSSL's header, linked with libssl: the oracle
  standalone  built with the project's header, linked with libsslcache, no libssl in the process
  interposed  the oracle's binary with LD_PRELOAD=libsslcache.so

A program NAME.c whose first line says "oracle: none" is compared with NAME.sslcache.expected
instead; "only: standalone" or "only: interposed" in its first lines leaves the other one out, and
"valgrind: no" leaves it out of a run under memcheck.
What a release of libssl makes incomparable is in releases.tsv, with the reason, and is skipped.
A program in differences/ shows an intended difference: NAME.libssl.expected is what libssl prints,
NAME.sslcache.expected what the library prints (NAME.interposed.expected where libssl's own code
decides in that standing). "difference: -Bsymbolic" in its first line: only in front of a libssl that was linked so.

  --only NAME      this program alone
  --list           the names of all
  --standing S     this standing alone (may be given more than once)
  --valgrind       run under memcheck: any error or leak fails; libssl only if asked for by --standing
  --shared         the library has SSLCACHE_SHARED, and the programs sessions that are shared;
                   NAME.shared.expected is what is then printed otherwise
  --lib PATH       the library to test (default target/release/libsslcache.so)
  --libssl DIR     another libssl.so and libcrypto.so as the oracle, with
  --headers DIR    the headers of that release, and
  --out DIR        a place of its own for the programs and their output (default target/tests-c, with --shared
                   target/tests-c-shared)
  --help           this text

Exit status: 0 if every check passed, 1 otherwise.
END
}

here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
lib=$root/target/release/libsslcache.so
out=
only=
standings=()
valgrind=
libssl=
headers=
. "$here/segment.sh"

need_value() { [ $# -ge 2 ] || { echo "run.sh: $1 needs a value" >&2; exit 2; }; }
while [ $# -gt 0 ]; do
    case $1 in
        --help | -h) usage; exit 0 ;;
        --list) (cd "$here" && ls -- *.c differences/*.c | sed 's/.*\///; s/\.c$//' | LC_ALL=C sort); exit 0 ;;
        --only) need_value "$@"; only=$(basename "$2" .c); shift ;;
        --standing) need_value "$@"; standings+=("$2"); shift ;;
        --lib) need_value "$@"; lib=$(realpath -m "$2"); shift ;;
        --libssl) need_value "$@"; libssl=$(realpath -m "$2"); shift ;;
        --headers) need_value "$@"; headers=$(realpath -m "$2"); shift ;;
        --out) need_value "$@"; out=$(realpath -m "$2"); shift ;;
        --valgrind) valgrind=yes ;;
        --shared) shared=yes ;;
        *) echo "run.sh: unknown argument $1" >&2; usage >&2; exit 2 ;;
    esac
    shift
done
[ -n "$out" ] || out=$root/target/tests-c${shared:+-shared}
if [ ${#standings[@]} -eq 0 ]; then
    standings=(libssl standalone interposed)
    plain_oracle=$valgrind
else
    plain_oracle=
fi
for standing in "${standings[@]}"; do
    case $standing in
        libssl | standalone | interposed) ;;
        *) echo "run.sh: no standing $standing" >&2; exit 2 ;;
    esac
done

from_libssl=()
[ -n "$libssl" ] && from_libssl=("LD_LIBRARY_PATH=$libssl")

passed=0
failed=0
skipped=0
skip() { skipped=$((skipped + 1)); echo "skip $1"; }
ok() { passed=$((passed + 1)); echo "ok   $1"; }
fail() { failed=$((failed + 1)); echo "FAIL $1"; }
summary() {
    echo "$passed passed, $failed failed$([ $skipped -gt 0 ] && echo ", $skipped skipped")"
    [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
    exit
}
wants() { [[ " ${standings[*]} " == *" $1 "* ]]; }

oracle_none() { head -n 1 "$here/$1.c" | grep -q '^/\* oracle: none: '; }
# Whether program $1 is for standing $2: "only:" in its first lines leaves the others out.
is_for() { ! head -n 2 "$here/$1.c" | grep '^/\* only: ' | grep -vq "^/\* only: $2: "; }

# Whether memcheck has something to say of program $1: "valgrind: no:" in its first lines says why not.
is_for_valgrind() { ! head -n 3 "$here/$1.c" | grep -q '^/\* valgrind: no: '; }

# The release of the oracle, by its headers: 3.0.19
release=$(printf '#include <openssl/opensslv.h>\nOPENSSL_VERSION_TEXT\n' | ${CC:-cc} -E -P ${headers:+-I"$headers"} - |
    sed -n 's/^"OpenSSL \([0-9.]*\).*/\1/p')
not_after() { [ "$1" = "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" ]; }

# Why program $1 shows nothing in standing $2 with this release; fails if it does show something.
left_out() {
    local program standings from until reason
    while IFS=$'\t' read -r program standings from until reason; do
        if [[ $program == "$(basename "$1")" || $program == '*' ]] && [[ ",$standings," == *",$2,"* ]] &&
            { [ "$from" = - ] || not_after "$from" "$release"; } &&
            { [ "$until" = - ] || not_after "$release" "$until.99"; }; then
            echo "$reason"
            return
        fi
    done < <(tail -n +2 "$here/releases.tsv")
    return 1
}
is_shown() { is_for "$1" "$2" && ! left_out "$1" "$2" >/dev/null; }
skip_or() { # action program standing
    local reason
    if reason=$(left_out "$2" "$3"); then skip "$(basename "$2") $3: $reason"; else "$1" "$2" "$3"; fi
}

# Linked with -Bsymbolic, libssl's calls of its own functions reach nobody else.
is_symbolic() {
    readelf -d "${libssl:-$(dirname "$(${CC:-cc} -print-file-name=libssl.so)")}/libssl.so" | grep -q SYMBOLIC
}
# Whether all print the same with this libssl after all.
is_no_difference() { head -n 1 "$here/$1.c" | grep -q '^/\* difference: -Bsymbolic: ' && ! is_symbolic; }

# The file that says what program $1 must print in standing $2.
expected() {
    if differs_shared "$1" "$2"; then echo "$here/$1.shared.expected"; else expected_unshared "$1" "$2"; fi
}
differs_shared() { [ -n "$shared" ] && [ "$2" != libssl ] && [ -f "$here/$1.shared.expected" ]; }
expected_unshared() {
    if [[ $1:$2 == differences/*:interposed ]] && is_no_difference "$1"; then
        echo "$here/$1.libssl.expected"
        return
    fi
    case $1:$2 in
        differences/*:libssl) echo "$here/$1.libssl.expected" ;;
        differences/*:interposed)
            if [ -f "$here/$1.interposed.expected" ]; then
                echo "$here/$1.interposed.expected"
            else
                echo "$here/$1.sslcache.expected"
            fi ;;
        differences/*) echo "$here/$1.sslcache.expected" ;;
        *) if oracle_none "$1"; then echo "$here/$1.sslcache.expected"; else echo "$out/$1.libssl.out"; fi ;;
    esac
}

# Runs program $1 in standing $2; its output goes to $out/$1.$2.out and .err.
run() {
    local command=() binary=$out/libssl/$1 seconds=30 around=with_segment
    [ "$2" = libssl ] && around=
    [ "$2" = standalone ] && binary=$out/sslcache/$1
    if [ -n "$valgrind" ] && { [ "$2" != libssl ] || [ -z "$plain_oracle" ]; }; then
        command=(valgrind -q --leak-check=full --error-exitcode=9 --child-silent-after-fork=yes)
        seconds=180
    fi
    local variables=("${from_libssl[@]}")
    [ "$2" = interposed ] && variables+=("LD_PRELOAD=$lib")
    mkdir -p "$(dirname "$out/$1")"
    (cd "$out" && $around timeout "$seconds" env "${variables[@]}" "${command[@]}" "$binary") \
        >"$out/$1.$2.out" 2>"$out/$1.$2.err" </dev/null
}

check() {
    local name=$1 standing=$2 label binary=$out/libssl/$1 status
    label="$(basename "$1") $2"
    [ "$standing" = standalone ] && binary=$out/sslcache/$name
    if [ ! -x "$binary" ]; then
        fail "$label: did not build"
        return
    fi
    run "$name" "$standing"
    status=$?
    if [ $status -ne 0 ]; then
        fail "$label: exit status $status$([ $status -eq 124 ] && echo ' (timeout)')"
        tail -n 5 "$out/$name.$standing.out"
        tail -n 30 "$out/$name.$standing.err"
    elif [ "$standing" = interposed ] && grep -q 'cannot be preloaded' "$out/$name.$standing.err"; then
        fail "$label: not preloaded"
    elif ! diff -u --label expected --label "$standing" \
            "$(expected "$name" "$standing")" "$out/$name.$standing.out" >"$out/$name.$standing.diff"; then
        fail "$label"
        cat "$out/$name.$standing.diff"
    elif [ ! -s "$out/$name.$standing.out" ]; then
        fail "$label: printed nothing"
    elif differs_shared "$name" "$standing" &&
        cmp -s "$(expected_unshared "$name" "$standing")" "$out/$name.$standing.out"; then
        fail "$label: the same as without --shared: no difference any more"
    else
        ok "$label"
    fi
}

# What the oracle prints is compared with nothing: it must end well and say something.
ask_oracle() {
    local label status
    label="$(basename "$1") libssl"
    run "$1" libssl
    status=$?
    if [ $status -ne 0 ] || [ ! -s "$out/$1.libssl.out" ]; then
        fail "$label: exit status $status"
        tail -n 5 "$out/$1.libssl.out"
        tail -n 30 "$out/$1.libssl.err"
    elif wants libssl; then
        ok "$label"
    fi
}

# Everything an interposed run shows is worth nothing if the library was not really in front: it then
# writes its statistics at exit, one block for each context, and without the preload nobody does.
check_in_front() {
    local stats=$out/in_front.stats blocks
    rm -f "$stats"
    timeout 10 env "${from_libssl[@]}" SSLCACHE_STATS="$stats" "$out/libssl/in_front" >/dev/null
    if [ -e "$stats" ]; then
        fail "in_front without the library: statistics were written"
        return
    fi
    timeout 10 env "${from_libssl[@]}" SSLCACHE_STATS="$stats" LD_PRELOAD="$lib" "$out/libssl/in_front" >/dev/null
    blocks=$(grep -c '^sslcache: .* context [0-9]* (interposed)$' "$stats" 2>/dev/null)
    if [ "${blocks:-0}" -eq 3 ]; then
        ok "in_front statistics"
    else
        fail "in_front statistics: ${blocks:-0} blocks, 3 contexts"
        [ -f "$stats" ] && cat "$stats"
    fi
}

# A standalone program that brought libssl in would test nothing of ours.
check_no_libssl() {
    local binary found
    found=$(for binary in "$out"/sslcache/* "$out"/sslcache/*/*; do
        [ -f "$binary" ] && ldd "$binary" | grep -q libssl.so && echo "$binary"
    done)
    if [ -z "$found" ]; then
        ok "no libssl in the standalone programs"
    else
        fail "libssl is in a standalone program:"
        echo "$found"
    fi
}

if wants standalone || wants interposed; then
    if [ ! -f "$lib" ]; then
        fail "library: none at $lib"
        summary
    fi
fi

cd "$here" || exit 2
shopt -s nullglob
programs=()
for source in *.c differences/*.c; do
    name=${source%.c}
    [ -z "$only" ] || [ "$only" = "$(basename "$name")" ] || continue
    [ -n "$valgrind" ] && ! is_for_valgrind "$name" && continue
    programs+=("$name")
done
if [ ${#programs[@]} -eq 0 ]; then
    echo "run.sh: no such program: $only (--list shows them)" >&2
    exit 2
fi

# An interposed run takes the oracle's binary, and a standalone one is compared with what that prints.
targets=()
for name in "${programs[@]}"; do
    { is_shown "$name" interposed || is_shown "$name" libssl; } && targets+=("$out/libssl/$name")
    wants standalone && is_shown "$name" standalone && targets+=("$out/sslcache/$name")
done
mkdir -p "$out"
if ! make --no-print-directory -k -s -j2 LIB="$lib" LIBSSL="$libssl" HEADERS="$headers" OUT="$out" SHARED="$shared" \
        "${targets[@]}" 2>"$out/build.err"; then
    fail "build"
    head -n 60 "$out/build.err"
fi

try_program() {
    if ! oracle_none "$1"; then
        if [[ $1 == differences/* ]]; then
            wants libssl && skip_or check "$1" libssl
        else
            skip_or ask_oracle "$1" libssl
        fi
    fi
    wants standalone && is_for "$1" standalone && skip_or check "$1" standalone
    wants interposed && is_for "$1" interposed && skip_or check "$1" interposed
}

# Two at a time, told in order.
for name in "${programs[@]}"; do
    while [ "$(jobs -rp | wc -l)" -ge 2 ]; do wait -n; done
    mkdir -p "$(dirname "$out/$name")"
    try_program "$name" >"$out/$name.told" 2>&1 &
done
wait
for name in "${programs[@]}"; do
    cat "$out/$name.told"
    passed=$((passed + $(grep -c '^ok   ' "$out/$name.told")))
    failed=$((failed + $(grep -c '^FAIL ' "$out/$name.told")))
    skipped=$((skipped + $(grep -c '^skip ' "$out/$name.told")))
done
if [ -z "$only" ]; then
    wants standalone && check_no_libssl
    wants interposed && check_in_front
fi
summary
