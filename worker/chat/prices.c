#include "chat/prices.h"

#include "core/clock.h"
#include "protocol/limits.h"

#include <stdio.h>
#include <string.h>

#define KEPT 32

struct kept_price {
    char model[FD_MODEL_ID_MAX + 1];
    bool known;
    struct price price;
    int64_t until_ms; /* monotonic; 0 = free */
};

static _Thread_local struct kept_price kept[KEPT];

static const struct db_statement price_statement = {
    "model_price",
    "SELECT input_per_mtok, output_per_mtok, cache_read_per_mtok, cache_write_per_mtok"
    "  FROM model_prices WHERE model_id = $1"
    "   AND effective_from <= (now() AT TIME ZONE 'UTC')::date"
    " ORDER BY effective_from DESC LIMIT 1",
    1};

/* The model's own place if it has one, else the one that ends first. */
static struct kept_price *place_of(const char *model)
{
    struct kept_price *place = &kept[0];
    for (size_t i = 0; i < KEPT; i++) {
        if (strcmp(kept[i].model, model) == 0)
            return &kept[i];
        if (kept[i].until_ms < place->until_ms)
            place = &kept[i];
    }
    return place;
}

static enum db_status ask(struct db *db, const char *model, struct kept_price *place)
{
    PGresult *result;
    enum db_status status = db_query(db, NULL, &price_statement, &model, &result);
    if (status != DB_OK)
        return status;
    snprintf(place->model, sizeof(place->model), "%s", model);
    place->until_ms = clock_mono_ms() + PRICES_FRESH_MS;
    if (PQntuples(result) > 0)
        place->price = (struct price){db_int(result, 0, 0, -1), db_int(result, 0, 1, -1),
                                      db_int(result, 0, 2, -1), db_int(result, 0, 3, -1)};
    place->known = PQntuples(result) > 0 && place->price.input >= 0 && place->price.output >= 0;
    PQclear(result);
    return DB_OK;
}

enum db_status prices_find(struct db *db, const char *model, struct price *price, bool *known)
{
    struct kept_price *place = place_of(model);
    enum db_status status = DB_OK;
    if (strcmp(place->model, model) != 0 || place->until_ms <= clock_mono_ms())
        status = ask(db, model, place);
    *known = status == DB_OK && place->known;
    if (*known)
        *price = place->price;
    return status;
}

enum db_status prices_charge(struct db *db, struct answer_attempt *attempt)
{
    struct price price;
    bool known;
    attempt->cost_micro = attempt->free ? 0 : attempt->usage.cost_micro;
    if (attempt->cost_micro >= 0)
        return DB_OK;
    enum db_status status = prices_find(db, attempt->model, &price, &known);
    if (known)
        attempt->cost_micro = price_of(&price, &attempt->usage);
    return status;
}
