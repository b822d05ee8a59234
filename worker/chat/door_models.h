/* Door models: GET /v1/models in OpenAI's form. Pure. */
#ifndef FD_CHAT_DOOR_MODELS_H
#define FD_CHAT_DOOR_MODELS_H

#include "route/model.h"
#include "core/buf.h"

/* What the organisation may use here, "auto" first; or the one called `model`, where it
 * is not NULL. False: there is none of that name. */
bool door_models(struct llm_endpoints *endpoints, const struct tenant *tenant, const char *model,
                 struct buf *out);

#endif
