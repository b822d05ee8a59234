/* The pure parts of the admin API: identity, router, query, cursors. */
#include "admin/identity.h"
#include "admin/listen.h"
#include "admin/page.h"
#include "admin/query.h"
#include "admin/router.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define TOKEN "0123456789abcdef0123456789abcdef"
#define ORG   "5eed0000-0000-4000-8000-000000000001"
#define OTHER "5eed0000-0000-4000-8000-000000000002"
#define ACTOR "key:5eed0000-0000-4000-8000-00000000000a"

static void handle(const struct admin_request *request, struct admin_reply *reply)
{
    (void)request;
    (void)reply;
}

static const struct admin_route articles[] = {
    {"GET", "articles", ADMIN_STAFF, 0, handle},
    {"GET", "articles/:slug", ADMIN_STAFF, 0, handle},
    {"DELETE", "articles/:slug", ADMIN_STAFF, 0, handle},
    {"POST", "articles/:slug/parts/:part", ADMIN_STAFF, 0, handle},
};
static const struct admin_route imports[] = {
    {"POST", "articles/import", ADMIN_ADMIN, ADMIN_RAW, handle},
};
static const struct admin_resource first = {articles, 4}, second = {imports, 1};
static const struct admin_resource *const resources[] = {&first, &second};

static enum router_verdict find(struct arena *a, const char *method, const char *path,
                                struct router_match *match)
{
    return router_find(a, resources, 2, method, path, match);
}

static void test_router_finds(void **state)
{
    struct arena a;
    struct router_match match;

    (void)state;
    arena_init(&a);
    assert_int_equal(find(&a, "GET", "/api/admin/articles", &match), ROUTER_FOUND);
    assert_ptr_equal(match.route, &articles[0]);
    assert_int_equal(find(&a, "HEAD", "/api/admin/articles", &match), ROUTER_FOUND);
    assert_int_equal(find(&a, "GET", "/api/admin/articles/caf%C3%A9%2Fbar+1", &match),
                     ROUTER_FOUND);
    assert_string_equal(match.ids[0], "caf\xC3\xA9/bar+1");
    assert_null(match.ids[1]);
    assert_int_equal(find(&a, "POST", "/api/admin/articles/a/parts/b", &match), ROUTER_FOUND);
    assert_string_equal(match.ids[0], "a");
    assert_string_equal(match.ids[1], "b");
    arena_free(&a);
}

static void test_router_prefers_words_to_names(void **state)
{
    struct arena a;
    struct router_match match;

    (void)state;
    arena_init(&a);
    assert_int_equal(find(&a, "POST", "/api/admin/articles/import", &match), ROUTER_FOUND);
    assert_ptr_equal(match.route, &imports[0]);
    /* the name's own methods are not those of the word */
    assert_int_equal(find(&a, "DELETE", "/api/admin/articles/import", &match), ROUTER_NO_METHOD);
    assert_string_equal(match.allow, "POST");
    arena_free(&a);
}

static void test_router_refuses(void **state)
{
    static const char *const nowhere[] = {"",
                                          "/",
                                          "/api/admin",
                                          "/api/admin/",
                                          "/api/v1/articles",
                                          "/api/admin/article",
                                          "/api/admin/articless",
                                          "/api/admin/articles/",
                                          "/api/admin//articles",
                                          "/api/admin/articles/a/",
                                          "/api/admin/articles/a/b",
                                          "/api/admin/articles/%zz",
                                          "/api/admin/articles/%4",
                                          "/api/admin/articles/a%00b",
                                          "/api/admin/articles/%ff"};
    struct arena a;
    struct router_match match;

    (void)state;
    arena_init(&a);
    for (size_t i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++) {
        if (find(&a, "GET", nowhere[i], &match) != ROUTER_NO_PATH)
            fail_msg("%s was found", nowhere[i]);
    }
    assert_int_equal(find(&a, "PUT", "/api/admin/articles/a", &match), ROUTER_NO_METHOD);
    assert_string_equal(match.allow, "GET, HEAD, DELETE");
    assert_null(match.route);
    arena_free(&a);
}

static void test_query(void **state)
{
    struct arena a;
    struct query *query;
    struct admin_request request = {0};

    (void)state;
    arena_init(&a);
    assert_true(query_parse(&a, "q=caf%C3%A9+au+lait&q=2&empty=&bare&&%6Eame=v", &query));
    request.query = query;
    assert_string_equal(admin_query(&request, "q"), "caf\xC3\xA9 au lait");
    assert_string_equal(admin_query(&request, "empty"), "");
    assert_string_equal(admin_query(&request, "bare"), "");
    assert_string_equal(admin_query(&request, "name"), "v");
    assert_null(admin_query(&request, "other"));
    assert_true(query_parse(&a, NULL, &query));
    assert_false(query_parse(&a, "a=%ff", &query));
    assert_false(query_parse(&a, "a=%0", &query));
    assert_false(query_parse(&a, "a=b%00", &query));
    char many[3 * QUERY_PARAMETERS_MAX + 8] = "";
    for (int i = 0; i <= QUERY_PARAMETERS_MAX; i++)
        memcpy(many + 2 * i, "a&", 3);
    assert_false(query_parse(&a, many, &query));
    arena_free(&a);
}

static void test_identity(void **state)
{
    static const struct identity_claim good = {TOKEN, ORG, "staff", ACTOR, "req-1", NULL, NULL};
    static const struct identity_claim bad[] = {
        {NULL, ORG, "staff", ACTOR, "req-1", NULL, NULL},
        {"", ORG, "staff", ACTOR, "req-1", NULL, NULL},
        {TOKEN "x", ORG, "staff", ACTOR, "req-1", NULL, NULL},
        {"0123456789abcdef0123456789abcdeF", ORG, "staff", ACTOR, "req-1", NULL, NULL},
        {TOKEN, NULL, "staff", ACTOR, "req-1", NULL, NULL},
        {TOKEN, "5eed", "staff", ACTOR, "req-1", NULL, NULL},
        {TOKEN, ORG, NULL, ACTOR, "req-1", NULL, NULL},
        {TOKEN, ORG, "root", ACTOR, "req-1", NULL, NULL},
        {TOKEN, ORG, "", ACTOR, "req-1", NULL, NULL},
        {TOKEN, ORG, "staff", NULL, "req-1", NULL, NULL},
        {TOKEN, ORG, "staff", "key:", "req-1", NULL, NULL},
        {TOKEN, ORG, "staff", ORG, "req-1", NULL, NULL},
        {TOKEN, ORG, "staff", ACTOR, NULL, NULL, NULL},
        {TOKEN, ORG, "staff", ACTOR, "a\"b", NULL, NULL},
    };
    struct arena a;
    struct admin_request request = {.arena = &a};

    (void)state;
    arena_init(&a);
    assert_true(identity_check(&good, TOKEN, &request));
    assert_int_equal(request.role, ADMIN_STAFF);
    assert_int_equal(request.scope, ADMIN_SCOPE_ALL);
    assert_string_equal(request.org, ORG);
    assert_null(request.user);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (identity_check(&bad[i], TOKEN, &request))
            fail_msg("claim %zu was believed", i);
    }
    /* a short secret opens nothing, even where it is right */
    const struct identity_claim weak = {"secret", ORG, "staff", ACTOR, "req-1", NULL, NULL};
    assert_false(identity_check(&weak, "secret", &request));
    arena_free(&a);
}

#define USER  "user:5eed0000-0000-4000-8000-00000000000b"
#define NONCE "0123456789abcdefABCDEF"

/* EDGE-8: a user has a session, a key has none, nobody has nothing at all. */
static void test_identity_of_users(void **state)
{
    static const struct identity_claim good = {TOKEN,           ORG,  "superadmin", USER, "req-1",
                                               OTHER " " NONCE, OTHER};
    static const struct identity_claim nobody = {TOKEN, NULL, NULL, NULL, "req-1", NULL, NULL};
    static const struct identity_claim reader = {TOKEN, ORG, "reader", ACTOR, "req-1", NULL, NULL};
    static const struct identity_claim bad[] = {
        {TOKEN, ORG, "staff", USER, "req-1", NULL, NULL},
        {TOKEN, ORG, "staff", USER, "req-1", OTHER, NULL},
        {TOKEN, ORG, "staff", USER, "req-1", OTHER " ", NULL},
        {TOKEN, ORG, "staff", USER, "req-1", OTHER " " NONCE "x", NULL},
        {TOKEN, ORG, "staff", USER, "req-1", "x " NONCE, NULL},
        {TOKEN, ORG, "staff", USER, "req-1", OTHER " " NONCE, "team"},
        {TOKEN, ORG, "staff", ACTOR, "req-1", OTHER " " NONCE, NULL},
        {TOKEN, ORG, "staff", ACTOR, "req-1", NULL, OTHER},
        {TOKEN, NULL, NULL, NULL, "req-1", OTHER " " NONCE, NULL},
        {NULL, NULL, NULL, NULL, "req-1", NULL, NULL},
        {TOKEN, NULL, NULL, NULL, NULL, NULL, NULL},
    };
    struct arena a;
    struct admin_request request = {.arena = &a}, none = {.arena = &a};

    (void)state;
    arena_init(&a);
    assert_true(identity_check(&good, TOKEN, &request));
    assert_int_equal(request.role, ADMIN_SUPERADMIN);
    assert_string_equal(request.user, &USER[5]);
    assert_string_equal(request.session, OTHER);
    assert_string_equal(request.nonce, NONCE);
    assert_string_equal(request.team, OTHER);
    assert_true(identity_check(&nobody, TOKEN, &none));
    assert_null(none.actor);
    assert_true(identity_check(&reader, TOKEN, &none));
    assert_int_equal(none.role, ADMIN_ADMIN);
    assert_int_equal(none.scope, ADMIN_SCOPE_READ);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct admin_request other = {.arena = &a};
        if (identity_check(&bad[i], TOKEN, &other))
            fail_msg("claim %zu was believed", i);
    }
    arena_free(&a);
}

struct fixture {
    struct arena arena;
    struct config config;
    struct admin_request request;
    struct admin_reply reply;
};

static void fixture_open(struct fixture *f, const char *org, const char *query_text,
                         const char *body)
{
    struct fd_json_fault fault;
    struct query *query;

    memset(f, 0, sizeof(*f));
    arena_init(&f->arena);
    f->config.admin_token = TOKEN;
    assert_true(query_parse(&f->arena, query_text, &query));
    f->request = (struct admin_request){.method = "GET",
                                        .org = org,
                                        .request_id = "req-1",
                                        .arena = &f->arena,
                                        .config = &f->config,
                                        .query = query};
    if (body != NULL)
        f->request.body = fd_json_parse(body, strlen(body), (struct fd_json_limits){0},
                                        arena_allocator(&f->arena), &fault);
    buf_init(&f->reply.body, 65536);
}

static void fixture_close(struct fixture *f)
{
    buf_free(&f->reply.body);
    arena_free(&f->arena);
}

/* The cursor behind a row with two values, of list "things". */
static const char *cursor_of(struct fixture *f, struct arena *keep)
{
    static const char *const values[] = {"2026-01-01T00:00:00Z", OTHER};
    struct page page = {.limit = 2};
    struct fd_json_writer w;

    buf_reset(&f->reply.body);
    buf_json(&f->reply.body, &w);
    fd_jw_object(&w);
    page_next(&w, &f->request, "things", &page, 3, values, 2);
    fd_jw_end_object(&w);
    assert_true(buf_json_end(&f->reply.body, &w));
    char *start = strchr(f->reply.body.data, ':') + 2;
    return arena_strndup(keep, start, strcspn(start, "\""));
}

static bool reads(const char *org, const char *list, size_t columns, const char *query_text,
                  struct page *page, char after[2][64])
{
    struct fixture f;

    fixture_open(&f, org, query_text, NULL);
    bool ok = page_read(&f.request, &f.reply, list, columns, page);
    for (size_t i = 0; ok && i < columns; i++)
        snprintf(after[i], 64, "%s", page->after[i] != NULL ? page->after[i] : "");
    assert_int_equal(f.reply.status, ok ? 0 : 400);
    fixture_close(&f);
    return ok;
}

static void test_page(void **state)
{
    struct fixture f;
    struct arena keep;
    struct page page;
    char after[2][64], text[512];

    (void)state;
    arena_init(&keep);
    fixture_open(&f, ORG, NULL, NULL);
    const char *cursor = cursor_of(&f, &keep);
    fixture_close(&f);

    assert_true(reads(ORG, "things", 2, "", &page, after));
    assert_int_equal(page.limit, PAGE_LIMIT);
    assert_string_equal(page.rows, "51");
    snprintf(text, sizeof(text), "limit=7&cursor=%s", cursor);
    assert_true(reads(ORG, "things", 2, text, &page, after));
    assert_int_equal(page.limit, 7);
    assert_string_equal(after[0], "2026-01-01T00:00:00Z");
    assert_string_equal(after[1], OTHER);

    assert_false(reads(OTHER, "things", 2, text, &page, after)); /* another organisation's */
    assert_false(reads(ORG, "others", 2, text, &page, after));   /* another list's */
    assert_false(reads(ORG, "things", 1, text, &page, after));
    text[strlen(text) - 2] ^= 1;
    assert_false(reads(ORG, "things", 2, text, &page, after));
    static const char *const bad[] = {"cursor=",  "cursor=AAAA", "cursor=%20",
                                      "limit=0",  "limit=201",   "limit=x",
                                      "limit=+1", "limit=1e1",   "limit="};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (reads(ORG, "things", 2, bad[i], &page, after))
            fail_msg("%s was taken", bad[i]);
    }
    arena_free(&keep);
}

/* One process at a time; what a dead one left is no hindrance. */
static void test_listen(void **state)
{
    char dir[] = "/tmp/fd-listen-XXXXXX", address[96], path[80], error[256];
    struct listener one, two;
    struct stat info;

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/admin.sock", dir);
    snprintf(address, sizeof(address), "unix:%s", path);
    assert_true(listen_open(&one, address, error));
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0660);
    assert_false(listen_open(&two, address, error));
    assert_non_null(strstr(error, "another frontdesk admin"));
    listen_close(&one);
    assert_true(listen_open(&two, address, error)); /* over the old one's file */
    listen_close(&two);

    assert_false(listen_open(&one, "0.0.0.0:9", error));
    assert_non_null(strstr(error, "from outside"));
    assert_false(listen_open(&one, "[::]:9", error));
    assert_false(listen_open(&one, "unix:/nonexistent/dir/admin.sock", error));
    assert_false(listen_open(&one, "elsewhere", error));
    assert_false(listen_open(&one, NULL, error));
    /* nor is what is no socket taken for one */
    unlink(path);
    FILE *file = fopen(path, "w");
    fclose(file);
    assert_false(listen_open(&one, address, error));
    unlink(path);
    snprintf(path, sizeof(path), "%s/admin.sock.lock", dir);
    unlink(path);
    rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_router_finds),   cmocka_unit_test(test_router_prefers_words_to_names),
        cmocka_unit_test(test_router_refuses), cmocka_unit_test(test_query),
        cmocka_unit_test(test_identity),       cmocka_unit_test(test_identity_of_users),
        cmocka_unit_test(test_page),           cmocka_unit_test(test_listen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
