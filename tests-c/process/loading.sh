# the first calls of a process beside the loading of plugins, whose constructors use TLS too
module constructing.so loading_plugin.c -lssl -lcrypto -pthread
build loading loading.c -rdynamic -lssl -lcrypto -ldl -pthread
build unlinked_loading loading.c -DUNLINKED -rdynamic -ldl -pthread
for how in beside waited_for storm; do
    same 20 ./loading $how ./constructing.so
    same_debug 20 ./loading $how ./constructing.so
done
# Where the plugin brings libssl in: the program's own threads ask what there is while it is loaded.
for how in asking waited_for_only; do same 20 ./unlinked_loading $how ./constructing.so; done
