/* d2i_SSL_SESSION(3): input that is not a session, and what is then in the error queue. */
#include "der.h"

/*
 * Libssl's own errors are shown by number. Of errors in the encoding itself (library 13, ASN.1) only
 * the last library counts: which of libcrypto's parsers complained first is its own affair.
 */
static void refuse(const char *title, const char *contents)
{
    ERR_clear_error();
    SSL_SESSION *session = decode(contents);
    unsigned long code = ERR_peek_last_error();

    printf("%s: %s", title, session == NULL ? "refused" : "accepted");
    if (code == 0)
        puts(", no error");
    else if (ERR_GET_LIB(code) == ERR_LIB_SSL)
        printf(", library %d reason %d\n", ERR_GET_LIB(code), ERR_GET_REASON(code));
    else
        printf(", library %d\n", ERR_GET_LIB(code));
    SSL_SESSION_free(session);
    ERR_clear_error();
}

static void refuse_bytes(const char *title, const char *hex)
{
    unsigned char der[DER_MAX];
    size_t length = from_hex(hex, der, sizeof(der));
    const unsigned char *next = der;

    ERR_clear_error();
    SSL_SESSION *session = d2i_SSL_SESSION(NULL, &next, (long)length);
    unsigned long code = ERR_peek_last_error();
    int moved = next != der;
    printf("%s: %s, library %d, moved %d\n", title, session == NULL ? "refused" : "accepted",
           ERR_GET_LIB(code), moved);
    SSL_SESSION_free(session);
    ERR_clear_error();
}

#define ID32 "0420" "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define CTX32 "a422" ID32
#define HUNDRED_BYTES \
    "00112233445566778899001122334455667788990011223344556677889900112233445566778899" \
    "00112233445566778899001122334455667788990011223344556677889900112233445566778899" \
    "0011223344556677889900112233445566778899"

int main(void)
{
    section("the version of the encoding");
    refuse("version 0", "020100 02020303 0402c02f 0400 0400" TIMES);
    refuse("version 1", "020101 02020303 0402c02f 0400 0400" TIMES);
    refuse("version 2", "020102 02020303 0402c02f 0400 0400" TIMES);
    refuse("version -1", "0201ff 02020303 0402c02f 0400 0400" TIMES);
    refuse("a version of nine bytes", "0209010000000000000000 02020303 0402c02f 0400 0400" TIMES);
    refuse("an empty version", "0200 02020303 0402c02f 0400 0400" TIMES);

    section("the protocol version");
    refuse("0x0203", "020101 02020203 0402c02f 0400 0400" TIMES);
    refuse("0x0403", "020101 02020403 0402c02f 0400 0400" TIMES);
    refuse("0xfefd as two bytes, which is negative", "020101 0202fefd 0402c02f 0400 0400" TIMES);
    refuse("0xfefd", "020101 020300fefd 0402c02f 0400 0400" TIMES);
    refuse("0x03ff", "020101 020203ff 0402c02f 0400 0400" TIMES);
    refuse("0x0100", "020101 02020100 0402c02f 0400 0400" TIMES);
    refuse("0x0101", "020101 02020101 0402c02f 0400 0400" TIMES);
    refuse("0", "020101 020100 0402c02f 0400 0400" TIMES);
    refuse("empty", "020101 0200 0402c02f 0400 0400" TIMES);
    refuse("0x010303", "020101 0203010303 0402c02f 0400 0400" TIMES);
    refuse("five bytes", "020101 02050100000303 0402c02f 0400 0400" TIMES);

    section("the cipher");
    refuse("three bytes", "020101 02020303 04030100c0 0400 0400" TIMES);
    refuse("one byte", "020101 02020303 0401c0 0400 0400" TIMES);
    refuse("none", "020101 02020303 0400 0400 0400" TIMES);
    refuse("unknown", "020101 02020303 0402fefe 0400 0400" TIMES);
    refuse("zero", "020101 02020303 04020000 0400 0400" TIMES);

    section("lengths");
    refuse("an id of 32", "020101 02020303 0402c02f" ID32 "0400" TIMES);
    refuse("an id of 33", "020101 02020303 0402c02f 0421" "ff" "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
                          "0400" TIMES);
    refuse("an id context of 32", TLS12 TIMES CTX32);
    refuse("an id context of 33", TLS12 TIMES "a4230421ff000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
    refuse("a key of 512", "020101 02020303 0402c02f 0400 04820200" HUNDRED_BYTES HUNDRED_BYTES HUNDRED_BYTES HUNDRED_BYTES
                           HUNDRED_BYTES "000102030405060708090a0b" TIMES);
    refuse("a key of 513", "020101 02020303 0402c02f 0400 04820201" HUNDRED_BYTES HUNDRED_BYTES HUNDRED_BYTES HUNDRED_BYTES
                           HUNDRED_BYTES "000102030405060708090a0b0c" TIMES);
    refuse("a compression of two bytes", TLS12 TIMES "ab0404020101");
    refuse("a compression of none", TLS12 TIMES "ab020400");

    section("integers");
    refuse("an empty time", TLS12 "a1020200");
    refuse("a time that is not minimal", TLS12 "a10402020001");
    refuse("a time of nine bytes", TLS12 "a10b0209010000000000000000");
    refuse("a negative lifetime hint", TLS12 TIMES "a9030201ff");
    refuse("an age_add of 33 bits", TLS12 TIMES "ae0702050100000000");
    refuse("a negative age_add", TLS12 TIMES "ae030201ff");
    refuse("an early data of 33 bits", TLS12 TIMES "af0702050100000000");
    refuse("a fragment length of 300", TLS12 TIMES "b1040202012c");
    refuse("a verify result of 33 bits", TLS12 TIMES "a50702050100000000");

    section("order and tags");
    refuse("timeout before time", TLS12 "a2040202012c a10602043b9aca00");
    refuse("time twice", TLS12 "a10602043b9aca00 a10602043b9aca00");
    refuse("an unknown tag behind the others", TLS12 TIMES "b8030201 00");
    refuse("an unknown tag among them", TLS12 "a10602043b9aca00 bf5003020100");
    refuse("a tag of another class", TLS12 TIMES "61030201 00");
    refuse("an integer where a string belongs", "020101 02020303 0402c02f 020100 0400" TIMES);
    refuse("a string where an integer belongs", TLS12 "a10604043b9aca00");
    refuse("an implicit time", TLS12 "81043b9aca00");
    refuse("an explicit field with two values", TLS12 "a1060201010201 01");
    refuse("an explicit field with none", TLS12 "a100");
    refuse("a field longer than the sequence", TLS12 "a17f02043b9aca00");
    refuse("a peer that is no certificate", TLS12 TIMES "a303020101");

    section("not even a sequence");
    refuse("an empty sequence", "");
    refuse("no key", "020101 02020303 0402c02f 0400");
    refuse_bytes("zeros", "0000000000");
    refuse_bytes("a set", "3103020101");
    refuse_bytes("a length that is too long", "30ff");
    refuse_bytes("a length of more bytes than there are", "3084ffffffff 020101");
    refuse_bytes("text", "68656c6c6f");
    return 0;
}
