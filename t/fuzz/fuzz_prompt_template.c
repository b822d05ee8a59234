/* Any bytes as a template: read, or a fault with its line; what is read writes its values
 * as they are, however much they look like a template. */
#include "context/prompt_template.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HOSTILE "{{#b}}{{a}}{{/b}}"

static const struct prompt_slot slots[] = {
    {"a", 1, 0, false}, {"b", 1, 0, true}, {"c", 3, 2, true}};

static size_t lines_of(const char *text)
{
    size_t lines = 0;

    while (*text != '\0') {
        text += strcspn(text, "\n");
        text += *text == '\n';
        lines++;
    }
    return lines;
}

static size_t count(const char *text, const char *part)
{
    size_t found = 0;

    for (; (text = strstr(text, part)) != NULL; text += strlen(part)) {
        found++;
    }
    return found;
}

static void check_written(struct arena *a, const char *text, const struct prompt_template *t)
{
    const char *const none[] = {NULL, "", NULL};
    const char *const plain[] = {"", "B", "C"};
    const char *const hostile[] = {"", HOSTILE, HOSTILE};
    const char *bare = prompt_template_render(a, t, none);
    const char *with = prompt_template_render(a, t, plain);
    const char *held = prompt_template_render(a, t, hostile);

    if (strlen(bare) > strlen(text) || strlen(bare) > strlen(with)) {
        abort();
    }
    /* each value is where the plain one is, and no other text has gone or come */
    if (count(held, HOSTILE) * (strlen(HOSTILE) - 1) != strlen(held) - strlen(with)) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct prompt_slots known = {slots, 3, size > 0 && data[0] % 2 == 0 ? 1 : 2};
    struct prompt_template t;
    struct prompt_fault fault = {0};
    struct arena a;

    arena_init(&a);
    char *text = arena_strndup(&a, (const char *)data, size);
    if (prompt_template_parse(&a, text, &known, &t, &fault)) {
        check_written(&a, text, &t);
    } else if (fault.line < 0 || (size_t)fault.line > lines_of(text) || fault.what[0] == '\0' ||
               strlen(fault.what) >= sizeof(fault.what)) {
        abort();
    }
    arena_free(&a);
    return 0;
}
