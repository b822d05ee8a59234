#include "tenant/tenant.h"

#include "core/clock.h"
#include "core/log.h"
#include "protocol/ids.h"

#include <stdlib.h>
#include <string.h>

#define REASONING_MIN_TOKENS 2500
#define REASONING_MIN_CHUNKS 4

static const struct db_statement load = {
    "tenant_load",
    "SELECT o.status, o.name, o.business_info->>'tone',"
    "       coalesce(s.enabled, true), coalesce(s.languages[1], 'en'), s.system_prompt,"
    "       s.routing = 'default', s.default_model_id, s.fast_model, s.reasoning_model,"
    "       s.fallback_model, s.temperature, s.max_tokens, s.max_chunk_tokens, s.max_chunks,"
    "       s.max_context_tokens, s.reasoning_min_tokens, s.reasoning_min_chunks,"
    "       s.enabled_models, s.intent_words,"
    "       EXISTS (SELECT FROM article_sections WHERE org_id = $1)"
    "         OR EXISTS (SELECT FROM products WHERE org_id = $1)"
    "         OR EXISTS (SELECT FROM orders WHERE org_id = $1)"
    "  FROM organizations o LEFT JOIN org_ai_settings s ON s.org_id = o.id WHERE o.id = $1",
    1};

enum column {
    STATUS,
    NAME,
    TONE,
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
    HAS_KNOWLEDGE
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
    t->name = arena_strdup(a, db_text(row, 0, NAME));
    t->language = arena_strdup(a, db_text(row, 0, LANGUAGE));
    t->tone = arena_strdup(a, db_text(row, 0, TONE));
    t->own_prompt = arena_strdup(a, db_text(row, 0, OWN_PROMPT));
    t->has_knowledge = db_true(row, 0, HAS_KNOWLEDGE);

    t->route_by_default_model = db_true(row, 0, ROUTE_BY_DEFAULT);
    t->default_model = arena_strdup(a, db_text(row, 0, DEFAULT_MODEL));
    t->fast_model = arena_strdup(a, db_text(row, 0, FAST_MODEL));
    t->reasoning_model = arena_strdup(a, db_text(row, 0, REASONING_MODEL));
    t->fallback_model = arena_strdup(a, db_text(row, 0, FALLBACK_MODEL));
    t->enabled_models = strings(a, parse(a, org, "enabled_models", db_text(row, 0, ENABLED_MODELS)),
                                "model_id", &t->enabled_model_count);

    t->temperature = db_double(row, 0, TEMPERATURE, config->temperature);
    t->max_tokens = (int)db_int(row, 0, MAX_TOKENS, config->max_tokens);
    t->max_chunk_tokens = (int)db_int(row, 0, MAX_CHUNK_TOKENS, config->max_chunk_tokens);
    t->max_chunks = (int)db_int(row, 0, MAX_CHUNKS, config->max_chunks);
    t->max_context_tokens = (int)db_int(row, 0, MAX_CONTEXT_TOKENS, config->max_context_tokens);
    t->reasoning_min_tokens = (int)db_int(row, 0, MIN_TOKENS, REASONING_MIN_TOKENS);
    t->reasoning_min_chunks = (int)db_int(row, 0, MIN_CHUNKS, REASONING_MIN_CHUNKS);
    read_intents(t, parse(a, org, "intent_words", db_text(row, 0, INTENT_WORDS)));
    return t;
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
    enum db_status status = db_query(db, org, &load, &org, &result);
    if (status != DB_OK) {
        return status;
    }
    if (PQntuples(result) == 1) {
        *tenant = read_row(result, config, org);
        (*tenant)->loaded_ms = asked_ms;
    }
    PQclear(result);
    return DB_OK;
}

struct tenant *tenant_ref(struct tenant *tenant)
{
    tenant->refs++;
    return tenant;
}

void tenant_unref(struct tenant *tenant)
{
    if (tenant != NULL && --tenant->refs == 0) {
        arena_free(&tenant->arena);
        free(tenant);
    }
}
