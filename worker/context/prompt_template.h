/*
 * Prompt template: text with {{name}} for a value and {{#name}}...{{/name}} around what
 * stands there only if the value does. Names are of a fixed list, and all that can be
 * wrong with a template is found when it is read. A value is inserted as it is and never
 * read as a template. Pure.
 */
#ifndef FD_CONTEXT_PROMPT_TEMPLATE_H
#define FD_CONTEXT_PROMPT_TEMPLATE_H

#include "core/arena.h"

#include <stdbool.h>

struct prompt_slot {
    const char *name;
    unsigned files;    /* the kinds of file, as bits, that it may stand in */
    unsigned required; /* that it must stand in */
    bool optional;     /* may have no value: only inside its own section */
};

struct prompt_slots {
    const struct prompt_slot *list;
    size_t count;
    unsigned file; /* the kind of this one */
};

struct prompt_piece;

struct prompt_template {
    struct prompt_piece *pieces;
    size_t count;
};

struct prompt_fault {
    int line;
    char what[208];
};

/* False: the fault. */
bool prompt_template_parse(struct arena *a, const char *text, const struct prompt_slots *slots,
                           struct prompt_template *t, struct prompt_fault *fault);
/* `values` in the order of the slots; NULL and "" are none. */
const char *prompt_template_render(struct arena *a, const struct prompt_template *t,
                                   const char *const *values);

#endif
