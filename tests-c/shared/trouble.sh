# workers that are stopped, killed or have another time, and nonsense in the memory: the others go on
build_server
build trouble trouble.c -lssl -lcrypto
runs $((60 * rounds)) ./trouble
