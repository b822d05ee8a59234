/* A change of settings, merged with what is stored and checked as a whole. Pure. */
#include "tenant/ai_field.h"

#include <stdlib.h>
#include <string.h>

struct model_entry {
    const char *id;
    bool is_default;
    const char *label;
    const char *enabled_at;
};

struct merge {
    struct arena *arena;
    const struct fd_json *now;
    const struct fd_json *patch;
    struct ai_fault *fault;
    struct model_entry *models;
    size_t model_count;
    const char *default_model;
};

static bool is_null(const struct fd_json *value)
{
    return value == NULL || value->type == FD_JSON_NULL;
}

static bool is_touched(const struct merge *m, const char *name)
{
    return fd_json_get(m->patch, name) != NULL;
}

/* The patch's value, else the stored one; NULL where it is, or becomes, the built-in. */
static const struct fd_json *value_of(const struct merge *m, const char *name)
{
    const struct fd_json *value = fd_json_get(m->patch, name);

    value = value != NULL ? value : fd_json_get(m->now, name);
    return is_null(value) ? NULL : value;
}

/* -- models ------------------------------------------------------------------------ */

static struct model_entry *find_model(const struct merge *m, const char *id)
{
    for (size_t i = 0; i < m->model_count && id != NULL; i++) {
        if (strcmp(m->models[i].id, id) == 0) {
            return &m->models[i];
        }
    }
    return NULL;
}

/* What was stored by other hands may have entries that are no models. */
static void read_models(struct merge *m, const char *at)
{
    const struct fd_json *list = value_of(m, "enabled_models");

    if (list == NULL || list->type != FD_JSON_ARRAY) {
        return;
    }
    m->models = arena_zalloc(m->arena, (list->count + 1) * sizeof(*m->models));
    for (const struct fd_json *model = list->child; model != NULL; model = model->next) {
        const char *id = fd_json_string(model, "model_id");
        const char *enabled_at = fd_json_string(model, "enabled_at");
        if (id != NULL && find_model(m, id) == NULL) {
            m->models[m->model_count++] =
                (struct model_entry){.id = id,
                                     .is_default = fd_json_bool(model, "is_default", false),
                                     .label = fd_json_string(model, "custom_label"),
                                     .enabled_at = enabled_at != NULL ? enabled_at : at};
        }
    }
}

/* The flags and default_model_id say the same; who changes one changes the other. */
static bool settle_default(struct merge *m)
{
    const struct fd_json *wanted = value_of(m, "default_model_id");
    bool new_list = is_touched(m, "enabled_models"), new_id = is_touched(m, "default_model_id");
    struct model_entry *flagged = NULL;
    size_t flags = 0;

    m->default_model = wanted != NULL ? wanted->text : NULL;
    if (m->model_count == 0 || (!new_list && !new_id)) {
        return true;
    }
    if (new_id && m->default_model != NULL && find_model(m, m->default_model) == NULL) {
        return ai_refuse(m->fault, "default_model_id", "Default model must be enabled");
    }
    for (size_t i = 0; i < m->model_count; i++) {
        bool set = new_list
                       ? m->models[i].is_default
                       : m->default_model != NULL && strcmp(m->models[i].id, m->default_model) == 0;
        m->models[i].is_default = set;
        flagged = set ? &m->models[i] : flagged;
        flags += set;
    }
    if (flags != 1 || (new_id && new_list &&
                       (m->default_model == NULL || strcmp(flagged->id, m->default_model) != 0))) {
        return ai_refuse(m->fault, new_list ? "enabled_models" : "default_model_id",
                         "Exactly one model must be set as default");
    }
    m->default_model = flagged->id;
    return true;
}

static bool refuse_model(const struct merge *m, const char *field, const char *id)
{
    return ai_refuse(m->fault, field, "Model %s is not enabled for this organization", id);
}

static bool check_enabled(const struct merge *m, const char *field, const char *id)
{
    return id == NULL || m->model_count == 0 || find_model(m, id) != NULL
               ? true
               : refuse_model(m, field, id);
}

/* Money that is spent beside each answer: only on what was enabled by name. */
static bool check_sentiment(const struct merge *m)
{
    const struct fd_json *model = value_of(m, "sentiment_model");
    const char *id = model != NULL ? model->text : NULL;

    if (!is_touched(m, "sentiment_model") && !is_touched(m, "enabled_models")) {
        return true;
    }
    return id == NULL || find_model(m, id) != NULL ? true : refuse_model(m, "sentiment_model", id);
}

/* Only of what the patch touches: who corrects one thing is not kept up by another. */
static bool check_models(const struct merge *m)
{
    static const char *const tiers[] = {"fast_model", "reasoning_model", "fallback_model"};
    static const char *const arms[] = {"a", "b"};
    bool new_list = is_touched(m, "enabled_models");

    for (size_t i = 0; i < 3; i++) {
        const struct fd_json *model = value_of(m, tiers[i]);
        if ((new_list || is_touched(m, tiers[i])) &&
            !check_enabled(m, tiers[i], model != NULL ? model->text : NULL)) {
            return false;
        }
    }
    const struct fd_json *split = value_of(m, "ab_split");
    for (size_t i = 0; i < 2 && (new_list || is_touched(m, "ab_split")); i++) {
        const struct fd_json *arm = fd_json_get(split, arms[i]);
        if (!check_enabled(m, "ab_split", fd_json_string(arm, "fast_model")) ||
            !check_enabled(m, "ab_split", fd_json_string(arm, "reasoning_model"))) {
            return false;
        }
    }
    return true;
}

static void write_models(struct fd_json_writer *w, const struct merge *m)
{
    fd_jw_array(w);
    for (size_t i = 0; i < m->model_count; i++) {
        fd_jw_object(w);
        fd_jw_member(w, "model_id", m->models[i].id);
        fd_jw_member_bool(w, "is_default", m->models[i].is_default);
        if (m->models[i].label != NULL) {
            fd_jw_member(w, "custom_label", m->models[i].label);
        }
        fd_jw_member(w, "enabled_at", m->models[i].enabled_at);
        fd_jw_end_object(w);
    }
    fd_jw_end_array(w);
}

/* -- the whole --------------------------------------------------------------------- */

static bool check_patch(const struct fd_json *patch, struct ai_fault *fault)
{
    if (patch->type != FD_JSON_OBJECT) {
        return ai_refuse(fault, "", "settings are an object");
    }
    for (const struct fd_json *member = patch->child; member != NULL; member = member->next) {
        const struct ai_field *field = ai_field_find(member->key);
        if (field == NULL) {
            char name[sizeof(fault->field)];
            size_t len = member->key_len < sizeof(name) ? member->key_len : sizeof(name) - 1;
            memcpy(name, member->key, len);
            name[len] = '\0';
            return ai_refuse(fault, name, "there is no such setting");
        }
        if (member->type != FD_JSON_NULL && !ai_field_check(field, member, fault)) {
            return false;
        }
    }
    return true;
}

static bool write_merged(const struct merge *m, struct buf *merged)
{
    struct fd_json_writer w;

    buf_json(merged, &w);
    fd_jw_object(&w);
    for (size_t i = 0; i < ai_field_count; i++) {
        const struct ai_field *field = &ai_fields[i];
        const struct fd_json *value = value_of(m, field->name);
        fd_jw_key(&w, field->name);
        if (strcmp(field->name, "enabled_models") == 0) {
            write_models(&w, m);
        } else if (strcmp(field->name, "default_model_id") == 0) {
            fd_jw_cstring(&w, m->default_model);
        } else if (value != NULL) {
            fd_jw_json(&w, value);
        } else {
            fd_jw_raw(&w, field->otherwise, strlen(field->otherwise));
        }
    }
    fd_jw_end_object(&w);
    return buf_json_end(merged, &w);
}

bool ai_settings_merge(struct arena *a, const struct fd_json *now, const struct fd_json *patch,
                       const char *at, struct buf *merged, struct ai_fault *fault)
{
    struct merge m = {.arena = a, .now = now, .patch = patch, .fault = fault};

    *fault = (struct ai_fault){0};
    if (!check_patch(patch, fault)) {
        return false;
    }
    read_models(&m, at);
    if (!settle_default(&m) || !check_models(&m) || !check_sentiment(&m)) {
        return false;
    }
    return write_merged(&m, merged) ? true : ai_refuse(fault, "", "the settings are too long");
}

/* -- from a command line ----------------------------------------------------------- */

static bool write_words(struct fd_json_writer *w, const char *text)
{
    fd_jw_array(w);
    for (const char *at = text; *at != '\0';) {
        size_t len = strcspn(at, ",");
        fd_jw_string(w, at, len);
        at += len + (at[len] == ',');
    }
    fd_jw_end_array(w);
    return true;
}

static bool write_value(struct fd_json_writer *w, const struct ai_field *field, const char *text,
                        struct ai_fault *fault)
{
    bool bare = field->kind == AI_TEXT || field->kind == AI_MODEL || field->kind == AI_CHOICE;
    struct fd_json_fault json_fault;
    struct arena a;

    if (strcmp(text, "null") != 0 && bare) {
        fd_jw_cstring(w, text);
        return true;
    }
    if (strcmp(text, "null") != 0 && field->kind == AI_WORDS && *text != '[') {
        return write_words(w, text);
    }
    arena_init(&a);
    const struct fd_json *value = fd_json_parse(text, strlen(text), (struct fd_json_limits){0},
                                                arena_allocator(&a), &json_fault);
    if (value != NULL) {
        fd_jw_json(w, value);
    } else {
        ai_refuse(fault, field->name, "is not JSON: %s", fd_json_error_text(json_fault.error));
    }
    arena_free(&a);
    return value != NULL;
}

bool ai_settings_assign(struct fd_json_writer *w, const char *assignment, struct ai_fault *fault)
{
    const char *equals = strchr(assignment, '=');
    size_t len = equals != NULL ? (size_t)(equals - assignment) : strlen(assignment);
    char name[sizeof(fault->field)];

    *fault = (struct ai_fault){0};
    len = len < sizeof(name) ? len : sizeof(name) - 1;
    memcpy(name, assignment, len);
    name[len] = '\0';
    const struct ai_field *field = ai_field_find(name);
    if (field == NULL) {
        return ai_refuse(fault, name, "there is no such setting");
    }
    if (equals == NULL) {
        return ai_refuse(fault, name, "must be written as %s=value", name);
    }
    fd_jw_key(w, field->name);
    return write_value(w, field, equals + 1, fault);
}
