"""What a context reads back and keeps, by ctypes from libssl's handle and by the ssl module."""
import ctypes
import ssl
import sys


def by_ctypes(flags=0):
    lib = ctypes.CDLL(sys.argv[1], ctypes.DEFAULT_MODE | flags)
    for name in "TLS_method", "SSL_CTX_new", "SSL_SESSION_new":
        getattr(lib, name).restype = ctypes.c_void_p
    lib.SSL_CTX_ctrl.restype = ctypes.c_long
    ctx = ctypes.c_void_p(lib.SSL_CTX_new(ctypes.c_void_p(lib.TLS_method())))
    control = lambda command, value=0: lib.SSL_CTX_ctrl(ctx, command, ctypes.c_long(value), None)
    print("mode", control(45), "size", control(43), "set", control(42, 100), "size", control(43))
    for number in range(300):
        session = ctypes.c_void_p(lib.SSL_SESSION_new())
        lib.SSL_SESSION_set1_id(session, number.to_bytes(4, "little"), 4)
        lib.SSL_SESSION_set_protocol_version(session, 0x303)
        lib.SSL_CTX_add_session(ctx, session)
        lib.SSL_SESSION_free(session)
    print("holds", control(20), "full", control(31))
    lib.SSL_CTX_free(ctx)


def by_ssl():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    print(context.session_stats())
    client, server = ssl.MemoryBIO(), ssl.MemoryBIO()
    connection = ssl.create_default_context().wrap_bio(client, server, server_hostname="localhost")
    try:
        connection.do_handshake()
    except ssl.SSLWantReadError:
        print("client hello", server.pending > 0)


for part in sys.argv[2].split(","):
    {"ctypes": by_ctypes, "ssl": by_ssl, "global": lambda: by_ctypes(ctypes.RTLD_GLOBAL)}[part]()
