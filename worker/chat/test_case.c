#define _GNU_SOURCE /* strcasestr */
#include "chat/test_case.h"

#include "core/language_check.h"
#include "core/utf8.h"

#include <string.h>

#define SHOWN_MAX 200 /* bytes of what was expected */

struct verdict {
    struct arena *arena;
    const char **failures;
    size_t count;
};

static void fail(struct verdict *v, const char *what, const char *expected)
{
    size_t len = strlen(expected);

    if (v->count == TEST_FAILURES_MAX)
        return;
    size_t shown = utf8_floor(expected, len, len < SHOWN_MAX ? len : SHOWN_MAX);
    v->failures[v->count++] =
        arena_printf(v->arena, "%s: %.*s%s", what, (int)shown, expected, shown < len ? "..." : "");
}

/* Has a list of objects one with this text? */
static bool has(const struct fd_json *list, const char *key, const char *text)
{
    for (const struct fd_json *item = list != NULL ? list->child : NULL; item != NULL;
         item = item->next) {
        const char *value = fd_json_string(item, key);
        if (value != NULL && strcmp(value, text) == 0)
            return true;
    }
    return false;
}

/* The texts of a member that is a list. */
static const struct fd_json *first_text(const struct fd_json *expect, const char *name)
{
    const struct fd_json *list = fd_json_get(expect, name);

    return list != NULL && list->type == FD_JSON_ARRAY ? list->child : NULL;
}

static void judge_text(struct verdict *v, const struct fd_json *expect, const char *text)
{
    const char *language = fd_json_string(expect, "language");

    for (const struct fd_json *t = first_text(expect, "contains"); t != NULL; t = t->next) {
        if (t->type == FD_JSON_STRING && strcasestr(text, t->text) == NULL)
            fail(v, "is not in the answer", t->text);
    }
    for (const struct fd_json *t = first_text(expect, "not_contains"); t != NULL; t = t->next) {
        if (t->type == FD_JSON_STRING && strcasestr(text, t->text) != NULL)
            fail(v, "must not be in the answer", t->text);
    }
    if (language != NULL && language_differs(text, strlen(text), language))
        fail(v, "the answer is not in the language", language);
}

size_t test_case_judge(struct arena *a, const struct fd_json *expect,
                       const struct test_answer *answer, const char *failures[TEST_FAILURES_MAX])
{
    const char *tool = fd_json_string(expect, "tool"), *tier = fd_json_string(expect, "tier");
    struct verdict v = {a, failures, 0};

    if (answer->text == NULL) {
        fail(&v, "no answer", answer->why != NULL ? answer->why : "it is not known why");
        return v.count;
    }
    judge_text(&v, expect, answer->text);
    if (tool != NULL && !has(answer->calls, "name", tool))
        fail(&v, "was not called", tool);
    for (const struct fd_json *t = first_text(expect, "cites"); t != NULL; t = t->next) {
        if (t->type == FD_JSON_STRING && !has(answer->citations, "id", t->text))
            fail(&v, "is not cited", t->text);
    }
    if (tier != NULL && (answer->tier == NULL || strcmp(answer->tier, tier) != 0))
        fail(&v, "the tier is not", tier);
    return v.count;
}
