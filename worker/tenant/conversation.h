/*
 * Conversation: what operators see and change of an organisation's conversations (ADM-4).
 * What is another organisation's is not there. A session's id is never told: it is its
 * visitor's capability.
 */
#ifndef FD_TENANT_CONVERSATION_H
#define FD_TENANT_CONVERSATION_H

#include "core/arena.h"
#include "db/db.h"
#include "protocol/json.h"
#include "tenant/conversation_filter.h"

#include <stdbool.h>

#define CONVERSATION_TITLE_MAX 200 /* bytes */

enum conversation_column {
    CONVERSATION_ID,
    CONVERSATION_AT, /* what the list is ordered by, for the next page */
    CONVERSATION_TITLE,
    CONVERSATION_STATUS,
    CONVERSATION_CHANNEL,
    CONVERSATION_LANGUAGE,
    CONVERSATION_USER,
    CONVERSATION_NAME, /* verified, as is the address */
    CONVERSATION_EMAIL,
    CONVERSATION_CONTACT, /* what the visitor said of itself: JSON */
    CONVERSATION_PAGE_URL,
    CONVERSATION_MODEL,
    CONVERSATION_MODEL_NAME,
    CONVERSATION_MESSAGES,
    CONVERSATION_TOKENS,
    CONVERSATION_STARTED,
    CONVERSATION_UPDATED,
    CONVERSATION_ENDED,
    CONVERSATION_FIRST_TOKEN_MS, /* from here on as counted last: NULL where not yet */
    CONVERSATION_RESPONSE_MS,
    CONVERSATION_TOOL_CALLS,
    CONVERSATION_TOOL_FAILURES,
    CONVERSATION_COST_MICRO,
    CONVERSATION_HANDOFF_AT,
    CONVERSATION_HANDOFF_REASON,
    CONVERSATION_RATING,
    CONVERSATION_RATING_COMMENT,
    CONVERSATION_FEEDBACK_UP,
    CONVERSATION_FEEDBACK_DOWN,
    CONVERSATION_RESOLVED,  /* "true", "false"; NULL: not decided yet */
    CONVERSATION_SENTIMENT, /* "negative", "neutral", "positive"; NULL: nothing was scored */
    CONVERSATION_HOLDER,    /* from here on as it is now: "user:<uuid>" */
    CONVERSATION_HOLDER_NAME,
    CONVERSATION_VERSION,
    CONVERSATION_WAITING_SINCE,
    CONVERSATION_TEAM,
    CONVERSATION_COLUMNS,
    /* of conversation_list_elsewhere() only */
    CONVERSATION_ORGANIZATION = CONVERSATION_COLUMNS,
    CONVERSATION_ORGANIZATION_NAME
};

enum message_column {
    MESSAGE_ID,
    MESSAGE_AT,
    MESSAGE_ROLE,
    MESSAGE_CONTENT,
    MESSAGE_AUTHOR, /* a person's name */
    MESSAGE_RATING,
    MESSAGE_RATING_COMMENT,
    MESSAGE_STATUS,
    MESSAGE_MODEL,
    MESSAGE_CITATIONS, /* JSON, as are route and tools */
    MESSAGE_ROUTE,
    MESSAGE_TOOLS,
    MESSAGE_TOKENS_INPUT,
    MESSAGE_TOKENS_OUTPUT,
    MESSAGE_COST_MICRO,
    MESSAGE_CREATED,
    MESSAGE_FINISHED,
    MESSAGE_COLUMNS
};

/* Where a page begins: behind the row with this time and id; at NULL: from the start. */
struct conversation_place {
    const char *at;
    const char *id;
};

/* At most `most` of those that fit, in the filter's order. */
enum db_status conversation_list(struct db *db, const char *org,
                                 const struct conversation_filter *filter,
                                 struct conversation_place after, int most, PGresult **rows);

/* The platform's owner, who reads what is not of the organisation that he acts in. */
struct conversation_reader {
    const char *session; /* that he is signed in with: PostgreSQL looks whose it is */
    const char *address; /* these go into the audit logs of those whose conversations he reads */
    const char *request_id;
};
/* The same of `org`, or, NULL, of all organisations, for which an index has their activity alone:
 * at most `shown` and one more. *too_much: over all of them it took too long. */
enum db_status conversation_list_elsewhere(struct db *db, const char *org,
                                           const struct conversation_reader *reader,
                                           const struct conversation_filter *filter,
                                           struct conversation_place after, int shown,
                                           bool *too_much, PGresult **rows);
/* No row where there is none. */
enum db_status conversation_find(struct db *db, const char *org, const char *id, PGresult **row);
/* Oldest first, with the calls of tools and the cost of each question. */
enum db_status conversation_messages(struct db *db, const char *org, const char *id,
                                     struct conversation_place after, int most, PGresult **rows);

enum conversation_change {
    CONVERSATION_CHANGED,
    CONVERSATION_UNKNOWN,
    CONVERSATION_WITH_PEOPLE, /* it waits for somebody or talks to somebody: not archived now */
    CONVERSATION_OVER         /* it was ended, and stays so */
};
struct conversation_edit {
    const char *status, *title; /* "active" or "archived"; NULL: it stays */
    bool assigns;
    const char *team; /* where it does: uuid of one of the organisation; NULL: nobody's */
};
/* *row, where it changed, as of find(). */
enum db_status conversation_update(struct db *db, const char *org, const char *id,
                                   const struct conversation_edit *edit,
                                   enum conversation_change *change, PGresult **row);
/* The event `conversation` (chat/news.h), in the arena; NULL where there is none. */
enum db_status conversation_facts(struct db *db, struct arena *a, const char *org, const char *id,
                                  const char **facts);

/* Members of an object that is open. */
void conversation_write_members(struct fd_json_writer *w, const PGresult *rows, int row);
void conversation_write_message(struct fd_json_writer *w, const PGresult *rows, int row);

#endif
