/*
 * Visitor (ENG-17): all that is kept of one visitor, to hand over or to delete. What was
 * charged stays, and says no more for whom. Both may be repeated; each leaves a record of
 * who did it, with nothing of the visitor in it.
 */
#ifndef FD_TENANT_VISITOR_H
#define FD_TENANT_VISITOR_H

#include "core/arena.h"
#include "db/db.h"
#include "protocol/json.h"
#include "tenant/conversation_filter.h"

#include <stdbool.h>

#define VISITOR_NAME_MAX 256 /* bytes */

enum visitor_named_by {
    VISITOR_SESSION,
    VISITOR_USER,  /* what the site calls it, or has proven it to be */
    VISITOR_EMAIL, /* proven, from the form, or the site's name for it */
    VISITOR_CONVERSATION,
    VISITOR_NAMES
};

struct visitor {
    enum visitor_named_by named_by;
    const char *name;
};

/* "session", "user_identifier", "email", "conversation" */
const char *visitor_named_by(enum visitor_named_by named_by);

struct visitor_report {
    int64_t conversations;
    int64_t messages;
    int64_t tool_executions;
    int64_t jobs;        /* deleted or emptied */
    int64_t ledger_rows; /* that stay, without a name */
    bool cache_cleared;  /* else Redis forgets within a day */
    bool more;           /* than are deleted at a time: delete again */
};

/* Whose conversations these are, 5,000 at a time; *filter: for conversation_export_many().
 * *next, in the arena: `after` of the following ones; NULL: those are all. */
enum db_status visitor_find(struct db *db, struct arena *a, const char *org,
                            const struct visitor *visitor, const char *after,
                            struct conversation_filter *filter, size_t *count, const char **next);
/* `live` is the address of the live Redis. DB_CONFLICT: an answer is being given just now. */
enum db_status visitor_delete(struct db *db, const char *live, const char *org,
                              const struct visitor *visitor, const char *actor,
                              struct visitor_report *report);
/* That it was handed over. */
enum db_status visitor_note_export(struct db *db, const char *org, const struct visitor *visitor,
                                   const char *actor, size_t conversations);

void visitor_write_report(struct fd_json_writer *w, const struct visitor_report *report);

/* The records, the latest first: id, action, named_by, name_sha256, actor, report, at. */
enum db_status visitor_requests(struct db *db, const char *org, const char *before, int most,
                                PGresult **rows);

#endif
