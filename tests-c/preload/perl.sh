#!/usr/bin/env bash
# Perl's IO::Socket::SSL over Net::SSLeay: a server, and a client with the module's own session cache.
limit=90
. "$(dirname "$0")/common.sh"

need perl perl
perl -MIO::Socket::SSL -e 1 2>/dev/null || install libio-socket-ssl-perl
perl -MIO::Socket::SSL -e 1 2>/dev/null || skip_all "IO::Socket::SSL is missing (package libio-socket-ssl-perl)"
make_certificate

cat >"$tmp/server.pl" <<'PL'
use strict; use warnings;
use IO::Socket::SSL;
my ($port, $cert, $key, $clients) = @ARGV;
my $server = IO::Socket::SSL->new(
    LocalAddr => "127.0.0.1", LocalPort => $port, Listen => 16, ReuseAddr => 1,
    SSL_cert_file => $cert, SSL_key_file => $key, SSL_session_id_context => "perl",
    SSL_create_ctx_callback => sub { Net::SSLeay::CTX_set_options($_[0], Net::SSLeay::OP_NO_TICKET()) },
) or die $SSL_ERROR;
my $reused = 0;
for (1 .. $clients) {
    my $client = $server->accept or next;
    $reused++ if Net::SSLeay::session_reused($client->_get_ssl_object);
    sysread $client, my $request, 1024;
    print $client "hello\n";
    $client->close;
}
my $ctx = ${*$server}{_SSL_ctx}{context};
print "server reused $reused hits ", Net::SSLeay::CTX_sess_hits($ctx), "\n";
PL
cat >"$tmp/client.pl" <<'PL'
use strict; use warnings;
use IO::Socket::SSL;
my ($port, $cert, $version) = @ARGV;
my $ctx = IO::Socket::SSL::SSL_Context->new(
    SSL_ca_file => $cert, SSL_session_cache_size => 10, SSL_version => $version, SSL_verifycn_scheme => "none");
my ($fresh, $reused) = (0, 0);
for (1 .. 6) {
    my $client = IO::Socket::SSL->new(
        PeerAddr => "127.0.0.1", PeerPort => $port, SSL_hostname => "localhost", SSL_reuse_ctx => $ctx)
        or die $SSL_ERROR;
    print $client "hello\n";
    sysread $client, my $answer, 1024;
    $client->get_session_reused ? $reused++ : $fresh++;
    $client->close;
}
print "${fresh}N ${reused}R\n";
PL

request='hello\n'

scenario() {
    free_port
    start_server perl "$tmp/server.pl" "$port" "$cert" "$key" 24 || return
    expect "server, TLS 1.2" "$(six_handshakes tls1_2)" "1N 5R"
    expect "server, TLS 1.3" "$(six_handshakes tls1_3)" "1N 5R"
    local version
    for version in TLSv1_2 TLSv1_3; do
        expect "client with a session cache, $version" \
            "$(fronted 30 perl "$tmp/client.pl" "$port" "$cert" $version 2>&1)" "1N 5R"
    done
    wait_for 10 gone "$server" || fail "the server does not end"
    wait "$server" 2>/dev/null
    expect "server's exit status" $? 0
    forget "$server"
    expect "the server's own counters" "$(cat "$tmp/server.log")" "server reused 20 hits 20"
    in_front stored hits
}

on_both_sides scenario
finish
