#!/usr/bin/env bash
# The tests of Perl's IO::Socket::SSL that need no network.
limit=400
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/tap.sh"

need perl perl
perl -MIO::Socket::SSL -e 0 2>/dev/null || install libio-socket-ssl-perl
perl -MIO::Socket::SSL -e 0 2>/dev/null || skip_all "perl has no IO::Socket::SSL (package libio-socket-ssl-perl)"
debian_source libio-socket-ssl-perl libio-socket-ssl-perl

run_suite() {
    cd "$unpacked" || return
    if [ -n "$quick" ]; then tap t/session*.t; else tap t/*.t; fi
}

same_results run_suite "$([ -n "$quick" ] && echo 30 || echo 600)"
finish
