/*
 * Prices: what the catalogue says that a model costs. Every answer asks, so each pool
 * thread keeps what it was told for a minute.
 */
#ifndef FD_CHAT_PRICES_H
#define FD_CHAT_PRICES_H

#include "db/db.h"
#include "llm/price.h"

#define PRICES_FRESH_MS 60000

/* *known false: the catalogue has none. */
enum db_status prices_find(struct db *db, const char *model, struct price *price, bool *known);

#endif
