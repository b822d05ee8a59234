/*
 * Store: what a job and a call ask of PostgreSQL, which is the arbiter of who owns
 * a job: everything is written WHERE the epoch and the owner are still one's own.
 * Straight-line functions for a pool thread; each may be repeated.
 */
#ifndef FD_CHAT_STORE_H
#define FD_CHAT_STORE_H

#include "chat/answer.h"
#include "chat/entry.h"
#include "route/route.h"
#include "core/arena.h"
#include "db/db.h"
#include "llm/provider.h"
#include "protocol/chat_request.h"

#define STORE_UUID_SIZE 37

/* A job as its row has it; points into the job. */
struct store_job {
    const struct job_entry *entry;
    const struct fd_chat_request *request; /* NULL: its body could not be read */
    int epoch;
    const char *owner;
    const char *conversation_id;
    const char *user_message_id;
    const char *message_id;
    const char *language;
    int sentiment;       /* of the message, by rule */
    bool claimed;        /* store_claim() said so: the save need not ask again */
    bool apart;          /* belongs to no conversation */
    struct buf *facts;   /* the event `conversation`, where it changed; NULL: nobody asks */
    const char *channel; /* of a conversation that begins; NULL: the widget's */
};

enum store_claim {
    STORE_MINE,
    STORE_LATER,    /* a later epoch owns it: stop */
    STORE_ANSWERED, /* its answer was committed by an earlier epoch: only replay it */
    STORE_SAVED,    /* its answer was committed by this epoch */
    STORE_HUMAN,    /* a person has its conversation: no model's answer is delivered */
    STORE_ENDED     /* its conversation was ended */
};

/* The job's row for this epoch, its conversation and the user's message. */
enum db_status store_claim(struct db *db, const struct store_job *job, enum store_claim *claim);

/* The answer, its cost and the counters, all or nothing; fills the attempts' cost and
 * writes the terminal event's data. Committed now (MINE, ENDED) or by an earlier call
 * whose reply was lost (SAVED). */
enum db_status store_save(struct db *db, const struct store_job *job, struct answer *answer,
                          struct buf *data, enum store_claim *claim);

/* A finished job, for replay; text NULL where nothing was said. */
struct store_outcome {
    int epoch;
    bool terminal;
    bool stream; /* deltas are wanted, not only the terminal event */
    bool door;   /* data is a whole completion, of which deltas are made: chat/door.h */
    bool usage;  /* they tell the usage as well */
    enum fd_event_type event;
    const char *data;
    const char *text;
};
/* session "" = any of the org. *found false: unknown, or not the asker's. */
enum db_status store_outcome(struct db *db, struct arena *a, const char *org, const char *session,
                             const char *job, struct store_outcome *outcome, bool *found);

/* The last `most` messages of a session, oldest first, but those of `except_job`; `last`
 * as the latest answer among them leaves it; `human`: a person has the conversation, or is
 * waited for. */
enum db_status store_history(struct db *db, struct arena *a, const char *org, const char *session,
                             const char *except_job, int most, struct llm_message **messages,
                             size_t *count, struct route_last *last, bool *ended, bool *human);

/* A page of a session's messages for people: the newest first page, each page
 * oldest first; the cursor leads to older ones. cursor NULL = the newest. */
enum store_page { STORE_PAGE_OK, STORE_PAGE_BAD_CURSOR };
enum db_status store_history_page(struct db *db, const char *org, const char *session, int limit,
                                  const char *cursor, struct buf *out, enum store_page *page);

/* *facts, in `a`: the event `conversation`. */
enum db_status store_end_session(struct db *db, struct arena *a, const char *org,
                                 const char *session, const char *conversation_id,
                                 const char **facts);

/* Of conversations.status: a person has it, or is waited for. */
bool store_is_human(const char *status);

/* Names made of what they stand for, so that a repeated write meets itself. */
void store_uuid(char out[STORE_UUID_SIZE], const char *kind, const char *a, const char *b);

#endif
