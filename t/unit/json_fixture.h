/* An arena for each test, and JSON in it. */
#ifndef T_UNIT_JSON_FIXTURE_H
#define T_UNIT_JSON_FIXTURE_H

#include "core/arena.h"
#include "protocol/json.h"

#include <string.h>

#include <sodium.h>

static struct arena a;

static inline int arena_set_up(void **state)
{
    (void)state;
    arena_init(&a);
    return sodium_init() < 0 ? -1 : 0;
}

static inline int arena_tear_down(void **state)
{
    (void)state;
    arena_free(&a);
    return 0;
}

static inline const struct fd_json *parse(const char *text)
{
    struct fd_json_fault fault;
    const struct fd_json *json =
        fd_json_parse(text, strlen(text), (struct fd_json_limits){0}, arena_allocator(&a), &fault);

    if (json == NULL)
        fail_msg("%s is not JSON", text);
    return json;
}

#endif
