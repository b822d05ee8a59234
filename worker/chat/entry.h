/*
 * Entry: an entry of fd:jobs, read strictly. Pure. Its strings are copied into the
 * job's arena.
 */
#ifndef FD_CHAT_ENTRY_H
#define FD_CHAT_ENTRY_H

#include "chat/test_chat.h"
#include "core/arena.h"

#include <hiredis/hiredis.h>
#include <stdbool.h>

struct job_entry {
    const char *entry; /* the stream id */
    const char *id;
    char shard[5];
    const char *org;
    const char *session;
    const char *request_id;
    const char *key_id;  /* NULL = not a uuid */
    int64_t deadline_ms; /* unix, Redis's clock */
    int64_t accepted_ms;
    bool started;                 /* this very request started the session */
    bool secret_key;              /* a server asks, not a page */
    bool over_quota;              /* accepted all the same: its plan slows down, and says so */
    bool door;                    /* its body is completion_request.h's: chat/door.h */
    const char *channel;          /* it came by a webhook, and nobody listens; NULL: it did not */
    const struct test_chat *test; /* an operator asks; NULL: a visitor */
    const char *body;
    size_t body_len;
};

/* `reply` is one [id, [field, value...]] of XREADGROUP or XRANGE. False: it is not an
 * entry of ours; what is wrong goes into error. */
bool entry_read(struct arena *a, const redisReply *reply, struct job_entry *entry,
                const char **error);
/* The stream id alone; NULL if the reply has none. */
const char *entry_stream_id(const redisReply *reply);
/* The entry was deleted while it was pending: its body is gone. */
bool entry_gone(const redisReply *reply);
/* Value of a field, NULL if absent. Field lists are flat: name, value, name... */
const redisReply *entry_field(const redisReply *fields, const char *name);

#endif
