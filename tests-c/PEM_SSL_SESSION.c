/* PEM_read_bio_SSL_SESSION(3), PEM_write_bio_SSL_SESSION, and the same on a FILE. */
#include "der.h"

#include <openssl/pem.h>

static SSL_SESSION *read_text(const char *text)
{
    BIO *memory = BIO_new_mem_buf(text, -1);
    SSL_SESSION *session = PEM_read_bio_SSL_SESSION(memory, NULL, NULL, NULL);

    BIO_free(memory);
    return session;
}

int main(void)
{
    SSL_SESSION *session = decode("020101 02020303 0402c02f 04026964 04036b6579 " TIMES
                                  "a4050403637478 a60d040b6578616d706c652e636f6d aa0704057469636b65 b303020100");
    BIO *memory = BIO_new(BIO_s_mem());
    char *text;

    section("written to a BIO");
    TRACE(PEM_write_bio_SSL_SESSION(memory, session));
    long length = BIO_get_mem_data(memory, &text);
    fwrite(text, 1, (size_t)length, stdout);

    section("and read back");
    SSL_SESSION *back = PEM_read_bio_SSL_SESSION(memory, NULL, NULL, NULL);
    TRACE(back != NULL);
    print_der(back);
    SSL_SESSION_free(back);

    section("the end of the BIO");
    TRACE(PEM_read_bio_SSL_SESSION(memory, NULL, NULL, NULL) == NULL);
    print_errors();

    section("two in a row, into one place");
    SSL_SESSION *other = decode(TLS13_ID TIMES "a4020400 b303020100");
    SSL_SESSION *place = NULL;
    TRACE(PEM_write_bio_SSL_SESSION(memory, session));
    TRACE(PEM_write_bio_SSL_SESSION(memory, other));
    back = PEM_read_bio_SSL_SESSION(memory, &place, NULL, NULL);
    TRACE(back != NULL && back == place);
    SSL_SESSION_free(place);
    place = NULL;
    back = PEM_read_bio_SSL_SESSION(memory, &place, NULL, NULL);
    TRACE(back != NULL && back == place);
    print_der(back);
    SSL_SESSION_free(back);
    SSL_SESSION_free(other);
    BIO_free(memory);

    section("through a file");
    FILE *file = tmpfile();
    REQUIRE(file != NULL);
    TRACE(PEM_write_SSL_SESSION(file, session));
    rewind(file);
    back = PEM_read_SSL_SESSION(file, NULL, NULL, NULL);
    TRACE(back != NULL);
    print_der(back);
    fclose(file);
    SSL_SESSION_free(back);
    SSL_SESSION_free(session);

    section("text before and behind is passed over");
    back = read_text("something else\n-----BEGIN SSL SESSION PARAMETERS-----\n"
                     "MBYCAQECAgMDBALALwQCaWQEAKEDAgEF\n"
                     "-----END SSL SESSION PARAMETERS-----\nmore\n");
    TRACE(back != NULL);
    if (back != NULL)
        print_der(back);
    SSL_SESSION_free(back);

    section("another label, damaged base64, damaged contents");
    ERR_clear_error();
    TRACE(read_text("-----BEGIN CERTIFICATE-----\nMBYCAQE=\n-----END CERTIFICATE-----\n") == NULL);
    print_errors();
    TRACE(read_text("-----BEGIN SSL SESSION PARAMETERS-----\n!!!!\n-----END SSL SESSION PARAMETERS-----\n") == NULL);
    TRACE(ERR_GET_LIB(ERR_peek_last_error()));
    ERR_clear_error();
    TRACE(read_text("-----BEGIN SSL SESSION PARAMETERS-----\nMAMCAQE=\n-----END SSL SESSION PARAMETERS-----\n") == NULL);
    TRACE(ERR_peek_last_error() != 0);
    ERR_clear_error();

    section("a session that cannot be encoded");
    session = SSL_SESSION_new();
    memory = BIO_new(BIO_s_mem());
    TRACE(PEM_write_bio_SSL_SESSION(memory, session));
    TRACE(BIO_ctrl_pending(memory));
    ERR_clear_error();
    BIO_free(memory);
    SSL_SESSION_free(session);
    return 0;
}
