#!/usr/bin/env bash
# CPython's own test_ssl, for the system's python3.
limit=400
. "$(dirname "$0")/common.sh"

python=/usr/bin/python3 # Debian's: it uses the system's libssl
[ -x $python ] || skip_all "no $python"
version=$($python -c 'import ssl, sys; print("%d.%d" % sys.version_info[:2])') || skip_all "python3 has no ssl"
debian_package "libpython$version-testsuite"

# The package has the tests; the support code for them is with the interpreter.
tests=$tmp/python
mkdir -p "$tests/test"
cp -r "/usr/lib/python$version/test/." "$unpacked/usr/lib/python$version/test/." "$tests/test/"

# "test_x (test.test_ssl.Class.test_x) ... ok". Sometimes a doc string, or what the test itself prints,
# stands between the name and the result.
results_of() {
    awk '
        /^test_[a-zA-Z0-9_]+ \(test\./ { name = $2; gsub(/[()]/, "", name) }
        name == "" { next }
        / \.\.\. /         { result = $0; sub(/.* \.\.\. /, "", result) }
        !/ \.\.\. /        { result = $0 }
        result == "ok"     { print "ok", name; name = "" }
        result ~ /^skipped / { print "skip", name; name = "" }
        result == "FAIL" || result == "ERROR" { print "FAIL", name; name = "" }
    ' "$1"
}

run_suite() {
    local chosen=()
    [ -z "$quick" ] || chosen=(-m '*session*' -m '*ticket*')
    # Without resources nothing connects to the network.
    (cd "$tests" && PYTHONPATH=$tests fronted 150 $python -m test -v "${chosen[@]}" test_ssl) >"$tmp/$side.log" 2>&1
    results_of "$tmp/$side.log"
    grep -q '^Total duration' "$tmp/$side.log" || echo "FAIL test_ssl: did not end"
}

same_results run_suite "$([ -n "$quick" ] && echo 2 || echo 150)"
finish
