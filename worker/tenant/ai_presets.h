/*
 * Presets: models for a kind of work (ENG-4): the built-in lists, or the org's own in
 * their place, and the task that a question is about. Pure.
 */
#ifndef FD_TENANT_AI_PRESETS_H
#define FD_TENANT_AI_PRESETS_H

#include "core/phrases.h"
#include "protocol/json.h"

#include <stdbool.h>
#include <stddef.h>

#define AI_PRESET_MODELS_MAX 16

extern const char *const ai_presets[]; /* names, NULL at the end */
extern const char *const ai_tasks[];   /* "code", "cheap", "creative", "long"; NULL at the end */

/* The preset's models; `own` as the org stored it, NULL = nothing. */
size_t ai_preset_models(const struct fd_json *own, const char *name,
                        const char *models[AI_PRESET_MODELS_MAX]);
/* The model for a task. */
const char *ai_task_model(const struct fd_json *own, const char *task);
/* The task of a question, NULL where its words say none. */
const char *ai_task_of(struct arena *scratch, const char *question);
/* Whether an id means this model: "claude-3-opus" is any vendor's "vendor/claude-3-opus". */
bool ai_model_is(const char *id, const char *wanted);

#endif
