#!/usr/bin/env bash
# Runs the C suites against other releases of OpenSSL, each as the oracle and as the libssl in front of which the
# library stands. Closes with "N passed, N failed, N skipped".
set -u

usage() {
    cat <<'END'
usage: tests-c/versions/run.sh [--version BUILD ...] [--quick] [--shared] [--lib PATH]

For each build of build.sh, which is built first if need be:
  conformance   tests-c/run.sh, with that release's headers and libraries
  handshake     tests-c/handshake/run.sh, the scenarios built for that release
  shared        tests-c/shared/run.sh, several processes with one cache
  quic          connections over loopback UDP, without and with the library in front: the same trace (from 3.5)
  random        tests-c/random/run.sh, random sequences (3.x)

  --version BUILD   this build alone (may be given more than once)
  --list            the names of the builds
  --quick           1000 instead of 6000 random sequences
  --shared          with SSLCACHE_SHARED (but for quic)
  --lib PATH        the library to test (default target/release/libsslcache.so)
  --help            this text

What a release makes incomparable is in tests-c/releases.tsv, tests-c/handshake/releases.tsv and
tests-c/random/rules.h, each with its reason.
END
}

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
out=$root/target/versions
lib=$root/target/release/libsslcache.so
sequences=6000
builds=()
shared=

while [ $# -gt 0 ]; do
    case $1 in
        --version)
            "$here/build.sh" --list | grep -qxF -- "${2-}" || { echo "run.sh: no such build: ${2-} (--list shows them)" >&2; exit 2; }
            builds+=("$2")
            shift ;;
        --list) "$here/build.sh" --list; exit 0 ;;
        --lib) [ $# -ge 2 ] || { usage >&2; exit 2; }; lib=$(realpath -m "$2"); shift ;;
        --shared) shared=--shared ;;
        --quick) sequences=1000 ;;
        --help | -h) usage; exit 0 ;;
        *) usage >&2; exit 2 ;;
    esac
    shift
done
[ ${#builds[@]} -gt 0 ] || mapfile -t builds < <("$here/build.sh" --list)
[ -f "$lib" ] || { echo "run.sh: no library at $lib" >&2; exit 2; }

passed=0 failed=0 skipped=0 summary=''
ok() { echo "ok $1"; }
fail() { echo "FAIL $1"; }

# A suite's closing line, and its exit status, into the sums. A suite that says nothing has failed.
run_suite() { # build suite command...
    local log=$out/logs/$1.$2.log began=$SECONDS status p f s
    echo "== $1 $2"
    "${@:3}" >"$log" 2>&1
    status=$?
    read -r p f s < <(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed\(, \([0-9]*\) skipped\)\{0,1\}$/\1 \2 \4/p' "$log" | tail -n 1)
    p=${p:-0} f=${f:-0} s=${s:-0}
    if [ $status -ne 0 ] && [ "$f" -eq 0 ]; then f=1; fi
    if [ "$f" -gt 0 ]; then grep -A 20 -E '^(FAIL|---)' "$log" | sed -n 1,200p; fi
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
    summary+=$(printf '%-14s%-14s%6d passed%6d failed%6d skipped%6d s' "$1" "$2" "$p" "$f" "$s" $((SECONDS - began)))$'\n'
}

# ---- QUIC ----

quic_traces() { # build
    local build=$1 program=$out/quic/$1/quic passed=0 failed=0 name lib_dir=$out/$1/lib
    mkdir -p "$out/quic/$build"
    # shellcheck disable=SC2086 # words
    ${CC:-cc} -std=c11 -D_GNU_SOURCE -O1 -g -Wall -Wextra -Werror -DOPENSSL_SUPPRESS_DEPRECATED -I"$out/$build/include" \
        "$here/quic.c" "$root/tests-c/handshake/harness.c" -o "$program" -L"$lib_dir" -lssl -lcrypto -lpthread || return 1

    # 4.0 reports what one flush took out in the reverse order: reports that follow each other are compared as a set.
    comparable() {
        case $build in
            4.*) awk '/^  [^ ]+[.]remove / { reports[++n] = $0; next }
                    { if (n) { close_reports() } print }
                    END { if (n) close_reports() }
                    function close_reports(  i) { for (i = 1; i <= n; i++) print reports[i] | "sort"; close("sort"); n = 0 }' "$1" ;;
            *) cat "$1" ;;
        esac
    }
    for name in $(LD_LIBRARY_PATH="$lib_dir" "$program" --list); do
        local alone=$out/quic/$build/$name.libssl front=$out/quic/$build/$name.sslcache stats=$out/quic/$build/$name.stats
        rm -f "$stats"
        if ! timeout 90 env LD_LIBRARY_PATH="$lib_dir" "$program" "$name" >"$alone" 2>&1; then
            fail "$name: libssl alone"
            tail -n 3 "$alone"
            failed=$((failed + 1))
            continue
        fi
        timeout 90 env LD_LIBRARY_PATH="$lib_dir" LD_PRELOAD="$lib" SSLCACHE_STATS="$stats" "$program" "$name" >"$front" 2>&1
        # Two contexts, two blocks of statistics: else the library was not in front.
        if [ "$(grep -c '(interposed)$' "$stats" 2>/dev/null)" = 2 ] &&
            diff -u --label libssl --label sslcache <(comparable "$alone") <(comparable "$front"); then
            ok "$name"
            passed=$((passed + 1))
        else
            fail "$name"
            failed=$((failed + 1))
        fi
    done
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}

# ---- All of it ----

mkdir -p "$out/logs"
for build in "${builds[@]}"; do
    if ! "$here/build.sh" "$build"; then
        failed=$((failed + 1))
        summary+="$build        did not build"$'\n'
        continue
    fi
    libssl=$out/$build/lib headers=$out/$build/include
    run_suite "$build" conformance "$root/tests-c/run.sh" $shared --lib "$lib" --libssl "$libssl" --headers "$headers" --out "$out/conformance$shared/$build"
    run_suite "$build" handshake "$root/tests-c/handshake/run.sh" $shared --lib "$lib" --libssl "$libssl" --headers "$headers"
    run_suite "$build" shared "$root/tests-c/shared/run.sh" --lib "$lib" --libssl "$libssl" --headers "$headers" --out "$out/shared/$build"
    case $build in
        3.[5-9]* | 4.*) run_suite "$build" quic quic_traces "$build" ;;
    esac
    case $build in
        # The generator of random sequences knows the rules of 3.x.
        3.*) run_suite "$build" random "$root/tests-c/random/run.sh" $shared --lib "$lib" --libssl "$libssl" \
            --sequences "$sequences" --no-self-test ;;
    esac
done

printf '\n%s\n' "$summary"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
