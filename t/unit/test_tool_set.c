/* ENG-10: tool/set.h and tool/settings.h against PostgreSQL: what is loaded, what is left
 * out, what is refused when it is saved, and that organisations are kept apart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/vault.h"
#include "schema_fixture.h"
#include "tool/settings.h"
#include "tool/webhook.h"

#define ALICE "aaaaaaaa-0000-4000-8000-00000000000a"
#define BOB   "bbbbbbbb-0000-4000-8000-00000000000b"

static struct pg_fixture pg;
static struct arena arena;
static struct db *db;
static char keys[128];

static int set_up_all(void **state)
{
    struct vault vault = {0};
    char error[256];

    (void)state;
    arena_init(&arena);
    if (!schema_start(&pg))
        return -1;
    pg_do(&pg,
          "INSERT INTO organizations (id, name) VALUES ('" ALICE "', 'Alice'), ('" BOB "', 'Bob')");
    db = db_new(pg.app, "test");
    snprintf(keys, sizeof(keys), "%s/vault.keys", pg.dir);
    bool ok = vault_add_key(&vault) && vault_save(&vault, keys, true, error);
    tool_use_vault(keys);
    return ok ? 0 : -1;
}

static int tear_down_all(void **state)
{
    (void)state;
    db_free(db);
    pg_end(&pg);
    arena_free(&arena);
    return 0;
}

static int clear(void **state)
{
    (void)state;
    pg_do(&pg, "DELETE FROM client_tools");
    pg_do(&pg, "DELETE FROM client_integrations");
    return 0;
}

static struct tool_change url_of(const char *name)
{
    struct tool_change change = tool_unchanged;

    change.name = name;
    change.url = "https://hooks.example/x";
    change.enabled = 1;
    return change;
}

static const char *save(const char *org, const struct tool_change *change)
{
    static struct tool_problem problem;
    char made[TOOL_SECRET_SIZE];

    assert_int_equal(tools_change(db, org, keys, change, &problem, made), DB_OK);
    return problem.field != NULL ? problem.field : "";
}

static struct tool_set load(const char *org)
{
    struct tool_set set;

    assert_int_equal(tool_set_load(db, &arena, org, &set), DB_OK);
    return set;
}

static void eng_10_catalogue(void **state)
{
    static const char *const names[] = {"get_order_status", "book_appointment", "check_inventory",
                                        "get_product_info"};
    (void)state;
    assert_int_equal(load(ALICE).count, 0);
    for (size_t i = 0; i < 4; i++) {
        struct tool_change change = url_of(names[i]);
        assert_string_equal(save(ALICE, &change), "");
    }
    struct tool_set set = load(ALICE);
    assert_int_equal(set.count, 4);
    assert_string_equal(set.list[0].name, "book_appointment"); /* by name */
    const struct tool *book = tool_find(&set, "book_appointment");
    assert_int_equal(book->risk, TOOL_WRITE);
    assert_int_equal(tool_find(&set, "get_order_status")->risk, TOOL_READ);
    assert_int_equal(book->kind, TOOL_WEBHOOK);
    assert_int_equal(book->timeout_ms, 30000);
    assert_null(book->webhook->secret);
    assert_non_null(strstr(book->parameters, "\"time\""));
    assert_null(tool_find(&set, "nothing"));
    assert_int_equal(load(BOB).count, 0);

    struct tool_change off = tool_unchanged;
    off.name = "book_appointment";
    off.enabled = 0;
    off.risk = "high";
    assert_string_equal(save(ALICE, &off), "");
    set = load(ALICE);
    assert_int_equal(set.count, 3);
    off.enabled = 1;
    assert_string_equal(save(ALICE, &off), "");
    set = load(ALICE);
    assert_int_equal(tool_find(&set, "book_appointment")->risk, TOOL_HIGH);
}

static void eng_10_own_tools(void **state)
{
    struct tool_change change = url_of("own");

    (void)state;
    assert_string_equal(save(ALICE, &change), "parameters_schema");
    change.parameters =
        "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"},\"me\":{}}}";
    assert_string_equal(save(ALICE, &change), "description");
    change.description = "Does it.";
    change.bindings = "{\"me\":\"visitor.user_id\"}";
    assert_string_equal(save(ALICE, &change), "");
    struct tool_set set = load(ALICE);
    assert_int_equal(set.list[0].risk, TOOL_WRITE); /* unless somebody says that it only reads */
    assert_string_equal(set.list[0].parameters,
                        "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"}}}");
    assert_int_equal(set.list[0].binding_count, 1);
    assert_string_equal(set.list[0].bindings[0].source, "visitor.user_id");
    assert_int_equal(load(BOB).count, 0);
}

static void eng_10_refused_at_save(void **state)
{
    static const struct {
        const char *field;
        struct tool_change change;
    } cases[] = {
        {"url", {.url = "ftp://x/"}},
        {"url", {.url = "x"}},
        {"risk", {.risk = "some"}},
        {"timeout_ms", {.timeout_ms = 31000}},
        {"bindings", {.bindings = "{\"a\":\"b\"}"}},
        {"bindings", {.bindings = "[]"}},
        {"config", {.config = "1"}},
        {"parameters_schema", {.parameters = "{}"}},
        {"parameters_schema", {.parameters = "{\"type\":\"object\",\"if\":{}}"}},
        {"parameters_schema", {.parameters = "{"}},
        {"description", {.description = ""}},
        {"token_header", {.token_header = "Content-Length"}},
        {"token_header", {.token_header = "a b"}},
        {"token", {.token = TOOL_SECRET_SET, .token_value = "a\r\nb"}},
        {"signing_secret", {.secret = TOOL_SECRET_SET, .secret_value = "short"}},
    };
    (void)state;
    struct tool_change good = url_of("check_inventory");
    assert_string_equal(save(ALICE, &good), "");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tool_change change = cases[i].change;
        change.name = "check_inventory";
        change.enabled = change.acknowledgement = -1;
        if (change.timeout_ms == 0)
            change.timeout_ms = -1;
        assert_string_equal(save(ALICE, &change), cases[i].field);
        struct tool_set set = load(ALICE);
        assert_int_equal(set.count, 1); /* as it was */
        assert_string_equal(set.list[0].url, "https://hooks.example/x");
        assert_int_equal(set.list[0].risk, TOOL_READ);
    }
    struct tool_change bare = tool_unchanged;
    bare.name = "get_product_info";
    bare.enabled = 1;
    assert_string_equal(save(ALICE, &bare), "url"); /* enabled, but where is it? */
    bare.enabled = 0;
    assert_string_equal(save(ALICE, &bare), "");
    bare.name = "bad name";
    assert_string_equal(save(ALICE, &bare), "name");
}

static void eng_10_secrets_are_sealed(void **state)
{
    struct tool_change change = url_of("check_inventory"), other = url_of("get_product_info");
    struct tool_problem problem;
    char made[TOOL_SECRET_SIZE], again[TOOL_SECRET_SIZE];

    (void)state;
    change.secret = TOOL_SECRET_MAKE;
    change.token = TOOL_SECRET_SET;
    change.token_value = "open sesame";
    change.token_header = "X-Api-Key";
    assert_int_equal(tools_change(db, ALICE, keys, &change, &problem, made), DB_OK);
    assert_int_equal(strlen(made), 5 + 64);
    struct tool_set set = load(ALICE);
    assert_string_equal(set.list[0].webhook->secret, made);
    assert_string_equal(set.list[0].webhook->token, "open sesame");
    assert_string_equal(set.list[0].webhook->token_header, "X-Api-Key");
    assert_string_equal(
        pg_do(&pg, "SELECT count(*) FROM client_tools WHERE encode(token, 'escape') LIKE '%sesame%'"
                   " OR encode(signing_secret, 'escape') LIKE '%fdts_%'"),
        "0");

    /* without the vault nothing is stored, and what is stored cannot be used */
    change.secret = TOOL_SECRET_MAKE;
    assert_int_equal(tools_change(db, ALICE, NULL, &change, &problem, again), DB_OK);
    assert_string_equal(problem.field, "signing_secret");
    assert_string_equal(again, "");
    tool_use_vault(NULL);
    assert_int_equal(load(ALICE).count, 0);
    tool_use_vault(keys);

    /* a secret is worthless in another row, another column, another organisation */
    assert_string_equal(save(ALICE, &other), "");
    pg_do(&pg, "UPDATE client_tools SET signing_secret = (SELECT signing_secret FROM client_tools"
               " WHERE tool_name = 'check_inventory') WHERE tool_name = 'get_product_info'");
    set = load(ALICE);
    assert_int_equal(set.count, 1);
    assert_string_equal(set.list[0].name, "check_inventory");
    pg_do(&pg,
          "UPDATE client_tools SET token = signing_secret WHERE tool_name = 'check_inventory'");
    assert_int_equal(load(ALICE).count, 0);
    change.secret = TOOL_SECRET_REMOVE;
    change.token = TOOL_SECRET_REMOVE;
    assert_string_equal(save(ALICE, &change), "");
    assert_int_equal(load(ALICE).count, 1);
}

/* Who may change a tool but does not know its token does not have it sent to them. */
static void eng_10_secrets_stay_at_home(void **state)
{
    static const struct {
        const char *url, *header;
        const char *problem;
        bool new_secret;
    } cases[] = {
        {"https://hooks.example/other?path=1", "x-api-key", "", false},
        {"https://HOOKS.example:443/x", NULL, "", false},
        {"https://hooks.example:8443/x", NULL, "token", false},
        {"http://hooks.example/x", NULL, "token", false},
        {"https://evil.example/x", NULL, "token", false},
        {NULL, "X-Other", "token", false},
    };
    struct tool_change change = url_of("check_inventory");
    char secret[TOOL_SECRET_SIZE], made[TOOL_SECRET_SIZE];
    struct tool_problem problem;

    (void)state;
    change.secret = TOOL_SECRET_MAKE;
    change.token = TOOL_SECRET_SET;
    change.token_value = "open sesame";
    change.token_header = "X-Api-Key";
    assert_int_equal(tools_change(db, ALICE, keys, &change, &problem, secret), DB_OK);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tool_change moved = tool_unchanged;
        moved.name = "check_inventory";
        moved.url = cases[i].url;
        moved.token_header = cases[i].header;
        assert_int_equal(tools_change(db, ALICE, keys, &moved, &problem, made), DB_OK);
        assert_string_equal(problem.field != NULL ? problem.field : "", cases[i].problem);
        assert_string_equal(made, "");
        struct tool_set set = load(ALICE);
        assert_string_equal(set.list[0].webhook->token, "open sesame");
        assert_string_equal(set.list[0].webhook->secret, secret);
        assert_null(strstr(set.list[0].url, "evil"));
    }
    /* with the token given again it moves, and signs with another secret, told once */
    struct tool_change moved = tool_unchanged;
    moved.name = "check_inventory";
    moved.url = "https://new.example/x";
    moved.token = TOOL_SECRET_SET;
    moved.token_value = "another word";
    assert_int_equal(tools_change(db, ALICE, keys, &moved, &problem, made), DB_OK);
    assert_null(problem.field);
    assert_int_equal(strlen(made), 5 + 64);
    assert_string_not_equal(made, secret);
    assert_string_equal(load(ALICE).list[0].webhook->secret, made);
    change = tool_unchanged;
    change.name = "check_inventory";
    change.secret = TOOL_SECRET_REMOVE;
    change.token = TOOL_SECRET_REMOVE;
    assert_string_equal(save(ALICE, &change), "");
}

/* A row that a migration or a hand made unusable is left out, the others are there. */
static void eng_10_unusable_rows(void **state)
{
    (void)state;
    struct tool_change good = url_of("check_inventory");
    assert_string_equal(save(ALICE, &good), "");
    pg_do(&pg, "INSERT INTO client_tools (org_id, tool_name, enabled) VALUES ('" ALICE
               "', 'gone', true)");
    pg_do(&pg, "INSERT INTO client_tools (org_id, tool_name, enabled, n8n_webhook_url, description,"
               " parameters_schema) VALUES ('" ALICE
               "', 'odd', true, 'https://x/', 'd', '{\"type\":\"object\",\"if\":{}}')");
    pg_do(&pg, "INSERT INTO client_integrations (id, org_id, type, name, enabled) VALUES"
               " ('cccccccc-0000-4000-8000-00000000000c', '" ALICE "', 'custom_api', 'api', true)");
    pg_do(&pg, "INSERT INTO integration_endpoints (org_id, integration_id, name, url, description)"
               " SELECT '" ALICE "', id, n, '/x', 'An endpoint.' FROM client_integrations,"
               " unnest(ARRAY['endpoint', 'check_inventory']) n WHERE org_id = '" ALICE "'");
    struct tool_set set = load(ALICE);
    assert_int_equal(set.count, 2);
    assert_string_equal(set.list[0].name, "check_inventory");
    assert_int_equal(set.list[0].kind, TOOL_WEBHOOK); /* webhooks come first */
    assert_string_equal(set.list[1].name, "endpoint");
    assert_int_equal(set.list[1].kind, TOOL_ENDPOINT);
    assert_int_equal(load(BOB).count, 0);
}

static void eng_10_removed(void **state)
{
    PGresult *rows;
    bool found;

    (void)state;
    struct tool_change change = url_of("check_inventory");
    assert_string_equal(save(ALICE, &change), "");
    assert_int_equal(tools_remove(db, BOB, "check_inventory", &found), DB_OK);
    assert_false(found);
    assert_int_equal(load(ALICE).count, 1);
    assert_int_equal(tools_remove(db, ALICE, "check_inventory", &found), DB_OK);
    assert_true(found);
    assert_int_equal(tools_list(db, ALICE, NULL, &rows), DB_OK);
    assert_int_equal(PQntuples(rows), 4);
    assert_false(db_true(rows, 1, TOOLS_ENABLED));
    PQclear(rows);
}

#define TEST(name) cmocka_unit_test_setup(name, clear)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(eng_10_catalogue),
        TEST(eng_10_own_tools),
        TEST(eng_10_refused_at_save),
        TEST(eng_10_secrets_are_sealed),
        TEST(eng_10_secrets_stay_at_home),
        TEST(eng_10_unusable_rows),
        TEST(eng_10_removed),
    };
    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
