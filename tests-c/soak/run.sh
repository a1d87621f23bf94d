#!/usr/bin/env bash
# Many threads at once, in both standings, plain and under sanitizers.
set -u

usage() {
    cat <<'END'
usage: tests-c/soak/run.sh [--seconds N] [--shared] [--plain] [--asan] [--tsan] [--valgrind]

Two programs for N seconds each (default 20), without a sanitizer and under three; or only under those
that are named. "standalone" is many threads on shared sessions and contexts of the library's own;
"handshakes" is tests-c/handshake/soak.c, handshakes of a real libssl with the library in front. Both
end by counting what was made and what was freed.

  --shared     with SSLCACHE_SHARED
  --plain      the release build
  --asan       the library and the programs built for AddressSanitizer, with its leak check
  --tsan       the same for ThreadSanitizer
  --valgrind   the release build under memcheck, with its leak check
  --list       these names
  --help       this text

Before a sanitizer's silence counts, it must report mistakes that are there on purpose (seeded.c): a
leak and a use after free; for ThreadSanitizer a race.
END
}

root=$(cd "$(dirname "$0")/../.." && pwd)
here=$root/tests-c/soak
seconds=20
flavours=()
. "$root/tests-c/segment.sh"
while [ $# -gt 0 ]; do
    case $1 in
    --seconds)
        [[ ${2-} =~ ^[1-9][0-9]*$ ]] || { echo "run.sh: --seconds needs a number" >&2; exit 2; }
        seconds=$2
        shift
        ;;
    --shared) shared=yes ;;
    --plain | --asan | --tsan | --valgrind) flavours+=("${1#--}") ;;
    --list) printf '%s\n' plain asan tsan valgrind; exit 0 ;;
    --help | -h) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
    esac
    shift
done
[ ${#flavours[@]} -gt 0 ] || flavours=(plain asan tsan valgrind)

# Variables of the library itself must not leak in from the caller's shell.
unset LD_PRELOAD SSLCACHE_STATS SSLCACHE_VERBOSE SSLCACHE_SHARED
target=x86_64-unknown-linux-gnu
logs=$root/target/soak/logs
mkdir -p "$logs"

passed=0 failed=0 skipped=0
ok() { echo "ok   soak/$1"; passed=$((passed + 1)); }
fail() { echo "FAIL soak/$1"; failed=$((failed + 1)); }
skip() { echo "skip soak/$1"; skipped=$((skipped + 1)); }

# --- Building -------------------------------------------------------------------------

# build FLAVOUR: the library and the programs. Sets `lib`, and `programs`, their directory.
build() {
    local flags='' kind=$1
    case $1 in
    plain | valgrind)
        kind=plain
        lib=$root/target/release/libsslcache.so
        cargo build -q -j 2 --release --lib --manifest-path "$root/Cargo.toml"
        ;;
    asan | tsan)
        flags=-Zsanitizer=address
        [ "$1" = asan ] || flags='-Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer'
        lib=$root/target/$1/$target/debug/libsslcache.so
        RUSTC_BOOTSTRAP=1 RUSTFLAGS=$flags cargo build -q -j 2 --lib --manifest-path "$root/Cargo.toml" \
            --target $target --target-dir "$root/target/$1"
        ;;
    esac || return
    programs=$root/target/soak/$kind
    make -s -C "$here" FLAVOUR="$kind" LIB="$lib"
}

# --- Running --------------------------------------------------------------------------

# run SECONDS PRELOAD PROGRAM...: under the sanitizer of the moment.
run() {
    local limit=$1 preload=$2 checker=()
    shift 2
    [ "$flavour" != valgrind ] || checker=(valgrind -q --fair-sched=yes --error-exitcode=9 --leak-check=full
        --show-leak-kinds=definite,indirect --errors-for-leak-kinds=definite)
    # For ThreadSanitizer the program is linked with the library: the symbolizer, without whose names no
    # suppression applies, would not start with it preloaded.
    if [ "$flavour" = tsan ]; then
        cat "$here/tsan.supp" ${preload:+"$here/tsan-libssl.supp"} >"$logs/tsan.supp"
        preload=
    fi
    # A program that was built for ASan has its runtime first, whatever is preloaded.
    timeout -k 10 "$limit" env ASAN_OPTIONS=verify_asan_link_order=0 \
        TSAN_OPTIONS="suppressions=$logs/tsan.supp" SSLCACHE_STATS="$logs/stats" \
        ${preload:+LD_PRELOAD="$preload"} "${checker[@]}" "$@"
}

# must_report NAME PATTERN PRELOAD PROGRAM WHAT: the mistake is found.
must_report() {
    local name="$flavour: $1" pattern=$2 log=$logs/$flavour.seeded
    shift 2
    if run 120 "$@" >"$log" 2>&1; then
        fail "$name: nothing is reported"
    elif ! grep -Eq "$pattern" "$log"; then
        fail "$name: it ends badly, but not for this"
        tail -n 5 "$log"
    else
        ok "$name is reported"
    fi
}

# must_be_clean NAME STANDING PRELOAD PROGRAM...
must_be_clean() {
    local name="$flavour: $1" standing=$2 log="$logs/$flavour.$1" status
    shift 2
    rm -f "$logs/stats"
    with_segment run $((seconds * 3 + 120)) "$@" >"$log" 2>&1
    status=$?
    if [ $status -ne 0 ]; then
        fail "$name: exit status $status"
        grep -vE '^ *#(1[0-9]|[2-9][0-9])' "$log" | cut -c1-200 | head -n 60
    elif ! grep -q "^sslcache: process .* ($standing)" "$logs/stats" 2>/dev/null; then
        fail "$name: the library was not there"
    else
        ok "$name: $(head -n 1 "$log")"
    fi
}

for flavour in "${flavours[@]}"; do
    if [ "$flavour" = valgrind ] && ! "$root/scripts/need" valgrind >"$logs/valgrind.need" 2>&1; then
        skip "valgrind: $(tail -n 1 "$logs/valgrind.need")"
        continue
    fi
    if [ "$flavour" = asan -o "$flavour" = tsan ] && [ "$(uname -sm)" != "Linux x86_64" ]; then
        skip "$flavour: tried on Linux x86_64 only"
        continue
    fi
    if ! build "$flavour" >"$logs/$flavour.build" 2>&1; then
        fail "$flavour: does not build"
        tail -n 20 "$logs/$flavour.build"
        continue
    fi
    case $flavour in
    asan) seeds=("leak" "use-after-free") found=('LeakSanitizer: detected memory leaks' 'AddressSanitizer: (heap-use-after-free|attempting double-free)') ;;
    valgrind) seeds=("leak" "use-after-free") found=('are definitely lost' 'Invalid (read|write)') ;;
    tsan) seeds=("race") found=('ThreadSanitizer: data race') ;;
    plain) seeds=() ;;
    esac
    for i in "${!seeds[@]}"; do
        must_report "a seeded ${seeds[$i]}, standalone" "${found[$i]}" "" "$programs/seeded" "${seeds[$i]}"
        must_report "a seeded ${seeds[$i]}, interposed" "${found[$i]}" "$lib" "$programs/seeded-ssl" "${seeds[$i]}"
    done
    must_be_clean standalone standalone "" "$programs/standalone" --seconds "$seconds"
    must_be_clean handshakes interposed "$lib" "$programs/handshakes" --seconds "$seconds" --change-times
done

echo "$passed passed, $failed failed$([ $skipped -eq 0 ] || echo ", $skipped skipped")"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
