/* EDGE-2, reliability "tenant isolation": two organisations on the real schema. No row
 * of one is read, changed, referred to or taken over by the other, under the role that
 * workers sign in as. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "db/partition.h"
#include "schema_fixture.h"
#include "tenant/keys.h"
#include "tenant/knowledge.h"
#include "tenant/tenant.h"

#define ALICE "aaaaaaaa-0000-4000-8000-00000000000a"
#define BOB   "bbbbbbbb-0000-4000-8000-00000000000b"
#define BOBS  "bbbbbbbb-0000-4000-8000-0000000000b1" /* the id of whatever is his */

static struct pg_fixture pg;

static int set_up(void **state)
{
    if (!schema_start(&pg))
        return -1;
    pg_do(
        &pg,
        "INSERT INTO organizations (id, name) VALUES ('" ALICE "', 'Alice'), ('" BOB "', 'Bob');"
        "INSERT INTO users (id, org_id, email, role) VALUES ('" BOBS "', '" BOB
        "', 'b@b', 'owner');"
        "INSERT INTO teams (id, org_id, name) VALUES ('" BOBS "', '" BOB "', 'team');"
        "INSERT INTO team_members VALUES ('" BOB "', '" BOBS "', '" BOBS "', 'owner');"
        "INSERT INTO user_sessions (org_id, user_id, nonce_sha256, access_until) VALUES ('" BOB
        "', '" BOBS "', 'n', now());"
        "INSERT INTO password_resets (token_sha256, org_id, user_id, expires_at) VALUES"
        " (repeat('a', 64), '" BOB "', '" BOBS "', now());"
        "INSERT INTO audit_log (org_id, actor, action) VALUES ('" BOB "', 'command', 'a');"
        "INSERT INTO org_ai_settings (org_id) VALUES ('" BOB "');"
        "INSERT INTO conversations (id, org_id, session_id) VALUES ('" BOBS "', '" BOB "', 's');"
        "INSERT INTO jobs (id, org_id, session_id, epoch, owner, body, accepted_at)"
        " VALUES ('0-bob', '" BOB "', 's', 1, 'w', '{}', now());"
        "INSERT INTO messages (org_id, conversation_id, role, content, created_at)"
        " VALUES ('" BOB "', '" BOBS "', 'user', 'private', now()),"
        "        ('" BOB "', '" BOBS "', 'user', 'later', now() + interval '75 days');"
        "INSERT INTO usage_ledger (org_id, provider, model_id) VALUES ('" BOB "', 'p', 'm');"
        "INSERT INTO api_usage (org_id, date, model_id) VALUES ('" BOB "', now(), 'm');"
        "INSERT INTO budget_reservations VALUES ('0-bob', '" BOB "', 1, 'w', 's', NULL, 1, now());"
        "INSERT INTO alerts (org_id, month, kind) VALUES ('" BOB "', now(), 'quota_80');"
        "INSERT INTO rate_card VALUES ('" BOB "', 'm', now(), 5);"
        "INSERT INTO articles (id, org_id, slug, title, body) VALUES ('" BOBS "', '" BOB
        "', 'a', 't', 'b');"
        "INSERT INTO article_sections (org_id, article_id, slug, position, label, body,"
        " language) VALUES ('" BOB "', '" BOBS "', 'a', 0, 'l', 'b', 'en');"
        "INSERT INTO products (org_id, sku, name, price_minor, currency) VALUES ('" BOB
        "', 's', 'n', 1, 'ILS');"
        "INSERT INTO orders (org_id, number, customer_email, status, total_minor, currency)"
        " VALUES ('" BOB "', 'n', 'e', 's', 1, 'ILS');"
        "INSERT INTO tools VALUES ('t', 'd', '{}') ON CONFLICT DO NOTHING;"
        "INSERT INTO client_tools (org_id, tool_name) VALUES ('" BOB "', 't');"
        "INSERT INTO client_integrations (id, org_id, type, name) VALUES ('" BOBS "', '" BOB
        "', 'shopify', 'n');"
        "INSERT INTO integration_endpoints (org_id, integration_id, name, url) VALUES ('" BOB
        "', '" BOBS "', 'n', 'u');"
        "INSERT INTO integration_calls (org_id, integration_id, endpoint, failure) VALUES ('" BOB
        "', '" BOBS "', 'n', 'ok');"
        "INSERT INTO conversation_summaries (conversation_id, org_id) VALUES ('" BOBS "', '" BOB
        "');"
        "INSERT INTO org_ai_endpoints (org_id, kind, provider) VALUES ('" BOB
        "', 'chat', 'openai');"
        "INSERT INTO embedding_state (org_id) VALUES ('" BOB "');"
        "INSERT INTO section_embeddings (org_id, section_id, model, digest, vector)"
        " SELECT org_id, id, 'm', '', '' FROM article_sections WHERE org_id = '" BOB "';"
        "INSERT INTO tool_executions (org_id, conversation_id, tool_name) VALUES ('" BOB "', '" BOBS
        "', 't');"
        "INSERT INTO identity_secrets (id, org_id, secret, last4) VALUES ('" BOBS "', '" BOB
        "', 's', 'last');"
        "INSERT INTO api_keys (id, org_id, name, kind, key_sha256, last4, revoked_at) VALUES"
        " ('" BOBS "', '" BOB "', 'over', 'pk', repeat('b', 64), 'last', now());"
        "INSERT INTO sightings (org_id, key_id, origin) VALUES ('" BOB "', '" BOBS
        "', 'https://bob.example');"
        "INSERT INTO retention_settings (org_id) VALUES ('" BOB "');"
        "INSERT INTO idempotency_keys (org_id, actor, key_sha256, request_sha256, claim,"
        " claimed_until) VALUES ('" BOB "', 'command', 'k', 'r', 'c', now());"
        "INSERT INTO canned_replies (org_id, shortcut, text) VALUES ('" BOB "', 'hi', 'Hello');"
        "INSERT INTO test_cases (org_id, name, message) VALUES ('" BOB "', 'n', 'm');"
        "INSERT INTO test_runs (id, org_id, arms, total, actor) VALUES ('" BOBS "', '" BOB
        "', '[]', 1, 'command');"
        "INSERT INTO test_results (run_id, org_id, case_id, arm, position, name, message, expect)"
        " VALUES ('" BOBS "', '" BOB "', '" BOBS "', 0, 0, 'n', 'm', '{}');"
        "INSERT INTO channels (id, org_id, channel, secret, last4) VALUES ('" BOBS "', '" BOB
        "', 'sms', '', 'last');"
        "INSERT INTO channel_threads (id, org_id, channel, sender) VALUES ('" BOBS "', '" BOB
        "', 'sms', '+49');"
        "INSERT INTO channel_inbox (org_id, channel, thread_id, message_id, text) VALUES ('" BOB
        "', 'sms', '" BOBS "', 'm', 'private');"
        "INSERT INTO channel_deliveries (org_id, thread_id, kind) VALUES ('" BOB "', '" BOBS
        "', 'answer');"
        "INSERT INTO conversation_outcomes (org_id, conversation_id, started_at, changed_at,"
        " channel) VALUES ('" BOB "', '" BOBS "', now(), now(), 'widget');"
        "INSERT INTO conversation_search VALUES ('" BOB "', '" BOBS "', now(), '');"
        "INSERT INTO tool_daily VALUES ('" BOB "', now(), 't', 1, 1, 1, '{}', '{}');"
        "INSERT INTO visitor_requests (org_id, action, named_by, name_sha256, actor) VALUES ('" BOB
        "', 'export', 'email', 'h', 'command');");
    *state = db_new(pg.app, "test");
    return 0;
}

static int tear_down(void **state)
{
    db_free(*state);
    pg_end(&pg);
    return 0;
}

/* A statement made up here; its own name, so that it is prepared on its own. */
static enum db_status attempt(struct db *db, const char *org, const char *sql, PGresult **result)
{
    static char names[500][16];
    static struct db_statement statements[500];
    static size_t used;

    assert_in_range(used, 0, 499);
    snprintf(names[used], sizeof(names[used]), "attempt_%zu", used);
    statements[used] = (struct db_statement){names[used], sql, 0};
    return db_query(db, org, &statements[used++], NULL, result);
}

/* The tenants' tables, "name org_column" each. */
static const char *const tables[][2] = {
    {"organizations", "id"},
    {"users", "org_id"},
    {"teams", "org_id"},
    {"team_members", "org_id"},
    {"user_sessions", "org_id"},
    {"password_resets", "org_id"},
    {"audit_log", "org_id"},
    {"api_keys", "org_id"},
    {"sightings", "org_id"},
    {"org_ai_settings", "org_id"},
    {"org_ai_endpoints", "org_id"},
    {"conversation_summaries", "org_id"},
    {"embedding_state", "org_id"},
    {"section_embeddings", "org_id"},
    {"conversations", "org_id"},
    {"jobs", "org_id"},
    {"messages", "org_id"},
    {"usage_ledger", "org_id"},
    {"api_usage", "org_id"},
    {"budget_reservations", "org_id"},
    {"alerts", "org_id"},
    {"rate_card", "org_id"},
    {"articles", "org_id"},
    {"article_sections", "org_id"},
    {"search_words", "org_id"},
    {"products", "org_id"},
    {"orders", "org_id"},
    {"client_tools", "org_id"},
    {"client_integrations", "org_id"},
    {"integration_endpoints", "org_id"},
    {"integration_calls", "org_id"},
    {"tool_executions", "org_id"},
    {"identity_secrets", "org_id"},
    {"retention_settings", "org_id"},
    {"idempotency_keys", "org_id"},
    {"canned_replies", "org_id"},
    {"test_cases", "org_id"},
    {"test_runs", "org_id"},
    {"test_results", "org_id"},
    {"channels", "org_id"},
    {"channel_threads", "org_id"},
    {"channel_inbox", "org_id"},
    {"channel_deliveries", "org_id"},
    {"conversation_outcomes", "org_id"},
    {"outcome_daily", "org_id"},
    {"conversation_search", "org_id"},
    {"tool_daily", "org_id"},
    {"visitor_requests", "org_id"},
};
#define TABLES (sizeof(tables) / sizeof(tables[0]))

static void test_every_table_is_listed_and_forced(void **state)
{
    (void)state;
    char expected[16];
    snprintf(expected, sizeof(expected), "%zu", TABLES);
    assert_string_equal(
        pg_do(&pg,
              "SELECT count(*) FROM pg_class c WHERE relnamespace = 'public'::regnamespace"
              " AND relkind IN ('r', 'p') AND NOT relispartition AND (relname = 'organizations'"
              " OR EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid"
              " AND attname = 'org_id'))"),
        expected);
    assert_string_equal(
        pg_do(&pg, "SELECT coalesce(string_agg(relname, ' '), '') FROM pg_class c"
                   " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
                   " AND NOT (relrowsecurity AND relforcerowsecurity)"
                   " AND (relname = 'organizations' OR EXISTS (SELECT FROM pg_attribute"
                   " WHERE attrelid = c.oid AND attname = 'org_id'))"),
        "");
    assert_string_equal(pg_do(&pg, "SELECT rolsuper OR rolbypassrls OR rolcreaterole FROM pg_roles"
                                   " WHERE rolname = 'frontdesk_app'"),
                        "f");
    assert_string_equal(pg_do(&pg, "SELECT count(*) FROM pg_class WHERE relowner ="
                                   " 'frontdesk_app'::regrole"),
                        "0");
}

/* `sql` with TABLE and ORG replaced. */
static int64_t affected(struct db *db, const char *org, const char *sql, const char *table,
                        const char *column)
{
    static char texts[500][200];
    static size_t used;
    PGresult *result;

    assert_in_range(used, 0, 499);
    char *text = texts[used++];
    const char *at_table = strstr(sql, "TABLE"), *at_org = strstr(sql, "ORG");
    snprintf(text, 200, "%.*s%s%.*s%s%s", (int)(at_table - sql), sql, table,
             (int)(at_org - at_table - 5), at_table + 5, column, at_org + 3);
    enum db_status status = attempt(db, org, text, &result);
    if ((strcmp(table, "audit_log") == 0 || strcmp(table, "search_words") == 0 ||
         strcmp(table, "sightings") == 0 || strcmp(table, "outcome_daily") == 0) &&
        strcmp(db_sqlstate(db), "42501") == 0)
        return 0; /* nobody may change a row of it */
    if (status != DB_OK)
        fail_msg("%s: %s", text, db_error(db));
    int64_t rows = PQntuples(result);
    PQclear(result);
    return rows;
}

static void test_rows_of_another(void **state)
{
    (void)state;
    for (size_t i = 0; i < TABLES; i++) {
        const char *t = tables[i][0], *c = tables[i][1];
        static const char *const hostile[] = {
            "SELECT 1 FROM TABLE WHERE ORG = '" BOB "'",
            "UPDATE TABLE SET ORG = '" ALICE "' WHERE true RETURNING 1",
            "DELETE FROM TABLE WHERE ORG = '" BOB "' RETURNING 1",
        };
        if (affected(*state, BOB, hostile[0], t, c) == 0)
            fail_msg("%s has no row of Bob's: nothing would be proven", t);
        for (size_t h = 0; h < 3; h++) {
            int64_t own = strcmp(t, "organizations") == 0 && h == 1 ? 1 : 0; /* herself */
            assert_int_equal(affected(*state, ALICE, hostile[h], t, c), own);
            assert_int_equal(affected(*state, NULL, hostile[h], t, c), 0);
        }
        assert_int_equal(affected(*state, NULL, "SELECT 1 FROM TABLE WHERE ORG IS NOT NULL", t, c),
                         0);
    }
}

static void refused(struct db *db, const char *sqlstate, const char *sql)
{
    enum db_status status = attempt(db, ALICE, sql, NULL);
    if (status == DB_OK || strcmp(db_sqlstate(db), sqlstate) != 0)
        fail_msg("%s: %d %s %s", sql, (int)status, db_sqlstate(db), db_error(db));
}

static void test_writes_into_another(void **state)
{
    refused(*state, "42501",
            "INSERT INTO articles (org_id, slug, title, body) VALUES ('" BOB "', 'x', 'x', 'x')");
    refused(*state, "42501",
            "INSERT INTO messages (org_id, conversation_id, role, content, created_at)"
            " VALUES ('" BOB "', '" BOBS "', 'assistant', 'forged', now())");
    refused(*state, "42501", "UPDATE organizations SET id = '" BOB "'");
    /* an upsert that meets another's row */
    refused(*state, "42501",
            "INSERT INTO jobs (id, org_id, session_id, epoch, owner, body, accepted_at) VALUES"
            " ('0-bob', '" ALICE "', 's', 9, 'w', '{}', now())"
            " ON CONFLICT (id) DO UPDATE SET epoch = 9");
}

/* Foreign keys are checked without row-level security. */
static void test_references_to_another(void **state)
{
    refused(*state, "23503",
            "INSERT INTO jobs (id, org_id, session_id, conversation_id, epoch, owner, body,"
            " accepted_at) VALUES ('0-alice', '" ALICE "', 's', '" BOBS "', 1, 'w', '{}', now())");
    refused(*state, "23503",
            "INSERT INTO article_sections (org_id, article_id, slug, position, label, body,"
            " language) VALUES ('" ALICE "', '" BOBS "', 'x', 7, 'l', 'b', 'en')");
    refused(*state, "23503",
            "INSERT INTO conversations (org_id, session_id, user_id) VALUES"
            " ('" ALICE "', 'x', '" BOBS "')");
    refused(*state, "23503",
            "INSERT INTO integration_endpoints (org_id, integration_id, name, url) VALUES"
            " ('" ALICE "', '" BOBS "', 'x', 'u')");
    refused(*state, "23503",
            "INSERT INTO tool_executions (org_id, conversation_id, tool_name) VALUES"
            " ('" ALICE "', '" BOBS "', 'x')");
    refused(*state, "23503",
            "INSERT INTO team_members VALUES ('" ALICE "', '" BOBS "', '" BOBS "', 'owner')");
}

static void test_what_the_role_may_not(void **state)
{
    static const char *const denied[] = {
        "SELECT count(*) FROM messages_default",
        "DELETE FROM messages_default",
        "ALTER TABLE articles DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE articles NO FORCE ROW LEVEL SECURITY",
        "DROP TABLE messages_default",
        "CREATE TABLE evil (i int)",
        "CREATE POLICY evil ON articles USING (true)",
        "SET ROLE frontdesk_platform",
        "SELECT protect_tenant_rows('articles')",
        "SELECT give_to_platform('app_org()')",
        "UPDATE plans SET requests_per_minute = 1000000",
        "UPDATE platform_secrets SET value = 'x'",
        "DELETE FROM platform_secrets",
        "INSERT INTO schema_migrations (version, name, sha256) VALUES (99, 'x', 'x')",
    };

    for (size_t i = 0; i < sizeof(denied) / sizeof(denied[0]); i++)
        refused(*state, "42501", denied[i]);
    /* a temporary table does not come before the real one inside a platform function */
    assert_int_equal(attempt(*state, ALICE,
                             "CREATE TEMPORARY TABLE organizations AS SELECT"
                             " gen_random_uuid() AS id, 'evil' AS name",
                             NULL),
                     DB_OK);
    PGresult *result;
    assert_int_equal(attempt(*state, ALICE,
                             "SELECT name FROM platform_organizations()"
                             " ORDER BY name",
                             &result),
                     DB_OK);
    assert_int_equal(PQntuples(result), 2);
    assert_string_equal(db_text(result, 0, 0), "Alice");
    PQclear(result);
    assert_int_equal(attempt(*state, ALICE, "DROP TABLE pg_temp.organizations", NULL), DB_OK);
}

static void test_limits_are_numbers(void **state)
{
    static const char *const bad[] = {
        "UPDATE organizations SET limits = '{\"requests_per_minute\": \"many\"}'",
        "UPDATE organizations SET limits = '{\"requests_per_minute\": 0}'",
        "UPDATE organizations SET limits = '{\"concurrent_chats\": 1.5}'",
        "UPDATE organizations SET limits = '{\"messages_per_month\": -1}'",
        "UPDATE organizations SET limits = '[]'",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        refused(*state, "23514", bad[i]);
}

static void test_keys(void **state)
{
    static const char *const origins[] = {"https://shop.example", "https://*.shop.example"};
    const struct key_new page = {BOB, "page", FD_KEY_PUBLISHABLE, origins, 2, NULL};
    const struct key_new server = {BOB, "server", FD_KEY_SECRET, NULL, 0, NULL};
    char key[FD_API_KEY_SIZE], other[FD_API_KEY_SIZE], id[37], new_id[37];
    char sha256[FD_SHA256_HEX_SIZE], expected[FD_SHA256_HEX_SIZE];
    bool changed;

    assert_int_equal(keys_create(*state, &page, key, id), DB_OK);
    fd_sha256_hex(expected, key, strlen(key));
    assert_string_equal(pg_do(&pg, "SELECT key_sha256 FROM api_keys WHERE name = 'page'"),
                        expected);
    assert_string_equal(pg_do(&pg, "SELECT count(*) FROM api_keys k WHERE k::text LIKE '%fd_pk_%'"),
                        "0"); /* the key itself is nowhere */

    /* another organisation's id opens nothing */
    assert_int_equal(keys_rotate(*state, ALICE, id, 0, other, new_id), DB_FAILED);
    assert_int_equal(keys_revoke(*state, ALICE, id, sha256), DB_FAILED);
    assert_int_equal(keys_set_origins(*state, ALICE, id, origins, 1, &changed), DB_OK);
    assert_false(changed);
    assert_string_equal(pg_do(&pg, "SELECT cardinality(origins) FROM api_keys WHERE name = 'page'"),
                        "2");
    assert_string_equal(pg_do(&pg, "SELECT generation FROM organizations WHERE name = 'Bob'"), "2");

    assert_int_equal(keys_rotate(*state, BOB, id, 3600, other, new_id), DB_OK);
    assert_string_not_equal(key, other);
    assert_string_equal(pg_do(&pg, "SELECT count(*) FROM platform_live_keys() WHERE kind = 'pk'"
                                   " AND cardinality(origins) = 2"),
                        "2");
    assert_int_equal(keys_rotate(*state, BOB, new_id, 0, other, new_id), DB_OK);
    assert_int_equal(keys_revoke(*state, BOB, id, sha256), DB_OK);
    assert_string_equal(sha256, expected);
    assert_int_equal(keys_revoke(*state, BOB, id, sha256), DB_FAILED);
    assert_int_equal(keys_rotate(*state, BOB, id, 0, other, new_id), DB_FAILED);
    assert_string_equal(pg_do(&pg, "SELECT count(*) FROM platform_live_keys()"), "1");
    assert_string_equal(pg_do(&pg, "SELECT generation FROM organizations WHERE name = 'Bob'"), "5");

    assert_int_equal(keys_create(*state, &server, key, id), DB_OK);
    assert_int_equal(
        keys_create(*state, &(struct key_new){BOB, "", FD_KEY_SECRET, NULL, 0, NULL}, key, id),
        DB_FAILED);
    assert_int_equal(
        keys_create(*state, &(struct key_new){BOB, "x", FD_KEY_SECRET, origins, 1, NULL}, key, id),
        DB_FAILED);
    assert_int_equal(keys_create(*state,
                                 &(struct key_new){BOB, "x", FD_KEY_PUBLISHABLE, NULL, 0, NULL},
                                 key, id),
                     DB_FAILED);
    assert_int_equal(
        keys_create(*state, &(struct key_new){BOBS, "x", FD_KEY_SECRET, NULL, 0, NULL}, key, id),
        DB_FAILED);
    assert_non_null(strstr(db_error(*state), "no such organisation"));
    assert_int_equal(keys_revoke(*state, BOB, "'; DROP TABLE api_keys; --", sha256), DB_FAILED);
    assert_int_equal(keys_rotate(*state, BOB, id, -1, other, new_id), DB_FAILED);
    pg_do(&pg, "UPDATE organizations SET status = 'disabled' WHERE name = 'Bob'");
    assert_string_equal(pg_do(&pg, "SELECT count(*) FROM platform_live_keys()"), "0");
    pg_do(&pg, "UPDATE organizations SET status = 'active'");
}

static void test_tenant_load(void **state)
{
    const struct config config = {.temperature = 0.25,
                                  .max_tokens = 77,
                                  .max_chunk_tokens = 1000,
                                  .max_chunks = 6,
                                  .max_context_tokens = 6000};
    struct tenant *t;

    assert_int_equal(tenant_load(*state, &config, BOBS, &t), DB_OK);
    assert_null(t);
    assert_int_equal(tenant_load(*state, &config, "no id", &t), DB_OK);
    assert_null(t);

    assert_int_equal(tenant_load(*state, &config, ALICE, &t), DB_OK); /* no settings stored */
    assert_string_equal(t->name, "Alice");
    assert_true(t->active && t->enabled);
    assert_false(t->has_knowledge); /* Bob's does not count */
    assert_string_equal(t->language, "en");
    assert_null(t->fast_model);
    assert_int_equal(t->max_tokens, 77);
    assert_int_equal(t->reasoning_min_tokens, 2500);
    assert_int_equal(t->reasoning_min_chunks, 4);
    assert_int_equal(t->enabled_model_count, 0);
    tenant_unref(t);

    pg_do(&pg, "UPDATE org_ai_settings SET enabled = false, temperature = 0.9, max_chunks = 3,"
               " routing = 'default', default_model_id = 'm', fast_model = 'f', languages = '{he}',"
               " enabled_models = '[{\"model_id\":\"m\"},{\"model_id\":\"n\"},{\"x\":1}]',"
               " intent_words = '{\"booking\":[\"book\",5,\"table\"],\"empty\":[],\"bad\":1}'");
    assert_int_equal(tenant_load(*state, &config, BOB, &t), DB_OK);
    assert_false(t->enabled);
    assert_true(t->has_knowledge && t->route_by_default_model);
    assert_string_equal(t->language, "he");
    assert_string_equal(t->default_model, "m");
    assert_string_equal(t->fast_model, "f");
    assert_true(t->temperature > 0.89);
    assert_int_equal(t->max_chunks, 3);
    assert_int_equal(t->enabled_model_count, 2);
    assert_string_equal(t->enabled_models[1], "n");
    assert_int_equal(t->intent_count, 1);
    assert_string_equal(t->intents[0].intent, "booking");
    assert_int_equal(t->intents[0].count, 2);
    tenant_unref(t);
}

static void test_knowledge(void **state)
{
    struct arena a;
    struct article article;
    char error[128];
    int64_t written;
    const char *text = "# T\nintro\n## H\nmore";

    arena_init(&a);
    for (int round = 0; round < 2; round++) { /* the same slug as Bob's, twice */
        assert_true(article_split(&a, "a", NULL, text, strlen(text), &article, error));
        assert_int_equal(db_begin(*state, ALICE), DB_OK);
        const struct knowledge_article put = {&article, "en", "a.md", IMPORT_MARKDOWN};
        assert_int_equal(knowledge_put_article(*state, ALICE, &put, NULL), DB_OK);
        assert_int_equal(db_commit(*state), DB_OK);
    }
    assert_string_equal(pg_do(&pg,
                              "SELECT string_agg(o.name || ':' || s.slug || ':' || s.label, ' '"
                              " ORDER BY o.name, s.position) FROM article_sections s"
                              " JOIN organizations o ON o.id = s.org_id"),
                        "Alice:a:T Alice:a.2:T - H Bob:a:l");
    const char *json = "[{\"sku\":\"s\",\"name\":\"N\",\"price_minor\":5,\"currency\":\"ILS\"}]";
    assert_int_equal(knowledge_put_products(*state, ALICE, json, &written), DB_OK);
    assert_int_equal(knowledge_put_products(*state, ALICE, json, &written), DB_OK);
    assert_int_equal(written, 1);
    assert_string_equal(pg_do(&pg, "SELECT string_agg(name, ' ' ORDER BY name) FROM products"),
                        "N n");
    assert_int_equal(knowledge_put_products(*state, ALICE, "{", &written), DB_FAILED);
    assert_int_equal(knowledge_put_products(*state, ALICE, "[{\"sku\":\"x\"}]", &written),
                     DB_CONFLICT);
    arena_free(&a);
}

/* The default partition caught rows of several organisations; several workers make the
 * month at once. */
static void test_partition(void **state)
{
    static const char sql[] =
        "SELECT platform_messages_partition((now() + interval '75 days')::date)";
    static const struct db_statement make = {"t_make", sql, 0};
    pid_t pids[4];

    for (int i = 0; i < 4; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            char url[200];
            snprintf(url, sizeof(url), "%s options='-c timezone=Asia/Tokyo'", pg.app);
            struct db *db = db_new(url, "test");
            _exit(db_query(db, NULL, &make, NULL, NULL) == DB_OK ? 0 : 1);
        }
    }
    for (int i = 0; i < 4; i++) {
        int status;
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
    assert_string_equal(
        pg_do(&pg,
              "SELECT tableoid::regclass::text = 'messages_' || to_char(created_at AT TIME ZONE"
              " 'UTC', 'YYYYMM') FROM messages WHERE content = 'later'"),
        "t");
    assert_string_equal(
        pg_do(&pg, "SELECT bool_and(relrowsecurity AND relforcerowsecurity AND relacl IS NULL)"
                   " FROM pg_class WHERE relispartition AND relkind = 'r'"),
        "t");
    assert_int_equal(partition_ensure(*state), DB_OK);
    assert_int_equal(
        attempt(*state, NULL, "SELECT platform_messages_partition('2099-01-01')", NULL), DB_FAILED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_table_is_listed_and_forced),
        cmocka_unit_test(test_rows_of_another),
        cmocka_unit_test(test_writes_into_another),
        cmocka_unit_test(test_references_to_another),
        cmocka_unit_test(test_what_the_role_may_not),
        cmocka_unit_test(test_limits_are_numbers),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_tenant_load),
        cmocka_unit_test(test_knowledge),
        cmocka_unit_test(test_partition),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
