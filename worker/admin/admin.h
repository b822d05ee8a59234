/*
 * Admin: the API of operators and of programs with a secret key, `frontdesk admin`:
 * evhttp on a unix socket behind nginx, which has authenticated the request and says
 * in headers for which organisation and role it is. A resource is one file: a table
 * of routes whose handlers are plain synchronous functions on a pool thread. resources.h
 * lists them all; field.h, list.h and page.h have what bodies and lists have in common.
 */
#ifndef FD_ADMIN_ADMIN_H
#define FD_ADMIN_ADMIN_H

#include "admin/schema.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/config.h"
#include "db/db.h"
#include "net/redis_sync.h"
#include "protocol/ids.h"
#include "protocol/json.h"
#include "protocol/problem.h"

#include <stdbool.h>
#include <stddef.h>

/* In the order of tenant/users.h's ranks. */
enum admin_role { ADMIN_CLIENT, ADMIN_STAFF, ADMIN_ADMIN, ADMIN_OWNER, ADMIN_SUPERADMIN };

/* What a secret key may do with the role of an admin; a user's is the last. */
enum admin_scope {
    ADMIN_SCOPE_READ,
    ADMIN_SCOPE_WRITE, /* but not change who gets in */
    ADMIN_SCOPE_ALL
};

#define ADMIN_IDS_MAX 3

struct admin_request {
    const char *method;
    const char *path;               /* decoded, without the query */
    const char *target;             /* path and query as they were sent */
    const char *ids[ADMIN_IDS_MAX]; /* what stood for ":name" in the pattern, decoded */
    const struct fd_json *body;     /* an object, strictly parsed, empty where none was sent; NULL
                                       where the route takes raw */
    const char *raw;                /* the body's bytes */
    size_t raw_len;
    const char *content_type; /* lower case, without parameters; "" if absent */
    const char *org;          /* uuid; every statement names it; NULL on an open route */
    enum admin_role role;
    enum admin_scope scope;
    const char *actor;   /* "key:<uuid>" or "user:<uuid>": for the audit log */
    const char *user;    /* uuid; NULL: a key asks, or nobody */
    const char *session; /* of the user, uuid */
    const char *nonce;   /* of its claims */
    const char *team;    /* uuid of the user's active team; NULL: none */
    const char *address; /* of the client, "" if nginx does not say */
    const char *agent;   /* its User-Agent, "" if absent */
    bool secure;         /* HTTPS, or else a network that may be another's */
    const char *request_id;
    const char *if_match; /* the headers; "" if absent */
    const char *if_none_match;
    const char *once; /* Idempotency-Key */
    const char *last_event_id;
    struct admin_pending *pending; /* admin_after(); NULL: nothing is open */
    struct arena *arena;           /* of the request */
    struct db *db;
    const struct config *config;
    void *query; /* admin_query() */
};

struct admin_reply;

/* An answer that is too long to be made at once (admin/stream.h): what `body` holds when the
 * handler returns is its beginning. next() puts the next part there, which may be empty, on
 * whatever thread, with the request's db; end() is called once, in any case. */
enum admin_rest_status { ADMIN_REST_MORE, ADMIN_REST_DONE, ADMIN_REST_FAILED };
struct admin_rest {
    enum admin_rest_status (*next)(const struct admin_request *request, struct admin_reply *reply);
    void (*end)(void *state);
    void *state;
};

struct admin_reply {
    int status; /* 200 unless set */
    struct buf body;
    const char *content_type; /* "application/json" unless set */
    const char *filename;     /* Content-Disposition: attachment; NULL = none */
    int retry_after;          /* seconds; 0 = none */
    const char *cookies[2];   /* Set-Cookie; NULL = none */
    const char *etag;         /* NULL = none */
    bool replayed;            /* it was answered before, and is told again */
    struct admin_rest rest;   /* next NULL: the body is all */
    bool listens;             /* to what happens in the organisation, behind `after`: feed.h */
    struct fd_event_id after;
    bool mails;         /* a link was asked for: mailer.h */
    const char *follow; /* a job whose events nginx streams in place of the body; NULL */
};

typedef void admin_handler_fn(const struct admin_request *request, struct admin_reply *reply);

enum admin_flags {
    ADMIN_RAW = 1,      /* the body is not JSON (an upload) */
    ADMIN_OPEN = 2,     /* nobody needs to have signed in; nginx knows these routes, too */
    ADMIN_USER = 4,     /* of a signed-in user, not of a key */
    ADMIN_ACCESS = 8,   /* who gets in: not with a key that may only write */
    ADMIN_ASKS = 16,    /* changes nothing, whatever its method, or records itself */
    ADMIN_PRIVATE = 32, /* shows what a visitor or a tenant's server said: the record says that it
                           was, not what */
    ADMIN_STEPS = 64,   /* commits in steps of its own: no one transaction; the record begins
                           before it */
    ADMIN_WAITS = 128   /* for other servers: few at a time (gate.h) */
};

/* What core/reason.h writes, as a shape. */
#define ADMIN_REASON "{code: text, params: object}|null"

struct admin_route {
    const char *method;
    const char *pattern; /* below /api/admin/: "knowledge/articles/:slug" */
    enum admin_role least;
    unsigned flags;
    admin_handler_fn *handle;
    const char *summary;           /* a line; without one nothing below is there */
    const struct admin_body *body; /* what it takes (schema.h); NULL: no member */
    const char *query;             /* shape (shape.h) of its parameters; NULL: none */
    const char *const *parameters; /* and these, texts; NULL last */
    const char *answer;            /* shape of what it answers; NULL: 204 */
    int status;                    /* of success, where it is not 200 or 204 */
    const char *const *computed;   /* members of a GET's answer that nobody sets, NULL last */
};

struct admin_resource {
    const struct admin_route *routes;
    size_t count;
};

/* A query parameter, decoded; NULL if absent. */
const char *admin_query(const struct admin_request *request, const char *name);

/* A problem instead of what the reply had; `field` and `detail` may be NULL. */
void admin_problem(struct admin_reply *reply, const struct admin_request *request,
                   enum fd_problem_type type, const char *field, const char *detail);
/* The problem of an operation that did not succeed. One that db_explain()ed why it refuses
 * (DB_FAILED) becomes 422 with that text. */
void admin_db_problem(struct admin_reply *reply, const struct admin_request *request,
                      enum db_status status);
/* Did an operation go well, and find what it is about? False: the reply holds the problem, with
 * `none` (may be NULL) as the detail of a 404. */
bool admin_found(struct admin_reply *reply, const struct admin_request *request,
                 enum db_status status, bool found, const char *none);

/* {id}: of what was made. */
void admin_reply_id(struct admin_reply *reply, int status, const char *id);

/* Calls tell() once what this request changes is committed, and never if it is not. `arg` and
 * what it points at live as long as the request. */
typedef void admin_tell_fn(const struct admin_request *request, void *arg);
void admin_after(const struct admin_request *request, admin_tell_fn *tell, void *arg);
/* Tells every worker and nginx so that this organisation's settings changed. */
void admin_settings_changed(const struct admin_request *request);
/* The same of another one, which a superadmin changed. */
void admin_organization_changed(const struct admin_request *request, const char *org);

#endif
