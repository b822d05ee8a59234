/* Catalogue: the models known to the installation and their prices. */
#ifndef FD_TENANT_CATALOGUE_H
#define FD_TENANT_CATALOGUE_H

#include "db/db.h"

/* Takes {effective_from, models: [{model_id, provider, name, context_length, modalities,
 * region?, usd_per_mtok: {input, output, cache_read?, cache_write?}}]} as text: adds
 * what is new, updates what is known; other models stay. *written counts models. */
enum db_status catalogue_load(struct db *db, const char *json, int64_t *written);

#endif
