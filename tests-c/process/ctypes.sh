# Python: its own ssl module, and libssl's functions by ctypes, together and alone
cp "$here/ctypes_client.py" "$bin/"
if python3 -c 'import ctypes, ssl' 2>/dev/null; then
    so=$(basename "$(realpath "$libssl_dir/libssl.so")")
    for order in ctypes ssl ctypes,ssl ssl,ctypes global,ssl; do same 60 python3 ctypes_client.py "$so" $order; done
else
    skip 'no python3 with ctypes and ssl'
fi
