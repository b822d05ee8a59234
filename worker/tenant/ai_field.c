#include "tenant/ai_field.h"

#include "protocol/limits.h"
#include "tenant/ai_presets.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define INTENTS_MAX      50
#define INTENT_WORDS_MAX 100
#define INTENT_NAME_MAX  40
#define PHRASE_MAX       80
#define SPLIT_NAME_MAX   40

bool ai_refuse(struct ai_fault *fault, const char *field, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    snprintf(fault->field, sizeof(fault->field), "%s", field);
    vsnprintf(fault->detail, sizeof(fault->detail), format, args);
    va_end(args);
    return false;
}

/* -- parts of values --------------------------------------------------------------- */

static bool is_plain(const struct fd_json *value, size_t max)
{
    if (value == NULL || value->type != FD_JSON_STRING || value->text_len == 0 ||
        value->text_len > max) {
        return false;
    }
    for (size_t i = 0; i < value->text_len; i++) {
        unsigned char c = (unsigned char)value->text[i];
        if (c < ' ' || c == 0x7F) {
            return false;
        }
    }
    return true;
}

bool ai_is_model_id(const struct fd_json *value)
{
    return is_plain(value, FD_MODEL_ID_MAX) && strchr(value->text, ' ') == NULL;
}

static bool is_whole(const struct fd_json *value, int64_t min, int64_t max)
{
    return value != NULL && value->type == FD_JSON_NUMBER && value->is_integer &&
           value->integer >= min && value->integer <= max;
}

/* The members of an object are among these. */
static bool are_known(const struct fd_json *object, const char *const *known, const char *name,
                      struct ai_fault *fault)
{
    for (const struct fd_json *member = object->child; member != NULL; member = member->next) {
        size_t i = 0;
        while (known[i] != NULL && strcmp(known[i], member->key) != 0) {
            i++;
        }
        if (known[i] == NULL) {
            return ai_refuse(fault, name, "there is no member \"%.60s\"", member->key);
        }
    }
    return true;
}

static bool is_object(const struct fd_json *value, const char *name, struct ai_fault *fault)
{
    return value->type == FD_JSON_OBJECT ? true : ai_refuse(fault, name, "must be an object");
}

/* -- settings that are trees ------------------------------------------------------- */

static bool check_model(const struct fd_json *model, const char *name, struct ai_fault *fault)
{
    static const char *const known[] = {"model_id", "is_default", "custom_label", "enabled_at",
                                        NULL};
    if (!is_object(model, name, fault) || !are_known(model, known, name, fault)) {
        return false;
    }
    const struct fd_json *label = fd_json_get(model, "custom_label");
    const struct fd_json *flag = fd_json_get(model, "is_default");
    const struct fd_json *at = fd_json_get(model, "enabled_at");
    if (!ai_is_model_id(fd_json_get(model, "model_id"))) {
        return ai_refuse(fault, name, "model_id must be a model's id without blanks");
    }
    if (flag != NULL && flag->type != FD_JSON_BOOL) {
        return ai_refuse(fault, name, "is_default must be true or false");
    }
    if (label != NULL && label->type != FD_JSON_NULL && !is_plain(label, AI_LABEL_MAX)) {
        return ai_refuse(fault, name, "custom_label must have 1 to %d bytes", AI_LABEL_MAX);
    }
    return at == NULL || is_plain(at, 40) ? true
                                          : ai_refuse(fault, name, "enabled_at must be a time");
}

static bool check_models(const struct fd_json *value, const char *name, struct ai_fault *fault)
{
    if (value->type != FD_JSON_ARRAY || value->count > AI_MODELS_MAX) {
        return ai_refuse(fault, name, "must be a list of at most %d models", AI_MODELS_MAX);
    }
    for (const struct fd_json *model = value->child; model != NULL; model = model->next) {
        if (!check_model(model, name, fault)) {
            return false;
        }
        const char *id = fd_json_string(model, "model_id");
        for (const struct fd_json *o = value->child; o != model; o = o->next) {
            if (strcmp(id, fd_json_string(o, "model_id")) == 0) {
                return ai_refuse(fault, name, "%s is listed twice", id);
            }
        }
    }
    return true;
}

static bool is_name(const struct fd_json *member)
{
    if (member->key_len == 0 || member->key_len > INTENT_NAME_MAX || member->key[0] < 'a' ||
        member->key[0] > 'z') {
        return false;
    }
    return strspn(member->key, "abcdefghijklmnopqrstuvwxyz0123456789_") == member->key_len;
}

static bool check_intents(const struct fd_json *value, const char *name, struct ai_fault *fault)
{
    if (!is_object(value, name, fault)) {
        return false;
    }
    if (value->count > INTENTS_MAX) {
        return ai_refuse(fault, name, "at most %d intents", INTENTS_MAX);
    }
    for (const struct fd_json *words = value->child; words != NULL; words = words->next) {
        if (!is_name(words)) {
            return ai_refuse(fault, name, "an intent's name has small letters, digits and _");
        }
        if (words->type != FD_JSON_ARRAY || words->count > INTENT_WORDS_MAX) {
            return ai_refuse(fault, name, "%s must be a list of at most %d words", words->key,
                             INTENT_WORDS_MAX);
        }
        for (const struct fd_json *word = words->child; word != NULL; word = word->next) {
            if (!is_plain(word, PHRASE_MAX)) {
                return ai_refuse(fault, name, "%s: a word has 1 to %d bytes", words->key,
                                 PHRASE_MAX);
            }
        }
    }
    return true;
}

static bool check_trial(const struct fd_json *value, const char *name, struct ai_fault *fault)
{
    static const char *const known[] = {"version", "reasoning_min_tokens", "reasoning_min_chunks",
                                        NULL};
    if (!is_object(value, name, fault) || !are_known(value, known, name, fault)) {
        return false;
    }
    for (const struct fd_json *member = value->child; member != NULL; member = member->next) {
        if (!ai_field_check(
                ai_field_find(strcmp(member->key, "version") == 0 ? "route_version" : member->key),
                member, fault)) {
            return false;
        }
    }
    return true;
}

static bool check_arm(const struct fd_json *arm, const char *name, struct ai_fault *fault)
{
    static const char *const known[] = {"fast_model", "reasoning_model", NULL};

    if (arm == NULL) {
        return true;
    }
    if (!is_object(arm, name, fault) || !are_known(arm, known, name, fault)) {
        return false;
    }
    for (const struct fd_json *model = arm->child; model != NULL; model = model->next) {
        if (!ai_is_model_id(model)) {
            return ai_refuse(fault, name, "%s must be a model's id", model->key);
        }
    }
    return true;
}

static bool check_split(const struct fd_json *value, const char *name, struct ai_fault *fault)
{
    static const char *const known[] = {"name", "percent", "a", "b", NULL};

    if (!is_object(value, name, fault) || !are_known(value, known, name, fault)) {
        return false;
    }
    const struct fd_json *a = fd_json_get(value, "a"), *b = fd_json_get(value, "b");
    if (fd_json_get(value, "name") != NULL &&
        !is_plain(fd_json_get(value, "name"), SPLIT_NAME_MAX)) {
        return ai_refuse(fault, name, "name must have 1 to %d bytes", SPLIT_NAME_MAX);
    }
    if (!is_whole(fd_json_get(value, "percent"), 0, 100)) {
        return ai_refuse(fault, name, "percent must be a whole number from 0 to 100");
    }
    if (!check_arm(a, name, fault) || !check_arm(b, name, fault)) {
        return false;
    }
    bool same = (a == NULL || a->count == 0) && (b == NULL || b->count == 0);
    return same ? ai_refuse(fault, name, "an arm must have a model") : true;
}

static bool check_presets(const struct fd_json *value, const char *name, struct ai_fault *fault)
{
    if (!is_object(value, name, fault) || !are_known(value, ai_presets, name, fault)) {
        return false;
    }
    for (const struct fd_json *models = value->child; models != NULL; models = models->next) {
        bool good = models->type == FD_JSON_ARRAY && models->count <= AI_PRESET_MODELS_MAX;
        for (const struct fd_json *id = models->child; good && id != NULL; id = id->next) {
            good = ai_is_model_id(id);
        }
        if (!good) {
            return ai_refuse(fault, name, "%s must be a list of at most %d model ids", models->key,
                             AI_PRESET_MODELS_MAX);
        }
    }
    return true;
}

static bool check_suggestions(const struct fd_json *value, const char *name, struct ai_fault *fault)
{
    if (!is_object(value, name, fault) || !are_known(value, ai_tasks, name, fault)) {
        return false;
    }
    for (const struct fd_json *model = value->child; model != NULL; model = model->next) {
        if (!ai_is_model_id(model)) {
            return ai_refuse(fault, name, "%s must be a model's id", model->key);
        }
    }
    return true;
}

/* -- the table --------------------------------------------------------------------- */

const struct ai_field ai_fields[] = {
    {"enabled", AI_BOOL, 0, 0, "true", NULL, NULL},
    {"enabled_models", AI_TREE, 0, 0, "[]", NULL, check_models},
    {"default_model_id", AI_MODEL, 0, 0, "null", NULL, NULL},
    {"routing", AI_CHOICE, 0, 0, "\"auto\"", "auto|default", NULL},
    {"fast_model", AI_MODEL, 0, 0, "null", NULL, NULL},
    {"reasoning_model", AI_MODEL, 0, 0, "null", NULL, NULL},
    {"fallback_model", AI_MODEL, 0, 0, "null", NULL, NULL},
    {"sentiment_model", AI_MODEL, 0, 0, "null", NULL, NULL},
    {"temperature", AI_NUMBER, 0, 1, "null", NULL, NULL},
    {"max_tokens", AI_INT, 1, 32000, "null", NULL, NULL},
    {"max_chunk_tokens", AI_INT, 300, 100000, "null", NULL, NULL},
    {"max_chunks", AI_INT, 1, 100, "null", NULL, NULL},
    {"max_context_tokens", AI_INT, 300, 1000000, "null", NULL, NULL},
    {"reasoning_min_tokens", AI_INT, 0, 10000000, "2500", NULL, NULL},
    {"reasoning_min_chunks", AI_INT, 0, 1000, "4", NULL, NULL},
    {"intent_words", AI_TREE, 0, 0, "{}", NULL, check_intents},
    {"route_version", AI_INT, 1, 2, "1", NULL, NULL},
    {"route_sticky", AI_BOOL, 0, 0, "false", NULL, NULL},
    {"route_shadow", AI_TREE, 0, 0, "null", NULL, check_trial},
    {"ab_split", AI_TREE, 0, 0, "null", NULL, check_split},
    {"model_presets", AI_TREE, 0, 0, "{}", NULL, check_presets},
    {"model_suggestions", AI_TREE, 0, 0, "{}", NULL, check_suggestions},
    {"region_allow_list", AI_WORDS, 0, 32, "[]", NULL, NULL},
    {"system_prompt", AI_TEXT, 0, 16384, "null", NULL, NULL},
    {"languages", AI_WORDS, 1, 16, "[\"en\"]", NULL, NULL},
};
const size_t ai_field_count = sizeof(ai_fields) / sizeof(ai_fields[0]);

const struct ai_field *ai_field_find(const char *name)
{
    for (size_t i = 0; i < ai_field_count; i++) {
        if (strcmp(ai_fields[i].name, name) == 0) {
            return &ai_fields[i];
        }
    }
    return NULL;
}

/* -- values ------------------------------------------------------------------------ */

static bool check_number(const struct ai_field *field, const struct fd_json *value,
                         struct ai_fault *fault)
{
    if (value->type != FD_JSON_NUMBER || (field->kind == AI_INT && !value->is_integer)) {
        return ai_refuse(fault, field->name, "must be a %snumber",
                         field->kind == AI_INT ? "whole " : "");
    }
    if (value->number < field->min) {
        return ai_refuse(fault, field->name, "must be at least %.10g", field->min);
    }
    return value->number <= field->max
               ? true
               : ai_refuse(fault, field->name, "must be at most %.10g", field->max);
}

static bool check_choice(const struct ai_field *field, const struct fd_json *value,
                         struct ai_fault *fault)
{
    const char *at = field->choices;
    while (value->type == FD_JSON_STRING && *at != '\0') {
        size_t len = strcspn(at, "|");
        if (value->text_len == len && memcmp(at, value->text, len) == 0) {
            return true;
        }
        at += len + (at[len] == '|');
    }
    return ai_refuse(fault, field->name, "must be one of %s", field->choices);
}

static bool check_words(const struct ai_field *field, const struct fd_json *value,
                        struct ai_fault *fault)
{
    bool good = value->type == FD_JSON_ARRAY && (double)value->count >= field->min &&
                (double)value->count <= field->max;
    for (const struct fd_json *word = value->child; good && word != NULL; word = word->next) {
        good = is_plain(word, FD_LANGUAGE_MAX);
    }
    return good ? true
                : ai_refuse(fault, field->name, "must be a list of %.0f to %.0f words", field->min,
                            field->max);
}

bool ai_field_check(const struct ai_field *field, const struct fd_json *value,
                    struct ai_fault *fault)
{
    switch (field->kind) {
    case AI_BOOL:
        return value->type == FD_JSON_BOOL ? true
                                           : ai_refuse(fault, field->name, "must be true or false");
    case AI_INT:
    case AI_NUMBER: return check_number(field, value, fault);
    case AI_TEXT:
        return value->type == FD_JSON_STRING && (double)value->text_len <= field->max
                   ? true
                   : ai_refuse(fault, field->name, "must be a text of at most %.0f bytes",
                               field->max);
    case AI_MODEL:
        return ai_is_model_id(value) ? true : ai_refuse(fault, field->name, "must be a model's id");
    case AI_CHOICE: return check_choice(field, value, fault);
    case AI_WORDS: return check_words(field, value, fault);
    case AI_TREE: return field->check(value, field->name, fault);
    }
    return false;
}
