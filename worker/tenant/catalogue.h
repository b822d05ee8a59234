/*
 * Catalogue: the models known to the installation and their prices (ENG-3), from a file
 *
 *     {effective_from, models: [{model_id, provider, name, context_length, modalities,
 *      region?, supports_tools?, usd_per_mtok: {input, output, cache_read?, cache_write?}}]}
 *
 * or from a provider's list, {data: [{id, name?, context_length?, architecture?, pricing?,
 * supported_parameters?}]} as OpenRouter has it. What else is in there is ignored. A price that is
 * not said stays as it was; one that is said to be unknown, missing or negative, is unknown from
 * then on.
 */
#ifndef FD_TENANT_CATALOGUE_H
#define FD_TENANT_CATALOGUE_H

#include "core/arena.h"
#include "db/db.h"

#define CATALOGUE_BYTES_MAX  (8u << 20)
#define CATALOGUE_MODELS_MAX 5000

/* Micro-dollars per million tokens; -1 = not known. A cache price that is not known is
 * the input price. */
struct catalogue_price {
    bool said;
    int64_t input, output, cache_read, cache_write;
};

struct catalogue_model {
    const char *id;
    const char *provider;
    const char *name;       /* NULL = not said, as below */
    int64_t context_length; /* -1 */
    const char *const *modalities;
    size_t modality_count;
    const char *region;
    int tools; /* takes them: 0 or 1; -1 = not said */
    struct catalogue_price price;
};

struct catalogue_list {
    const char *effective_from; /* YYYY-MM-DD; NULL: today */
    const struct catalogue_model *models;
    size_t count;
    size_t unpriced; /* how many have no known price */
};

/* For what a list does not say; each may be NULL. */
struct catalogue_defaults {
    const char *provider;
    const char *region;
};

/* Pure. False: error says what is wrong and where; nothing of a list with a fault is used. */
bool catalogue_parse(struct arena *a, const char *json, size_t len,
                     const struct catalogue_defaults *defaults, struct catalogue_list *list,
                     char error[256]);
/* Adds what is new, updates what is known; other models stay. *prices counts those that
 * are new or changed. */
enum db_status catalogue_store(struct db *db, const struct catalogue_list *list, int64_t *prices);

/* A decimal number times 10^shift, rounded; -1 where it is negative or too great to be a
 * price. False: it is not a number. */
bool catalogue_decimal(const char *text, int shift, int64_t *value);

#endif
