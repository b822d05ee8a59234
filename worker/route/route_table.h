/* The built-in table of intents: a version's words, in the order in which they count. */
#ifndef FD_ROUTE_TABLE_H
#define FD_ROUTE_TABLE_H

#include "route/route.h"

#define DEAL_COACHING "deal_coaching"
#define GENERAL_QA    "general_qa"

#define ROUTE_TABLE_WORDS_MAX 128

struct route_table {
    const struct route_words *intents;
    size_t count;
    const struct phrases *phrases; /* all words in order */
};

/* Made on first use, by any thread, and kept. */
const struct route_table *route_table(int version);

#endif
