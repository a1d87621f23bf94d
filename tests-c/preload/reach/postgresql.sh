# PostgreSQL: a process for each connection, cache and tickets switched off. (Its own client library
# never resumes.)
title="PostgreSQL"
best="none: it resumes nothing"
client=(--starttls postgres)
postgres=$(ls /usr/lib/postgresql/*/bin/postgres 2>/dev/null | tail -n 1)
[ -n "$postgres" ] || install postgresql-15
postgres=$(ls /usr/lib/postgresql/*/bin/postgres 2>/dev/null | tail -n 1)
[ -n "$postgres" ] || skip_all "postgres is missing (package postgresql-15)"
data=$tmp/data
install -d -o nobody "$data" 2>/dev/null || mkdir -p "$data"
