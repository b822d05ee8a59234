/* Today: the date as a person would say it, for a model that knows none. Pure. */
#ifndef FD_CONTEXT_TODAY_H
#define FD_CONTEXT_TODAY_H

#include "core/arena.h"

#include <stdbool.h>
#include <stdint.h>

/* "Saturday, 21 November 2026", or the same in Hebrew. */
const char *today_text(struct arena *a, bool hebrew, int64_t now_ms, int utc_offset_s);

#endif
