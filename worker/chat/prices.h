/*
 * Prices: what the catalogue says that a model costs. Every answer asks, so each pool
 * thread keeps what it was told for a minute.
 */
#ifndef FD_CHAT_PRICES_H
#define FD_CHAT_PRICES_H

#include "chat/answer.h"
#include "db/db.h"
#include "llm/price.h"

#define PRICES_FRESH_MS 60000

/* *known false: the catalogue has none. */
enum db_status prices_find(struct db *db, const char *model, struct price *price, bool *known);
/* What a call cost, into attempt->cost_micro: the provider's own figure, else by the
 * catalogue; else it stays -1. */
enum db_status prices_charge(struct db *db, struct answer_attempt *attempt);

#endif
