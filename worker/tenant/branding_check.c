/* Branding: what each member may be. The widget believes nothing of it either; here the
 * operator is told. */
#include "tenant/branding.h"

#include "protocol/limits.h"
#include "tenant/contrast.h"

#include <stdio.h>
#include <string.h>

#define LINE_MAX      80
#define SUBTITLE_MAX  120
#define GREETING_MAX  600
#define QUESTION_MAX  200
#define QUESTIONS_MAX 8 /* as tenant/widget.c sends them */
#define LANGUAGES_MAX 16
#define FIELDS_MAX    3
#define PLACE_SIZE    sizeof(((struct ai_fault *)NULL)->field)

const char *const branding_features[] = {"handoff", "rating", "identity", "model_picker", NULL};

typedef bool check_fn(const struct fd_json *value, const char *place, struct ai_fault *fault);

/* "place.key" or "place[index]" */
static const char *within(char out[PLACE_SIZE], const char *place, const char *key, size_t index)
{
    if (key != NULL)
        snprintf(out, PLACE_SIZE, "%.40s.%.40s", place, key);
    else
        snprintf(out, PLACE_SIZE, "%.80s[%zu]", place, index);
    return out;
}

/* -- texts ----------------------------------------------------------------------------- */

static bool is_text(const struct fd_json *value, size_t max, bool lines)
{
    bool seen = false;

    if (value->type != FD_JSON_STRING || value->text_len > max)
        return false;
    for (size_t i = 0; i < value->text_len; i++) {
        unsigned char c = (unsigned char)value->text[i];
        if ((c < ' ' && !(lines && c == '\n')) || c == 0x7F)
            return false;
        seen = seen || (c != ' ' && c != '\n');
    }
    return seen;
}

static bool check_text(const struct fd_json *value, size_t max, bool lines, const char *place,
                       struct ai_fault *fault)
{
    return is_text(value, max, lines) || ai_refuse(fault, place, "must be %s of 1 to %zu bytes",
                                                   lines ? "a text" : "a line", max);
}

static bool check_name(const struct fd_json *value, const char *place, struct ai_fault *fault)
{
    return check_text(value, LINE_MAX, false, place, fault);
}

static bool check_subtitle(const struct fd_json *value, const char *place, struct ai_fault *fault)
{
    return check_text(value, SUBTITLE_MAX, false, place, fault);
}

static bool check_greeting(const struct fd_json *value, const char *place, struct ai_fault *fault)
{
    return check_text(value, GREETING_MAX, true, place, fault);
}

static bool check_question(const struct fd_json *value, const char *place, struct ai_fault *fault)
{
    return check_text(value, QUESTION_MAX, false, place, fault);
}

/* -- languages ------------------------------------------------------------------------- */

static bool is_language(const char *tag, size_t len)
{
    static const char small[] = "abcdefghijklmnopqrstuvwxyz";
    static const char all[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
    size_t first = strspn(tag, small);

    return len <= FD_LANGUAGE_MAX && (first == 2 || first == 3) &&
           (tag[first] == '\0' || tag[first] == '-') && strspn(tag, all) == len &&
           tag[len - 1] != '-';
}

/* The same for everybody, or an object by language. */
static bool check_spoken(const struct fd_json *value, check_fn *check, const char *place,
                         struct ai_fault *fault)
{
    char inner[PLACE_SIZE];

    if (value->type != FD_JSON_OBJECT)
        return check(value, place, fault);
    if (value->count == 0 || value->count > LANGUAGES_MAX)
        return ai_refuse(fault, place, "must have 1 to %d languages", LANGUAGES_MAX);
    for (const struct fd_json *m = value->child; m != NULL; m = m->next) {
        if (!is_language(m->key, m->key_len))
            return ai_refuse(fault, place, "\"%.40s\" is no language tag such as en or pt-BR",
                             m->key);
        if (!check(m, within(inner, place, m->key, 0), fault))
            return false;
    }
    return true;
}

static bool check_languages(const struct fd_json *value, const char *place, struct ai_fault *fault)
{
    char inner[PLACE_SIZE];
    size_t i = 0;

    if (value->type != FD_JSON_ARRAY || value->count == 0 || value->count > LANGUAGES_MAX)
        return ai_refuse(fault, place, "must be a list of 1 to %d language tags", LANGUAGES_MAX);
    for (const struct fd_json *tag = value->child; tag != NULL; tag = tag->next, i++) {
        within(inner, place, NULL, i);
        if (tag->type != FD_JSON_STRING || !is_language(tag->text, tag->text_len))
            return ai_refuse(fault, inner, "must be a language tag such as en or pt-BR");
        for (const struct fd_json *o = value->child; o != tag; o = o->next) {
            if (strcmp(o->text, tag->text) == 0)
                return ai_refuse(fault, inner, "%s is listed twice", tag->text);
        }
    }
    return true;
}

static bool check_title_spoken(const struct fd_json *v, const char *place, struct ai_fault *fault)
{
    return check_spoken(v, check_name, place, fault);
}

static bool check_subtitle_spoken(const struct fd_json *v, const char *place,
                                  struct ai_fault *fault)
{
    return check_spoken(v, check_subtitle, place, fault);
}

static bool check_greeting_spoken(const struct fd_json *v, const char *place,
                                  struct ai_fault *fault)
{
    return check_spoken(v, check_greeting, place, fault);
}

static bool check_list(const struct fd_json *value, const char *place, struct ai_fault *fault)
{
    char inner[PLACE_SIZE];
    size_t i = 0;

    if (value->type != FD_JSON_ARRAY || value->count > QUESTIONS_MAX)
        return ai_refuse(fault, place, "must be a list of at most %d questions", QUESTIONS_MAX);
    for (const struct fd_json *q = value->child; q != NULL; q = q->next, i++) {
        if (!check_question(q, within(inner, place, NULL, i), fault))
            return false;
    }
    return true;
}

static bool check_questions(const struct fd_json *v, const char *place, struct ai_fault *fault)
{
    return check_spoken(v, check_list, place, fault);
}

/* -- looks ----------------------------------------------------------------------------- */

static bool check_color(const struct fd_json *value, const char *place, struct ai_fault *fault)
{
    struct color color;

    return (value->type == FD_JSON_STRING && color_read(value->text, &color)) ||
           ai_refuse(fault, place, "must be a colour such as #0f766e");
}

/* Shown on pages that are served by https, which load no others. */
static bool check_logo(const struct fd_json *value, const char *place, struct ai_fault *fault)
{
    bool good = is_text(value, FD_URL_MAX, false) && strncmp(value->text, "https://", 8) == 0 &&
                strpbrk(value->text, " \"<>\\^`{|}") == NULL;
    const char *host = good ? value->text + 8 : "";
    size_t len = strcspn(host, "/?#");

    good = good && len > 0 && memchr(host, '@', len) == NULL && host[0] != '.' && host[0] != ':';
    return good || ai_refuse(fault, place, "must be the https address of an image");
}

static bool check_choice(const struct fd_json *value, const char *const *choices, const char *list,
                         const char *place, struct ai_fault *fault)
{
    for (size_t i = 0; value->type == FD_JSON_STRING && choices[i] != NULL; i++) {
        if (strcmp(choices[i], value->text) == 0)
            return true;
    }
    return ai_refuse(fault, place, "must be one of %s", list);
}

static bool check_theme(const struct fd_json *value, const char *place, struct ai_fault *fault)
{
    static const char *const themes[] = {"auto", "light", "dark", NULL};

    return check_choice(value, themes, "auto, light, dark", place, fault);
}

static bool check_position(const struct fd_json *value, const char *place, struct ai_fault *fault)
{
    static const char *const positions[] = {"right", "left", NULL};

    return check_choice(value, positions, "right, left", place, fault);
}

/* -- features -------------------------------------------------------------------------- */

static bool check_flag(const struct fd_json *value, const char *place, struct ai_fault *fault)
{
    return value->type == FD_JSON_BOOL || ai_refuse(fault, place, "must be true or false");
}

static bool check_field_member(const struct fd_json *m, const char *place, struct ai_fault *fault)
{
    static const char *const names[] = {"name", "email", "phone", NULL};
    static const char *const types[] = {"text", "email", "tel", NULL};
    char inner[PLACE_SIZE];

    within(inner, place, m->key, 0);
    if (strcmp(m->key, "name") == 0)
        return check_choice(m, names, "name, email, phone", inner, fault);
    if (strcmp(m->key, "type") == 0)
        return check_choice(m, types, "text, email, tel", inner, fault);
    if (strcmp(m->key, "label") == 0)
        return check_spoken(m, check_name, inner, fault);
    if (strcmp(m->key, "required") == 0)
        return check_flag(m, inner, fault);
    return ai_refuse(fault, inner, "there is no such member");
}

static bool check_form_field(const struct fd_json *fields, const struct fd_json *field,
                             const char *place, struct ai_fault *fault)
{
    const char *name = fd_json_string(field, "name");

    if (field->type != FD_JSON_OBJECT || name == NULL)
        return ai_refuse(fault, place, "must be an object with a name: name, email or phone");
    for (const struct fd_json *m = field->child; m != NULL; m = m->next) {
        if (!check_field_member(m, place, fault))
            return false;
    }
    for (const struct fd_json *o = fields->child; o != field; o = o->next) {
        if (strcmp(fd_json_string(o, "name"), name) == 0)
            return ai_refuse(fault, place, "%s is asked for twice", name);
    }
    return true;
}

static bool check_prechat(const struct fd_json *value, const char *place, struct ai_fault *fault)
{
    const struct fd_json *fields = fd_json_get(value, "fields");
    char inner[PLACE_SIZE];
    size_t i = 0;

    if (value->type == FD_JSON_BOOL)
        return true;
    if (value->type != FD_JSON_OBJECT || value->count != 1 || fields == NULL ||
        fields->type != FD_JSON_ARRAY || fields->count == 0 || fields->count > FIELDS_MAX)
        return ai_refuse(fault, place,
                         "must be true, false, or {\"fields\": [...]} with 1 to %d of them",
                         FIELDS_MAX);
    for (const struct fd_json *f = fields->child; f != NULL; f = f->next, i++) {
        snprintf(inner, sizeof(inner), "%.60s.fields[%zu]", place, i);
        if (!check_form_field(fields, f, inner, fault))
            return false;
    }
    return true;
}

static bool check_feature(const struct fd_json *value, const char *place, struct ai_fault *fault)
{
    if (strcmp(value->key, "prechat") == 0)
        return check_prechat(value, place, fault);
    for (size_t i = 0; branding_features[i] != NULL; i++) {
        if (strcmp(branding_features[i], value->key) == 0)
            return check_flag(value, place, fault);
    }
    return ai_refuse(fault, place, "there is no such feature");
}

static bool check_features(const struct fd_json *value, const char *place, struct ai_fault *fault)
{
    char inner[PLACE_SIZE];

    if (value->type != FD_JSON_OBJECT)
        return ai_refuse(fault, place, "must be an object");
    for (const struct fd_json *m = value->child; m != NULL; m = m->next) {
        within(inner, place, m->key, 0);
        if (m->type != FD_JSON_NULL && !check_feature(m, inner, fault))
            return false;
    }
    return true;
}

/* -- all of it -------------------------------------------------------------------------- */

static const struct {
    const char *name;
    check_fn *check;
} members[] = {
    {"name", check_name},
    {"title", check_title_spoken},
    {"subtitle", check_subtitle_spoken},
    {"primary_color", check_color},
    {"logo_url", check_logo},
    {"theme", check_theme},
    {"position", check_position},
    {"greeting", check_greeting_spoken},
    {"suggested_questions", check_questions},
    {"languages", check_languages},
    {"features", check_features},
};

static bool check_member(const struct fd_json *value, struct ai_fault *fault)
{
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        if (strcmp(members[i].name, value->key) == 0)
            return value->type == FD_JSON_NULL || members[i].check(value, value->key, fault);
    }
    return ai_refuse(fault, value->key, "there is no such member");
}

bool branding_check(const struct fd_json *patch, struct ai_fault *fault)
{
    *fault = (struct ai_fault){0};
    if (patch == NULL || patch->type != FD_JSON_OBJECT)
        return ai_refuse(fault, "", "must be an object");
    for (const struct fd_json *value = patch->child; value != NULL; value = value->next) {
        if (!check_member(value, fault))
            return false;
    }
    return true;
}
