#!/usr/bin/env bash
# Ruby's openssl: a server with the callbacks and counters of OpenSSL::SSL::SSLContext.
limit=90
. "$(dirname "$0")/common.sh"

need ruby ruby
ruby -ropenssl -e 0 2>/dev/null || skip_all "ruby has no openssl"
make_certificate

cat >"$tmp/server.rb" <<'RB'
require "openssl"
require "socket"

port, cert, key, mode = ARGV
context = OpenSSL::SSL::SSLContext.new
context.cert = OpenSSL::X509::Certificate.new(File.read(cert))
context.key = OpenSSL::PKey.read(File.read(key))
context.options |= OpenSSL::SSL::OP_NO_TICKET
context.session_id_context = "ruby"
calls = Hash.new(0)
if mode == "callbacks"
  # An external store alone: the internal cache is switched off.
  context.session_cache_mode = OpenSSL::SSL::SSLContext::SESSION_CACHE_SERVER |
                               OpenSSL::SSL::SSLContext::SESSION_CACHE_NO_INTERNAL
  store = {}
  context.session_new_cb = ->((_, session)) { calls[:new] += 1; store[session.id] = session.to_der }
  context.session_get_cb = lambda do |(_, id)|
    calls[:get] += 1
    store[id] && OpenSSL::SSL::Session.new(store[id])
  end
end
context.session_remove_cb = ->((_, session)) { calls[:remove] += 1 } if mode == "remove"

listener = OpenSSL::SSL::SSLServer.new(TCPServer.new("127.0.0.1", port.to_i), context)
Thread.new do
  loop do
    client = listener.accept rescue next
    Thread.new do
      client.readpartial(1024)
      client.write("hello")
    rescue StandardError
      nil
    ensure
      client.close rescue nil
    end
  end
end
asleep, waker = IO.pipe
trap("TERM") { waker.write(".") }
asleep.read(1)
stats = context.session_cache_stats
puts "stats hits=#{stats[:cache_hits]} cb_hits=#{stats[:cb_hits]} num=#{stats[:cache_num]}"
if mode == "remove"
  context.flush_sessions(Time.now + 100_000)
  puts "flushed num=#{context.session_cache_stats[:cache_num]} remove=#{calls[:remove]}"
end
puts "calls new=#{calls[:new]} get=#{calls[:get]}"
RB

request='hello'

serve() {
    free_port
    start_server ruby "$tmp/server.rb" "$port" "$cert" "$key" "$1"
}

end_server() {
    stop_server
    expect "$1: exit status" "$status" 0
}

scenario() {
    serve internal || return
    expect "TLS 1.2" "$(six_handshakes tls1_2)" "1N 5R"
    expect "TLS 1.3" "$(six_handshakes tls1_3)" "1N 5R"
    end_server internal
    expect "session_cache_stats" "$(grep ^stats "$tmp/server.log" | cut -d' ' -f2,3)" "hits=10 cb_hits=0"
    in_front stored hits

    new_stats
    serve callbacks || return
    expect "callbacks, TLS 1.2" "$(six_handshakes tls1_2)" "1N 5R"
    end_server callbacks
    expect "callbacks" "$(grep ^calls "$tmp/server.log")" "calls new=1 get=5"
    expect "callbacks, session_cache_stats" "$(grep ^stats "$tmp/server.log")" "stats hits=5 cb_hits=5 num=0"

    new_stats
    serve remove || return
    expect "remove callback, TLS 1.2" "$(six_handshakes tls1_2)" "1N 5R"
    end_server "remove callback"
    expect "flush_sessions removes by callback" "$(grep ^flushed "$tmp/server.log")" "flushed num=0 remove=1"
}

on_both_sides scenario
finish
