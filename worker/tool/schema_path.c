#include "tool/schema_path.h"

#include "tool/line.h"

#include <stdbool.h>
#include <string.h>

#define DEPTH_MAX 64

static bool is_plain(const char *key)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_$";

    return key[0] != '\0' && strchr(letters, key[0]) != NULL &&
           key[strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_$0123456789-")] ==
               '\0';
}

void schema_path_print(const struct schema_path *at, char *out, size_t size)
{
    const struct schema_path *steps[DEPTH_MAX];
    struct line line;
    size_t count = 0;

    for (; at->up != NULL && count < DEPTH_MAX; at = at->up)
        steps[count++] = at;
    line_init(&line, out, size);
    line_add(&line, "$");
    while (count > 0) {
        const struct schema_path *step = steps[--count];
        if (step->key == NULL)
            line_add(&line, "[%zu]", step->index);
        else if (is_plain(step->key))
            line_add(&line, ".%s", step->key);
        else
            line_add(&line, "['%s']", step->key);
    }
}
