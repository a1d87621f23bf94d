#!/usr/bin/env bash
# Python's ssl module: libssl comes by dlopen of _ssl.so with RTLD_LOCAL, so the library
# finds no libssl behind it in the search order and must look among the loaded ones.
limit=120
. "$(dirname "$0")/common.sh"

# Debian's own: another build may carry a libssl of its own.
python=/usr/bin/python3
need $python python3-minimal libpython3-stdlib
$python -c 'import ssl' 2>/dev/null || skip_all "$python has no ssl module"
ldd "$($python -c 'import _ssl; print(_ssl.__file__)' 2>/dev/null)" 2>/dev/null | grep -q libssl ||
    skip_all "$python does not use the system's libssl"
make_certificate

# A threaded server whose context keeps sessions only in the cache. SIGTERM ends it by exit().
cat >"$tmp/server.py" <<'PY'
import signal, socket, ssl, sys, threading

port, cert, key = int(sys.argv[1]), sys.argv[2], sys.argv[3]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(cert, key)
context.options |= ssl.OP_NO_TICKET
listener = socket.create_server(("127.0.0.1", port), backlog=64)

def serve(connection):
    try:
        with context.wrap_socket(connection, server_side=True) as tls:
            tls.settimeout(10)
            while data := tls.recv(1024):
                tls.sendall(data)
            tls.unwrap().close()
    except OSError:
        pass

def accept():
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection,), daemon=True).start()

signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
threading.Thread(target=accept, daemon=True).start()
signal.sigwait([signal.SIGTERM])
stats = context.session_stats()
print("stats", stats["number"], stats["hits"], stats["misses"], stats["cache_full"], flush=True)
PY

# Several threads, each with a session of its own that it offers again and again.
cat >"$tmp/client.py" <<'PY'
import socket, ssl, sys, threading

port, cert, version = int(sys.argv[1]), sys.argv[2], getattr(ssl.TLSVersion, sys.argv[3])
threads, rounds = int(sys.argv[4]), int(sys.argv[5])
context = ssl.create_default_context(cafile=cert)
context.minimum_version = context.maximum_version = version
counts, failures = [], []

def run():
    session, fresh, reused = None, 0, 0
    try:
        for _ in range(rounds):
            raw = socket.create_connection(("127.0.0.1", port), timeout=10)
            with context.wrap_socket(raw, server_hostname="localhost", session=session) as tls:
                tls.sendall(b"hello")
                assert tls.recv(16) == b"hello"
                session = tls.session
                reused += tls.session_reused
                fresh += not tls.session_reused
                tls.unwrap().close()
    except Exception as error:
        failures.append(repr(error))
    counts.append((fresh, reused))

workers = [threading.Thread(target=run) for _ in range(threads)]
[w.start() for w in workers]
[w.join() for w in workers]
print(f"{sum(c[0] for c in counts)}N {sum(c[1] for c in counts)}R", *failures)
PY

scenario() {
    free_port
    start_server $python "$tmp/server.py" "$port" "$cert" "$key" || return
    request='hello'
    expect "server, TLS 1.2, openssl clients" "$(six_handshakes tls1_2)" "1N 5R"
    expect "server, TLS 1.3, openssl clients" "$(six_handshakes tls1_3)" "1N 5R"
    local version
    for version in TLSv1_2 TLSv1_3; do
        expect "client and server, $version, 4 threads of 25" \
            "$(fronted 60 $python "$tmp/client.py" "$port" "$cert" $version 4 25)" \
            "4N 96R"
    done
    stop_server
    expect "server's exit status" "$status" 0
    # 2 x 5 + 2 x 96 hits; the misses depend on nothing else either.
    expect "session_stats(): hits and misses" \
        "$(awk '/^stats/ { print $3, $4 }' "$tmp/server.log")" "202 0"
    in_front stored hits
    [ "$side" = without ] || expect "each resumption is one hit" "$(counter hits)" 202
}

on_both_sides scenario
finish
