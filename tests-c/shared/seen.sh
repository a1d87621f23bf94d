# what happens in one process, and what the others see of it: removals, bad ends, flushes, times, callbacks
build_server
build seen seen.c -lssl -lcrypto
runs 60 ./seen
