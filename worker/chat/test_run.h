/*
 * Test run (ADM-4): an organisation's cases, each asked once with every arm - a model, a prompt,
 * or both - and judged. Its rows say what there is to do, so that it survives whoever does it;
 * chat/test_runner.h does it. Straight-line functions for a pool thread; each may be repeated.
 */
#ifndef FD_CHAT_TEST_RUN_H
#define FD_CHAT_TEST_RUN_H

#include "core/arena.h"
#include "core/config.h"
#include "db/db.h"
#include "protocol/json.h"

#define TEST_ARMS_MAX     2
#define TEST_LABEL_MAX    64
#define TEST_RUN_CASES    500 /* of a run */
#define TEST_RUNS_OPEN    4   /* of an organisation, at a time */
#define TEST_RUN_PARALLEL 4   /* answers of a run, at a time */

struct test_arm {
    const char *label;
    const char *model_id; /* NULL: the case's */
    const char *prompt;   /* NULL: the organisation's own text */
};

struct test_run_ask {
    const char *org;
    const char *actor;
    const struct test_arm *arms;
    size_t arm_count;
    const char *const *cases; /* uuids */
    size_t case_count;        /* 0: all that there are */
};

/* DB_FAILED explains itself: "case_ids: ...". */
enum db_status test_run_start(struct db *db, struct arena *a, const struct test_run_ask *ask,
                              const char **id);
/* What waits is not asked any more, what runs is stopped. *found false: it does not run. */
enum db_status test_run_cancel(struct db *db, const struct config *config, struct arena *a,
                               const char *org, const char *id, bool *found);

/* The run, its arms and results, an object; *found false: there is none. */
enum db_status test_run_write(struct db *db, const char *org, const char *id,
                              struct fd_json_writer *w, bool *found);

/* -- doing it -------------------------------------------------------------------------------- */

/* Collects what was answered, and asks more. */
enum db_status test_run_step(struct db *db, const struct config *config, struct arena *a,
                             const char *org, const char *id);
/* An answer that is not wanted any more. */
void test_run_stop_job(const struct config *config, struct arena *a, const char *org,
                       const char *job);

#endif
