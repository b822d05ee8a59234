/*
 * Conversation filter: which conversations are meant, the same in lists, exports and
 * behind every figure of analytics. Pure.
 */
#ifndef FD_TENANT_CONVERSATION_FILTER_H
#define FD_TENANT_CONVERSATION_FILTER_H

#include "core/arena.h"

#include <stdbool.h>
#include <stddef.h>

struct conversation_filter {
    const char *json; /* what find_conversations() takes */
    bool by_activity; /* the latest activity first, not the latest begun */
};

/* What is wrong with which parameter, and what would be right. */
struct conversation_fault {
    const char *field;
    const char *detail;
};

/* The value of a parameter; NULL where it is absent. */
typedef const char *conversation_value_fn(const void *from, const char *name);

/* The names of all parameters, the last NULL. */
extern const char *const conversation_parameters[];

bool conversation_filter_read(struct arena *a, conversation_value_fn *value, const void *from,
                              struct conversation_filter *filter, struct conversation_fault *fault);
/* The first of those given that is of one organisation, and means nothing over all; NULL: none. */
const char *conversation_filter_of_one(conversation_value_fn *value, const void *from);

#endif
