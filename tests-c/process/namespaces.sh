# a plugin in a namespace of its own (dlmopen), with its own libssl and its own C library
build namespaces namespaces.c -lssl -lcrypto -ldl
module linked.so plugin.c -DNAME='"linked"' -lssl -lcrypto
same 20 ./namespaces ./linked.so
same_debug 20 ./namespaces ./linked.so
