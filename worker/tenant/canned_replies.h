/* Canned_replies: what an organisation's operators answer often, by a shortcut, in one language
 * or for all. What placeholders in it stand for, the operator's page knows. */
#ifndef FD_TENANT_CANNED_REPLIES_H
#define FD_TENANT_CANNED_REPLIES_H

#include "db/db.h"

#define CANNED_REPLIES_MAX    500 /* of an organisation */
#define CANNED_REPLY_SHORTCUT 32  /* bytes */
#define CANNED_REPLY_LANGUAGE 35
#define CANNED_REPLY_TEXT     6000

struct canned_reply {
    const char *shortcut; /* NULL, of a change: it stays, as do the others */
    const char *text;
    bool speaks;
    const char *language; /* where it does; NULL: for all that have none of their own */
};

/* Each a row of these, none where there is no such reply. */
enum canned_reply_column {
    CANNED_ID,
    CANNED_SHORTCUT,
    CANNED_LANGUAGE,
    CANNED_TEXT,
    CANNED_UPDATED
};

/* By shortcut, behind the row with this shortcut and id; NULL: from the start. */
enum db_status canned_replies_list(struct db *db, const char *org, const char *language,
                                   const char *shortcut, const char *id, int most, PGresult **rows);
enum db_status canned_reply_find(struct db *db, const char *org, const char *id, PGresult **row);
/* No row: there are so many. DB_CONFLICT: there is one. */
enum db_status canned_reply_create(struct db *db, const char *org, const struct canned_reply *reply,
                                   PGresult **row);
enum db_status canned_reply_update(struct db *db, const char *org, const char *id,
                                   const struct canned_reply *reply, PGresult **row);
enum db_status canned_reply_delete(struct db *db, const char *org, const char *id, bool *found);

#endif
