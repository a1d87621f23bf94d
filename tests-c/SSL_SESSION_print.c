/* SSL_SESSION_print(3): the exact bytes, and SSL_SESSION_print_keylog. */
#include "der.h"

#define HEAD12 "020101 02020303 0402c02f 04026964 04036b6579 "

static void print(const char *title, const char *contents)
{
    SSL_SESSION *session = decode(contents);
    BIO *memory = BIO_new(BIO_s_mem());
    char *text;

    section(title);
    REQUIRE(session != NULL && memory != NULL);
    int result = SSL_SESSION_print(memory, session);
    long length = BIO_get_mem_data(memory, &text);
    fwrite(text, 1, (size_t)length, stdout);
    TRACE(result);
    TRACE(length);

    BIO_free(memory);
    memory = BIO_new(BIO_s_mem());
    result = SSL_SESSION_print_keylog(memory, session);
    length = BIO_get_mem_data(memory, &text);
    fwrite(text, 1, (size_t)length, stdout);
    puts("|");
    TRACE(result);
    BIO_free(memory);
    SSL_SESSION_free(session);
}

static void print_to_stdout(const SSL_SESSION *session)
{
    fflush(stdout);
    int result = SSL_SESSION_print_fp(stdout, session);
    TRACE(result);
}

static void protocols(void)
{
    static const char *const versions[] = {"0300", "0301", "0302", "0303", "0304", "03ff",
                                           "00feff", "00fefd", "0100"};
    char contents[200];

    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
        snprintf(contents, sizeof(contents), "020101 02%02zx%s 0402c02f 04026964 0400" TIMES "a4020400 b303020100",
                 strlen(versions[i]) / 2, versions[i]);
        print(versions[i], contents);
    }
}

int main(void)
{
    print("nothing but the times", TLS12 TIMES "a4020400 b303020100");
    print("id, id context and key", HEAD12 TIMES "a4050403637478 b303020100");
    print("the same in TLS 1.3, with early data",
          "020101 02020304 04021301 04026964 04036b6579 " TIMES "a4050403637478 af0402024000 b303020100");
    print("neither time nor timeout given", "020101 02020303 0402c02f 04026964 04036b6579 "
                                            "a103020101 a2020200 a4020400 b303020100");
    print("a verify result", HEAD12 TIMES "a4020400 a503020112 b303020100");
    print("an unknown verify result", HEAD12 TIMES "a4020400 a504020203e7 b303020100");
    print("psk identity and hint", HEAD12 TIMES "a4020400 a706 040468696e74 a804 04026d65 b303020100");
    print("extended master secret", HEAD12 TIMES "a4020400 ad03020101 b303020100");
    print("a lifetime hint and a short ticket",
          HEAD12 TIMES "a4020400 a90402021c20 aa07 04057469636b65 b303020100");
    print("a ticket of many lines",
          HEAD12 TIMES "a4020400 aa22 0420 000102030405060708090a0b0c0d0e0f 101112131415161718191a1b1c1d7e7f b303020100");
    print("a ticket with trailing blanks and zeros",
          HEAD12 TIMES "a4020400 aa16 0414 41424320 202020 00000000 000000000000000000 b303020100");
    print("a compression method", HEAD12 TIMES "a4020400 ab03040101 b303020100");
    print("an SRP user name", HEAD12 TIMES "a4020400 ac06 040475736572 b303020100");
    print("an id and a key of full length",
          "020101 02020303 0402c02f 0420 000102030405060708090a0b0c0d0e0f 101112131415161718191a1b1c1d1e1f "
          "0430 000102030405060708090a0b0c0d0e0f 101112131415161718191a1b1c1d1e1f 202122232425262728292a2b2c2d2e2f "
          TIMES "a4020400 b303020100");
    print("host name, ALPN and appdata are not shown",
          HEAD12 TIMES "a4020400 a60d040b6578616d706c652e636f6d b00404026832 b2050403415050 b303020100");
    print("an id without a key", "020101 02020303 0402c02f 04026964 0400" TIMES "a4020400 b303020100");
    print("a key without an id", "020101 02020303 0402c02f 0400 04036b6579" TIMES "a4020400 b303020100");
    protocols();

    section("a session made by hand: no cipher, no version");
    SSL_SESSION *session = SSL_SESSION_new();
    SSL_SESSION_set_time(session, T0);
    print_to_stdout(session);
    section("time and timeout 0 are not shown");
    SSL_SESSION_set_time(session, 0);
    SSL_SESSION_set_timeout(session, 0);
    print_to_stdout(session);
    section("only TLS 1.3 has early data");
    SSL_SESSION_set_time(session, 5);
    SSL_SESSION_set_timeout(session, 7);
    SSL_SESSION_set_protocol_version(session, TLS1_3_VERSION);
    SSL_SESSION_set_max_early_data(session, UINT32_MAX);
    print_to_stdout(session);

    section("the cipher's two bytes when the pointer is gone");
    SSL_SESSION *decoded = decode(HEAD12 TIMES "a4020400 b303020100");
    SSL_SESSION_set_cipher(decoded, NULL);
    print_to_stdout(decoded);
    SSL_SESSION_free(decoded);

    section("no session");
    BIO *memory = BIO_new(BIO_s_mem());
    TRACE(SSL_SESSION_print(memory, NULL));
    TRACE(BIO_ctrl_pending(memory));
    TRACE(SSL_SESSION_print_keylog(memory, session));
    TRACE(BIO_ctrl_pending(memory));
    BIO_free(memory);
    SSL_SESSION_free(session);
    return 0;
}
