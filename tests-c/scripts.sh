# A suite of scripts: NAME.sh, each of which builds programs and says "ok", "FAIL" or "skip" of what they do. How such
# suites (process, shared) are run and what their scripts are written with; read with `. ../scripts.sh`, never run.
# shellcheck shell=bash disable=SC2154 # run.sh sets here, out, libssl and headers

. "$(dirname "${BASH_SOURCE[0]}")/segment.sh"
suite=$(basename "$here")

# --- Run --------------------------------------------------------------------------------------

# The first comment of a script is what it is about.
about() { sed -n '1s/^# *//p' "$here/$1.sh"; }
names() { for script in "$here"/*.sh; do basename "$script" .sh; done | grep -vx -e run -e lib; }
list() { for name in $(names); do printf '%-28s%s\n' "$name" "$(about "$name")"; done; }

# run_scripts [NAME...]: these, or all; each after lib.sh, in a subshell of its own. False if anything failed, or
# nothing was done.
run_scripts() {
    local log status passed=0 failed=0 skipped=0
    # shellcheck disable=SC2046 # names without blanks
    [ $# -gt 0 ] || set -- $(names)
    mkdir -p "$out"
    for name; do
        [ -f "$here/$name.sh" ] || { echo "run.sh: no script $name (--list shows them)" >&2; exit 2; }
        log=$out/$name.log
        (
            cd "$here" || exit 1
            begin
            . ./lib.sh
            . "./$name.sh"
        ) 2>&1 | tee "$log"
        status=${PIPESTATUS[0]}
        # A script that fails before it has compared anything has not passed.
        if [ "$status" -ne 0 ] || ! grep -qE '^(ok|FAIL|skip) ' "$log"; then
            echo "FAIL $suite/$name: the script itself (status $status)" | tee -a "$log"
        fi
        passed=$((passed + $(grep -c '^ok ' "$log")))
        failed=$((failed + $(grep -c '^FAIL ' "$log")))
        skipped=$((skipped + $(grep -c '^skip ' "$log")))
    done
    echo "$passed passed, $failed failed$([ $skipped -gt 0 ] && echo ", $skipped skipped")"
    [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}

# Where the programs of a script are, and how they are built.
begin() {
    set -e
    bin=$out/bin/$name
    mkdir -p "$bin"
    flags=(-O1 -g -Wall -Wextra -Werror -Wno-unused-function -DOPENSSL_SUPPRESS_DEPRECATED -D_GNU_SOURCE -I"$here")
    [ -z "$headers" ] || flags+=(-I"$headers")
    [ -z "$libssl" ] || flags+=(-L"$libssl")
}

# --- What scripts are written with ------------------------------------------------------------

ok() { echo "ok $suite/$name: $1"; }
fail() { echo "FAIL $suite/$name: $1"; }
skip() { echo "skip $suite/$name: $1"; }

# build RESULT SOURCE... [compiler's arguments]: compiles into $bin.
build() {
    local result=$1 compiler=${CC:-cc}
    case " $* " in *.cpp\ *) compiler=${CXX:-c++} ;; esac
    shift
    "$compiler" "${flags[@]}" "$@" -o "$bin/$result" || { fail "$result does not build"; exit 1; }
}

# ended LIMIT COMMAND...: runs it in $bin, and prints what it says and how it ends.
ended() {
    local limit=$1 status=0
    shift
    (cd "$bin" && with_segment timeout -k 2 "$limit" env ${libssl:+LD_LIBRARY_PATH="$libssl"} "$@") </dev/null 2>&1 || status=$?
    case $status in
    0) ;;
    124 | 137) echo "[no end within $limit s]" ;;
    *) [ $status -gt 128 ] && echo "[signal $(kill -l $((status - 128)))]" || echo "[exit status $status]" ;;
    esac
}

# is_same LABEL EXPECTED GOT: ok, or a diff. Nothing at all is nothing to compare.
is_same() {
    if [ -n "$3" ] && [ "$2" = "$3" ]; then
        ok "$1"
    else
        fail "$1"
        diff -u --label expected --label got <(echo "$2") <(echo "$3") | head -n 40 || true
    fi
}
