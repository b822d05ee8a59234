/*
 * Channel_inbox: a message that came in by a channel becomes a question like any other - the same
 * admission, queue and worker - in the conversation that its sender has going. Straight-line, for
 * a pool thread; a step that was broken off is made good by the next one.
 */
#ifndef FD_CHAT_CHANNEL_INBOX_H
#define FD_CHAT_CHANNEL_INBOX_H

#include "chat/news.h"
#include "core/config.h"
#include "db/db.h"
#include "protocol/ids.h"

#define CHANNEL_INBOX_MAX 16 /* at a time */

struct channel_inbox {
    const struct config *config;
    const unsigned char *session_key;
    struct arena *arena;
    struct news news[CHANNEL_INBOX_MAX]; /* for the loop, once this is over */
    size_t count;
    bool later; /* something of it could not be admitted yet */
    bool alert; /* the webhook has something to deliver */
};

enum db_status channel_inbox_step(struct db *db, struct channel_inbox *inbox);

#endif
