# questions before there is an object: libcrypto is asked for nothing, and the application's first wishes are granted
build questions questions.c -lssl -lcrypto
for wish in memory index library_context; do same 20 ./questions $wish; done
