/* ENG-3, ENG-4: tenant/ai_settings.h - what may be set, in the contract's words; stored,
 * listed and compared on a real server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "schema_fixture.h"
#include "tenant/ai_models.h"
#include "tenant/ai_presets.h"
#include "tenant/ai_settings.h"
#include "tenant/tenant.h"

#define ORG   "aaaaaaaa-0000-4000-8000-00000000000a"
#define OTHER "bbbbbbbb-0000-4000-8000-00000000000b"
#define AT    "2026-01-02T03:04:05Z"

static struct pg_fixture pg;
static struct arena arena;
static struct db *db;

static const struct fd_json *json(const char *text)
{
    struct fd_json_fault fault;
    const struct fd_json *value = fd_json_parse(text, strlen(text), (struct fd_json_limits){0},
                                                arena_allocator(&arena), &fault);
    if (value == NULL)
        fail_msg("not JSON: %s", text);
    return value;
}

/* -- pure ------------------------------------------------------------------------------- */

static const char *merge(const char *now, const char *patch, struct ai_fault *fault)
{
    struct buf out;
    buf_init(&out, AI_SETTINGS_BYTES_MAX);
    bool ok = ai_settings_merge(&arena, json(now), json(patch), AT, &out, fault);
    const char *text = ok ? arena_strdup(&arena, out.data) : NULL;
    buf_free(&out);
    return text;
}

static void refuse(const char *now, const char *patch, const char *field, const char *why)
{
    struct ai_fault fault;
    if (merge(now, patch, &fault) != NULL)
        fail_msg("taken: %s", patch);
    if (strcmp(fault.field, field) != 0 || strstr(fault.detail, why) == NULL)
        fail_msg("%s: %s: %s", patch, fault.field, fault.detail);
}

static const struct fd_json *take(const char *now, const char *patch)
{
    struct ai_fault fault;
    const char *merged = merge(now, patch, &fault);
    if (merged == NULL)
        fail_msg("%s: %s: %s", patch, fault.field, fault.detail);
    return json(merged);
}

#define TWO                                                                                        \
    "{\"enabled_models\":[{\"model_id\":\"m/a\",\"is_default\":true,\"custom_label\":\"A\","       \
    "\"enabled_at\":\"t\"},{\"model_id\":\"m/b\",\"is_default\":false}],"                          \
    "\"default_model_id\":\"m/a\",\"fast_model\":\"m/b\"}"

static void the_contracts_refusals(void **state)
{
    (void)state;
    refuse("{}", "{\"enabled_models\":[{\"model_id\":\"a\"},{\"model_id\":\"b\"}]}",
           "enabled_models", "Exactly one model must be set as default");
    refuse("{}",
           "{\"enabled_models\":[{\"model_id\":\"a\",\"is_default\":true},"
           "{\"model_id\":\"b\",\"is_default\":true}]}",
           "enabled_models", "Exactly one model must be set as default");
    refuse("{}",
           "{\"enabled_models\":[{\"model_id\":\"a\",\"is_default\":true}],"
           "\"default_model_id\":\"b\"}",
           "default_model_id", "Default model must be enabled");
    refuse("{}",
           "{\"enabled_models\":[{\"model_id\":\"a\",\"is_default\":true},{\"model_id\":\"b\"}],"
           "\"default_model_id\":\"b\"}",
           "enabled_models", "Exactly one model must be set as default");
    refuse(TWO, "{\"default_model_id\":\"m/c\"}", "default_model_id",
           "Default model must be enabled");
    refuse(TWO, "{\"default_model_id\":null}", "default_model_id",
           "Exactly one model must be set as default");
    refuse(TWO, "{\"reasoning_model\":\"m/c\"}", "reasoning_model",
           "Model m/c is not enabled for this organization");
    refuse(TWO, "{\"enabled_models\":[{\"model_id\":\"m/a\",\"is_default\":true}]}", "fast_model",
           "Model m/b is not enabled for this organization"); /* it is a tier's */
    refuse(TWO, "{\"ab_split\":{\"percent\":5,\"b\":{\"fast_model\":\"m/c\"}}}", "ab_split",
           "Model m/c is not enabled for this organization");
    refuse(TWO, "{\"sentiment_model\":\"m/c\"}", "sentiment_model", /* ENG-14 */
           "Model m/c is not enabled for this organization");
    refuse("{}", "{\"sentiment_model\":\"m/c\"}", "sentiment_model", "not enabled");
    refuse("{}", "{\"sentiment_model\":7}", "sentiment_model", "must be a model's id");
    refuse("{\"enabled_models\":[{\"model_id\":\"m/a\",\"is_default\":true},"
           "{\"model_id\":\"m/b\"}],\"default_model_id\":\"m/a\",\"sentiment_model\":\"m/b\"}",
           "{\"enabled_models\":[{\"model_id\":\"m/a\",\"is_default\":true}]}", "sentiment_model",
           "Model m/b is not enabled for this organization");
    refuse("{}", "{\"max_chunk_tokens\":299}", "max_chunk_tokens", "at least 300");
    refuse("{}", "{\"max_chunks\":0}", "max_chunks", "at least 1");
    refuse("{}", "{\"temperature\":1.01}", "temperature", "at most 1");
    refuse("{}", "{\"temperature\":-0.1}", "temperature", "at least 0");
}

static void bad_values_are_named(void **state)
{
    static const char *const cases[][3] = {
        {"{\"nonsense\":1}", "nonsense", "no such setting"},
        {"{\"org_id\":\"x\"}", "org_id", "no such setting"},
        {"{\"widget\":{}}", "widget", "no such setting"},
        {"{\"enabled\":\"yes\"}", "enabled", "true or false"},
        {"{\"routing\":\"best\"}", "routing", "auto|default"},
        {"{\"routing\":5}", "routing", "auto|default"},
        {"{\"temperature\":\"hot\"}", "temperature", "number"},
        {"{\"max_tokens\":1.5}", "max_tokens", "whole number"},
        {"{\"max_tokens\":40000}", "max_tokens", "at most 32000"},
        {"{\"route_version\":3}", "route_version", "at most 2"},
        {"{\"fast_model\":\"a b\"}", "fast_model", "model's id"},
        {"{\"fast_model\":\"\"}", "fast_model", "model's id"},
        {"{\"enabled_models\":{}}", "enabled_models", "list"},
        {"{\"enabled_models\":[5]}", "enabled_models", "object"},
        {"{\"enabled_models\":[{\"model_id\":7}]}", "enabled_models", "model_id"},
        {"{\"enabled_models\":[{\"model_id\":\"a\",\"price\":0}]}", "enabled_models", "price"},
        {"{\"enabled_models\":[{\"model_id\":\"a\",\"is_default\":1}]}", "enabled_models",
         "is_default"},
        {"{\"enabled_models\":[{\"model_id\":\"a\",\"is_default\":true},{\"model_id\":\"a\"}]}",
         "enabled_models", "listed twice"},
        {"{\"enabled_models\":[{\"model_id\":\"a\",\"is_default\":true,\"custom_label\":\"\"}]}",
         "enabled_models", "custom_label"},
        {"{\"intent_words\":{\"Bad Name\":[\"x\"]}}", "intent_words", "small letters"},
        {"{\"intent_words\":{\"ok\":\"x\"}}", "intent_words", "ok must be a list"},
        {"{\"intent_words\":{\"ok\":[\"\"]}}", "intent_words", "1 to 80 bytes"},
        {"{\"route_shadow\":{\"version\":9}}", "route_version", "at most 2"},
        {"{\"route_shadow\":{\"verson\":2}}", "route_shadow", "verson"},
        {"{\"route_shadow\":[]}", "route_shadow", "object"},
        {"{\"ab_split\":{\"percent\":101,\"a\":{\"fast_model\":\"x\"}}}", "ab_split", "percent"},
        {"{\"ab_split\":{\"percent\":50}}", "ab_split", "an arm must have a model"},
        {"{\"ab_split\":{\"percent\":50,\"a\":{\"fast_model\":5}}}", "ab_split", "fast_model"},
        {"{\"ab_split\":{\"percent\":50,\"c\":{}}}", "ab_split", "\"c\""},
        {"{\"model_presets\":{\"cooking\":[]}}", "model_presets", "cooking"},
        {"{\"model_presets\":{\"coding\":\"x\"}}", "model_presets", "coding must be a list"},
        {"{\"model_suggestions\":{\"code\":[]}}", "model_suggestions", "code must be a model's id"},
        {"{\"region_allow_list\":\"eu\"}", "region_allow_list", "list"},
        {"{\"region_allow_list\":[5]}", "region_allow_list", "list"},
        {"{\"languages\":[]}", "languages", "1 to 16"},
        {"{\"system_prompt\":[]}", "system_prompt", "text"},
        {"{\"monthly_budget_usd\":1}", "monthly_budget_usd", "no such setting"}, /* the budget's */
        {"[]", "", "object"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        refuse("{}", cases[i][0], cases[i][1], cases[i][2]);
    char many[8192] = "{\"enabled_models\":[";
    for (int i = 0; i <= AI_MODELS_MAX; i++)
        snprintf(many + strlen(many), 64, "%s{\"model_id\":\"m%d\"}", i > 0 ? "," : "", i);
    strcat(many, "]}");
    refuse("{}", many, "enabled_models", "at most 100");
}

static void flags_and_default_agree(void **state)
{
    (void)state;
    const struct fd_json *s = take(TWO, "{\"default_model_id\":\"m/b\"}");
    const struct fd_json *models = fd_json_get(s, "enabled_models")->child;
    assert_false(fd_json_bool(models, "is_default", true));
    assert_true(fd_json_bool(models->next, "is_default", false));
    assert_string_equal(fd_json_string(models, "custom_label"), "A");
    assert_string_equal(fd_json_string(models, "enabled_at"), "t"); /* kept */
    assert_string_equal(fd_json_string(models->next, "enabled_at"), AT);

    s = take("{}", "{\"enabled_models\":[{\"model_id\":\"x\",\"is_default\":true}]}");
    assert_string_equal(fd_json_string(s, "default_model_id"), "x");
    s = take("{}", "{\"default_model_id\":\"x\",\"fast_model\":\"y\"}"); /* no list: any model */
    assert_string_equal(fd_json_string(s, "default_model_id"), "x");
    s = take(TWO, "{\"enabled_models\":null,\"temperature\":0.5}");
    assert_int_equal(fd_json_get(s, "enabled_models")->count, 0);
    assert_string_equal(fd_json_string(s, "fast_model"), "m/b");

    /* what other hands left behind does not keep up who changes something else */
    s = take("{\"enabled_models\":[{\"model_id\":\"a\"},{\"x\":1}],\"fast_model\":\"gone\"}",
             "{\"max_chunks\":2}");
    assert_int_equal(fd_json_int(s, "max_chunks", 0), 2);
    s = take("{}", "{}");
    assert_true(fd_json_bool(s, "enabled", false));
    assert_int_equal(fd_json_int(s, "reasoning_min_tokens", 0), 2500);
    assert_int_equal(fd_json_int(s, "reasoning_min_chunks", 0), 4);
    s = take("{\"reasoning_min_tokens\":10}", "{\"reasoning_min_tokens\":null}");
    assert_int_equal(fd_json_int(s, "reasoning_min_tokens", 0), 2500);
}

static const char *assign(const char *assignment, struct ai_fault *fault)
{
    struct fd_json_writer w;
    struct buf out;
    buf_init(&out, 4096);
    buf_json(&out, &w);
    fd_jw_object(&w);
    bool ok = ai_settings_assign(&w, assignment, fault);
    fd_jw_end_object(&w);
    const char *text = buf_json_end(&out, &w) && ok ? arena_strdup(&arena, out.data) : NULL;
    buf_free(&out);
    return text;
}

static void assignments_of_a_command_line(void **state)
{
    static const char *const cases[][2] = {
        {"temperature=0.3", "{\"temperature\":0.3}"},
        {"fast_model=openai/gpt-4.1", "{\"fast_model\":\"openai/gpt-4.1\"}"},
        {"fast_model=null", "{\"fast_model\":null}"},
        {"routing=default", "{\"routing\":\"default\"}"},
        {"system_prompt=Be \"kind\" = good", "{\"system_prompt\":\"Be \\\"kind\\\" = good\"}"},
        {"region_allow_list=eu,us", "{\"region_allow_list\":[\"eu\",\"us\"]}"},
        {"region_allow_list=[\"eu\"]", "{\"region_allow_list\":[\"eu\"]}"},
        {"region_allow_list=", "{\"region_allow_list\":[]}"},
        {"route_sticky=true", "{\"route_sticky\":true}"},
        {"route_shadow={\"version\":2}", "{\"route_shadow\":{\"version\":2}}"},
    };
    struct ai_fault fault;
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const char *text = assign(cases[i][0], &fault);
        if (text == NULL)
            fail_msg("%s: %s", cases[i][0], fault.detail);
        assert_string_equal(text, cases[i][1]);
    }
    assert_null(assign("nothing=1", &fault));
    assert_string_equal(fault.field, "nothing");
    assert_null(assign("temperature", &fault));
    assert_non_null(strstr(fault.detail, "temperature=value"));
    assert_null(assign("temperature=hot", &fault));
    assert_non_null(strstr(fault.detail, "not JSON"));
    assert_null(assign("=", &fault));
}

static void presets_and_suggestions(void **state)
{
    const char *models[AI_PRESET_MODELS_MAX];
    (void)state;
    assert_int_equal(ai_preset_models(NULL, "coding", models), 2);
    assert_string_equal(models[0], "claude-3-5-sonnet");
    assert_string_equal(models[1], "gpt-4");
    assert_int_equal(ai_preset_models(NULL, "nothing", models), 0);
    assert_string_equal(ai_task_model(NULL, "code"), "anthropic/claude-3-5-sonnet");
    assert_string_equal(ai_task_model(NULL, "cheap"), "anthropic/claude-3-haiku");
    assert_string_equal(ai_task_model(NULL, "creative"), "anthropic/claude-3-opus");
    assert_string_equal(ai_task_model(NULL, "long"), "gemini-pro-1.5");
    assert_string_equal(ai_task_model(json("{\"code\":\"mine\"}"), "code"), "mine");
    static const char *const questions[][2] = {
        {"Debug this function", "code"}, {"a CHEAP one", "cheap"},
        {"something simple", "cheap"},   {"be creative", "creative"},
        {"כתוב לי סיפור", "creative"},   {"הקוד לא עובד", "code"},
    };
    for (size_t i = 0; i < 6; i++)
        assert_string_equal(ai_task_of(&arena, questions[i][0]), questions[i][1]);
    assert_null(ai_task_of(&arena, "Where is my order, decoder?"));
    assert_true(ai_model_is("anthropic/claude-3-opus", "claude-3-opus"));
    assert_true(ai_model_is("claude-3-opus", "anthropic/claude-3-opus"));
    assert_false(ai_model_is("x/claude-3-opus", "anthropic/claude-3-opus"));
    assert_false(ai_model_is("anthropic/claude-3-opus-2", "claude-3-opus"));
}

/* -- stored ------------------------------------------------------------------------------ */

static struct buf out;
static struct ai_fault fault;

static enum db_status change(const char *patch)
{
    buf_reset(&out);
    return ai_settings_change(db, ORG, json(patch), &fault, &out);
}

static void stored_and_read_back(void **state)
{
    (void)state;
    assert_int_equal(ai_settings_read(db, ORG, &out), DB_OK); /* none stored yet */
    assert_true(fd_json_bool(json(out.data), "enabled", false));
    static const char all[] =
        "{\"enabled\":false,\"enabled_models\":[{\"model_id\":\"m/a\",\"is_default\":true,"
        "\"custom_label\":\"A\",\"enabled_at\":\"t\"}],\"default_model_id\":\"m/a\","
        "\"routing\":\"default\",\"fast_model\":\"m/a\",\"reasoning_model\":null,"
        "\"fallback_model\":null,\"sentiment_model\":\"m/"
        "a\",\"temperature\":0.25,\"max_tokens\":100,\"max_chunk_tokens\":400,"
        "\"max_chunks\":3,\"max_context_tokens\":900,\"reasoning_min_tokens\":0,"
        "\"reasoning_min_chunks\":9,\"intent_words\":{\"support\":[\"broken\"]},"
        "\"route_version\":2,\"route_sticky\":true,\"route_shadow\":{\"version\":1},"
        "\"ab_split\":{\"percent\":10,\"b\":{\"fast_model\":\"m/a\"}},"
        "\"model_presets\":{\"coding\":[\"m/a\"]},\"model_suggestions\":{\"code\":\"m/a\"},"
        "\"region_allow_list\":[\"eu\"],"
        "\"system_prompt\":\"Be kind.\",\"languages\":[\"he\",\"en\"]}";
    assert_int_equal(change(all), DB_OK);
    assert_string_equal(fault.detail, "");
    buf_reset(&out);
    assert_int_equal(ai_settings_read(db, ORG, &out), DB_OK);
    const struct fd_json *want = json(all);
    const struct fd_json *have = json(out.data);
    assert_int_equal(have->count, want->count);
    struct buf a, b; /* jsonb orders members by itself: compare what is plain */
    for (const struct fd_json *m = want->child; m != NULL; m = m->next) {
        if (m->type == FD_JSON_OBJECT)
            continue;
        struct fd_json_writer w;
        buf_init(&a, 4096), buf_init(&b, 4096);
        buf_json(&a, &w), fd_jw_json(&w, m), buf_json_end(&a, &w);
        buf_json(&b, &w), fd_jw_json(&w, fd_json_get(have, m->key)), buf_json_end(&b, &w);
        if (strcmp(a.data, b.data) != 0 && strcmp(m->key, "enabled_models") != 0)
            fail_msg("%s: %s is not %s", m->key, b.data, a.data);
        buf_free(&a), buf_free(&b);
    }
    assert_int_equal(change("{\"max_chunks\":5,\"default_model_id\":\"m/zzz\"}"), DB_OK);
    assert_string_equal(fault.detail, "Default model must be enabled");
    assert_string_equal(pg_do(&pg, "SELECT max_chunks FROM org_ai_settings"), "3"); /* or none */
    assert_string_equal(pg_do(&pg, "SELECT count(*) FROM org_ai_settings"), "1");   /* whose? */
    assert_int_equal(ai_settings_read(db, "cccccccc-0000-4000-8000-00000000000c", &out), DB_FAILED);
}

static void the_list_of_models(void **state)
{
    (void)state;
    pg_do(&pg, "DELETE FROM org_ai_settings");
    assert_int_equal(ai_models_enable(db, ORG, "m/one", NULL, &fault, &out), DB_OK);
    assert_string_equal(fault.detail, "");
    assert_int_equal(ai_models_enable(db, ORG, "m/two", "Two", &fault, &out), DB_OK);
    assert_int_equal(ai_models_enable(db, ORG, "m/two", "Zwei", &fault, &out), DB_OK);
    const struct fd_json *s = json(out.data);
    assert_string_equal(fd_json_string(s, "default_model_id"), "m/one"); /* the first */
    assert_int_equal(fd_json_get(s, "enabled_models")->count, 2);
    assert_string_equal(
        fd_json_string(fd_json_get(s, "enabled_models")->child->next, "custom_label"), "Zwei");
    assert_int_equal(ai_models_disable(db, ORG, "m/one", &fault, &out), DB_OK);
    assert_string_equal(fault.detail, "Default model must be enabled");
    assert_int_equal(ai_models_disable(db, ORG, "m/none", &fault, &out), DB_OK);
    assert_string_equal(fault.detail, "Model m/none is not enabled for this organization");
    assert_int_equal(change("{\"default_model_id\":\"m/two\"}"), DB_OK);
    assert_int_equal(ai_models_disable(db, ORG, "m/one", &fault, &out), DB_OK);
    assert_string_equal(fault.detail, "");
    assert_int_equal(ai_models_enable(db, ORG, "two words", NULL, &fault, &out), DB_OK);
    assert_non_null(strstr(fault.detail, "model_id"));
    assert_int_equal(ai_models_enable(db, ORG, "m/two", "", &fault, &out), DB_OK);
    assert_null(
        fd_json_string(fd_json_get(json(out.data), "enabled_models")->child, "custom_label"));
}

/* Two at once: neither change is lost. */
static void changes_take_turns(void **state)
{
    pid_t pids[4];
    (void)state;
    pg_do(&pg, "DELETE FROM org_ai_settings");
    for (int i = 0; i < 4; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            struct db *own = db_new(pg.app, "test");
            char id[32];
            int ok = 0;
            for (int k = 0; k < 5; k++) {
                snprintf(id, sizeof(id), "m/%d-%d", i, k);
                ok += ai_models_enable(own, ORG, id, NULL, &fault, &out) == DB_OK;
            }
            _exit(ok == 5 ? 0 : 1);
        }
    }
    for (int i = 0; i < 4; i++) {
        int status;
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
    assert_string_equal(
        pg_do(&pg, "SELECT jsonb_array_length(enabled_models) FROM org_ai_settings"), "20");
}

/* -- the catalogue as an org sees it; what a worker loads -------------------------------- */

static void fill_catalogue(void)
{
    pg_do(&pg, "DELETE FROM org_ai_settings; DELETE FROM model_catalog;"
               "INSERT INTO model_catalog (model_id, provider, name, context_length, region) VALUES"
               " ('anthropic/claude-3-5-sonnet', 'openrouter', 'Sonnet', 200000, 'us'),"
               " ('openai/gpt-4', 'openrouter', 'GPT-4', 8191, 'EU'),"
               " ('mock', 'openai', 'Mock', NULL, NULL), ('gpt-4', 'openai', 'GPT-4', 8191, 'us');"
               "INSERT INTO model_prices VALUES"
               " ('anthropic/claude-3-5-sonnet', '2024-01-01', 3000000, 15000000, 300000, NULL),"
               " ('openai/gpt-4', '2024-01-01', NULL, NULL, NULL, NULL);");
}

static const struct fd_json *row_of(const struct fd_json *list, const char *id)
{
    for (const struct fd_json *m = fd_json_get(list, "models")->child; m != NULL; m = m->next) {
        if (strcmp(fd_json_string(m, "model_id"), id) == 0)
            return m;
    }
    fail_msg("%s is not listed", id);
    return NULL;
}

static void models_as_an_org_sees_them(void **state)
{
    (void)state;
    fill_catalogue();
    assert_int_equal(
        change("{\"enabled_models\":[{\"model_id\":\"anthropic/claude-3-5-sonnet\","
               "\"is_default\":true,\"custom_label\":\"Ours\"},{\"model_id\":\"openai/gpt-4\"},"
               "{\"model_id\":\"local/unknown\"}]}"),
        DB_OK);
    buf_reset(&out);
    assert_int_equal(ai_models_json(db, ORG, &out), DB_OK);
    const struct fd_json *list = json(out.data);
    const struct fd_json *m = row_of(list, "anthropic/claude-3-5-sonnet");
    assert_string_equal(fd_json_string(m, "price_hint"), "$9.00/1M tokens \xc2\xb7 200k context");
    assert_string_equal(fd_json_string(m, "custom_label"), "Ours");
    assert_string_equal(fd_json_string(m, "vendor"), "anthropic");
    assert_true(fd_json_bool(m, "is_default", false));
    assert_true(fd_json_double(fd_json_get(m, "usd_per_mtok"), "output", 0) > 14.99);
    assert_int_equal(
        fd_json_get(fd_json_get(row_of(list, "openai/gpt-4"), "usd_per_mtok"), "input")->type,
        FD_JSON_NULL); /* not known is not 0 */
    assert_true(fd_json_bool(row_of(list, "local/unknown"), "enabled", false));
    assert_false(fd_json_bool(row_of(list, "mock"), "enabled", true));
    const struct fd_json *coding = fd_json_get(fd_json_get(list, "presets"), "coding");
    assert_int_equal(coding->count, 2);
    assert_string_equal(coding->child->text, "anthropic/claude-3-5-sonnet");
    assert_int_equal(fd_json_get(fd_json_get(list, "presets"), "writing")->count, 1);
    assert_string_equal(fd_json_string(fd_json_get(list, "suggestions"), "code"),
                        "anthropic/claude-3-5-sonnet");
    assert_null(fd_json_string(fd_json_get(list, "suggestions"), "cheap"));

    assert_int_equal(change("{\"region_allow_list\":[\"eu\"]}"), DB_OK);
    buf_reset(&out);
    assert_int_equal(ai_models_json(db, ORG, &out), DB_OK);
    list = json(out.data);
    assert_false(fd_json_bool(row_of(list, "anthropic/claude-3-5-sonnet"), "allowed", true));
    assert_true(fd_json_bool(row_of(list, "openai/gpt-4"), "allowed", false));
    assert_false(fd_json_bool(row_of(list, "local/unknown"), "allowed", true)); /* not known */
    coding = fd_json_get(fd_json_get(list, "presets"), "coding");
    assert_int_equal(coding->count, 1);
    assert_null(fd_json_string(fd_json_get(list, "suggestions"), "code"));
    /* the picker of the widget */
    assert_string_equal(pg_do(&pg, "SELECT jsonb_path_query_array(models, '$[*].model_id')"
                                   "  FROM platform_widget_settings() WHERE name = 'Org'"),
                        "[\"openai/gpt-4\"]");
    assert_string_equal(pg_do(&pg, "SELECT coalesce(default_model_id, 'Auto')"
                                   "  FROM platform_widget_settings() WHERE name = 'Org'"),
                        "Auto");
    buf_reset(&out);
    assert_int_equal(ai_models_json(db, OTHER, &out), DB_OK); /* another's list is its own */
    assert_false(fd_json_bool(row_of(json(out.data), "openai/gpt-4"), "enabled", true));
}

static void what_a_worker_loads(void **state)
{
    const struct config config = {.llm_provider = "openai",
                                  .openai = {.api_key = "k", .fast_model = "mock"},
                                  .max_tokens = 5};
    struct tenant *t;
    (void)state;
    fill_catalogue();
    assert_int_equal(
        change(
            "{\"enabled_models\":[{\"model_id\":\"openai/gpt-4\",\"is_default\":true}],"
            "\"region_allow_list\":[\"eu\"],\"route_version\":2,\"route_sticky\":true,"
            "\"route_shadow\":{\"reasoning_min_chunks\":2},\"intent_words\":{\"a\":[\"b\",\"c\"]},"
            "\"ab_split\":{\"percent\":25,\"b\":{\"fast_model\":\"openai/gpt-4\"}},"
            "\"model_presets\":{\"cheap\":[\"openai/gpt-4\"]}}"),
        DB_OK);
    assert_string_equal(fault.detail, "");
    assert_int_equal(tenant_load(db, &config, ORG, &t), DB_OK);
    assert_int_equal(tenant_model(t, "openai/gpt-4")->context_length, 8191);
    assert_int_equal(tenant_model(t, "openai/gpt-4")->input, -1);
    assert_non_null(tenant_model(t, "gpt-4")); /* as OpenAI itself calls it */
    assert_non_null(tenant_model(t, "mock"));  /* the endpoint's own */
    assert_null(tenant_model(t, "anthropic/claude-3-5-sonnet"));
    assert_true(tenant_region_allows(t, "openai/gpt-4"));
    assert_false(tenant_region_allows(t, "gpt-4"));
    assert_false(tenant_region_allows(t, "mock"));
    assert_false(tenant_region_allows(t, "never heard of"));
    assert_int_equal(t->route_version, 2);
    assert_true(t->route_sticky);
    assert_int_equal(t->trial->version, 2);
    assert_int_equal(t->trial->reasoning_min_chunks, 2);
    assert_int_equal(t->trial->reasoning_min_tokens, 2500);
    assert_int_equal(phrases_count(t->intent_phrases), 2);
    assert_int_equal(t->split->percent, 25);
    assert_string_equal(t->split->name, TENANT_SPLIT);
    assert_string_equal(t->split->arms[1].fast_model, "openai/gpt-4");
    assert_null(t->split->arms[0].fast_model);
    assert_non_null(t->presets);
    tenant_unref(t);
    assert_int_equal(tenant_load(db, &config, OTHER, &t), DB_OK);
    assert_true(tenant_region_allows(t, "anything"));
    assert_null(t->split);
    assert_null(t->trial);
    tenant_unref(t);
}

/* -- ENG-16: the arms of a split ---------------------------------------------------------- */

static void arms_side_by_side(void **state)
{
    (void)state;
    pg_do(&pg,
          "INSERT INTO conversations (id, org_id, session_id, rating)"
          "  SELECT ('cccccccc-0000-4000-8000-00000000000' || n)::uuid, '" ORG "', 's' || n,"
          "         CASE n WHEN 1 THEN 5 WHEN 2 THEN 2 END FROM generate_series(1, 3) n;"
          "INSERT INTO messages (org_id, conversation_id, role, content, model_id, route, job_id,"
          "                      created_at, finished_at, feedback)"
          "  SELECT '" ORG
          "', ('cccccccc-0000-4000-8000-00000000000' || n)::uuid, 'assistant', 'x',"
          "         'm' || n, jsonb_build_object('split', 'spring', 'arm', arm,"
          "         'first_token_ms', n * 100), 'j' || n, now(), now() + n * interval '1 second',"
          "         feedback FROM (VALUES (1, 'a', 1), (2, 'b', -1), (3, 'b', NULL)) v (n, arm,"
          "         feedback);"
          "INSERT INTO usage_ledger (org_id, job_id, epoch, provider, model_id, cost_micro)"
          "  VALUES ('" ORG "', 'j1', 1, 'p', 'm1', 700), ('" ORG "', 'j2', 1, 'p', 'm2', 30),"
          "         ('" ORG "', 'j3', 1, 'p', 'm3', NULL);");
    buf_reset(&out);
    assert_int_equal(ai_split_json(db, ORG, "spring", 30, &out), DB_OK);
    const struct fd_json *arms = fd_json_get(json(out.data), "arms");
    const struct fd_json *a = arms->child, *b = a->next;
    assert_string_equal(fd_json_string(a, "arm"), "a");
    assert_int_equal(fd_json_int(a, "conversations", 0), 1);
    assert_int_equal(fd_json_int(a, "cost_micro", 0), 700);
    assert_int_equal(fd_json_int(fd_json_get(a, "first_token_ms"), "p50", 0), 100);
    assert_int_equal(fd_json_int(fd_json_get(a, "feedback"), "up", 0), 1);
    assert_int_equal((int)fd_json_double(fd_json_get(a, "rating"), "average", 0), 5);
    assert_int_equal(fd_json_int(b, "answers", 0), 2);
    assert_int_equal(fd_json_int(b, "cost_micro", 0), 30);
    assert_int_equal(fd_json_int(b, "unpriced_calls", 0), 1);
    assert_int_equal(fd_json_int(fd_json_get(b, "total_ms"), "p50", 0), 2500);
    assert_int_equal(fd_json_int(fd_json_get(b, "feedback"), "down", 0), 1);
    assert_int_equal(fd_json_int(fd_json_get(b, "rating"), "count", 0), 1);
    buf_reset(&out); /* another's, or none: empty arms, not none */
    assert_int_equal(ai_split_json(db, OTHER, NULL, 30, &out), DB_OK);
    a = fd_json_get(json(out.data), "arms")->child;
    assert_int_equal(fd_json_int(a, "answers", -1), 0);
    assert_string_equal(fd_json_string(json(out.data), "split"), TENANT_SPLIT);
}

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena);
    buf_init(&out, AI_SETTINGS_BYTES_MAX);
    if (!schema_start(&pg))
        return -1;
    pg_do(&pg,
          "INSERT INTO organizations (id, name) VALUES ('" ORG "', 'Org'), ('" OTHER "', 'Other')");
    db = db_new(pg.app, "test");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    db_free(db);
    buf_free(&out);
    arena_free(&arena);
    pg_end(&pg);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_contracts_refusals),
        cmocka_unit_test(bad_values_are_named),
        cmocka_unit_test(flags_and_default_agree),
        cmocka_unit_test(assignments_of_a_command_line),
        cmocka_unit_test(presets_and_suggestions),
        cmocka_unit_test(stored_and_read_back),
        cmocka_unit_test(the_list_of_models),
        cmocka_unit_test(changes_take_turns),
        cmocka_unit_test(models_as_an_org_sees_them),
        cmocka_unit_test(what_a_worker_loads),
        cmocka_unit_test(arms_side_by_side),
    };
    return cmocka_run_group_tests_name("ai settings", tests, set_up, tear_down);
}
