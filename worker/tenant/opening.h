/*
 * Opening: business hours as people write them, read into a week, so that a visitor who waits
 * for a person is told honestly when there will be one.
 *
 *     "Sunday to Thursday 09:00-18:00, Friday 09:00-13:00, Saturday closed"
 *     "mon-fri 9am-1pm, 2pm-6pm", "daily 22:00-02:00", "24/7"
 *
 * English and Hebrew names of days. What is not understood to the last word says nothing: hours
 * that are guessed would be a promise. Pure.
 */
#ifndef FD_TENANT_OPENING_H
#define FD_TENANT_OPENING_H

#include "core/buf.h"

#include <stdbool.h>
#include <stddef.h>

#define OPENING_SPANS_MAX 42

struct opening_span {
    int day;      /* 0 = Sunday */
    int from, to; /* minutes of that day; `to` is past 1440 where it goes on beyond midnight */
};

struct opening {
    struct opening_span spans[OPENING_SPANS_MAX];
    size_t count;
};

/* `hours` is one line, as business_info.h makes it of whatever was stored; may be NULL.
 * False: nothing is known. */
bool opening_read(const char *hours, struct opening *week);
/* [[day, from, to], ...] for opening_at() in PostgreSQL, which knows the time zones. */
bool opening_json(const struct opening *week, struct buf *out);

#endif
