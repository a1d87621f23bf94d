# early data: of 64 that get the same bytes at once, in 8 processes, one accepts it
build_server
build replay replay.c -lssl -lcrypto
runs $((60 * rounds + 60)) ./replay
