#include "core/breaker.h"

#define FAILURES_TO_OPEN 5
#define OPEN_MS          10000
#define OPEN_MAX_MS      120000

bool breaker_is_closed(const struct breaker *breaker)
{
    return breaker->open_until == 0;
}

bool breaker_allows(struct breaker *breaker, int64_t now_ms)
{
    if (breaker_is_closed(breaker)) {
        return true;
    }
    if (now_ms < breaker->open_until || breaker->probing) {
        return false;
    }
    breaker->probing = true;
    return true;
}

void breaker_success(struct breaker *breaker)
{
    *breaker = (struct breaker){0};
}

static void open_for(struct breaker *breaker, int64_t now_ms, int64_t ms)
{
    breaker->open_ms = ms < OPEN_MAX_MS ? ms : OPEN_MAX_MS;
    breaker->open_until = now_ms + breaker->open_ms;
    breaker->probing = false;
}

void breaker_failure(struct breaker *breaker, int64_t now_ms)
{
    if (breaker->probing) {
        open_for(breaker, now_ms, breaker->open_ms * 2);
    } else if (breaker->open_until == 0 && ++breaker->failures >= FAILURES_TO_OPEN) {
        open_for(breaker, now_ms, OPEN_MS);
    }
    /* else: a call that was out before it opened; that says nothing new */
}

void breaker_abandon(struct breaker *breaker)
{
    breaker->probing = false;
}
