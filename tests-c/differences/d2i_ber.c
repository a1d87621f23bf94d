/* d2i_SSL_SESSION(3): encodings that are BER but not DER. libcrypto's parser lets them pass; ours reads
 * DER alone, which is all that any encoder of sessions writes. */
#include "der.h"

static void read_bytes(const char *title, const char *hex)
{
    unsigned char der[DER_MAX];
    size_t length = from_hex(hex, der, sizeof(der));
    const unsigned char *next = der;
    SSL_SESSION *session = d2i_SSL_SESSION(NULL, &next, (long)length);
    size_t rest = length - (size_t)(next - der);

    printf("%s: %s, %zu bytes left\n", title, session == NULL ? "refused" : "accepted", rest);
    if (session != NULL) {
        SSL_SESSION_set_time(session, 1000000000);
        print_der(session);
    }
    SSL_SESSION_free(session);
    ERR_clear_error();
}

int main(void)
{
    read_bytes("DER", "300f 020101 02020303 0402c02f 0400 0400");
    read_bytes("a length in two bytes", "30810f 020101 02020303 0402c02f 0400 0400");
    read_bytes("a length in three bytes", "3082000f 020101 02020303 0402c02f 0400 0400");
    read_bytes("an inner length in two bytes", "3010 020101 02020303 048102c02f 0400 0400");
    read_bytes("indefinite", "3080 020101 02020303 0402c02f 0400 0400 0000");
    read_bytes("indefinite and not ended", "3080 020101 02020303 0402c02f 0400 0400");
    read_bytes("an indefinite field", "3080 020101 02020303 0402c02f 0400 0400 a480 0403637478 0000 0000");
    read_bytes("a string in pieces", "3017 020101 02020303 0402c02f 2408 0402 6964 0402 6964 0400");
    read_bytes("a string in indefinite pieces", "301d 020101 02020303 0402c02f 2480 0402 6964 0402 6964 0000 0400 a1020200");
    read_bytes("a tag in more bytes than needed", "3015 020101 02020303 0402c02f 0400 0400 bf0104 02020001");
    return 0;
}
