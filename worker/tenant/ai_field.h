/* Ai field: the settings one by one, with what each may be. Private to ai_settings*.c. */
#ifndef FD_TENANT_AI_FIELD_H
#define FD_TENANT_AI_FIELD_H

#include "tenant/ai_settings.h"

struct ai_field {
    const char *name;
    enum ai_kind {
        AI_BOOL,
        AI_INT,
        AI_NUMBER,
        AI_TEXT,
        AI_MODEL,
        AI_CHOICE,
        AI_WORDS,
        AI_TREE
    } kind;
    double min, max;       /* of a number; of a text's bytes or a list's words */
    const char *otherwise; /* JSON: without a value of one's own */
    const char *choices;   /* "auto|default" */
    bool (*check)(const struct fd_json *value, const char *name, struct ai_fault *fault);
};

extern const struct ai_field ai_fields[];
extern const size_t ai_field_count;

const struct ai_field *ai_field_find(const char *name);
/* Anything but null. */
bool ai_field_check(const struct ai_field *field, const struct fd_json *value,
                    struct ai_fault *fault);
bool ai_is_model_id(const struct fd_json *value);

#endif
