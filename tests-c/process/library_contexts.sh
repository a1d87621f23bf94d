# library contexts of libcrypto: ex_data indexes are counted, and run, in the one that is the thread's default
build library_contexts library_contexts.c -lssl -lcrypto -pthread
for how in own_default other_default_at_end many_defaults threads app_data_of_connections; do
    same 30 ./library_contexts $how
done
