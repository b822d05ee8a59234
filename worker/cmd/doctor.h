/* Doctor: what `frontdesk doctor` found, check by check. */
#ifndef FD_CMD_DOCTOR_H
#define FD_CMD_DOCTOR_H

#include "core/config.h"

#include <stddef.h>

enum finding_level { FINDING_OK, FINDING_WARN, FINDING_FAIL };

struct finding {
    enum finding_level level;
    const char *check;
    char detail[320];
    const char *advice; /* NULL where nothing is to be done */
};

#define FINDINGS_MAX 64

struct findings {
    struct finding list[FINDINGS_MAX];
    size_t count;
};

void findings_add(struct findings *findings, enum finding_level level, const char *check,
                  const char *advice, const char *detail, ...)
    __attribute__((format(printf, 5, 6)));
/* OK with the detail where `good` holds, else `level` with detail and advice. */
#define FINDINGS_CHECK(findings, good, level, check, advice, ...)                                  \
    findings_add(findings, (good) ? FINDING_OK : (level), check, (good) ? NULL : (advice),         \
                 __VA_ARGS__)

void doctor_postgres(struct findings *findings, const struct config *config);
void doctor_redis(struct findings *findings, const struct config *config);
void doctor_admin(struct findings *findings, const struct config *config);
void doctor_secrets(struct findings *findings, const struct config *config);

#endif
