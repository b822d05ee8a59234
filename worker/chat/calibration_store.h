/* Calibration store: what all workers have learned of models' tokens (llm/calibration.h), in
 * PostgreSQL. */
#ifndef FD_CHAT_CALIBRATION_STORE_H
#define FD_CHAT_CALIBRATION_STORE_H

#include "db/db.h"
#include "llm/calibration.h"

/* Adds what `told` has that was not told yet. */
enum db_status calibration_tell(struct db *db, const struct calibration *told);
/* What there is, in place of what `known` has. */
enum db_status calibration_read(struct db *db, struct calibration *known);

#endif
