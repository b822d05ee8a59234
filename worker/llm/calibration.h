/*
 * Calibration: how far the fixed estimate of a prompt's tokens (llm/tokens.h) is from what a
 * model's provider counts. Learned from its own usage, each time a little, within bounds;
 * for reservations only: packing and routing never see it. Pure, but for its owner's table.
 */
#ifndef FD_LLM_CALIBRATION_H
#define FD_LLM_CALIBRATION_H

#include "protocol/limits.h"

#include <stddef.h>
#include <stdint.h>

#define CALIBRATION_LEAST      0.5
#define CALIBRATION_MOST       3.0
#define CALIBRATION_WEIGHT     0.1 /* of a new sample, once there are some */
#define CALIBRATION_SAMPLES    8   /* before it is used */
#define CALIBRATION_TOKENS     64  /* less than that is mostly the protocol's own words */
#define CALIBRATION_MODELS_MAX 128

struct calibration_model {
    char model[FD_MODEL_ID_MAX + 1];
    double ratio; /* counted to estimated */
    int64_t samples;
    int64_t untold; /* samples since they were stored */
};

struct calibration {
    struct calibration_model list[CALIBRATION_MODELS_MAX];
    size_t count;
};

/* A call's prompt as it was estimated and as the provider counted it. What is too small or
 * cannot be is not learned from; beyond the bound of models, nothing is. */
void calibration_learn(struct calibration *calibration, const char *model, int64_t estimated,
                       int64_t counted);
/* Tokens to reserve for an estimate; the estimate itself for a model that is not known yet. */
int64_t calibration_tokens(const struct calibration *calibration, const char *model,
                           int64_t estimated);
/* What another process has learned: stands in place of less. */
void calibration_take(struct calibration *calibration, const char *model, double ratio,
                      int64_t samples);

#endif
