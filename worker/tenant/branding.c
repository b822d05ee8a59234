#include "tenant/branding.h"

#include "core/arena.h"
#include "tenant/contrast.h"
#include "tenant/widget.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define DEFAULT_COLOR "#4f46e5" /* the widget's own */
#define READABLE      4.5       /* of text, WCAG 1.4.3 */
#define VISIBLE       3.0       /* of what is not text, WCAG 1.4.11 */

/* In which column a member is kept. */
static const char *const in_branding[] = {"name",          "title",    "subtitle",
                                          "primary_color", "logo_url", NULL};
static const char *const in_widget[] = {"theme", "position", "greeting", "suggested_questions",
                                        NULL};

static const struct db_statement read_row = {
    "branding_read",
    "SELECT o.name, o.branding, coalesce(s.widget, '{}'),"
    "       array_to_json(coalesce(s.languages, '{en}')),"
    "       widget_models(coalesce(s.enabled_models, '[]'), coalesce(s.region_allow_list, '{}')),"
    "       CASE WHEN s.routing = 'default' THEN s.default_model_id END, o.status = 'active'"
    "  FROM organizations o LEFT JOIN org_ai_settings s ON s.org_id = o.id WHERE o.id = $1",
    1};
enum column { NAME, BRANDING, WIDGET, LANGUAGES, MODELS, DEFAULT_MODEL, ACTIVE };

static const struct db_statement change_branding = {
    "branding_change",
    "UPDATE organizations SET branding = jsonb_strip_nulls(branding || $2::jsonb) WHERE id = $1",
    2};
static const struct db_statement make_settings = {
    "branding_settings",
    "INSERT INTO org_ai_settings (org_id) VALUES ($1) ON CONFLICT (org_id) DO NOTHING", 1};
static const struct db_statement change_widget = {
    "branding_widget",
    "UPDATE org_ai_settings SET updated_at = now(),"
    "       languages = CASE WHEN $4::jsonb IS NULL THEN languages"
    "                   ELSE ARRAY(SELECT jsonb_array_elements_text($4::jsonb)) END,"
    "       widget = jsonb_strip_nulls(widget || $2::jsonb || jsonb_build_object('features',"
    "         CASE WHEN jsonb_typeof(widget->'features') = 'object' THEN widget->'features'"
    "              ELSE '{}' END || $3::jsonb))"
    " WHERE org_id = $1",
    4};

static const struct fd_json *parse(struct arena *a, const char *text)
{
    struct fd_json_fault fault;

    return fd_json_parse(text, strlen(text), (struct fd_json_limits){0}, arena_allocator(a),
                         &fault);
}

/* -- showing it ------------------------------------------------------------------------- */

static void write_member(struct fd_json_writer *w, const struct fd_json *stored, const char *name)
{
    const struct fd_json *value = fd_json_get(stored, name);

    fd_jw_key(w, name);
    if (value != NULL)
        fd_jw_json(w, value);
    else
        fd_jw_null(w);
}

static void write_features(struct fd_json_writer *w, const struct fd_json *stored)
{
    const struct fd_json *prechat = fd_json_get(stored, "prechat");

    fd_jw_key(w, "features");
    fd_jw_object(w);
    for (size_t i = 0; branding_features[i] != NULL; i++)
        fd_jw_member_bool(w, branding_features[i],
                          fd_json_bool(stored, branding_features[i], false));
    fd_jw_key(w, "prechat");
    if (prechat != NULL)
        fd_jw_json(w, prechat);
    else
        fd_jw_bool(w, false);
    fd_jw_end_object(w);
}

/* With white, on which the launcher mostly stands. Text on the colour is readable in any
 * case, as the widget writes in black where white would not be. */
static void write_contrast(struct fd_json_writer *w, const char *text)
{
    const struct color white = {255, 255, 255};
    struct color color;

    if (text == NULL || !color_read(text, &color))
        color_read(DEFAULT_COLOR, &color);
    double ratio = color_contrast(color, white);
    fd_jw_key(w, "contrast");
    fd_jw_object(w);
    fd_jw_key(w, "ratio");
    fd_jw_double(w, floor(ratio * 100) / 100);
    fd_jw_member_bool(w, "ok", ratio >= VISIBLE);
    fd_jw_member(w, "text", ratio < READABLE ? "#000000" : "#ffffff");
    fd_jw_end_object(w);
}

/* *config: what the widget is sent; "null" of a disabled organisation. False: it is too long
 * to be sent. */
static bool make_config(const PGresult *row, struct buf *config)
{
    const struct widget_settings settings = {.name = db_text(row, 0, NAME),
                                             .branding = db_text(row, 0, BRANDING),
                                             .widget = db_text(row, 0, WIDGET),
                                             .languages = db_text(row, 0, LANGUAGES),
                                             .models = db_text(row, 0, MODELS),
                                             .default_model_id = db_text(row, 0, DEFAULT_MODEL)};

    return db_true(row, 0, ACTIVE) ? widget_config(&settings, config) : buf_puts(config, "null");
}

static bool write_all(const PGresult *row, const struct buf *config, struct buf *out)
{
    struct fd_json_writer w;
    struct arena a;

    arena_init(&a);
    const struct fd_json *branding = parse(&a, db_text(row, 0, BRANDING));
    const struct fd_json *widget = parse(&a, db_text(row, 0, WIDGET));
    const struct fd_json *languages = parse(&a, db_text(row, 0, LANGUAGES));

    buf_json(out, &w);
    fd_jw_object(&w);
    for (size_t i = 0; in_branding[i] != NULL; i++)
        write_member(&w, branding, in_branding[i]);
    for (size_t i = 0; in_widget[i] != NULL; i++)
        write_member(&w, widget, in_widget[i]);
    fd_jw_key(&w, "languages");
    fd_jw_json(&w, languages);
    write_features(&w, fd_json_get(widget, "features"));
    write_contrast(&w, fd_json_string(branding, "primary_color"));
    fd_jw_key(&w, "config");
    fd_jw_raw(&w, config->data, config->len);
    fd_jw_end_object(&w);
    bool ok = buf_json_end(out, &w) && languages != NULL;
    arena_free(&a);
    return ok;
}

/* DB_OK with a fault: a widget could not be sent this. */
static enum db_status answer(struct db *db, const PGresult *row, struct ai_fault *fault,
                             struct buf *out)
{
    struct buf config;
    bool written = false;

    if (PQntuples(row) == 0) {
        db_explain(db, "there is no such organisation");
        return DB_FAILED;
    }
    buf_init(&config, WIDGET_CONFIG_MAX);
    if (make_config(row, &config))
        written = write_all(row, &config, out);
    else
        ai_refuse(fault, "", "all texts and models together are longer than %d bytes",
                  WIDGET_CONFIG_MAX);
    buf_free(&config);
    if (!written && fault->detail[0] == '\0') {
        db_explain(db, "what is stored cannot be read");
        return DB_FAILED;
    }
    return DB_OK;
}

enum db_status branding_read(struct db *db, const char *org, struct buf *out)
{
    struct ai_fault fault = {0};
    PGresult *row;

    enum db_status status = db_query(db, org, &read_row, &org, &row);
    if (status != DB_OK)
        return status;
    status = answer(db, row, &fault, out);
    PQclear(row);
    if (status == DB_OK && fault.detail[0] != '\0') {
        db_explain(db, "%s", fault.detail);
        status = DB_FAILED;
    }
    return status;
}

/* -- changing it ------------------------------------------------------------------------- */

static bool is_among(const char *const *names, const char *name)
{
    while (*names != NULL && strcmp(*names, name) != 0)
        names++;
    return *names != NULL;
}

/* Those members of the patch, as an object. */
static const char *part(struct arena *a, const struct fd_json *patch, const char *const *names)
{
    struct fd_json_writer w;
    struct buf out;

    buf_init(&out, BRANDING_BYTES_MAX);
    buf_json(&out, &w);
    fd_jw_object(&w);
    for (const struct fd_json *m = patch->child; m != NULL; m = m->next) {
        if (is_among(names, m->key)) {
            fd_jw_key(&w, m->key);
            fd_jw_json(&w, m);
        }
    }
    fd_jw_end_object(&w);
    const char *text = buf_json_end(&out, &w) ? arena_strdup(a, out.data) : NULL;
    buf_free(&out);
    return text;
}

/* null takes each of them away. */
static const char *features_part(struct arena *a, const struct fd_json *features)
{
    struct fd_json_writer w;
    struct buf out;

    buf_init(&out, BRANDING_BYTES_MAX);
    buf_json(&out, &w);
    fd_jw_object(&w);
    for (size_t i = 0; features->type == FD_JSON_NULL && branding_features[i] != NULL; i++)
        fd_jw_member(&w, branding_features[i], NULL);
    if (features->type == FD_JSON_NULL)
        fd_jw_member(&w, "prechat", NULL);
    for (const struct fd_json *m = features->child; m != NULL; m = m->next) {
        fd_jw_key(&w, m->key);
        fd_jw_json(&w, m);
    }
    fd_jw_end_object(&w);
    const char *text = buf_json_end(&out, &w) ? arena_strdup(a, out.data) : NULL;
    buf_free(&out);
    return text;
}

static const char *languages_part(struct arena *a, const struct fd_json *languages)
{
    struct fd_json_writer w;
    struct buf out;

    if (languages == NULL || languages->type == FD_JSON_NULL)
        return languages == NULL ? NULL : "[\"en\"]";
    buf_init(&out, BRANDING_BYTES_MAX);
    buf_json(&out, &w);
    fd_jw_json(&w, languages);
    const char *text = buf_json_end(&out, &w) ? arena_strdup(a, out.data) : NULL;
    buf_free(&out);
    return text;
}

/* In the open transaction. */
static enum db_status put(struct db *db, const char *org, const struct fd_json *patch,
                          struct arena *a)
{
    static const struct fd_json nothing = {.type = FD_JSON_OBJECT};
    const struct fd_json *features = fd_json_get(patch, "features");
    const char *branding[] = {org, part(a, patch, in_branding)};
    const char *widget[] = {org, part(a, patch, in_widget),
                            features_part(a, features != NULL ? features : &nothing),
                            languages_part(a, fd_json_get(patch, "languages"))};

    if (branding[1] == NULL || widget[1] == NULL || widget[2] == NULL) {
        db_explain(db, "it is too long");
        return DB_FAILED;
    }
    enum db_status status = db_exec(db, &change_branding, branding, NULL);
    if (status == DB_OK)
        status = db_exec(db, &make_settings, &org, NULL);
    return status == DB_OK ? db_exec(db, &change_widget, widget, NULL) : status;
}

enum db_status branding_change(struct db *db, const char *org, const struct fd_json *patch,
                               struct ai_fault *fault, struct buf *out)
{
    PGresult *row = NULL;
    struct arena a;

    if (!branding_check(patch, fault))
        return DB_OK;
    arena_init(&a);
    enum db_status status = db_begin(db, org);
    if (status == DB_OK)
        status = put(db, org, patch, &a);
    if (status == DB_OK)
        status = db_exec(db, &read_row, &org, &row);
    if (status == DB_OK)
        status = answer(db, row, fault, out);
    PQclear(row);
    arena_free(&a);
    if (status == DB_OK && fault->detail[0] == '\0')
        return db_commit(db);
    db_rollback(db);
    return status;
}
