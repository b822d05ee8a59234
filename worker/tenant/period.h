/*
 * Period: the days that figures are of, UTC, and the conversations behind a figure as a filter
 * of these days. Pure but for today's date.
 */
#ifndef FD_TENANT_PERIOD_H
#define FD_TENANT_PERIOD_H

#include "protocol/json.h"

#include <stdbool.h>
#include <stddef.h>

#define PERIOD_DAYS_MAX 366

struct period {
    char from[11]; /* both in it */
    char to[11];
};

/* NULL: thirty days up to today. False: which of the two is wrong, and what would be right. */
bool period_read(const char *from, const char *to, struct period *period, const char **field,
                 const char **detail);
/* As many days before it. */
void period_before(const struct period *period, struct period *before);

void period_write(struct fd_json_writer *w, const char *key, const struct period *period);

/* Conversations that began in it, or in which something happened in it. */
enum period_of { PERIOD_BEGAN, PERIOD_ACTIVE };

/* The member "filter", with up to `count` more parameters of tenant/conversation_filter.h: a name
 * that is NULL is left out. */
void period_write_filter(struct fd_json_writer *w, const struct period *period, enum period_of of,
                         const char *const pairs[][2], size_t count);

#endif
