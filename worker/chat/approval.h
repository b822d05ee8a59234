/*
 * Approval: calls of high risk that wait for an operator. A decision is a word in the
 * row; a worker acts on it (sweep.h): the call is run once, with the arguments that were
 * shown, and its conversation hears of it. Plain functions, for the command and the API.
 */
#ifndef FD_CHAT_APPROVAL_H
#define FD_CHAT_APPROVAL_H

#include "core/arena.h"
#include "db/db.h"
#include "protocol/json.h"

#include <stdbool.h>
#include <stddef.h>

struct approval {
    const char *id;
    const char *tool;
    const char *summary;
    const char *arguments; /* JSON */
    const char *conversation_id;
    const char *created_at; /* ISO 8601, UTC */
    const char *expires_at;
    const char *status; /* execution_status_name() */
    const char *decided_by;
};

#define APPROVALS_MAX 200

/* Those that wait, the oldest first; `all`: also those that were decided, newest first. */
enum db_status approvals_list(struct db *db, struct arena *a, const char *org, bool all,
                              struct approval **list, size_t *count);
void approvals_write(struct fd_json_writer *w, const struct approval *list, size_t count);

enum approval_verdict {
    APPROVAL_TAKEN,
    APPROVAL_UNKNOWN, /* no such call of this organisation */
    APPROVAL_CLOSED   /* decided already, or too late */
};
/* `by`: who decides, for the audit: "cli:<user>", "user:<uuid>". */
enum db_status approval_decide(struct db *db, const char *org, const char *id, bool approve,
                               const char *by, enum approval_verdict *verdict);

#endif
