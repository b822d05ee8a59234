/*
 * Branding: how an organisation's widget looks, what it says and what it offers (ADM-2,
 * WID-2). One object with the names of GET /api/v1/config, which is made of it; a change
 * is an object with some of them, where null takes the value away.
 */
#ifndef FD_TENANT_BRANDING_H
#define FD_TENANT_BRANDING_H

#include "core/buf.h"
#include "db/db.h"
#include "protocol/json.h"
#include "tenant/ai_settings.h" /* struct ai_fault */

#define BRANDING_BYTES_MAX 196608

/* *out receives all of it, with `contrast` of the colour and `config`, what the widget is sent:
 * null while the organisation is disabled. */
enum db_status branding_read(struct db *db, const char *org, struct buf *out);
/* All or nothing; DB_OK with a fault: refused. */
enum db_status branding_change(struct db *db, const char *org, const struct fd_json *patch,
                               struct ai_fault *fault, struct buf *out);

/* -- pure ------------------------------------------------------------------------------ */

/* False: the fault names the place, such as "suggested_questions.he[2]". */
bool branding_check(const struct fd_json *patch, struct ai_fault *fault);

extern const char *const branding_features[]; /* that are on or off; NULL last */

#endif
