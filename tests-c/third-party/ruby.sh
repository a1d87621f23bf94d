#!/usr/bin/env bash
# The tests of Ruby's openssl, from the sources of Ruby.
limit=300
. "$(dirname "$0")/common.sh"

need ruby ruby
ruby -ropenssl -e 0 2>/dev/null || skip_all "ruby has no openssl"
version=$(ruby -e 'puts RUBY_VERSION[/\d+\.\d+/]')
debian_source "ruby$version" "libruby$version" 'test/openssl' 'test/lib' 'tool/lib'

# One line for each test, beside what the runner prints.
cat >"$tmp/results.rb" <<'RB'
require "test/unit"
Test::Unit::Runner.prepend(Module.new do
  def record(suite, method, assertions, time, error)
    result = case error
             when nil then "ok"
             when Test::Unit::PendedError then "skip"
             else "FAIL"
             end
    File.write(ENV.fetch("RESULTS"), "#{result} #{suite}##{method}\n", mode: "a")
    warn "#{suite}##{method}: #{error.message}" if result == "FAIL"
    super
  end
end)
RB

run_suite() {
    local file status results=$tmp/$side.results files=(test/openssl/test_ssl_session.rb test/openssl/test_ssl.rb)
    [ -z "$quick" ] || files=("${files[0]}")
    : >"$results"
    for file in "${files[@]}"; do
        (cd "$unpacked" && RESULTS=$results fronted 120 ruby -I test/openssl -I test/lib -I tool/lib \
            -r "$tmp/results.rb" "$file" >/dev/null)
        status=$?
        [ $status -le 1 ] || echo "FAIL $file: exit status $status"
    done
    cat "$results"
}

same_results run_suite "$([ -n "$quick" ] && echo 8 || echo 60)"
finish
