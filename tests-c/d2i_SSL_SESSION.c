/* d2i_SSL_SESSION(3): every field there and back, the reference encodings, the rules of the pointers. */
#include "der.h"

/* Decodes, encodes, and shows both. */
static void round_trip(const char *title, const char *contents)
{
    SSL_SESSION *session = decode(contents);

    printf("%s\n", title);
    if (session == NULL) {
        puts("    refused");
        print_errors();
        return;
    }
    print_der(session);
    SSL_SESSION_free(session);
}

static void reference_encodings(void)
{
    section("a session made by hand");
    static const unsigned char c02f[] = {0xc0, 0x2f}, c1301[] = {0x13, 0x01};
    SSL_CTX *ctx = context_new();
    SSL *ssl = SSL_new(ctx);
    SSL_SESSION *session = SSL_SESSION_new();
    TRACE(i2d_SSL_SESSION(session, NULL));
    SSL_SESSION_set_time(session, T0);
    SSL_SESSION_set_protocol_version(session, TLS1_2_VERSION);
    SSL_SESSION_set_cipher(session, SSL_CIPHER_find(ssl, c02f));
    print_der(session);

    section("with an id, a key and TLS 1.3");
    unsigned char id[32], key[32];
    memset(id, 0xaa, sizeof(id));
    memset(key, 0xbb, sizeof(key));
    SSL_SESSION_set1_id(session, id, sizeof(id));
    SSL_SESSION_set1_master_key(session, key, sizeof(key));
    SSL_SESSION_set_protocol_version(session, TLS1_3_VERSION);
    SSL_SESSION_set_cipher(session, SSL_CIPHER_find(ssl, c1301));
    print_der(session);

    section("with all that has a setter");
    SSL_SESSION_set1_hostname(session, "example.com");
    SSL_SESSION_set1_alpn_selected(session, (const unsigned char *)"h2", 2);
    SSL_SESSION_set1_ticket_appdata(session, "APP", 3);
    SSL_SESSION_set_max_early_data(session, 16384);
    SSL_SESSION_set1_id_context(session, (const unsigned char *)"ctx", 3);
    print_der(session);

    section("neither time nor timeout");
    SSL_SESSION_set_time(session, 0);
    SSL_SESSION_set_timeout(session, 0);
    print_der(session);
    SSL_SESSION_free(session);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

static void fields(void)
{
    section("every field there and back");
    round_trip("only what must be there, and the times", TLS12 TIMES);
    round_trip("DTLS 1.2", "020101 020300fefd 0402c02f 0400 0400" TIMES);
    round_trip("DTLS 1.0", "020101 020300feff 0402c02f 0400 0400" TIMES);
    round_trip("DTLS1_BAD_VER", "020101 02020100 0402c02f 0400 0400" TIMES);
    round_trip("0x03ff", "020101 020203ff 0402c02f 0400 0400" TIMES);
    round_trip("a signalling cipher suite", "020101 02020303 040200ff 0400 0400" TIMES);
    round_trip("key_arg is ignored", TLS12 "8003010203" TIMES);
    round_trip("a late time", TLS12 "a1070205 0100000000 a2040202012c");
    round_trip("a time of eight bytes", TLS12 "a10a0208 7fffffffffffffff a2040202012c");
    round_trip("id context", TLS12 TIMES "a4050403637478");
    round_trip("verify result", TLS12 TIMES "a503020114");
    round_trip("a negative verify result", TLS12 TIMES "a5030201ff");
    round_trip("host name", TLS12 TIMES "a603040161");
    round_trip("an empty host name", TLS12 TIMES "a6020400");
    round_trip("a host name with a zero in it", TLS12 TIMES "a6050403610062");
    round_trip("psk identity hint", TLS12 TIMES "a706040468696e74");
    round_trip("psk identity", TLS12 TIMES "a80404026d65");
    round_trip("lifetime hint", TLS12 TIMES "a90402021c20");
    round_trip("the largest lifetime hint", TLS12 TIMES "a90b020900ffffffffffffffff");
    round_trip("ticket", TLS12 TIMES "aa0704057469636b65");
    round_trip("an empty ticket", TLS12 TIMES "aa020400");
    round_trip("compression", TLS12 TIMES "ab03040101");
    round_trip("compression 0", TLS12 TIMES "ab03040100");
    round_trip("SRP user name", TLS12 TIMES "ac06040475736572");
    round_trip("flags", TLS12 TIMES "ad03020101");
    round_trip("flags nobody knows", TLS12 TIMES "ad0402027fff");
    round_trip("age_add", TLS12 TIMES "ae07020500ffffffff");
    round_trip("early data", TLS12 TIMES "af0402024000");
    round_trip("ALPN", TLS12 TIMES "b00404026832");
    round_trip("an empty ALPN", TLS12 TIMES "b0020400");
    round_trip("fragment length", TLS12 TIMES "b103020102");
    round_trip("appdata", TLS12 TIMES "b2050403415050");
    round_trip("an empty appdata", TLS12 TIMES "b2020400");
    round_trip("group", TLS12 TIMES "b30302011d");
    round_trip("group as 32 bits", TLS12 TIMES "b307020500ffffffff");
    round_trip("all of them",
               "020101 02020304 04021301 04026964 04036b6579" TIMES
               "a4050403637478 a503020107 a60d040b6578616d706c652e636f6d a706040468696e74 a80404026d65"
               "a90402021c20 aa0804067469636b6574 ab03040101 ac06040475736572 ad03020101 ae0402020102"
               "af0402024000 b00404026832 b103020103 b2050403415050 b30302011d");
}

static void absent_fields(void)
{
    section("what is absent: the present as time, a timeout of 3 seconds, X509_V_OK");
    time_t before = time(NULL);
    SSL_SESSION *session = decode(TLS12_ID);
    long stamped = SSL_SESSION_get_time(session);
    TRACE(stamped >= (long)before && stamped <= (long)time(NULL));
    TRACE(SSL_SESSION_get_timeout(session));
    SSL_SESSION_set_time(session, T0);
    print_der(session);
    SSL_SESSION_free(session);

    section("a timeout that is present with 0 reads as 3 too; a time of 0 as the present");
    session = decode(TLS12_ID "a1020200 a2020200");
    REQUIRE(session != NULL);
    TRACE(SSL_SESSION_get_timeout(session));
    stamped = SSL_SESSION_get_time(session);
    TRACE(stamped >= (long)before && stamped <= (long)time(NULL));
    SSL_SESSION_free(session);

    section("the context's timeout and mode are not asked; a decoded session is resumable");
    session = decode(TLS12_ID TIMES);
    TRACE(SSL_SESSION_get_timeout(session));
    TRACE(SSL_SESSION_is_resumable(session));
    SSL_SESSION_free(session);
}

static void pointers_of_i2d(void)
{
    section("i2d: the length alone, into a buffer, into memory of its own");
    SSL_SESSION *session = decode(TLS12_ID TIMES);
    unsigned char buffer[200];
    unsigned char *next = buffer;
    unsigned char *made = NULL;

    memset(buffer, 0xee, sizeof(buffer));
    int length = i2d_SSL_SESSION(session, NULL);
    TRACE(length);
    TRACE(i2d_SSL_SESSION(session, &next));
    TRACE(next == buffer + length);
    TRACE(buffer[length] == 0xee);
    TRACE(i2d_SSL_SESSION(session, &made));
    TRACE(made != NULL && memcmp(made, buffer, (size_t)length) == 0);
    OPENSSL_free(made);
    next = buffer;
    TRACE(i2d_SSL_SESSION(NULL, &next));
    TRACE(next == buffer);
    TRACE(i2d_SSL_SESSION(NULL, NULL));
    SSL_SESSION_free(session);

    section("i2d without a cipher");
    session = SSL_SESSION_new();
    TRACE(i2d_SSL_SESSION(session, &next));
    TRACE(next == buffer);
    print_errors();
    SSL_SESSION_free(session);
}

static void pointers_of_d2i(void)
{
    unsigned char der[200];
    size_t length = sequence(TLS12_ID TIMES, der, sizeof(der));

    section("d2i moves on behind what it read; what follows is not its business");
    memset(der + length, 0x55, 10);
    const unsigned char *next = der;
    SSL_SESSION *session = d2i_SSL_SESSION(NULL, &next, (long)length + 10);
    TRACE(session != NULL);
    TRACE(next - der);
    SSL_SESSION_free(session);

    section("a new object goes to *a");
    SSL_SESSION *place = NULL;
    next = der;
    session = d2i_SSL_SESSION(&place, &next, (long)length);
    TRACE(session != NULL && session == place);

    section("an existing object is filled");
    session_name(place, "place");
    unsigned char other[200];
    size_t other_length = sequence(TLS13 TIMES "a4050403637478 aa0704057469636b65", other, sizeof(other));
    next = other;
    session = d2i_SSL_SESSION(&place, &next, (long)other_length);
    TRACE(session == place);
    TRACE(name_of(place));
    print_der(place);
    CALL(SSL_SESSION_free(place));

    section("too short, empty, negative: refused, and the pointer stays");
    for (long cut = -1; cut < (long)length; cut += cut < 4 ? 1 : 7) {
        next = der;
        session = d2i_SSL_SESSION(NULL, &next, cut);
        long moved = next - der;
        printf("%ld: %s, moved by %ld\n", cut, session == NULL ? "refused" : "accepted", moved);
        SSL_SESSION_free(session);
        ERR_clear_error();
    }
    next = der;
    session = d2i_SSL_SESSION(NULL, &next, (long)length - 1);
    TRACE(session == NULL);

    section("after a failure *a is neither freed nor taken");
    ERR_clear_error();
    place = session_new("place", TLS1_2_VERSION, T0, 100);
    next = der;
    TRACE(d2i_SSL_SESSION(&place, &next, 5) == NULL);
    TRACE(place != NULL);
    TRACE(next == der);
    CALL(SSL_SESSION_free(place));
    place = NULL;
    next = der;
    TRACE(d2i_SSL_SESSION(&place, &next, 5) == NULL);
    TRACE(place == NULL);
    ERR_clear_error();
}

static void through_a_bio(void)
{
    section("through a BIO");
    SSL_SESSION *session = decode(TLS12_ID TIMES);
    BIO *memory = BIO_new(BIO_s_mem());
    TRACE(i2d_SSL_SESSION_bio(memory, session));
    TRACE(BIO_ctrl_pending(memory));
    SSL_SESSION *back = d2i_SSL_SESSION_bio(memory, NULL);
    TRACE(back != NULL);
    print_der(back);
    TRACE(d2i_SSL_SESSION_bio(memory, NULL) == NULL);
    ERR_clear_error();
    BIO_free(memory);
    SSL_SESSION_free(session);
    SSL_SESSION_free(back);
}

int main(void)
{
    reference_encodings();
    fields();
    absent_fields();
    pointers_of_i2d();
    pointers_of_d2i();
    through_a_bio();
    return 0;
}
