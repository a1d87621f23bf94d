# How suites check one thing after the other (command, install); read with `suite=NAME; . ../checks.sh`, never run.
# shellcheck shell=bash disable=SC2154 # the suite

passed=0 failed=0 skipped=0

check() { # check TEXT COMMAND...
  local text=$1 output
  shift
  if output=$("$@" 2>&1); then
    passed=$((passed + 1)); echo "ok   $suite: $text"
  else
    failed=$((failed + 1)); echo "FAIL $suite: $text"; sed 's/^/     /' <<<"$output"
  fi
}
skip() { skipped=$((skipped + 1)); echo "skip $suite: $1"; }
is() { [ "$1" = "$2" ] || { echo "is \"$1\", not \"$2\""; return 1; }; }
not() { ! "$@"; }

# What a suite ends with. False if anything failed, or nothing was checked.
close() {
  if [ "$skipped" -gt 0 ]; then
    echo "$passed passed, $failed failed, $skipped skipped"
  else
    echo "$passed passed, $failed failed"
  fi
  [ "$failed" = 0 ] && [ "$passed" -gt 0 ]
}
