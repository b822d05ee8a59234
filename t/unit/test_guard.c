/* net/guard.h, net/target.h, core/host_port.h: which addresses a tenant may reach, and
 * what a URL really means */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "core/host_port.h"
#include "net/guard.h"
#include "net/target.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>

union any {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
};

static union any address_of(const char *text, int port)
{
    union any address = {.in = {.sin_family = AF_INET}};

    if (inet_pton(AF_INET, text, &address.in.sin_addr) == 1) {
        address.in.sin_port = htons((uint16_t)port);
        return address;
    }
    address.in6 =
        (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    if (inet_pton(AF_INET6, text, &address.in6.sin6_addr) != 1)
        fail_msg("%s is no address", text);
    return address;
}

/* ENG-11: the first and the last of every closed block, and their neighbours. */
static void test_addresses(void **state)
{
    static const struct {
        const char *address;
        const char *reason; /* NULL: public */
    } rows[] = {
        {"0.0.0.0", "this network"},
        {"0.255.255.255", "this network"},
        {"1.0.0.0", NULL},
        {"9.255.255.255", NULL},
        {"10.0.0.0", "private network"},
        {"10.255.255.255", "private network"},
        {"11.0.0.0", NULL},
        {"100.63.255.255", NULL},
        {"100.64.0.0", "carrier-grade NAT"},
        {"100.100.100.200", "carrier-grade NAT"},
        {"100.127.255.255", "carrier-grade NAT"},
        {"100.128.0.0", NULL},
        {"126.255.255.255", NULL},
        {"127.0.0.1", "loopback"},
        {"127.255.255.255", "loopback"},
        {"128.0.0.0", NULL},
        {"168.63.129.16", "cloud metadata"},
        {"168.63.129.17", NULL},
        {"169.253.255.255", NULL},
        {"169.254.0.0", "link-local, cloud metadata"},
        {"169.254.169.254", "link-local, cloud metadata"},
        {"169.254.255.255", "link-local, cloud metadata"},
        {"169.255.0.0", NULL},
        {"172.15.255.255", NULL},
        {"172.16.0.0", "private network"},
        {"172.31.255.255", "private network"},
        {"172.32.0.0", NULL},
        {"192.0.0.0", "protocol assignments"},
        {"192.0.0.192", "protocol assignments"},
        {"192.0.1.0", NULL},
        {"192.0.2.1", "documentation"},
        {"192.0.3.0", NULL},
        {"192.88.99.1", "6to4 relay"},
        {"192.167.255.255", NULL},
        {"192.168.0.0", "private network"},
        {"192.168.255.255", "private network"},
        {"192.169.0.0", NULL},
        {"198.17.255.255", NULL},
        {"198.18.0.0", "benchmarking"},
        {"198.19.255.255", "benchmarking"},
        {"198.20.0.0", NULL},
        {"198.51.100.7", "documentation"},
        {"203.0.113.7", "documentation"},
        {"223.255.255.255", NULL},
        {"224.0.0.0", "multicast"},
        {"239.255.255.255", "multicast"},
        {"240.0.0.0", "reserved"},
        {"255.255.255.255", "reserved"},
        {"8.8.8.8", NULL},

        {"::", "unspecified"},
        {"::1", "loopback"},
        {"::2", "IPv4-compatible"},
        {"::8.8.8.8", "IPv4-compatible"},
        {"::127.0.0.1", "IPv4-compatible"},
        {"::ffff:127.0.0.1", "loopback"},
        {"::ffff:169.254.169.254", "link-local, cloud metadata"},
        {"::ffff:10.1.2.3", "private network"},
        {"::ffff:8.8.8.8", NULL},
        {"::ffff:0:127.0.0.1", "reserved"},
        {"64:ff9b::a9fe:a9fe", "link-local, cloud metadata"},
        {"64:ff9b::7f00:1", "loopback"},
        {"64:ff9b::808:808", NULL},
        {"64:ff9b:0:1::1", "reserved"},
        {"64:ff9b:1::808:808", "local NAT64"},
        {"64:ff9b:1:ffff::1", "local NAT64"},
        {"100::1", "reserved"},
        {"1fff::1", "reserved"},
        {"2001::1", "this network"},
        {"2001:0:7f00:1::f7f7:f7f7", "loopback"},
        {"2001:0:808:808::80ff:fffe", "loopback"},
        {"2001:0:808:808::f7f7:f7f7", NULL},
        {"2001:2::1", "protocol assignments"},
        {"2001:20::1", "protocol assignments"},
        {"2001:1ff:ffff::1", "protocol assignments"},
        {"2001:200::1", NULL},
        {"2001:db8::1", "documentation"},
        {"2001:db9::1", NULL},
        {"2002:7f00:1::1", "loopback"},
        {"2002:a9fe:a9fe::1", "link-local, cloud metadata"},
        {"2002:c0a8:101::1", "private network"},
        {"2002:808:808::1", NULL},
        {"2606:4700:4700::1111", NULL},
        {"2a00:1450::1", NULL},
        {"3fff::1", "documentation"},
        {"3ffe:ffff::1", NULL},
        {"4000::1", "reserved"},
        {"fc00::1", "private network"},
        {"fd00:ec2::254", "private network"},
        {"fdff::1", "private network"},
        {"fe80::1", "link-local"},
        {"febf::1", "link-local"},
        {"fec0::1", "site-local"},
        {"feff::1", "site-local"},
        {"ff02::1", "multicast"},
    };
    struct sockaddr_un socket = {.sun_family = AF_UNIX};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        union any address = address_of(rows[i].address, 443);
        const char *reason = guard_reason(&address.any);

        if ((reason == NULL) != (rows[i].reason == NULL) ||
            (reason != NULL && strcmp(reason, rows[i].reason) != 0))
            fail_msg("%s is \"%s\", not \"%s\"", rows[i].address, reason ? reason : "public",
                     rows[i].reason ? rows[i].reason : "public");
    }
    assert_non_null(guard_reason((const struct sockaddr *)&socket));
}

static void test_exceptions(void **state)
{
    const char *allow = "127.0.0.1:5678, n8n.Internal:443,[::1]:11434";
    union any v4 = address_of("127.0.0.1", 5678);
    union any other_port = address_of("127.0.0.1", 6379);
    union any v6 = address_of("::1", 11434);

    (void)state;
    assert_true(guard_exempts_address(allow, &v4.any));
    assert_false(guard_exempts_address(allow, &other_port.any));
    assert_true(guard_exempts_address(allow, &v6.any));
    assert_false(guard_exempts_address(NULL, &v4.any));
    assert_true(guard_exempts_name(allow, "n8n.internal", 443));
    assert_false(guard_exempts_name(allow, "n8n.internal", 80));
    assert_false(guard_exempts_name(allow, "x.n8n.internal", 443));
    assert_true(guard_exempts_name(allow, "127.0.0.1", 5678));
    assert_false(guard_exempts_name(NULL, "n8n.internal", 443));
}

static void test_lists(void **state)
{
    static const char *const good[] = {
        "", "a:1", "a:1,b:65535", " a:1 , b:2 ", "a:1,", "[2001:db8::1]:8", "1.2.3.4:5"};
    static const char *const bad[] = {"a",     "a:",       "a:0",   "a:65536", "a:x",     ":1",
                                      ",a:1",  "a:1,,b:1", "::1:1", "[::1]",   "[::x]:1", "[::1:1",
                                      "a b:1", "a:1 b:2",  "a/b:1", "a:000001"};

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        if (!host_port_list_valid(good[i], 0, false))
            fail_msg("\"%s\" is refused", good[i]);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (host_port_list_valid(bad[i], 0, false))
            fail_msg("\"%s\" is taken", bad[i]);
    }
    assert_true(host_port_list_valid("9.9.9.9,[2620:fe::9]:53,1.1.1.1:5353", 53, true));
    assert_false(host_port_list_valid("dns.example", 53, true));
}

/* ENG-11: a URL means what curl will make of it. */
static void test_urls(void **state)
{
    static const struct {
        const char *url;
        const char *host; /* NULL: refused */
        int port;
        bool is_address;
    } rows[] = {
        {"https://shop.example/a?b=c", "shop.example", 443, false},
        {"HTTP://Shop.Example:8080", "shop.example", 8080, false},
        {"https://shop.example./", "shop.example", 443, false},
        {"http://127.0.0.1/", "127.0.0.1", 80, true},
        {"http://127.0.0.1./", "127.0.0.1", 80, true},
        {"http://2130706433/", "127.0.0.1", 80, true},
        {"http://0x7f.1/", "127.0.0.1", 80, true},
        {"http://127.1/", "127.0.0.1", 80, true},
        {"http://0177.0.0.1/", "127.0.0.1", 80, true},
        {"http://017700000001/", "127.0.0.1", 80, true},
        {"http://0x7f000001/", "127.0.0.1", 80, true},
        {"http://0/", "0.0.0.0", 80, true},
        {"http://127%2e0%2e0%2e1/", "127.0.0.1", 80, true},
        {"http://%31%32%37.0.0.1/", "127.0.0.1", 80, true},
        {"http://①②⑦.0.0.1/", NULL, 0, false},
        {"http://127。0。0。1/", NULL, 0, false},
        {"http://[::1]:81/", "::1", 81, true},
        {"http://[::FFFF:127.0.0.1]/", "::ffff:127.0.0.1", 80, true},
        {"https://bücher.example/", NULL, 0, false},
        {"https://%d7%97.example/", NULL, 0, false},
        {"https://xn--bcher-kva.example/", "xn--bcher-kva.example", 443, false},
        {"https://a_b.example/", "a_b.example", 443, false},
        {"http://1.2.3.4.com/", "1.2.3.4.com", 80, false},
        {"http://1.2.3.4.5/", NULL, 0, false},
        {"http://256.256.256.256/", NULL, 0, false},
        {"http://a.0x7f/", NULL, 0, false},
        {"http://127.0.0.1:0/", NULL, 0, false},
        {"http://a:65536/", NULL, 0, false},
        {"http://[fe80::1%25eth0]/", NULL, 0, false},
        {"http://[::1/", NULL, 0, false},
        {"http://a..b/", NULL, 0, false},
        {"http://.a/", NULL, 0, false},
        {"http:///etc/passwd", NULL, 0, false},
        {"http:/a", NULL, 0, false},
        {"http://", NULL, 0, false},
        {"http://?x", NULL, 0, false},
        {"http://user@a/", NULL, 0, false},
        {"http://user:pw@a/", NULL, 0, false},
        {"http://@a/", NULL, 0, false},
        {"http://a\\@b/", NULL, 0, false},
        {"http://a/#b", NULL, 0, false},
        {"http://a b/", NULL, 0, false},
        {"http://a/\r\nX: y", NULL, 0, false},
        {"http://a\tb/", NULL, 0, false},
        {"file:///etc/passwd", NULL, 0, false},
        {"gopher://a/", NULL, 0, false},
        {"ftp://a/", NULL, 0, false},
        {"//a/", NULL, 0, false},
        {"a.example", NULL, 0, false},
        {"javascript:alert(1)", NULL, 0, false},
        {"", NULL, 0, false},
        {"http://127.0.0.1%00.example/", NULL, 0, false},
        {"http://a%2fb/", NULL, 0, false},
        {"http://a%40b/", NULL, 0, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct target target;
        char error[256] = "";
        bool ok = target_parse(&target, rows[i].url, error);

        if (ok != (rows[i].host != NULL))
            fail_msg("%s is %s (%s)", rows[i].url, ok ? target.host : "refused", error);
        if (!ok) {
            assert_true(strlen(error) > 0);
            continue;
        }
        if (strcmp(target.host, rows[i].host) != 0)
            fail_msg("%s is %s", rows[i].url, target.host);
        assert_int_equal(target.port, rows[i].port);
        assert_int_equal(target.is_address, rows[i].is_address);
        target_free(&target);
    }
}

static void test_long_urls(void **state)
{
    char *url = malloc(TARGET_URL_MAX + 100);
    struct target target;
    char error[256];

    (void)state;
    strcpy(url, "https://a/");
    memset(url + 10, 'x', TARGET_URL_MAX);
    url[TARGET_URL_MAX + 10] = '\0';
    assert_false(target_parse(&target, url, error));
    memset(url + 8, 'h', 300); /* a host of 300 letters */
    strcpy(url + 308, ".example/");
    assert_false(target_parse(&target, url, error));
    free(url);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses), cmocka_unit_test(test_exceptions),
        cmocka_unit_test(test_lists),     cmocka_unit_test(test_urls),
        cmocka_unit_test(test_long_urls),
    };

    return cmocka_run_group_tests_name("guard", tests, NULL, NULL);
}
