# whose sessions a server finds: those of servers that are as it is, under the name that a client calls it by
build_server
build_server another_server
mkdir -p "$bin/elsewhere"
build_server elsewhere/server
build isolation isolation.c -lssl -lcrypto
runs 60 ./isolation
