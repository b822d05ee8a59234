/*
 * Ai settings: what an organisation sets of its assistant (contracts: "Models"), read,
 * checked and changed in one place, for the admin API and the commands alike. Settings
 * are a JSON object by the names of the table's columns; a change is an object with some
 * of them, where null takes the built-in value back.
 */
#ifndef FD_TENANT_AI_SETTINGS_H
#define FD_TENANT_AI_SETTINGS_H

#include "core/arena.h"
#include "core/buf.h"
#include "db/db.h"
#include "protocol/json.h"

#include <stdbool.h>

#define AI_SETTINGS_BYTES_MAX 262144
#define AI_MODELS_MAX         100
#define AI_LABEL_MAX          80

/* Why a change is refused; detail "" = it is not. */
struct ai_fault {
    char field[96];
    char detail[256];
};

/* -- the operations; *out receives the settings as they are then ---------------------- */

enum db_status ai_settings_read(struct db *db, const char *org, struct buf *out);
/* All or nothing; DB_OK with a fault: refused. */
enum db_status ai_settings_change(struct db *db, const char *org, const struct fd_json *patch,
                                  struct ai_fault *fault, struct buf *out);

/* Of the list of enabled models; label NULL leaves it as it is, "" takes it away. */
enum db_status ai_models_enable(struct db *db, const char *org, const char *model,
                                const char *label, struct ai_fault *fault, struct buf *out);
enum db_status ai_models_disable(struct db *db, const char *org, const char *model,
                                 struct ai_fault *fault, struct buf *out);

/* -- pure ------------------------------------------------------------------------------ */

/* `now` as stored (an object, {} for an organisation without settings) with the patch in
 * it; `at` is the time for enabled_at. False: the fault says why. */
bool ai_settings_merge(struct arena *a, const struct fd_json *now, const struct fd_json *patch,
                       const char *at, struct buf *merged, struct ai_fault *fault);
/* "name=value" as a member of a patch being written: the value as JSON, as bare text where
 * the setting is one, "a,b" where it is a list of words. */
bool ai_settings_assign(struct fd_json_writer *w, const char *assignment, struct ai_fault *fault);

/* Always false, for a return. */
bool ai_refuse(struct ai_fault *fault, const char *field, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
