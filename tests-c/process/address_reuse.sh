# thousands of contexts made and freed, at addresses that were others' before
build address_reuse address_reuse.c -lssl -lcrypto -pthread
same 60 ./address_reuse
same_debug 60 ./address_reuse
