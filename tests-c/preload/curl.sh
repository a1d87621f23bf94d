#!/usr/bin/env bash
# curl as a client: its own session cache, filled by a new-session callback. The server runs
# without the library, so what it resumes is what the client offered.
limit=60
. "$(dirname "$0")/common.sh"

need curl curl
need openssl openssl
make_certificate

curl_in_front() {
    fronted 20 curl --cacert "$cert" -s "$@"
}

# Four pages over four connections: the server says of each whether it was resumed.
four_pages() {
    local page=https://localhost:$port/ front=$preload
    preload=
    start_server openssl s_server -accept "127.0.0.1:$port" -cert "$cert" -key "$key" -www -no_ticket -naccept 4 || return
    preload=$front
    # -www shows the session on each page as New or Reused
    curl_in_front "--$1" --tls-max "$2" --resolve "localhost:$port:127.0.0.1" -H 'Connection: close' \
        "$page" "$page" "$page" "$page" >"$tmp/pages"
    expect "$1: curl's exit status" $? 0
    expect "$1: four connections" "$(count_sessions "$tmp/pages")" "1N 3R"
    wait_for 10 gone "$server" || fail "s_server does not end"
    wait "$server" 2>/dev/null
    forget "$server"
}

scenario() {
    free_port
    four_pages tlsv1.2 1.2
    four_pages tlsv1.3 1.3
    # No session goes through the internal cache here: the file says that the library was there.
    if [ "$side" = with ]; then
        expect_that "in front: the library opened its statistics" test -e "$stats"
    else
        expect_that "no statistics without the library" test ! -e "$stats"
    fi
}

on_both_sides scenario
finish
