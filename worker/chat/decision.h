/*
 * Decision: what a worker does about calls that were decided without it - approved or
 * declined by an operator, left to expire, or begun by a worker that never came back.
 * Every row is acted on once, whoever asks. Straight-line, for a pool thread.
 */
#ifndef FD_CHAT_DECISION_H
#define FD_CHAT_DECISION_H

#include "chat/execution.h"
#include "chat/toolbox.h"

/* An approved call, which is this worker's to run now. */
struct decision_run {
    const char *id;
    const char *org;
    const char *org_name;
    const char *session;
    const char *conversation_id;
    const char *job_id;
    const char *call_id;
    const char *tool;
    const char *arguments;
    const char *user_id, *user_email; /* verified; NULL = nobody has proven anything */
    const char *summary;
    const char *language;
    struct toolbox *box; /* a reference */
};

/* A conversation that has a message it does not know of. */
struct decision_told {
    const char *org;
    const char *session;
};

#define DECISIONS_MAX 16

struct decisions {
    struct decision_run runs[DECISIONS_MAX];
    size_t run_count;
    struct decision_told told[DECISIONS_MAX];
    size_t told_count;
};

/* At most `runs` calls are taken to be run. */
enum db_status decisions_take(struct db *db, struct arena *a, size_t runs, struct decisions *found);
/* What was taken is not begun after all: due again, for whoever looks next. */
enum db_status decision_put_back(struct db *db, const struct decision_run *run);
/* An approved call has ended: its row and its conversation, which is told *stands. */
enum db_status decision_end(struct db *db, struct arena *a, const struct decision_run *run,
                            const struct execution_end *end, enum execution_status *stands);

#endif
