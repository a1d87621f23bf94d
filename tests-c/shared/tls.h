/* What both ends need: certificates from files, packets with descriptors, DTLS over a socket of packets. */
#ifndef TLS_H
#define TLS_H

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#if OPENSSL_VERSION_NUMBER < 0x30000000L
#define SSL_get1_peer_certificate SSL_get_peer_certificate
#endif

/* A record that does not decrypt: whoever reads it ends the connection with a fatal alert. */
#define NONSENSE "\x17\x03\x03\x00\x20nonsense nonsense nonsense nonsen"

/* NAME.pem, which is a key and a certificate. */
static X509 *read_certificate(const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "%s.pem", name);
    FILE *file = fopen(path, "r");
    X509 *certificate = file ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
    if (!certificate)
        fprintf(stderr, "%s: no certificate\n", path), exit(2);
    fclose(file);
    return certificate;
}

static int use_certificate(SSL_CTX *ctx, const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "%s.pem", name);
    return SSL_CTX_use_certificate_file(ctx, path, SSL_FILETYPE_PEM) == 1 &&
        SSL_CTX_use_PrivateKey_file(ctx, path, SSL_FILETYPE_PEM) == 1;
}

/* A socket of packets is no UDP: nobody can be asked how long a packet may be. */
static void prepare_packets(SSL *ssl)
{
    SSL_set_options(ssl, SSL_OP_NO_QUERY_MTU);
    DTLS_set_link_mtu(ssl, 16000);
}

/* One packet, with up to two descriptors; how long it is. */
static ssize_t receive(int from, char *bytes, size_t room, int descriptors[2])
{
    union { struct cmsghdr header; char room[CMSG_SPACE(2 * sizeof(int))]; } control;
    struct iovec part = {bytes, room - 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t length = recvmsg(from, &message, MSG_CMSG_CLOEXEC);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    descriptors[0] = descriptors[1] = -1;
    if (length > 0 && header)
        memcpy(descriptors, CMSG_DATA(header), header->cmsg_len - CMSG_LEN(0));
    if (length >= 0)
        bytes[length] = 0;
    return length;
}

static int pass(int to, const char *text, const int *descriptors, int count)
{
    union { struct cmsghdr header; char room[CMSG_SPACE(2 * sizeof(int))]; } control = {0};
    size_t size = (size_t)count * sizeof(int);
    struct iovec part = {(void *)text, strlen(text) + 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (count) {
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(size);
        control.header = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(size)};
        memcpy(CMSG_DATA(&control.header), descriptors, size);
    }
    return sendmsg(to, &message, MSG_NOSIGNAL) > 0;
}

#endif
