/*
 * Sessions out of hex and into hex. Most fields of a session have no setter (a ticket, its lifetime
 * hint, the compression method): decoding is the only public way to give one to a session.
 */
#ifndef TESTS_C_DER_H
#define TESTS_C_DER_H

#include "conformance.h"

/* The fields that every encoding begins with: TLS 1.2, C02F, no id, no master key. */
#define TLS12 "020101 02020303 0402c02f 0400 0400 "
#define TLS13 "020101 02020304 04021301 0400 0400 "
/* The same with the id "id". */
#define TLS12_ID "020101 02020303 0402c02f 04026964 0400 "
#define TLS13_ID "020101 02020304 04021301 04026964 0400 "
/* T0 and a timeout of 300 seconds. */
#define TIMES "a10602043b9aca00 a2040202012c "

#define DER_MAX 4096

/* Blanks between the digits are for the reader. */
static UNUSED size_t from_hex(const char *hex, unsigned char *out, size_t room)
{
    size_t length = 0;
    unsigned int byte;

    while (*hex != '\0') {
        if (*hex == ' ') {
            hex++;
            continue;
        }
        REQUIRE(sscanf(hex, "%2x", &byte) == 1 && length < room);
        out[length++] = (unsigned char)byte;
        hex += 2;
    }
    return length;
}

/* A SEQUENCE around `contents`. */
static UNUSED size_t sequence(const char *contents, unsigned char *out, size_t room)
{
    static unsigned char inner[DER_MAX];
    size_t length = from_hex(contents, inner, sizeof(inner));
    size_t header = 0;

    REQUIRE(length + 4 <= room && length <= 0xffff);
    out[header++] = 0x30;
    if (length >= 0x100) {
        out[header++] = 0x82;
        out[header++] = (unsigned char)(length >> 8);
    } else if (length >= 0x80) {
        out[header++] = 0x81;
    }
    out[header++] = (unsigned char)length;
    memcpy(out + header, inner, length);
    return header + length;
}

/* Decodes a session of these contents; NULL when the library refuses them. */
static UNUSED SSL_SESSION *decode(const char *contents)
{
    static unsigned char der[DER_MAX];
    size_t length = sequence(contents, der, sizeof(der));
    const unsigned char *next = der;
    SSL_SESSION *session = d2i_SSL_SESSION(NULL, &next, (long)length);

    REQUIRE(session == NULL ? next == der : next == der + length);
    return session;
}

/* The same, for contents that must be good; the session has a name. */
static UNUSED SSL_SESSION *session_of(const char *name, const char *contents)
{
    SSL_SESSION *session = decode(contents);

    REQUIRE(session != NULL);
    session_name(session, name);
    return session;
}

static UNUSED void print_der(const SSL_SESSION *session)
{
    static unsigned char der[DER_MAX];
    unsigned char *next = der;
    int length = i2d_SSL_SESSION(session, NULL);

    REQUIRE(length >= 0 && length <= DER_MAX);
    REQUIRE(i2d_SSL_SESSION(session, &next) == length && next == der + length);
    print_hex("DER", der, (size_t)length);
}

#endif
