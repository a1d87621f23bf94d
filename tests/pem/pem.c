/*
 * Texts that are PEM, or nearly, and what PEM_read_SSL_SESSION makes of them: the bytes of each session it reads, and
 * where the stream is afterwards. Everything follows from the seed. The same program linked with libssl and libcrypto
 * is the oracle for the library without libcrypto.
 *
 * usage: pem FIRST_SEED COUNT      a line for each seed
 *        pem --show SEED           the text
 */
#define _GNU_SOURCE
#include <openssl/ssl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Random numbers ---- */

static uint64_t state;

static uint64_t next(void)
{
    uint64_t z = state += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static int below(int n) { return (int)(next() % (uint64_t)n); }
static int one_in(int n) { return below(n) == 0; }
#define PICK(array) ((array)[below((int)(sizeof(array) / sizeof((array)[0])))])

/* ---- The text ---- */

static unsigned char *text;
static size_t length, room;

/* The structure of a session lies in what its base64 begins with. It stays whole, or the text would be about DER. */
enum { STRUCTURE = 80, MOST_KEPT = 16 };
static struct { size_t from, to; } kept[MOST_KEPT];
static int kept_count;

static void put_bytes(const void *bytes, size_t count)
{
    if (length + count > room) {
        room = 2 * (length + count);
        text = realloc(text, room);
        if (text == NULL)
            abort();
    }
    memcpy(text + length, bytes, count);
    length += count;
}

static void put(const char *string) { put_bytes(string, strlen(string)); }
static void put_byte(int byte) { put_bytes(&(unsigned char){(unsigned char)byte}, 1); }

static int is_kept(size_t at)
{
    for (int i = 0; i < kept_count; i++)
        if (at >= kept[i].from && at < kept[i].to)
            return 1;
    return 0;
}

static const char *const OURS = "SSL SESSION PARAMETERS";
static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* ---- A session ---- */

static unsigned char der[200000];

/* A tag and a length as DER wants them. */
static size_t put_tag(unsigned char *at, int tag, size_t size)
{
    int bytes = size < 0x80 ? 0 : size < 0x100 ? 1 : size < 0x10000 ? 2 : 3;

    *at++ = (unsigned char)tag;
    *at++ = (unsigned char)(bytes == 0 ? size : 0x80u + (unsigned int)bytes);
    for (int i = 0; i < bytes; i++)
        at[i] = (unsigned char)(size >> 8 * (bytes - 1 - i));
    return 2 + (size_t)bytes;
}

/* A ticket is its last field: what is left out of it, or comes twice, changes no structure but its length. */
static size_t session(void)
{
    static const unsigned char fields[] = {2, 1, 1, 2, 2, 3, 3, 4, 2, 0xc0, 0x2f, 4, 3, 'i', 'd', '1', 4, 0,
                                           0xa1, 3, 2, 1, 5, 0xa2, 3, 2, 1, 6, 0xa4, 2, 4, 0};
    static const size_t sizes[] = {1000, 3000, 70000};
    unsigned char inner[8], outer[8];
    size_t ticket = one_in(40) ? PICK(sizes) : (size_t)below(300);
    size_t inner_size = put_tag(inner, 4, ticket);
    size_t outer_size = put_tag(outer, 0xaa, inner_size + ticket);
    size_t at = put_tag(der, 0x30, sizeof(fields) + outer_size + inner_size + ticket);

    memcpy(der + at, fields, sizeof(fields));
    at += sizeof(fields);
    memcpy(der + at, outer, outer_size);
    at += outer_size;
    memcpy(der + at, inner, inner_size);
    at += inner_size;
    while (ticket-- > 0)
        der[at++] = (unsigned char)next();
    return at;
}

/* ---- Base64, in lines or not, damaged or not ---- */

static size_t base64(const unsigned char *bytes, size_t count, char *to)
{
    size_t at = 0;

    for (size_t i = 0; i < count; i += 3) {
        uint32_t three = (uint32_t)bytes[i] << 16;

        if (i + 1 < count)
            three |= (uint32_t)bytes[i + 1] << 8;
        if (i + 2 < count)
            three |= bytes[i + 2];
        for (int j = 0; j < 4; j++)
            to[at++] = i + (size_t)j > count ? '=' : ALPHABET[three >> (18 - 6 * j) & 63];
    }
    return at;
}

static void put_junk(int count)
{
    while (count-- > 0)
        put_byte(one_in(3) ? below(256) : one_in(4) ? " \t\r\n\v\f:-="[below(9)] : 32 + below(95));
}

static void put_line_end(int kind)
{
    static const char *const ends[] = {"\n", "\r\n", " \n", "\t\r\n", "\r", "\r\r\n", "\x80\n", "\v\n"};

    put(ends[kind]);
}

static int any_line_end(void) { return one_in(3) ? below(8) : one_in(3) ? 1 : 0; }

static int any_width(void)
{
    static const int widths[] = {64, 64, 64, 76, 48, 63, 65, 1, 4, 252, 253, 254, 255, 256, 508, 509, 1000, 1 << 20};

    return one_in(8) ? 1 + below(300) : PICK(widths);
}

/* Something goes wrong here. */
static void damage(const char *character)
{
    switch (below(7)) {
    case 0: break; /* lost */
    case 1: put(character), put(character); break;
    case 2: put_byte(ALPHABET[below(64)]); break;
    case 3: put_junk(1), put(character); break;
    case 4: put_byte("=-*. \t\r"[below(7)]), put(character); break;
    case 5: put("\n"), put(character); break;
    case 6: put("\n\n"), put(character); break;
    }
}

static void put_data(const unsigned char *bytes, size_t count)
{
    static char encoded[300000];
    size_t size = base64(bytes, count, encoded), column = 0, from = length;
    int width = any_width(), line_end = any_line_end(), changes = one_in(6), indented = one_in(8);
    int damages = one_in(2) ? 0 : 1 + below(3);

    if (one_in(6)) /* the padding */
        size -= (size_t)below(4);
    else if (one_in(8))
        for (int i = below(4); i > 0; i--)
            encoded[size++] = "=A"[below(2)];
    for (size_t i = 0; i < size; i++) {
        if (column == 0 && indented && one_in(2))
            put("   ");
        if (i == STRUCTURE && kept_count < MOST_KEPT)
            kept[kept_count].from = from, kept[kept_count++].to = length;
        if (i > STRUCTURE && damages > 0 && one_in((int)size / 2 + 1)) {
            damages--;
            damage((const char[]){encoded[i], '\0'});
        } else {
            put_byte(encoded[i]);
        }
        if (++column >= (size_t)width) {
            put_line_end(line_end);
            column = 0;
            if (changes && one_in(3))
                width = any_width(), line_end = any_line_end();
        }
    }
    if (column > 0)
        put_line_end(line_end);
    if (one_in(20))
        put("\n");
}

/* ---- An object ---- */

static const char *any_label(void)
{
    static const char *const labels[] = {"CERTIFICATE", "", "SSL SESSION PARAMETERS ", "ssl session parameters", "X: Y",
                                         "SSL SESSION", "SSL SESSION PARAMETERSX"};

    return one_in(5) ? PICK(labels) : OURS;
}

static void put_border(const char *begin, const char *label)
{
    if (one_in(15))
        put(" ");
    put(one_in(25) ? "----BEGIN " : begin);
    put(label);
    put(one_in(25) ? "----" : one_in(25) ? "------" : "-----");
    if (one_in(15))
        put_junk(1 + below(4));
    put_line_end(any_line_end());
}

static void put_header(void)
{
    static const char *const headers[] = {
        "\n", "\n", "  \t\n", "\n\n", "Comment: none\n\n", "Proc-Type: 4,CLEAR\n\n", "X:\n",
        "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n",
        "Proc-Type: 4,ENCRYPTED\n\n", "no colon here\n\n", ":\n\n", "\r\n",
    };

    if (one_in(3))
        put(PICK(headers));
}

static void put_object(void)
{
    const char *label = any_label();

    put_border("-----BEGIN ", label);
    put_header();
    if (one_in(30))
        put_junk(below(100));
    else if (!one_in(30))
        put_data(der, session());
    if (!one_in(30))
        put_border("-----END ", one_in(20) ? any_label() : label);
}

static void put_between(void)
{
    switch (below(8)) {
    case 0: put("\xef\xbb\xbf"); break;
    case 1: put("\n \n\r\n"); break;
    case 2: put_junk(below(600)), put("\n"); break;
    case 3: put("some text\n"); break;
    case 4: put("\xef\xbb\xbf\n"); break;
    default: break;
    }
}

static void make_text(uint64_t seed)
{
    state = seed * 0xd1342543de82ef95u;
    length = 0;
    kept_count = 0;
    for (int objects = 1 + below(3); objects > 0; objects--) {
        put_between();
        put_object();
    }
    put_between();
    for (int bytes = one_in(3) ? 1 + below(4) : 0; bytes > 0 && length > 0; bytes--) {
        size_t at = next() % length;

        if (!is_kept(at))
            text[at] = (unsigned char)(one_in(3) ? "\0\n\r :-="[below(7)] : below(256));
    }
    if (one_in(6) && length > 0)
        length -= next() % (length < 50 ? length : 50);
}

/* ---- What is made of it ---- */

static uint64_t hash_of(const unsigned char *bytes, size_t count)
{
    uint64_t hash = 0xcbf29ce484222325u;

    for (size_t i = 0; i < count; i++)
        hash = (hash ^ bytes[i]) * 0x100000001b3u;
    return hash;
}

static int no_password(char *buffer, int size, int writes, void *user)
{
    (void)buffer, (void)size, (void)writes, (void)user;
    return -1;
}

static void print_session(const SSL_SESSION *session)
{
    static unsigned char encoded[300000];
    unsigned char *at = encoded;
    int size = i2d_SSL_SESSION(session, &at);

    printf(" %d bytes %016llx", size, (unsigned long long)hash_of(encoded, (size_t)size));
}

/* And what is written is what libcrypto writes. */
static void print_written(SSL_SESSION *session)
{
    char *written = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&written, &size);
    int result = PEM_write_SSL_SESSION(to, session);

    fclose(to);
    printf(" written %d %016llx", result, (unsigned long long)hash_of((unsigned char *)written, size));
    free(written);
}

static void read_text(uint64_t seed)
{
    FILE *from;

    make_text(seed);
    from = length == 0 ? fopen("/dev/null", "r") : fmemopen(text, length, "r");
    if (from == NULL)
        abort();
    if (one_in(4))
        setvbuf(from, NULL, _IONBF, 0);
    printf("%llu:", (unsigned long long)seed);
    for (int failures = 0; failures < 3;) {
        SSL_SESSION *session = PEM_read_SSL_SESSION(from, NULL, no_password, NULL);

        if (session == NULL) {
            failures++;
            printf(" none");
        } else {
            print_session(session);
            print_written(session);
            SSL_SESSION_free(session);
        }
        printf(" at %ld%s;", ftell(from), feof(from) ? " end" : "");
    }
    putchar('\n');
    fclose(from);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--show") == 0) {
        make_text(strtoull(argv[2], NULL, 10));
        fwrite(text, 1, length, stdout);
        return 0;
    }
    if (argc != 3)
        return 2;
    uint64_t first = strtoull(argv[1], NULL, 10), count = strtoull(argv[2], NULL, 10);
    for (uint64_t seed = first; seed < first + count; seed++)
        read_text(seed);
    return 0;
}
