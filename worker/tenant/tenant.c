#include "tenant/tenant.h"

#include "core/buf.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/visible.h"
#include "llm/endpoint.h"
#include "protocol/ids.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define REASONING_MIN_TOKENS 2500
#define REASONING_MIN_CHUNKS 4
#define OWN_PROMPT_MAX       65536 /* bytes; settings allow fewer */

static const struct db_statement load = {
    "tenant_load",
    "SELECT o.status, o.name, o.business_info,"
    "       utc_offset_s(o.business_info->>'timezone'),"
    "       coalesce(s.enabled, true), coalesce(s.languages[1], 'en'), s.system_prompt,"
    "       s.routing = 'default', s.default_model_id, s.fast_model, s.reasoning_model,"
    "       s.fallback_model, s.temperature, s.max_tokens, s.max_chunk_tokens, s.max_chunks,"
    "       s.max_context_tokens, s.reasoning_min_tokens, s.reasoning_min_chunks,"
    "       s.enabled_models, s.intent_words, array_to_json(s.region_allow_list), s.ab_split,"
    "       s.model_presets, s.model_suggestions, s.route_version, s.route_sticky, s.route_shadow,"
    "       model_facts(ARRAY(SELECT jsonb_array_elements_text($2::jsonb))"
    "         || ARRAY(SELECT e->>'model_id' FROM jsonb_array_elements(s.enabled_models) e)"
    "         || ARRAY[s.default_model_id, s.fast_model, s.reasoning_model, s.fallback_model]"
    "         || ARRAY(SELECT e.model FROM org_ai_endpoints e WHERE e.org_id = $1)),"
    "       EXISTS (SELECT FROM article_sections WHERE org_id = $1)"
    "         OR EXISTS (SELECT FROM products WHERE org_id = $1)"
    "         OR EXISTS (SELECT FROM orders WHERE org_id = $1),"
    "       coalesce(b.monthly_micro, b.session_micro, b.user_micro) IS NOT NULL,"
    "       budget_percent(b.spent_micro, b.monthly_micro),"
    "       coalesce(s.widget->'features'->>'handoff' = 'true', false), s.sentiment_model"
    "  FROM organizations o LEFT JOIN org_ai_settings s ON s.org_id = o.id, org_budget(o.id) b"
    " WHERE o.id = $1",
    2};

enum column {
    STATUS,
    NAME,
    BUSINESS_INFO,
    UTC_OFFSET,
    ENABLED,
    LANGUAGE,
    OWN_PROMPT,
    ROUTE_BY_DEFAULT,
    DEFAULT_MODEL,
    FAST_MODEL,
    REASONING_MODEL,
    FALLBACK_MODEL,
    TEMPERATURE,
    MAX_TOKENS,
    MAX_CHUNK_TOKENS,
    MAX_CHUNKS,
    MAX_CONTEXT_TOKENS,
    MIN_TOKENS,
    MIN_CHUNKS,
    ENABLED_MODELS,
    INTENT_WORDS,
    REGIONS,
    SPLIT,
    PRESETS,
    SUGGESTIONS,
    ROUTE_VERSION,
    ROUTE_STICKY,
    ROUTE_SHADOW,
    MODEL_FACTS,
    HAS_KNOWLEDGE,
    CAPPED,
    BUDGET_PERCENT,
    HANDS_OFF,
    SENTIMENT_MODEL
};

static const struct fd_json *parse(struct arena *a, const char *org, const char *column,
                                   const char *text)
{
    struct fd_json_fault fault;
    if (text == NULL) {
        return NULL;
    }
    const struct fd_json *value =
        fd_json_parse(text, strlen(text), (struct fd_json_limits){0}, arena_allocator(a), &fault);
    if (value == NULL) {
        const struct log_context ctx = {.org_id = org};
        log_warn(&ctx, "tenant.setting_ignored", LOG_STR("column", column),
                 LOG_STR("error", fd_json_error_text(fault.error)));
    }
    return value;
}

/* The strings of an array, or of `key` in an array of objects. */
static const char *const *strings(struct arena *a, const struct fd_json *array, const char *key,
                                  size_t *count)
{
    *count = 0;
    if (array == NULL || array->type != FD_JSON_ARRAY) {
        return NULL;
    }
    const char **list = arena_alloc(a, (array->count + 1) * sizeof(*list));
    for (const struct fd_json *item = array->child; item != NULL; item = item->next) {
        const char *text = key != NULL                    ? fd_json_string(item, key)
                           : item->type == FD_JSON_STRING ? item->text
                                                          : NULL;
        if (text != NULL && text[0] != '\0') {
            list[(*count)++] = text;
        }
    }
    return list;
}

static void compile_intents(struct tenant *t)
{
    size_t count = 0;

    for (size_t i = 0; i < t->intent_count; i++) {
        count += t->intents[i].count;
    }
    struct phrases *phrases = phrases_new(&t->arena, count);
    for (size_t i = 0; i < t->intent_count; i++) {
        for (size_t k = 0; k < t->intents[i].count; k++) {
            phrases_add(phrases, &t->arena, t->intents[i].words[k]);
        }
    }
    t->intent_phrases = phrases;
}

static void read_intents(struct tenant *t, const struct fd_json *words)
{
    if (words == NULL || words->type != FD_JSON_OBJECT) {
        return;
    }
    struct tenant_intent *intents = arena_alloc(&t->arena, (words->count + 1) * sizeof(*intents));
    for (const struct fd_json *list = words->child; list != NULL; list = list->next) {
        struct tenant_intent *intent = &intents[t->intent_count];
        intent->intent = list->key;
        intent->words = strings(&t->arena, list, NULL, &intent->count);
        t->intent_count += intent->count > 0 ? 1 : 0;
    }
    t->intents = intents;
    compile_intents(t);
}

static void read_split(struct tenant *t, const struct fd_json *json)
{
    static const char *const names[2] = {"a", "b"};
    int64_t percent = fd_json_int(json, "percent", -1);

    if (percent < 0 || percent > 100) {
        return;
    }
    struct tenant_split *split = arena_zalloc(&t->arena, sizeof(*split));
    split->name = fd_json_string(json, "name");
    split->name = split->name != NULL ? split->name : TENANT_SPLIT;
    split->percent = (int)percent;
    for (size_t i = 0; i < 2; i++) {
        const struct fd_json *arm = fd_json_get(json, names[i]);
        split->arms[i].fast_model = fd_json_string(arm, "fast_model");
        split->arms[i].reasoning_model = fd_json_string(arm, "reasoning_model");
    }
    t->split = split;
}

static void read_trial(struct tenant *t, const struct fd_json *json)
{
    if (json == NULL) {
        return;
    }
    struct tenant_trial *trial = arena_zalloc(&t->arena, sizeof(*trial));
    trial->version = (int)fd_json_int(json, "version", t->route_version);
    trial->reasoning_min_tokens =
        (int)fd_json_int(json, "reasoning_min_tokens", t->reasoning_min_tokens);
    trial->reasoning_min_chunks =
        (int)fd_json_int(json, "reasoning_min_chunks", t->reasoning_min_chunks);
    t->trial = trial;
}

/* -- what the catalogue says ------------------------------------------------------- */

/* The n-th of [model_id, region, context_length, input, output, supports_tools]. */
static int64_t fact(const struct fd_json *row, int n)
{
    const struct fd_json *cell = row->child;
    while (cell != NULL && n-- > 0) {
        cell = cell->next;
    }
    return cell != NULL && cell->type == FD_JSON_NUMBER && cell->is_integer ? cell->integer : -1;
}

static void read_models(struct tenant *t, const struct fd_json *rows)
{
    if (rows == NULL || rows->type != FD_JSON_ARRAY) {
        return;
    }
    struct tenant_model *models = arena_alloc(&t->arena, (rows->count + 1) * sizeof(*models));
    for (const struct fd_json *row = rows->child; row != NULL; row = row->next) {
        const struct fd_json *id = row->child, *region = id != NULL ? id->next : NULL;
        if (id != NULL && id->type == FD_JSON_STRING && region != NULL) {
            models[t->model_count++] =
                (struct tenant_model){id->text,     region->text, (int)fact(row, 2),
                                      fact(row, 3), fact(row, 4), (int)fact(row, 5)};
        }
    }
    t->models = models;
}

const struct tenant_model *tenant_model(const struct tenant *tenant, const char *id)
{
    for (size_t i = 0; i < tenant->model_count; i++) {
        if (strcmp(tenant->models[i].id, id) == 0) {
            return &tenant->models[i];
        }
    }
    return NULL;
}

bool tenant_region_allows(const struct tenant *tenant, const char *id)
{
    if (tenant->region_count == 0) {
        return true;
    }
    const struct tenant_model *model = tenant_model(tenant, id);
    for (size_t i = 0; i < tenant->region_count && model != NULL && model->region != NULL; i++) {
        if (strcasecmp(tenant->regions[i], model->region) == 0) {
            return true;
        }
    }
    return false;
}

/* -- the row ----------------------------------------------------------------------- */

static void read_routing(struct tenant *t, const PGresult *row)
{
    struct arena *a = &t->arena;

    t->route_version = (int)db_int(row, 0, ROUTE_VERSION, 0);
    t->route_sticky = db_true(row, 0, ROUTE_STICKY);
    t->reasoning_min_tokens = (int)db_int(row, 0, MIN_TOKENS, REASONING_MIN_TOKENS);
    t->reasoning_min_chunks = (int)db_int(row, 0, MIN_CHUNKS, REASONING_MIN_CHUNKS);
    read_intents(t, parse(a, t->org, "intent_words", db_text(row, 0, INTENT_WORDS)));
    read_trial(t, parse(a, t->org, "route_shadow", db_text(row, 0, ROUTE_SHADOW)));
}

static void read_model_settings(struct tenant *t, const PGresult *row)
{
    struct arena *a = &t->arena;

    t->route_by_default_model = db_true(row, 0, ROUTE_BY_DEFAULT);
    t->default_model = arena_strdup(a, db_text(row, 0, DEFAULT_MODEL));
    t->fast_model = arena_strdup(a, db_text(row, 0, FAST_MODEL));
    t->reasoning_model = arena_strdup(a, db_text(row, 0, REASONING_MODEL));
    t->fallback_model = arena_strdup(a, db_text(row, 0, FALLBACK_MODEL));
    t->sentiment_model = arena_strdup(a, db_text(row, 0, SENTIMENT_MODEL));
    t->enabled_models =
        strings(a, parse(a, t->org, "enabled_models", db_text(row, 0, ENABLED_MODELS)), "model_id",
                &t->enabled_model_count);
    t->regions = strings(a, parse(a, t->org, "region_allow_list", db_text(row, 0, REGIONS)), NULL,
                         &t->region_count);
    read_split(t, parse(a, t->org, "ab_split", db_text(row, 0, SPLIT)));
    t->presets = parse(a, t->org, "model_presets", db_text(row, 0, PRESETS));
    t->suggestions = parse(a, t->org, "model_suggestions", db_text(row, 0, SUGGESTIONS));
    read_models(t, parse(a, t->org, "models", db_text(row, 0, MODEL_FACTS)));
}

/* A time zone that PostgreSQL does not know is none: its clock cannot be told. */
static void read_business(struct tenant *t, const PGresult *row)
{
    business_info_read(&t->arena,
                       parse(&t->arena, t->org, "business_info", db_text(row, 0, BUSINESS_INFO)),
                       &t->business);
    t->business.utc_offset_s = (int)db_int(row, 0, UTC_OFFSET, 0);
    if (db_text(row, 0, UTC_OFFSET) == NULL)
        t->business.timezone = NULL;
}

static struct tenant *read_row(const PGresult *row, const struct config *config, const char *org)
{
    struct tenant *t = calloc(1, sizeof(*t));
    if (t == NULL) {
        abort();
    }
    struct arena *a = &t->arena;
    arena_init(a);
    memcpy(t->org, org, sizeof(t->org) - 1);
    t->refs = 1;

    t->active = strcmp(db_text(row, 0, STATUS), "active") == 0;
    t->enabled = db_true(row, 0, ENABLED);
    t->name = visible_line(a, db_text(row, 0, NAME), BUSINESS_LINE_MAX);
    t->name = t->name != NULL ? t->name : "";
    t->language = arena_strdup(a, db_text(row, 0, LANGUAGE));
    t->own_prompt = visible_text(a, db_text(row, 0, OWN_PROMPT), OWN_PROMPT_MAX);
    read_business(t, row);
    t->has_knowledge = db_true(row, 0, HAS_KNOWLEDGE);
    t->capped = db_true(row, 0, CAPPED);
    t->hands_off = db_true(row, 0, HANDS_OFF);
    t->budget_used_percent = (int)db_int(row, 0, BUDGET_PERCENT, -1);

    read_model_settings(t, row);
    t->temperature = db_double(row, 0, TEMPERATURE, config->temperature);
    t->max_tokens = (int)db_int(row, 0, MAX_TOKENS, config->max_tokens);
    t->max_chunk_tokens = (int)db_int(row, 0, MAX_CHUNK_TOKENS, config->max_chunk_tokens);
    t->max_chunks = (int)db_int(row, 0, MAX_CHUNKS, config->max_chunks);
    t->max_context_tokens = (int)db_int(row, 0, MAX_CONTEXT_TOKENS, config->max_context_tokens);
    read_routing(t, row);
    return t;
}

/* The ids of the endpoints' own models, as a JSON array. */
static const char *own_models(struct arena *a, const struct config *config)
{
    struct llm_endpoints endpoints;
    struct fd_json_writer w;
    struct buf json;
    char error[256];

    if (!llm_endpoints_load(&endpoints, config, error)) {
        return "[]"; /* the worker did not start with that: a command's */
    }
    buf_init(&json, 16384);
    buf_json(&json, &w);
    fd_jw_array(&w);
    for (size_t i = 0; i < endpoints.count; i++) {
        fd_jw_cstring(&w, endpoints.list[i].fast_model);
        fd_jw_cstring(&w, endpoints.list[i].reasoning_model);
        fd_jw_cstring(&w, endpoints.list[i].fallback_model);
    }
    if (config->embedding_model != NULL) {
        fd_jw_cstring(&w, config->embedding_model);
    }
    fd_jw_end_array(&w);
    const char *text = buf_json_end(&json, &w) ? arena_strdup(a, json.data) : "[]";
    buf_free(&json);
    llm_endpoints_free(&endpoints);
    return text;
}

static enum db_status load_endpoints(struct db *db, const struct config *config, struct tenant *t)
{
    struct ai_endpoint own[AI_ENDPOINT_KINDS];

    enum db_status status =
        ai_endpoints_load(db, &t->arena, config->vault_keys, t->org, own, &t->vectors);
    if (status == DB_OK) {
        t->own_chat = own[AI_ENDPOINT_CHAT];
        t->own_embedding = own[AI_ENDPOINT_EMBEDDING];
    }
    return status;
}

enum db_status tenant_load(struct db *db, const struct config *config, const char *org,
                           struct tenant **tenant)
{
    PGresult *result;

    *tenant = NULL;
    if (!fd_uuid_valid(org, strlen(org))) {
        return DB_OK;
    }
    int64_t asked_ms = clock_mono_ms(); /* what changes from here on may not be in it */
    struct arena a;
    arena_init(&a);
    const char *params[] = {org, own_models(&a, config)};
    enum db_status status = db_query(db, org, &load, params, &result);
    arena_free(&a);
    if (status != DB_OK) {
        return status;
    }
    if (PQntuples(result) == 1) {
        *tenant = read_row(result, config, org);
        (*tenant)->loaded_ms = asked_ms;
        status = load_endpoints(db, config, *tenant);
    }
    PQclear(result);
    if (status != DB_OK) {
        tenant_unref(*tenant);
        *tenant = NULL;
    }
    return status;
}

struct tenant *tenant_ref(struct tenant *tenant)
{
    tenant->refs++;
    return tenant;
}

void tenant_unref(struct tenant *tenant)
{
    if (tenant != NULL && --tenant->refs == 0) {
        arena_wipe(&tenant->arena); /* its keys are in it */
        free(tenant);
    }
}
