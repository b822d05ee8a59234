#include "protocol/visitor_request.h"

#include "protocol/limits.h"

#include <stdio.h>
#include <string.h>

enum text_kind {
    TEXT_WORDS, /* characters count; line breaks are fine */
    TEXT_LINE,
    TEXT_EMAIL,
    TEXT_PHONE,
    TEXT_HEX
};

struct field {
    const char *name;
    enum text_kind kind;
    size_t max;
    struct fd_text *out;
};

static bool fault_at(struct fd_field_fault *fault, const char *prefix, const char *name,
                     const char *detail)
{
    int len = snprintf(fault->field, sizeof(fault->field), "%s%s", prefix, name);

    if (len >= (int)sizeof(fault->field)) {
        size_t cut = sizeof(fault->field) - 1;

        while (cut > 0 && !fd_utf8_valid(fault->field, cut))
            cut--;
        fault->field[cut] = '\0';
    }
    snprintf(fault->detail, sizeof(fault->detail), "%s", detail);
    return false;
}

static size_t characters(const char *s, size_t len)
{
    size_t count = 0;

    for (size_t i = 0; i < len; i++)
        count += ((unsigned char)s[i] & 0xc0) != 0x80;
    return count;
}

static bool has_control(const char *s, size_t len, bool breaks)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s[i];

        if ((c < 0x20 && !(breaks && (c == '\n' || c == '\r' || c == '\t'))) || c == 0x7f)
            return true;
    }
    return false;
}

bool fd_email_shaped(const char *s, size_t len)
{
    const char *at = memchr(s, '@', len);
    const char *end = s + len;

    if (at == NULL || at == s || len > FD_EMAIL_MAX || memchr(at + 1, '@', (size_t)(end - at - 1)))
        return false;
    for (const char *p = s; p < end; p++) {
        if ((unsigned char)*p <= ' ' || *p == 0x7f || strchr("<>()[],;:\\\"", *p) != NULL)
            return false;
    }
    const char *dot = memchr(at + 1, '.', (size_t)(end - at - 1));
    return dot != NULL && dot != at + 1 && end[-1] != '.' && end[-1] != '-';
}

static bool phone_shaped(const char *s, size_t len)
{
    size_t digits = 0;

    for (size_t i = 0; i < len; i++)
        digits += s[i] >= '0' && s[i] <= '9';
    return digits >= 3 && strspn(s, "0123456789 +-().#*/xX") == len;
}

/* NULL, or what would be right. */
static const char *wrong_text(const struct field *field, const char *s, size_t len)
{
    switch (field->kind) {
    case TEXT_WORDS: return has_control(s, len, true) ? "must not hold control characters" : NULL;
    case TEXT_LINE: return has_control(s, len, false) ? "must be one line" : NULL;
    case TEXT_EMAIL: return fd_email_shaped(s, len) ? NULL : "must be an e-mail address";
    case TEXT_PHONE: return phone_shaped(s, len) ? NULL : "must be a telephone number";
    case TEXT_HEX:
        return len == field->max && strspn(s, "0123456789abcdefABCDEF") == len
                   ? NULL
                   : "must be 64 hexadecimal digits";
    }
    return NULL;
}

static bool read_text(const struct field *field, const char *prefix, const struct fd_json *value,
                      struct fd_field_fault *fault)
{
    char detail[96];
    const char *wrong;

    if (value->type == FD_JSON_NULL)
        return true;
    bool words = field->kind == TEXT_WORDS;
    size_t size = value->type != FD_JSON_STRING ? 0
                  : words                       ? characters(value->text, value->text_len)
                                                : value->text_len;
    if (size == 0 || size > field->max) {
        snprintf(detail, sizeof(detail), "must be a string of 1 to %zu %s", field->max,
                 words ? "characters" : "bytes");
        return fault_at(fault, prefix, field->name, detail);
    }
    wrong = wrong_text(field, value->text, value->text_len);
    if (wrong != NULL)
        return fault_at(fault, prefix, field->name, wrong);
    *field->out = (struct fd_text){value->text, value->text_len};
    return true;
}

/* Reads every member by the table; `other`, of another type, is the caller's. */
static bool read_fields(const struct fd_json *object, const char *prefix,
                        const struct field *fields, size_t count, const char *other,
                        struct fd_field_fault *fault)
{
    if (object == NULL || object->type != FD_JSON_OBJECT)
        return fault_at(fault, "", *prefix != '\0' ? "profile" : "",
                        *prefix != '\0' ? "must be an object" : "the body must be a JSON object");
    for (const struct fd_json *value = object->child; value != NULL; value = value->next) {
        const struct field *field = NULL;

        for (size_t i = 0; i < count && field == NULL; i++)
            field = strcmp(fields[i].name, value->key) == 0 ? &fields[i] : NULL;
        if (field == NULL && other != NULL && strcmp(value->key, other) == 0)
            continue;
        if (field == NULL)
            return fault_at(fault, prefix, value->key, "is not a field of this request");
        if (!read_text(field, prefix, value, fault))
            return false;
    }
    return true;
}

bool fd_feedback_request_read(const struct fd_json *body, struct fd_feedback_request *request,
                              struct fd_field_fault *fault)
{
    const struct field fields[] = {{"comment", TEXT_WORDS, FD_COMMENT_MAX, &request->comment}};
    const struct fd_json *rating = fd_json_get(body, "rating");
    const char *word = fd_json_string(body, "rating");

    *request = (struct fd_feedback_request){0};
    if (!read_fields(body, "", fields, 1, "rating", fault))
        return false;
    if (word != NULL && strcmp(word, FD_FEEDBACK_UP) == 0)
        request->rating = FD_FEEDBACK_UP;
    else if (word != NULL && strcmp(word, FD_FEEDBACK_DOWN) == 0)
        request->rating = FD_FEEDBACK_DOWN;
    else if (rating == NULL || rating->type != FD_JSON_NULL)
        return fault_at(fault, "", "rating", "must be \"up\", \"down\" or null");
    return true;
}

bool fd_rating_request_read(const struct fd_json *body, struct fd_rating_request *request,
                            struct fd_field_fault *fault)
{
    const struct field fields[] = {{"comment", TEXT_WORDS, FD_COMMENT_MAX, &request->comment}};
    const struct fd_json *score = fd_json_get(body, "score");

    *request = (struct fd_rating_request){0};
    if (!read_fields(body, "", fields, 1, "score", fault))
        return false;
    if (score == NULL || score->type != FD_JSON_NUMBER || !score->is_integer ||
        score->integer < 1 || score->integer > 5)
        return fault_at(fault, "", "score", "must be a whole number from 1 to 5");
    request->score = (int)score->integer;
    return true;
}

#define CONTACT_FIELDS(contact)                                                                    \
    {"name", TEXT_LINE, FD_NAME_MAX, &(contact)->name},                                            \
        {"email", TEXT_EMAIL, FD_EMAIL_MAX, &(contact)->email},                                    \
    {                                                                                              \
        "phone", TEXT_PHONE, FD_PHONE_MAX, &(contact)->phone                                       \
    }

bool fd_handoff_request_read(const struct fd_json *body, struct fd_handoff_request *request,
                             struct fd_field_fault *fault)
{
    const struct field fields[] = {CONTACT_FIELDS(&request->contact),
                                   {"reason", TEXT_WORDS, FD_REASON_MAX, &request->reason}};

    *request = (struct fd_handoff_request){0};
    return read_fields(body, "", fields, 4, NULL, fault);
}

static bool read_profile(const struct fd_json *profile, struct fd_identify_request *request,
                         struct fd_field_fault *fault)
{
    const struct field fields[] = {CONTACT_FIELDS(&request->contact)};

    if (profile == NULL || profile->type == FD_JSON_NULL)
        return true;
    request->has_profile = true;
    return read_fields(profile, "profile.", fields, 3, NULL, fault);
}

bool fd_identify_request_read(const struct fd_json *body, struct fd_identify_request *request,
                              struct fd_field_fault *fault)
{
    const struct field fields[] = {
        {"token", TEXT_LINE, FD_IDENTITY_MAX, &request->token},
        {"user_id", TEXT_LINE, FD_USER_ID_MAX, &request->user_id},
        {"user_hash", TEXT_HEX, FD_USER_HASH, &request->user_hash},
        {"name", TEXT_LINE, FD_NAME_MAX, &request->contact.name},
        {"email", TEXT_EMAIL, FD_EMAIL_MAX, &request->contact.email},
    };

    *request = (struct fd_identify_request){0};
    if (!read_fields(body, "", fields, 5, "profile", fault))
        return false;
    bool beside = request->contact.name.s != NULL || request->contact.email.s != NULL;
    if (!read_profile(fd_json_get(body, "profile"), request, fault))
        return false;
    int ways = (request->token.s != NULL) + (request->user_id.s != NULL) + request->has_profile;
    if (ways != 1)
        return fault_at(fault, "", "",
                        "one of token, user_id with user_hash, or profile is wanted");
    if (beside && request->user_id.s == NULL)
        return fault_at(fault, "", request->contact.name.s != NULL ? "name" : "email",
                        "stands beside user_id only");
    if ((request->user_id.s != NULL) != (request->user_hash.s != NULL))
        return fault_at(fault, "", "user_hash", "stands beside user_id, and is required there");
    return true;
}
