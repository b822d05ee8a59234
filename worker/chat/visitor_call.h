/*
 * Visitor_call: the calls in which a visitor says something - feedback, a rating, the wish for a
 * person, who he is - each one function for a pool thread (protocol/call.h has their names).
 */
#ifndef FD_CHAT_VISITOR_CALL_H
#define FD_CHAT_VISITOR_CALL_H

#include "chat/news.h"
#include "core/config.h"
#include "db/db.h"
#include "protocol/problem.h"

struct visitor_call {
    const char *org;
    const char *session; /* "" = any of the org, where that may be */
    const struct fd_json *args;
    const struct config *config;
    struct arena *arena;
};

struct visitor_reply {
    bool refused;
    enum fd_problem_type problem;
    const char *field, *detail; /* in the arena, or NULL */
    struct buf *body;           /* the answer, where it is not refused */
    struct news news;
    bool alert; /* the webhook has something to deliver */
};

typedef enum db_status visitor_call_fn(struct db *db, const struct visitor_call *call,
                                       struct visitor_reply *reply);

/* NULL: no call of a visitor has this name. */
visitor_call_fn *visitor_call_find(const char *op);

#endif
