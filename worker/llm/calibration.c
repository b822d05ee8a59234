#include "llm/calibration.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static double clamp(double ratio)
{
    return ratio < CALIBRATION_LEAST  ? CALIBRATION_LEAST
           : ratio > CALIBRATION_MOST ? CALIBRATION_MOST
                                      : ratio;
}

static const struct calibration_model *find(const struct calibration *calibration,
                                            const char *model)
{
    for (size_t i = 0; i < calibration->count; i++) {
        if (strcmp(calibration->list[i].model, model) == 0) {
            return &calibration->list[i];
        }
    }
    return NULL;
}

static struct calibration_model *find_or_add(struct calibration *calibration, const char *model)
{
    const struct calibration_model *there = find(calibration, model);

    if (there != NULL) {
        return &calibration->list[there - calibration->list];
    }
    if (calibration->count == CALIBRATION_MODELS_MAX || strlen(model) > FD_MODEL_ID_MAX) {
        return NULL;
    }
    struct calibration_model *known = &calibration->list[calibration->count++];
    *known = (struct calibration_model){.ratio = 1};
    snprintf(known->model, sizeof(known->model), "%s", model);
    return known;
}

/* The first ones count alike, as a mean; each later one for a tenth. */
void calibration_learn(struct calibration *calibration, const char *model, int64_t estimated,
                       int64_t counted)
{
    if (model == NULL || estimated < CALIBRATION_TOKENS || counted <= 0) {
        return;
    }
    struct calibration_model *known = find_or_add(calibration, model);
    if (known == NULL) {
        return;
    }
    double sample = clamp((double)counted / (double)estimated);
    double weight = 1.0 / (double)(known->samples + 1);
    weight = weight > CALIBRATION_WEIGHT ? weight : CALIBRATION_WEIGHT;
    known->ratio = clamp(known->ratio + weight * (sample - known->ratio));
    known->samples++;
    known->untold++;
}

int64_t calibration_tokens(const struct calibration *calibration, const char *model,
                           int64_t estimated)
{
    const struct calibration_model *known = find(calibration, model);

    if (known == NULL || known->samples < CALIBRATION_SAMPLES || estimated <= 0 ||
        estimated > INT32_MAX) {
        return estimated;
    }
    return (int64_t)ceil((double)estimated * known->ratio);
}

void calibration_take(struct calibration *calibration, const char *model, double ratio,
                      int64_t samples)
{
    struct calibration_model *known = find_or_add(calibration, model);

    if (known == NULL || samples <= known->samples || !isfinite(ratio)) {
        return;
    }
    known->ratio = clamp(ratio);
    known->samples = samples;
}
