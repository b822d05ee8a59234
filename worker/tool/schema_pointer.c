#include "tool/schema_pointer.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void decode_percent(char *text)
{
    char *to = text;

    for (const char *p = text; *p != '\0'; p++) {
        unsigned code;
        if (*p == '%' && strspn(p + 1, "0123456789abcdefABCDEF") >= 2 &&
            sscanf(p + 1, "%2x", &code) == 1 && code != 0) {
            *to++ = (char)code;
            p += 2;
        } else {
            *to++ = *p;
        }
    }
    *to = '\0';
}

static void decode_tilde(char *text)
{
    char *to = text;

    for (const char *p = text; *p != '\0'; p++) {
        if (p[0] == '~' && (p[1] == '0' || p[1] == '1'))
            *to++ = *++p == '1' ? '/' : '~';
        else
            *to++ = *p;
    }
    *to = '\0';
}

static const struct fd_json *element(const struct fd_json *array, const char *step)
{
    const struct fd_json *json = array->child;
    char *end;

    if (step[0] < '0' || step[0] > '9' || (step[0] == '0' && step[1] != '\0'))
        return NULL;
    for (unsigned long index = strtoul(step, &end, 10); json != NULL && index > 0; index--)
        json = json->next;
    return *end == '\0' ? json : NULL;
}

const struct fd_json *schema_pointed(struct arena *a, const struct fd_json *root,
                                     const char *pointer)
{
    const struct fd_json *json = root;

    while (json != NULL && *pointer == '/') {
        size_t len = strcspn(++pointer, "/");
        char *step = arena_strndup(a, pointer, len);

        decode_percent(step);
        decode_tilde(step);
        json = json->type == FD_JSON_ARRAY ? element(json, step) : fd_json_get(json, step);
        pointer += len;
    }
    return *pointer == '\0' ? json : NULL;
}
