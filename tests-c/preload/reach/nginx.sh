# nginx: workers that are forked; a reload brings new ones.
title="nginx, 2 workers"
best='`ssl_session_cache shared`, tickets off'
need nginx nginx-light
client=(--to-the-end --send $'GET / HTTP/1.0\r\n\r\n')
workers=${workers-2}

configure() {
    local session=
    case $1 in
    best) session="ssl_session_cache shared:SSL:1m; ssl_session_tickets off;" ;;
    builtin) session="ssl_session_cache builtin:1000; ssl_session_tickets off;" ;;
    esac
    cat >"$tmp/nginx.conf" <<CONF
daemon off;
user www-data;
worker_processes $workers;
pid $tmp/nginx.pid;
error_log $tmp/error.log notice;
events { worker_connections 256; }
http {
    access_log off;
    client_body_temp_path $tmp/body; proxy_temp_path $tmp/proxy; fastcgi_temp_path $tmp/fastcgi;
    uwsgi_temp_path $tmp/uwsgi; scgi_temp_path $tmp/scgi;
    ssl_certificate $cert;
    ssl_certificate_key $key;
    ssl_protocols TLSv1.2 TLSv1.3;
    $session
    server {
        listen 127.0.0.1:$port ssl reuseport;
        location / { return 200 "\$ssl_session_reused \$ssl_protocol \$pid\n"; }
    }
}
CONF
}
start() { start_server nginx -c "$tmp/nginx.conf" -p "$tmp"; }
reload() { kill -HUP "$server"; }
