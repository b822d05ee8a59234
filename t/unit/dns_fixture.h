/* A name server for tests: one thread, one UDP socket on loopback, answers from a table.
 * The including test gives dns_zone[], ended by a row without a name. */
#ifndef FD_T_DNS_FIXTURE_H
#define FD_T_DNS_FIXTURE_H

#include <arpa/inet.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

struct dns_name {
    const char *name;
    const char *a;     /* addresses, with commas; NULL = none of this family */
    const char *aaaa;  /* the same */
    const char *later; /* A from the second question on; NULL = the same */
    bool unknown;      /* NXDOMAIN */
    bool silent_a, silent_aaaa;
};

static const struct dns_name dns_zone[];
static int dns_fd, dns_port;
static int dns_questions[64]; /* atomic: for A, by row */

static size_t dns_read_name(const unsigned char *question, size_t len, char *name, size_t size)
{
    size_t at = 0, out = 0;

    while (at < len && question[at] != 0 && at + 1u + question[at] < len) {
        size_t label = question[at];

        if (out + label + 2 > size)
            return 0;
        if (out > 0)
            name[out++] = '.';
        memcpy(name + out, question + at + 1, label);
        out += label;
        at += 1 + label;
    }
    name[out] = '\0';
    return at + 1;
}

static size_t dns_append(unsigned char *reply, size_t len, int family, const char *list, int *count)
{
    char copy[512], *save = NULL;

    snprintf(copy, sizeof(copy), "%s", list);
    for (char *ip = strtok_r(copy, ",", &save); ip != NULL; ip = strtok_r(NULL, ",", &save)) {
        unsigned char size = family == AF_INET ? 4 : 16;
        const unsigned char head[] = {0xc0, 12, 0,   family == AF_INET ? 1 : 28, 0, 1, 0, 0, 0,
                                      0,    0,  size};

        memcpy(reply + len, head, sizeof(head));
        inet_pton(family, ip, reply + len + sizeof(head));
        len += sizeof(head) + size;
        (*count)++;
    }
    return len;
}

/* 0: silence. The reply starts as a copy of the question. */
static size_t dns_answer(unsigned char *reply, size_t len)
{
    char name[256];
    size_t end = 12 + dns_read_name(reply + 12, len - 12, name, sizeof(name)) + 4;
    int type = reply[end - 4] << 8 | reply[end - 3];
    int count = 0, row = 0;
    const char *list;

    while (dns_zone[row].name != NULL && strcasecmp(dns_zone[row].name, name) != 0)
        row++;
    if ((type == 1 && dns_zone[row].silent_a) || (type == 28 && dns_zone[row].silent_aaaa))
        return 0;
    list = type == 1 ? dns_zone[row].a : dns_zone[row].aaaa;
    if (type == 1 && __atomic_fetch_add(&dns_questions[row], 1, __ATOMIC_SEQ_CST) > 0 &&
        dns_zone[row].later != NULL)
        list = dns_zone[row].later;
    reply[2] = 0x81;
    reply[3] = dns_zone[row].name == NULL || dns_zone[row].unknown ? 0x83 : 0x80;
    len = end;
    if (list != NULL)
        len = dns_append(reply, len, type == 1 ? AF_INET : AF_INET6, list, &count);
    reply[6] = 0;
    reply[7] = (unsigned char)count;
    memset(reply + 8, 0, 4);
    return len;
}

static void *dns_serve(void *arg)
{
    unsigned char packet[4096];
    struct sockaddr_in from;

    (void)arg;
    for (;;) {
        socklen_t size = sizeof(from);
        ssize_t len = recvfrom(dns_fd, packet, 512, 0, (struct sockaddr *)&from, &size);
        size_t reply;

        if (len < 0)
            return NULL;
        reply = len > 16 ? dns_answer(packet, (size_t)len) : 0;
        if (reply > 0)
            (void)!sendto(dns_fd, packet, reply, 0, (struct sockaddr *)&from, size);
    }
}

static int dns_start(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    pthread_t thread;

    dns_fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (bind(dns_fd, (struct sockaddr *)&address, len) != 0 ||
        getsockname(dns_fd, (struct sockaddr *)&address, &len) != 0)
        return -1;
    dns_port = ntohs(address.sin_port);
    return pthread_create(&thread, NULL, dns_serve, NULL);
}

#endif
