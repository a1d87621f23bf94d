# MariaDB: one process with threads. (Its own client programs never resume.)
title="MariaDB"
best="tickets"
one_process=1
need mariadbd mariadb-server-core
client=(--starttls mysql --wait 100)
mkdir -p "$tmp/data" && chmod 777 "$tmp/data"

configure() { :; }
start() {
    start_server mariadbd --no-defaults --user=root --datadir="$tmp/data" --skip-grant-tables \
        --bind-address=127.0.0.1 --port="$port" --socket="$tmp/mariadb.sock" --skip-log-bin \
        --ssl-cert="$cert" --ssl-key="$key" --default-storage-engine=MyISAM --innodb=OFF \
        --loose-aria-log-dir-path="$tmp/data"
}
