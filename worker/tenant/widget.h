/* Widget: the body of GET /api/v1/config, from what an organisation stored. Pure. */
#ifndef FD_TENANT_WIDGET_H
#define FD_TENANT_WIDGET_H

#include "core/buf.h"

/* JSON columns as text; what is missing or of another type takes its default. */
struct widget_settings {
    const char *name;      /* of the organisation */
    const char *branding;  /* object */
    const char *widget;    /* object: theme, position, greeting, suggested_questions, features */
    const char *languages; /* array of language tags */
    const char *models;    /* array of {model_id, label, price_hint, context_length} */
    const char *default_model_id;
};

#define WIDGET_CONFIG_MAX 65536

/* False: longer than WIDGET_CONFIG_MAX. */
bool widget_config(const struct widget_settings *settings, struct buf *out);

#endif
