#!/usr/bin/env bash
# The tests of Perl's Net::SSLeay that need no network.
limit=300
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/tap.sh"

need perl perl
perl -MNet::SSLeay -e 0 2>/dev/null || install libnet-ssleay-perl
perl -MNet::SSLeay -e 0 2>/dev/null || skip_all "perl has no Net::SSLeay (package libnet-ssleay-perl)"
debian_source libnet-ssleay-perl libnet-ssleay-perl

# The last thing 62_threads-ctx_new-deadlock.t does is exit() while its threads may still run: once in
# some hundred times it crashes there, without the library too.
run_suite() {
    cd "$unpacked" || return
    perl_flags=-Iinc
    if [ -n "$quick" ]; then
        tap t/local/44_sess.t
    else
        tap $(ls t/local/*.t | grep -v /62_threads)
    fi
}

same_results run_suite "$([ -n "$quick" ] && echo 50 || echo 2000)"
finish
