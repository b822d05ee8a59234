/*
 * Calibrator: what this worker learns of models' tokens (llm/calibration.h), shared with the
 * others and with the next start through PostgreSQL, now and then. On the loop.
 */
#ifndef FD_CHAT_CALIBRATOR_H
#define FD_CHAT_CALIBRATOR_H

#include "chat/engine.h"

struct calibrator;

struct calibrator *calibrator_new(struct engine *engine);
void calibrator_free(struct calibrator *calibrator); /* once the pool is gone */

void calibrator_learn(struct calibrator *calibrator, const char *model, int64_t estimated,
                      int64_t counted);
int64_t calibrator_tokens(const struct calibrator *calibrator, const char *model,
                          int64_t estimated);

#endif
