# lighttpd: it has tickets, and no cache.
title="lighttpd, 2 workers"
best="tickets (it has no cache)"
need lighttpd lighttpd lighttpd-mod-openssl
client=(--to-the-end --send $'GET / HTTP/1.0\r\n\r\n')
mkdir -p "$tmp/htdocs" && echo hello >"$tmp/htdocs/index.html"

configure() {
    cat >"$tmp/lighttpd.conf" <<CONF
server.modules = ("mod_openssl")
server.document-root = "$tmp/htdocs"
server.bind = "127.0.0.1"
server.port = $port
server.max-worker = 2
server.username = "nobody"
index-file.names = ("index.html")
ssl.engine = "enable"
ssl.pemfile = "$both"
CONF
}
start() { start_server lighttpd -D -f "$tmp/lighttpd.conf"; }
reload() { kill -USR1 "$server"; }
