/*
 * Business info: what an organisation says of itself, as its prompts repeat it
 * (organizations.business_info). Each is one line of bounded length without anything
 * invisible, however it was stored: a text, a list, or an object of texts.
 */
#ifndef FD_TENANT_BUSINESS_INFO_H
#define FD_TENANT_BUSINESS_INFO_H

#include "core/arena.h"
#include "protocol/json.h"

#define BUSINESS_LINE_MAX 600 /* bytes of one of them */

struct business_info {
    const char *hours; /* NULL = not said, as with the others */
    const char *timezone;
    const char *currency;
    const char *shipping_zones;
    const char *contact;
    const char *tone;
    int utc_offset_s; /* of the time zone, now */
};

/* `json` may be NULL. */
void business_info_read(struct arena *a, const struct fd_json *json, struct business_info *info);

#endif
