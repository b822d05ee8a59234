/*
 * Claims: whether a text says that an action was carried out ("I've booked it", "your
 * order has been cancelled"), in English or Hebrew. Questions, conditions, negations,
 * offers and general facts ("orders are sent within 2 days") are none; nor is what stands
 * in quotation marks, in code or in a draft; nor is what was done (tool/deeds.h). A guess from
 * the wording, made to be wrong rarely where it says yes. Pure.
 */
#ifndef FD_TOOL_CLAIMS_H
#define FD_TOOL_CLAIMS_H

#include <stddef.h>

enum tool_claim {
    TOOL_CLAIM_NONE,
    TOOL_CLAIM_STATED, /* "your order has been cancelled": may be what a read tool said */
    TOOL_CLAIM_OWN     /* "I've cancelled your order", "done" */
};

/* The strongest that the text makes beyond what was done; only its first 64 KB are looked at. */
enum tool_claim tool_claim_of(const char *text, size_t len, unsigned done);

#endif
