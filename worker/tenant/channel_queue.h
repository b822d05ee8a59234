/*
 * Channel_queue: what came in by channels and waits for an answer, what goes out and waits to be
 * delivered (migrations/0024_channels.sql). Rows are claimed for a while, by whichever worker.
 */
#ifndef FD_TENANT_CHANNEL_QUEUE_H
#define FD_TENANT_CHANNEL_QUEUE_H

#include "db/db.h"

#include <stdbool.h>

#define CHANNEL_ATTEMPTS_MAX  9
#define CHANNEL_FIRST_PAUSE_S 20 /* then three times as long each */
#define CHANNEL_LAST_PAUSE_S  21600
#define CHANNEL_LEASE_S       60
#define CHANNEL_OF_ONE        4 /* deliveries of an organisation that are claimed at once */

enum channel_in {
    IN_ID,
    IN_ORG,
    IN_THREAD_ID,
    IN_CHANNEL,
    IN_SENDER,
    IN_NAME,
    IN_LANGUAGE,
    IN_TEXT,
    IN_JOB,
    IN_WAITS_S,
    IN_SESSION,
    IN_CONVERSATION,
    IN_GOES_ON /* its conversation does; else another begins */
};
enum db_status channel_claim_inbox(struct db *db, int most, PGresult **rows);

/* The conversation that this thread's messages are of from now on; *facts as of
 * conversation_facts(), for the caller's news, with the row of it. */
struct channel_start {
    const char *org, *thread_id, *channel, *sender, *name, *language;
    const char *session, *conversation;
};
enum db_status channel_begin(struct db *db, const struct channel_start *start, PGresult **facts);
/* The job that answers it, before it is admitted: sent again, it is the same. */
enum db_status channel_name_job(struct db *db, const char *org, const char *id, const char *job);
/* It is in the queue; `back_s` later it counts as lost, if no job was begun until then. */
enum db_status channel_admitted(struct db *db, const char *org, const char *id, int back_s);
enum db_status channel_later(struct db *db, const char *org, const char *id, int64_t ms);
/* It gets no answer of a model; what is sent instead, if anything, is a delivery. */
enum db_status channel_give_up(struct db *db, const char *org, const char *id);

/* A delivery that is not a message: "handoff", "sorry" or "unread". */
enum db_status channel_tell(struct db *db, const char *org, const char *thread_id, const char *kind,
                            const char *text);

enum channel_out {
    OUT_ID,
    OUT_ORG,
    OUT_CHANNEL_ID,
    OUT_CHANNEL,
    OUT_SENDER,
    OUT_THREAD,
    OUT_NAME,
    OUT_LANGUAGE,
    OUT_CONVERSATION,
    OUT_MESSAGE,
    OUT_KIND,
    OUT_AUTHOR,
    OUT_TEXT,
    OUT_NOTICE,
    OUT_ATTEMPTS,
    OUT_CREATED,
    OUT_ENABLED,
    OUT_URL,
    OUT_SECRET
};
/* Turns what was answered meanwhile into deliveries; *answered: how many. */
enum db_status channel_answer(struct db *db, int most, int64_t *answered);
enum db_status channel_claim_deliveries(struct db *db, int most, PGresult **rows);
/* error NULL: delivered. `last`: it is not tried again. */
enum db_status channel_settle(struct db *db, const char *org, const char *id, const char *error,
                              bool last);

#endif
