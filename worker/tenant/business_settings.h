/*
 * Business settings: what an organisation says of itself (business_info.h), read, checked
 * and changed in one place, for the admin API and the commands alike. A change is an
 * object with some of the members; null takes one away:
 *
 *     {"hours": "Sunday to Thursday 09:00-18:00", "timezone": "Asia/Jerusalem",
 *      "currency": "ILS", "shipping_zones": ["Israel", "Europe"],
 *      "contact": {"email": "support@shop.example"}, "tone": "warm and brief"}
 *
 * The language is among the assistant's settings (`languages`).
 */
#ifndef FD_TENANT_BUSINESS_SETTINGS_H
#define FD_TENANT_BUSINESS_SETTINGS_H

#include "tenant/ai_settings.h"

#define BUSINESS_JSON_MAX 32768

/* *out: the members that are set, and "hours_understood": whether a visitor who waits for a
 * person can be told when there will be one. */
enum db_status business_settings_read(struct db *db, const char *org, struct buf *out);
/* All or nothing; DB_OK with a fault: refused. *out as above. */
enum db_status business_settings_change(struct db *db, const char *org, const struct fd_json *patch,
                                        struct ai_fault *fault, struct buf *out);

/* Pure: what can be said without a database, which knows the time zones. */
bool business_settings_check(const struct fd_json *patch, struct ai_fault *fault);

#endif
