/* net/outbound.h against a name server and a web server with bad manners. The web
 * server listens on 127.0.0.2, which the "owner" lists, and on 127.0.0.1, which must
 * never be reached. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "core/clock.h"
#include "core/loop.h"
#include "net/http.h"
#include "net/outbound.h"
#include "protocol/json.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <sodium.h>

#include "dns_fixture.h"
#include "web_fixture.h"

static const struct dns_name dns_zone[] = {
    {.name = "good.test", .a = "127.0.0.2"},
    {.name = "rebind.test", .a = "127.0.0.2", .later = "127.0.0.1"},
    {.name = "mixed.test", .a = "127.0.0.2,127.0.0.1"},
    {.name = "mixed6.test", .a = "127.0.0.2", .aaaa = "::1"},
    {.name = "private.test", .a = "10.1.2.3"},
    {.name = "metadata.test", .a = "169.254.169.254"},
    {.name = "nat64.test", .aaaa = "64:ff9b::a9fe:a9fe"},
    {.name = "mapped.test", .aaaa = "::ffff:127.0.0.1"},
    {.name = "ula.test", .aaaa = "fd00::1"},
    {.name = "listed.test", .a = "127.0.0.2,127.0.0.3"},
    {.name = "unknown.test", .unknown = true},
    {.name = "empty.test"},
    {.name = "silent.test", .silent_a = true, .silent_aaaa = true},
    {.name = "half.test", .a = "127.0.0.2", .silent_aaaa = true},
    {0},
};

static char allow[128], servers[64];

static int start_servers(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    if (sodium_init() < 0 || dns_start() != 0 || listen_on(0, "127.0.0.2") != 0 ||
        listen_on(1, "127.0.0.1") != 0)
        return -1;
    snprintf(allow, sizeof(allow), "127.0.0.2:%d,listed.test:%d", port, port);
    snprintf(servers, sizeof(servers), "127.0.0.1:%d", dns_port);
    outbound_use_dns(servers);
    return 0;
}

/* -- the client -------------------------------------------------------------------- */

static struct loop *loop;
static struct outbound *outbound;

struct result {
    int ends;
    enum outbound_failure failure;
    int status;
    char type[64];
    int64_t retry_after_s;
    char body[64];
    size_t body_len;
    int64_t ms;
    char error[300];
    bool inside_start;
};

static void on_end(void *arg, const struct outbound_response *response)
{
    struct result *r = arg;

    assert_false(r->inside_start);
    r->ends++;
    r->failure = response->failure;
    r->status = response->status;
    r->retry_after_s = response->retry_after_s;
    r->body_len = response->body_len;
    r->ms = response->ms;
    snprintf(r->type, sizeof(r->type), "%s", response->content_type);
    snprintf(r->body, sizeof(r->body), "%.60s", response->body);
    assert_int_equal(response->body[response->body_len], '\0');
    if (response->failure == OUTBOUND_OK) {
        assert_null(response->error);
    } else {
        assert_non_null(response->error);
        assert_true(strlen(response->error) > 0);
        snprintf(r->error, sizeof(r->error), "%s", response->error);
    }
    if (loop != NULL)
        loop_stop(loop);
}

static int set_up(void **state)
{
    (void)state;
    loop = loop_new();
    outbound = outbound_new(loop, allow);
    good_connections = bad_connections = 0;
    memset(last_request, 0, sizeof(last_request));
    memset(dns_questions, 0, sizeof(dns_questions));
    return 0;
}

static void stop(void *arg)
{
    (void)arg;
    loop_stop(loop);
}

static void turn(void)
{
    struct timer *timer = timer_new(loop, stop, NULL);

    timer_set(timer, 1);
    loop_run(loop);
    timer_free(timer);
}

static int tear_down(void **state)
{
    (void)state;
    outbound_free(outbound);
    turn();
    loop_free(loop);
    loop = NULL;
    return 0;
}

static struct result get_with(struct outbound_options options, const char *host, const char *path)
{
    struct result r = {.inside_start = true};
    char url[256];

    snprintf(url, sizeof(url), "http://%s:%d%s", host, port, path);
    options.url = url;
    if (options.method == NULL)
        options.method = "GET";
    outbound_start(outbound, &options, on_end, &r);
    memset(url, 'x', sizeof(url) - 1); /* it was copied */
    r.inside_start = false;
    loop_run(loop);
    assert_int_equal(r.ends, 1);
    return r;
}

static struct result get(const char *host, const char *path)
{
    return get_with((struct outbound_options){.connect_ms = 1500, .total_ms = 3000}, host, path);
}

static struct result get_url(const char *url)
{
    struct result r = {0};
    const struct outbound_options options = {.method = "GET", .url = url, .total_ms = 1000};

    outbound_start(outbound, &options, on_end, &r);
    loop_run(loop);
    assert_int_equal(r.ends, 1);
    return r;
}

#define assert_blocked(r_, word)                                                                   \
    do {                                                                                           \
        struct result r__ = (r_);                                                                  \
        assert_int_equal(r__.failure, OUTBOUND_BLOCKED);                                           \
        if (strstr(r__.error, word) == NULL)                                                       \
            fail_msg("\"%s\" does not say \"%s\"", r__.error, word);                               \
        assert_int_equal(bad_connections, 0);                                                      \
    } while (0)

static void test_answers(void **state)
{
    struct result r = get("good.test", "/ok?x=1");

    (void)state;
    assert_int_equal(r.failure, OUTBOUND_OK);
    assert_int_equal(r.status, 200);
    assert_string_equal(r.body, "{\"a\": 1}");
    assert_string_equal(r.type, "application/json");
    assert_int_equal(r.retry_after_s, 7);
    r = get("127.0.0.2", "/status");
    assert_int_equal(r.failure, OUTBOUND_OK);
    assert_int_equal(r.status, 500);
    assert_string_equal(r.body, "oops");
    r = get("GOOD.Test.", "/empty");
    assert_int_equal(r.failure, OUTBOUND_OK);
    assert_int_equal(r.status, 204);
    assert_int_equal(r.body_len, 0);
    r = get("good.test", "/nul");
    assert_int_equal(r.body_len, 3);
    assert_int_equal(good_connections, 4); /* never the same one again */
    assert_null(strstr(last_request, "Cookie"));
}

/* ENG-10, ENG-11: nothing but public addresses, whatever a name says. */
static void test_blocked(void **state)
{
    (void)state;
    assert_blocked(get("127.0.0.1", "/ok"), "loopback");
    assert_blocked(get("2130706433", "/ok"), "loopback");
    assert_blocked(get("0x7f.1", "/ok"), "loopback");
    assert_blocked(get("[::1]", "/ok"), "loopback");
    assert_blocked(get("[::ffff:127.0.0.1]", "/ok"), "loopback");
    assert_blocked(get("localhost", "/ok"), "loopback");
    assert_blocked(get("a.localhost", "/ok"), "loopback");
    assert_blocked(get("private.test", "/ok"), "private network");
    assert_blocked(get("metadata.test", "/ok"), "169.254.169.254");
    assert_blocked(get("nat64.test", "/ok"), "metadata");
    assert_blocked(get("mapped.test", "/ok"), "loopback");
    assert_blocked(get("ula.test", "/ok"), "private network");
    assert_int_equal(good_connections, 0);
}

/* A name with a good and a bad address is refused whole, not used by half. */
static void test_mixed(void **state)
{
    (void)state;
    assert_blocked(get("mixed.test", "/ok"), "127.0.0.1");
    assert_blocked(get("mixed6.test", "/ok"), "::1");
    assert_int_equal(good_connections, 0);
}

/* What was judged is what is reached: the second answer of DNS is not asked for. */
static void test_rebinding(void **state)
{
    struct result r = get("rebind.test", "/ok");

    (void)state;
    assert_int_equal(r.failure, OUTBOUND_OK);
    assert_int_equal(good_connections, 1);
    assert_int_equal(dns_questions[1], 1);
    assert_blocked(get("rebind.test", "/ok"), "loopback");
    assert_int_equal(dns_questions[1], 2);
    assert_int_equal(good_connections, 1);
}

/* The owner's name may be anywhere; the owner's port is not every port. */
static void test_exceptions(void **state)
{
    struct result r = get("listed.test", "/ok");

    (void)state;
    assert_int_equal(r.failure, OUTBOUND_OK);
    assert_blocked(get_url("http://listed.test/"), "loopback");
    assert_blocked(get_url("http://127.0.0.2/"), "loopback");
}

static void test_names(void **state)
{
    struct result r = get("unknown.test", "/ok");

    (void)state;
    assert_int_equal(r.failure, OUTBOUND_RESOLVE);
    assert_non_null(strstr(r.error, "does not exist"));
    assert_int_equal(get("empty.test", "/ok").failure, OUTBOUND_RESOLVE);
    r = get_with((struct outbound_options){.connect_ms = 300}, "silent.test", "/ok");
    assert_int_equal(r.failure, OUTBOUND_RESOLVE);
    assert_non_null(strstr(r.error, "in time"));
    assert_true(r.ms >= 290 && r.ms < 1500);
    /* DNS counts in the total */
    r = get_with((struct outbound_options){.total_ms = 200}, "silent.test", "/ok");
    assert_true(r.ms < 1500);
    /* one family alone is silent: the other is used in the end */
    r = get_with((struct outbound_options){.connect_ms = 5000}, "half.test", "/ok");
    assert_int_equal(r.failure, OUTBOUND_OK);
}

static void test_urls(void **state)
{
    (void)state;
    assert_int_equal(get_url("ftp://good.test/").failure, OUTBOUND_BAD_URL);
    assert_int_equal(get_url("http://u:p@good.test/").failure, OUTBOUND_BAD_URL);
    assert_int_equal(get_url("http://good.test/#x").failure, OUTBOUND_BAD_URL);
    assert_int_equal(get_url("file:///etc/passwd").failure, OUTBOUND_BAD_URL);
    assert_int_equal(get_url("").failure, OUTBOUND_BAD_URL);
    assert_int_equal(
        get_with((struct outbound_options){.method = "TRACE"}, "good.test", "/").failure,
        OUTBOUND_BAD_URL);
    assert_int_equal(
        get_with((struct outbound_options){.method = "GET / HTTP/1.1\r\nX:"}, "good.test", "/")
            .failure,
        OUTBOUND_BAD_URL);
    assert_int_equal(good_connections, 0);
}

static void test_redirect(void **state)
{
    struct result r = get("good.test", "/redirect");

    (void)state;
    assert_int_equal(r.failure, OUTBOUND_REDIRECT);
    assert_int_equal(r.status, 302);
    assert_non_null(strstr(r.error, "http://127.0.0.1/"));
    assert_int_equal(bad_connections, 0);
}

/* A receiver's Location may be no UTF-8 at all; what is told of it can be stored. */
static void test_redirect_to_anything(void **state)
{
    struct result r = get("good.test", "/redirect/odd");
    size_t len = strlen(r.error);

    (void)state;
    assert_int_equal(r.failure, OUTBOUND_REDIRECT);
    assert_true(fd_utf8_valid(r.error, len));
    assert_true(len > 190 && len <= 200);
    assert_non_null(strstr(r.error, "/\xef\xbf\xbd\xef\xbf\xbd \xd7\xa9"));
    assert_null(strpbrk(r.error, "\t\r\n"));
}

static void test_bounds(void **state)
{
    struct result r =
        get_with((struct outbound_options){.max_body = 100000}, "good.test", "/endless");

    (void)state;
    assert_int_equal(r.failure, OUTBOUND_TOO_LARGE);
    assert_non_null(strstr(r.error, "100000"));
    assert_true(r.body_len <= 100000);
    assert_int_equal(get("good.test", "/headers").failure, OUTBOUND_TOO_LARGE);
    r = get_with((struct outbound_options){.total_ms = 300}, "good.test", "/slow");
    assert_int_equal(r.failure, OUTBOUND_TIMEOUT);
    assert_true(r.ms >= 290 && r.ms < 1500);
    r = get_with((struct outbound_options){.total_ms = 300}, "good.test", "/silent");
    assert_int_equal(r.failure, OUTBOUND_TIMEOUT);
    assert_int_equal(get("good.test", "/cut").failure, OUTBOUND_CUT);
    assert_int_equal(get("good.test", "/garbage").failure, OUTBOUND_CUT);
    assert_int_equal(get("good.test", "/nothing").failure, OUTBOUND_CUT);
}

static void test_unreachable(void **state)
{
    struct result r = {0};
    struct outbound_options options = {.method = "GET", .url = "http://127.0.0.2:1/"};
    struct outbound *other = outbound_new(loop, "127.0.0.2:1");

    (void)state;
    outbound_start(other, &options, on_end, &r);
    loop_run(loop);
    assert_int_equal(r.failure, OUTBOUND_CONNECT);
    outbound_free(other);
}

static void test_headers(void **state)
{
    static const char *const good[] = {"X-Token: secret", "Content-Type: application/json",
                                       "Authorization: Bearer x y", NULL};
    static const char *const bad[][2] = {
        {"X: a\r\nY: b", NULL}, {"X: a\nY: b", NULL},     {"X: a\rb", NULL},
        {"X\r\n: a", NULL},     {"no colon", NULL},       {": empty", NULL},
        {"X Y: a", NULL},       {"Host: internal", NULL}, {"content-length: 1", NULL},
        {"X: \x01", NULL},      {"X: \x7f", NULL},        {"Transfer-Encoding: chunked", NULL},
    };
    struct result r = get_with(
        (struct outbound_options){
            .method = "POST", .headers = good, .body = "{\"b\":2}", .body_len = 7},
        "good.test", "/ok");

    (void)state;
    assert_int_equal(r.failure, OUTBOUND_OK);
    assert_non_null(strstr(last_request, "POST /ok HTTP/1.1\r\n"));
    assert_non_null(strstr(last_request, "\r\nX-Token: secret\r\n"));
    assert_non_null(strstr(last_request, "\r\n\r\n{\"b\":2}"));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        r = get_with((struct outbound_options){.headers = bad[i]}, "good.test", "/ok");
        if (r.failure != OUTBOUND_BAD_HEADER)
            fail_msg("\"%s\" is taken", bad[i][0]);
    }
    assert_int_equal(good_connections, 1);
}

static void on_never(void *arg, const struct outbound_response *response)
{
    (void)arg;
    (void)response;
    fail_msg("called back after a cancel");
}

static void test_cancel(void **state)
{
    static const char *const hosts[] = {"good.test", "silent.test", "127.0.0.2", "127.0.0.1"};

    (void)state;
    for (size_t i = 0; i < 12; i++) {
        struct outbound_request *request;
        char url[128];

        snprintf(url, sizeof(url), "http://%s:%d/silent", hosts[i % 4], port);
        request = outbound_start(outbound, &(struct outbound_options){.method = "GET", .url = url},
                                 on_never, NULL);
        for (size_t turns = i / 4 * 4; turns > 0; turns--)
            if (i % 4 != 3) /* that one would end by itself */
                turn();
        outbound_cancel(request);
        outbound_cancel(request);
    }
    turn();
    /* and what is open when all ends */
    outbound_start(outbound,
                   &(struct outbound_options){.method = "GET", .url = "http://silent.test/"},
                   on_never, NULL);
    turn();
}

/* -- the hooks, each alone: what happens if curl should go elsewhere ----------------- */

static int asked, refuse_from;

static bool may_reach(void *arg, const struct sockaddr *address)
{
    (void)arg;
    assert_int_equal(address->sa_family, AF_INET);
    return ++asked < refuse_from;
}

static void on_http_end(void *arg, enum http_failure failure, int status, const char *error)
{
    (void)status;
    (void)error;
    *(enum http_failure *)arg = failure;
    loop_stop(loop);
}

static void test_hooks(void **state)
{
    char url[64];
    enum http_failure failure = HTTP_OK;
    struct http_client *client = http_client_new(loop);
    struct http_options options = {.method = "GET",
                                   .url = url,
                                   .total_ms = 2000,
                                   .max_body = 100,
                                   .may_reach = may_reach,
                                   .on_end = on_http_end,
                                   .arg = &failure};

    (void)state;
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/ok", port);
    asked = 0;
    refuse_from = 1;
    http_start(client, &options);
    loop_run(loop);
    assert_int_equal(failure, HTTP_CONNECT);
    assert_int_equal(bad_connections, 0);

    asked = 0;
    refuse_from = 2; /* the second hook: connected, but nothing is sent */
    http_start(client, &options);
    loop_run(loop);
    assert_int_not_equal(failure, HTTP_OK);
    assert_int_equal(asked, 2);
    assert_string_equal(last_request, "");

    refuse_from = 100;
    for (int i = 0; i < 2; i++) {
        http_start(client, &options);
        loop_run(loop);
        assert_int_equal(failure, HTTP_OK);
    }
    turn();
    assert_int_equal(bad_connections, 3); /* none was taken over */
    http_client_free(client);
}

/* -- from a thread, and signing -------------------------------------------------------- */

static void *perform(void *arg)
{
    char url[128];

    snprintf(url, sizeof(url), "http://good.test:%d/ok", port);
    outbound_perform(allow, &(struct outbound_options){.method = "GET", .url = url}, on_end, arg);
    return NULL;
}

static void test_perform(void **state)
{
    struct result results[4] = {{0}};
    struct result r = {0};
    pthread_t threads[4];

    (void)state;
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, perform, &results[i]);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(results[i].ends, 1);
        assert_int_equal(results[i].failure, OUTBOUND_OK);
    }
    outbound_perform(
        allow,
        &(struct outbound_options){.method = "GET", .url = "http://silent.test/", .total_ms = 100},
        on_end, &r);
    assert_int_equal(r.failure, OUTBOUND_RESOLVE);
}

/* printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac s3cret */
static void test_signature(void **state)
{
    char out[OUTBOUND_SIGNATURE_SIZE], big[OUTBOUND_SIGNATURE_SIZE];

    (void)state;
    outbound_sign(out, "s3cret", 1700000000, "{\"a\":1}", 7);
    assert_string_equal(
        out, "t=1700000000,v1=1698a50bc74d1ff1db85c4e0a5297c2ad9fdba245d5737cdb789e4cc6e098940");
    outbound_sign(big, "s3cret", INT64_MAX, "", 0);
    assert_int_equal(strlen(big), 2 + 19 + 4 + 64);
    outbound_sign(big, "other", 1700000000, "{\"a\":1}", 7);
    assert_string_not_equal(out, big);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_answers),
        TEST(test_blocked),
        TEST(test_mixed),
        TEST(test_rebinding),
        TEST(test_exceptions),
        TEST(test_names),
        TEST(test_urls),
        TEST(test_redirect),
        TEST(test_redirect_to_anything),
        TEST(test_bounds),
        TEST(test_headers),
        TEST(test_cancel),
        TEST(test_hooks),
        TEST(test_unreachable),
        cmocka_unit_test(test_perform),
        cmocka_unit_test(test_signature),
    };

    return cmocka_run_group_tests_name("outbound", tests, start_servers, NULL);
}
