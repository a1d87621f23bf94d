# ex_data free functions of a context read its counters: indexes taken before the first context as without us
build read_while_freed read_while_freed.c -lssl -lcrypto
same 20 ./read_while_freed before
# A later index comes after the library's own, with which the counters go: libssl's are read (a wanted difference).
says 'after the first context: libssl has counted a hit of our callback' \
    'hits 1, of the callback 1' 20 ./read_while_freed after
