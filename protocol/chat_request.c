#include "protocol/chat_request.h"
#include "protocol/ids.h"
#include "protocol/limits.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum field_kind {
    FIELD_TEXT,     /* any characters */
    FIELD_TOKEN,    /* no control characters: it goes into logs, keys or headers */
    FIELD_MESSAGE,  /* something besides white space */
    FIELD_SESSION,  /* the shape of ids.h */
    FIELD_LANGUAGE, /* the alphabet of RFC 5646 */
    FIELD_URL,      /* http or https */
    FIELD_BOOL
};

struct field {
    const char *name;
    enum field_kind kind;
    size_t offset; /* of a struct fd_text or a bool */
    size_t max;    /* bytes of a string */
};

#define CHAT(member)  offsetof(struct fd_chat_request, member)
#define START(member) offsetof(struct fd_session_request, member)

static const struct field chat_fields[] = {
    {"client_api_key", FIELD_TOKEN, CHAT(client_api_key), FD_IDEMPOTENCY_MAX},
    {"session_id", FIELD_SESSION, CHAT(session_id), FD_SESSION_ID_LEN},
    {"message", FIELD_MESSAGE, CHAT(message), FD_MESSAGE_MAX},
    {"model_id", FIELD_TOKEN, CHAT(model_id), FD_MODEL_ID_MAX},
    {"client_message_id", FIELD_TOKEN, CHAT(client_message_id), FD_IDEMPOTENCY_MAX},
    {"user_id", FIELD_TOKEN, CHAT(user_id), FD_USER_ID_MAX},
    {"language", FIELD_LANGUAGE, CHAT(language), FD_LANGUAGE_MAX},
    {"identity", FIELD_TOKEN, CHAT(identity), FD_IDENTITY_MAX},
    {"stream", FIELD_BOOL, CHAT(stream), 0},
    {"dry_run", FIELD_BOOL, CHAT(dry_run), 0},
    {"cache", FIELD_BOOL, CHAT(cache), 0},
};

static const struct field context_fields[] = {
    {"page_url", FIELD_URL, CHAT(page_url), FD_URL_MAX},
    {"title", FIELD_TEXT, CHAT(page_title), FD_TITLE_MAX},
};

static const struct field session_fields[] = {
    {"client_api_key", FIELD_TOKEN, START(client_api_key), FD_IDEMPOTENCY_MAX},
    {"user_id", FIELD_TOKEN, START(user_id), FD_USER_ID_MAX},
    {"language", FIELD_LANGUAGE, START(language), FD_LANGUAGE_MAX},
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* A table of fields, where they lie and what stands before their names. */
struct schema {
    const struct field *fields;
    size_t count;
    const char *prefix; /* "context." */
    const char *child;  /* name of a nested object, NULL = none */
    void *out;
};

static bool fault_at(struct fd_field_fault *fault, const char *prefix, const char *name,
                     const char *detail)
{
    int len = snprintf(fault->field, sizeof(fault->field), "%s%s", prefix, name);

    /* a name that is too long is cut between characters */
    if (len >= (int)sizeof(fault->field)) {
        size_t cut = sizeof(fault->field) - 1;

        while (cut > 0 && !fd_utf8_valid(fault->field, cut))
            cut--;
        fault->field[cut] = '\0';
    }
    snprintf(fault->detail, sizeof(fault->detail), "%s", detail);
    return false;
}

static bool has_control(const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
            return true;
    }
    return false;
}

/* Unicode's White_Space in UTF-8, and the zero-width space and BOM, which show
 * nothing either. */
static size_t white_space(const char *s, size_t left)
{
    static const char *const wide[] = {
        "\xc2\x85",     "\xc2\xa0",     "\xe1\x9a\x80", "\xe2\x80\xa8", "\xe2\x80\xa9",
        "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80", "\xef\xbb\xbf",
    };

    if (*s == ' ' || (*s >= '\t' && *s <= '\r'))
        return 1;
    for (size_t i = 0; i < COUNT(wide); i++) {
        size_t len = strlen(wide[i]);

        if (left >= len && memcmp(s, wide[i], len) == 0)
            return len;
    }
    /* U+2000 to U+200B */
    if (left >= 3 && memcmp(s, "\xe2\x80", 2) == 0 && (unsigned char)s[2] >= 0x80 &&
        (unsigned char)s[2] <= 0x8b)
        return 3;
    return 0;
}

static bool is_blank(const char *s, size_t len)
{
    for (size_t i = 0; i < len;) {
        size_t step = white_space(s + i, len - i);

        if (step == 0)
            return false;
        i += step;
    }
    return true;
}

static bool language_shaped(const char *s, size_t len)
{
    return len >= 2 && s[0] != '-' && s[len - 1] != '-' &&
           strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

static bool url_shaped(const char *s, size_t len)
{
    size_t scheme = strncasecmp(s, "https://", 8) == 0  ? 8
                    : strncasecmp(s, "http://", 7) == 0 ? 7
                                                        : 0;

    return scheme > 0 && len > scheme && strchr("/?#:", s[scheme]) == NULL &&
           strchr(s, ' ') == NULL && !has_control(s, len);
}

/* NULL, or what would be right. */
static const char *text_fault(const struct field *field, const struct fd_json *value)
{
    const char *s = value->text;
    size_t len = value->text_len;

    switch (field->kind) {
    case FIELD_TOKEN: return has_control(s, len) ? "must not hold control characters" : NULL;
    case FIELD_MESSAGE: return is_blank(s, len) ? "must hold more than white space" : NULL;
    case FIELD_SESSION:
        return fd_session_id_shaped(s, len) ? NULL : "must be a session_id that was given out";
    case FIELD_LANGUAGE:
        return language_shaped(s, len) ? NULL
                                       : "must be a language tag such as \"en\" or \"he-IL\"";
    case FIELD_URL: return url_shaped(s, len) ? NULL : "must be an http or https URL";
    case FIELD_TEXT:
    case FIELD_BOOL: break;
    }
    return NULL;
}

static bool read_bool(const struct schema *schema, const struct field *field,
                      const struct fd_json *value, struct fd_field_fault *fault)
{
    if (value->type != FD_JSON_BOOL)
        return fault_at(fault, schema->prefix, field->name, "must be true or false");
    *(bool *)((char *)schema->out + field->offset) = value->boolean;
    return true;
}

static bool read_text(const struct schema *schema, const struct field *field,
                      const struct fd_json *value, struct fd_field_fault *fault)
{
    struct fd_text *out = (struct fd_text *)(void *)((char *)schema->out + field->offset);
    const char *wrong;

    if (value->type != FD_JSON_STRING || value->text_len == 0 || value->text_len > field->max) {
        char detail[64];

        snprintf(detail, sizeof(detail), "must be a string of 1 to %zu bytes", field->max);
        return fault_at(fault, schema->prefix, field->name, detail);
    }
    wrong = text_fault(field, value);
    if (wrong != NULL)
        return fault_at(fault, schema->prefix, field->name, wrong);
    *out = (struct fd_text){value->text, value->text_len};
    return true;
}

static const struct field *find_field(const struct schema *schema, const char *name)
{
    for (size_t i = 0; i < schema->count; i++) {
        if (strcmp(schema->fields[i].name, name) == 0)
            return &schema->fields[i];
    }
    return NULL;
}

/* Reads every member by its table; null is the same as absent, since that is what
 * a script sends for a value that it does not have. */
static bool read_members(const struct schema *schema, const struct fd_json *object,
                         struct fd_field_fault *fault)
{
    for (const struct fd_json *value = object->child; value != NULL; value = value->next) {
        const struct field *field = find_field(schema, value->key);
        bool ok = true;

        if (field == NULL && schema->child != NULL && strcmp(value->key, schema->child) == 0)
            continue;
        if (field == NULL)
            return fault_at(fault, schema->prefix, value->key, "is not a field of this request");
        if (value->type == FD_JSON_NULL)
            continue;
        if (field->kind == FIELD_BOOL)
            ok = read_bool(schema, field, value, fault);
        else
            ok = read_text(schema, field, value, fault);
        if (!ok)
            return false;
    }
    return true;
}

static bool read_object(const struct schema *schema, const struct fd_json *body,
                        struct fd_field_fault *fault)
{
    if (body == NULL || body->type != FD_JSON_OBJECT)
        return fault_at(fault, "", "", "the body must be a JSON object");
    return read_members(schema, body, fault);
}

static bool read_context(const struct fd_json *context, struct fd_chat_request *request,
                         struct fd_field_fault *fault)
{
    struct schema schema = {context_fields, COUNT(context_fields), "context.", NULL, request};

    if (context == NULL || context->type == FD_JSON_NULL)
        return true;
    if (context->type != FD_JSON_OBJECT)
        return fault_at(fault, "", "context", "must be an object with page_url and title");
    return read_members(&schema, context, fault);
}

bool fd_chat_request_read(const struct fd_json *body, struct fd_chat_request *request,
                          struct fd_field_fault *fault)
{
    struct schema schema = {chat_fields, COUNT(chat_fields), "", "context", request};
    const struct fd_json *stream = fd_json_get(body, "stream");

    *request = (struct fd_chat_request){.cache = true};
    if (!read_object(&schema, body, fault) ||
        !read_context(fd_json_get(body, "context"), request, fault))
        return false;
    request->has_stream = stream != NULL && stream->type == FD_JSON_BOOL;
    if (request->message.s == NULL) {
        char detail[64];

        snprintf(detail, sizeof(detail), "is required: a string of 1 to %d bytes", FD_MESSAGE_MAX);
        return fault_at(fault, "", "message", detail);
    }
    return true;
}

bool fd_session_request_read(const struct fd_json *body, struct fd_session_request *request,
                             struct fd_field_fault *fault)
{
    struct schema schema = {session_fields, COUNT(session_fields), "", NULL, request};

    *request = (struct fd_session_request){{0}, {0}, {0}};
    return read_object(&schema, body, fault);
}

static void write_text(struct fd_json_writer *w, const char *key, const struct fd_text *text)
{
    if (text->s == NULL)
        return;
    fd_jw_key(w, key);
    fd_jw_string(w, text->s, text->len);
}

void fd_chat_request_write(struct fd_json_writer *w, const struct fd_chat_request *request)
{
    fd_jw_object(w);
    write_text(w, "session_id", &request->session_id);
    write_text(w, "message", &request->message);
    write_text(w, "model_id", &request->model_id);
    write_text(w, "client_message_id", &request->client_message_id);
    write_text(w, "user_id", &request->user_id);
    write_text(w, "language", &request->language);
    write_text(w, "identity", &request->identity);
    if (request->page_url.s != NULL || request->page_title.s != NULL) {
        fd_jw_key(w, "context");
        fd_jw_object(w);
        write_text(w, "page_url", &request->page_url);
        write_text(w, "title", &request->page_title);
        fd_jw_end_object(w);
    }
    if (request->stream)
        fd_jw_member_bool(w, "stream", true);
    if (request->dry_run)
        fd_jw_member_bool(w, "dry_run", true);
    if (!request->cache)
        fd_jw_member_bool(w, "cache", false);
    fd_jw_end_object(w);
}
