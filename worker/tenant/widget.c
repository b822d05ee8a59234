#include "tenant/widget.h"

#include "core/arena.h"

#include <string.h>

#define QUESTIONS_MAX 8
#define LANGUAGES_MAX 16
#define FIELDS_MAX    8

static const char *const features[] = {"model_picker", "handoff", "identity", "rating"};
static const char *const field_names[] = {"name", "email", "phone", NULL};
static const char *const field_types[] = {"text", "email", "tel", NULL};
static const char *const themes[] = {"auto", "light", "dark", NULL};
static const char *const positions[] = {"right", "left", NULL};

static const struct fd_json *parse(struct arena *a, const char *text)
{
    struct fd_json_fault fault;
    return text != NULL ? fd_json_parse(text, strlen(text), (struct fd_json_limits){0},
                                        arena_allocator(a), &fault)
                        : NULL;
}

static const struct fd_json *first_member(const struct fd_json *value)
{
    return value != NULL && value->type == FD_JSON_OBJECT ? value->child : NULL;
}

/* The stored value where it is one of the choices. */
static const char *choice(const struct fd_json *object, const char *key, const char *const *choices,
                          const char *otherwise)
{
    const char *value = fd_json_string(object, key);
    for (size_t i = 0; value != NULL && choices[i] != NULL; i++) {
        if (strcmp(value, choices[i]) == 0) {
            return value;
        }
    }
    return otherwise;
}

/* -- values that are the same in every language, or an object by language -------- */

static void write_text(struct fd_json_writer *w, const struct fd_json *text)
{
    if (text != NULL && text->type == FD_JSON_STRING) {
        fd_jw_string(w, text->text, text->text_len);
    } else {
        fd_jw_null(w); /* the widget has words of its own */
    }
}

static void write_texts(struct fd_json_writer *w, const struct fd_json *array, size_t most)
{
    fd_jw_array(w);
    if (array != NULL && array->type == FD_JSON_ARRAY) {
        for (const struct fd_json *s = array->child; s != NULL && most > 0; s = s->next) {
            if (s->type == FD_JSON_STRING) {
                write_text(w, s);
                most--;
            }
        }
    }
    fd_jw_end_array(w);
}

static void write_spoken_text(struct fd_json_writer *w, const struct fd_json *text)
{
    const struct fd_json *member = first_member(text);
    if (member == NULL) {
        write_text(w, text);
        return;
    }
    fd_jw_object(w);
    for (; member != NULL; member = member->next) {
        fd_jw_key(w, member->key);
        write_text(w, member);
    }
    fd_jw_end_object(w);
}

static void write_spoken_texts(struct fd_json_writer *w, const struct fd_json *texts, size_t most)
{
    const struct fd_json *member = first_member(texts);
    if (member == NULL) {
        write_texts(w, texts, most);
        return;
    }
    fd_jw_object(w);
    for (; member != NULL; member = member->next) {
        fd_jw_key(w, member->key);
        write_texts(w, member, most);
    }
    fd_jw_end_object(w);
}

/* -- the document ---------------------------------------------------------------- */

static void write_branding(struct fd_json_writer *w, const struct fd_json *branding,
                           const char *name)
{
    const char *own_name = fd_json_string(branding, "name");

    fd_jw_key(w, "branding");
    fd_jw_object(w);
    fd_jw_member(w, "name", own_name != NULL ? own_name : name);
    for (const struct fd_json *m = first_member(branding); m != NULL; m = m->next) {
        if (strcmp(m->key, "name") != 0) {
            fd_jw_key(w, m->key);
            write_spoken_text(w, m);
        }
    }
    fd_jw_end_object(w);
}

/* A field of the form before a chat: of what identify takes as a profile. */
static void write_field(struct fd_json_writer *w, const struct fd_json *field)
{
    fd_jw_object(w);
    fd_jw_member(w, "name", fd_json_string(field, "name"));
    if (fd_json_get(field, "label") != NULL) {
        fd_jw_key(w, "label");
        write_spoken_text(w, fd_json_get(field, "label"));
    }
    fd_jw_member(w, "type", choice(field, "type", field_types, "text"));
    fd_jw_member_bool(w, "required", fd_json_bool(field, "required", false));
    fd_jw_end_object(w);
}

/* The form that a visitor fills in before the first message; true: name and address. */
static void write_prechat(struct fd_json_writer *w, const struct fd_json *prechat)
{
    static const char usual[] = "[{\"name\":\"name\",\"type\":\"text\",\"required\":false},"
                                "{\"name\":\"email\",\"type\":\"email\",\"required\":true}]";
    const struct fd_json *fields = fd_json_get(prechat, "fields");
    size_t most = FIELDS_MAX;
    bool on = prechat != NULL && prechat->type == FD_JSON_BOOL && prechat->boolean;

    fd_jw_key(w, "prechat");
    if (!on && (fields == NULL || fields->type != FD_JSON_ARRAY || fields->count == 0)) {
        fd_jw_null(w);
        return;
    }
    fd_jw_object(w);
    fd_jw_key(w, "fields");
    if (on) {
        fd_jw_raw(w, usual, sizeof(usual) - 1);
    } else {
        fd_jw_array(w);
        for (const struct fd_json *f = fields->child; f != NULL && most > 0; f = f->next) {
            if (choice(f, "name", field_names, NULL) != NULL) {
                write_field(w, f);
                most--;
            }
        }
        fd_jw_end_array(w);
    }
    fd_jw_end_object(w);
}

static void write_features(struct fd_json_writer *w, const struct fd_json *stored)
{
    fd_jw_key(w, "features");
    fd_jw_object(w);
    for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
        fd_jw_member_bool(w, features[i], fd_json_bool(stored, features[i], false));
    }
    write_prechat(w, fd_json_get(stored, "prechat"));
    fd_jw_end_object(w);
}

/* A visitor who may not choose is not told what there is. */
static void write_models(struct fd_json_writer *w, const struct widget_settings *s,
                         const struct fd_json *models, bool picker)
{
    fd_jw_key(w, "models");
    if (picker && models != NULL && models->type == FD_JSON_ARRAY) {
        fd_jw_json(w, models);
    } else {
        fd_jw_array(w);
        fd_jw_end_array(w);
    }
    fd_jw_member(w, "default_model_id", picker ? s->default_model_id : NULL);
}

bool widget_config(const struct widget_settings *settings, struct buf *out)
{
    struct arena a;
    struct fd_json_writer w;

    arena_init(&a);
    const struct fd_json *widget = parse(&a, settings->widget);
    const struct fd_json *stored_features = fd_json_get(widget, "features");

    buf_json(out, &w);
    fd_jw_object(&w);
    write_branding(&w, parse(&a, settings->branding), settings->name);
    fd_jw_member(&w, "theme", choice(widget, "theme", themes, "auto"));
    fd_jw_member(&w, "position", choice(widget, "position", positions, NULL));
    fd_jw_key(&w, "greeting");
    write_spoken_text(&w, fd_json_get(widget, "greeting"));
    fd_jw_key(&w, "suggested_questions");
    write_spoken_texts(&w, fd_json_get(widget, "suggested_questions"), QUESTIONS_MAX);
    fd_jw_key(&w, "languages");
    write_texts(&w, parse(&a, settings->languages), LANGUAGES_MAX);
    write_features(&w, stored_features);
    write_models(&w, settings, parse(&a, settings->models),
                 fd_json_bool(stored_features, "model_picker", false));
    fd_jw_end_object(&w);
    bool ok = buf_json_end(out, &w);
    arena_free(&a);
    return ok;
}
