/*
 * Ai models: the catalogue as an organisation sees it (ENG-3, ENG-4): what is enabled, at
 * what price, where it runs; with the presets and suggestions that its list leaves.
 */
#ifndef FD_TENANT_AI_MODELS_H
#define FD_TENANT_AI_MODELS_H

#include "core/buf.h"
#include "db/db.h"

/* Columns of a row. */
enum ai_model_column {
    AI_MODEL_ID,
    AI_MODEL_NAME,
    AI_MODEL_PROVIDER,
    AI_MODEL_VENDOR,
    AI_MODEL_LABEL,
    AI_MODEL_ENABLED,
    AI_MODEL_IS_DEFAULT,
    AI_MODEL_CONTEXT,
    AI_MODEL_MODALITIES, /* JSON */
    AI_MODEL_REGION,
    AI_MODEL_ALLOWED, /* in the regions of the organisation */
    AI_MODEL_INPUT,   /* micro-dollars per million tokens, NULL = not known; as the next */
    AI_MODEL_OUTPUT,
    AI_MODEL_CACHE_READ,
    AI_MODEL_CACHE_WRITE,
    AI_MODEL_HINT, /* "$9.00/1M tokens · 200k context" */
    AI_MODEL_EFFECTIVE_FROM
};

/* By provider and vendor. org NULL: the catalogue alone. *rows is the caller's. */
enum db_status ai_models_list(struct db *db, const char *org, PGresult **rows);
/* {models, restricted, default_model_id, routing, region_allow_list, presets, suggestions};
 * `restricted`: the organisation has a list of its own. */
enum db_status ai_models_json(struct db *db, const char *org, struct buf *out);

/* Both arms of a split side by side (ENG-16), of the last `days`: {split, days, arms: [{arm,
 * conversations, answers, ...}]}. name NULL: the split that is set now. */
enum db_status ai_split_report(struct db *db, const char *org, const char *name, int days,
                               PGresult **rows);
enum db_status ai_split_json(struct db *db, const char *org, const char *name, int days,
                             struct buf *out);
enum ai_split_column {
    AI_SPLIT_NAME,
    AI_SPLIT_ARM,
    AI_SPLIT_CONVERSATIONS,
    AI_SPLIT_ANSWERS,
    AI_SPLIT_FAILED,    /* cut or cancelled */
    AI_SPLIT_COST,      /* micro-dollars */
    AI_SPLIT_UNPRICED,  /* calls whose price is not known */
    AI_SPLIT_FIRST_P50, /* ms to the first token */
    AI_SPLIT_FIRST_P95,
    AI_SPLIT_TOTAL_P50, /* ms to the end */
    AI_SPLIT_TOTAL_P95,
    AI_SPLIT_UP, /* feedback of visitors */
    AI_SPLIT_DOWN,
    AI_SPLIT_RATING, /* of conversations, 1 to 5, on average */
    AI_SPLIT_RATED,
    AI_SPLIT_MODELS /* JSON: the models that answered */
};

#endif
