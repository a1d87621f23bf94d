# h2o: one process with threads; it is reloaded by a program of its own.
title="h2o"
best='`mode: cache`'
one_process=1
need h2o h2o
client=(--to-the-end --send $'GET / HTTP/1.0\r\n\r\n')
mkdir -p "$tmp/htdocs" && echo hello >"$tmp/htdocs/index.html"

configure() {
    cat >"$tmp/h2o.yaml" <<CONF
user: nobody
num-threads: 2
listen:
  host: 127.0.0.1
  port: $port
  ssl:
    certificate-file: $cert
    key-file: $key
$([ "$1" != best ] || printf 'ssl-session-resumption:\n  mode: cache\n')
hosts:
  localhost:
    paths:
      /:
        file.dir: $tmp/htdocs
CONF
}
start() { start_server h2o -c "$tmp/h2o.yaml"; }
