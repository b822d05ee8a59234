/*
 * Tool: something that the model may call. The catalogue is the platform's, what is
 * enabled is the organisation's. The model sees name, description and the schema of
 * the arguments that it may choose; arguments bound by the server (the visitor, the
 * owner of an order) are in no schema and cannot be chosen.
 */
#ifndef FD_TOOL_TOOL_H
#define FD_TOOL_TOOL_H

#include "core/arena.h"
#include "db/db.h"
#include "protocol/json.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tool_risk {
    TOOL_READ,  /* runs by itself */
    TOOL_WRITE, /* the visitor confirms in the chat */
    TOOL_HIGH   /* an operator approves */
};

enum tool_kind {
    TOOL_WEBHOOK,  /* a signed POST (n8n or any HTTP): client_tools */
    TOOL_ENDPOINT, /* an endpoint of an integration */
    TOOL_QUERY,    /* a named, read-only query on the client's PostgreSQL */
    TOOL_KINDS
};

struct tool_schema;  /* tool/schema.h */
struct tool_webhook; /* tool/webhook.h */

/* Where the server takes a bound argument from. */
struct tool_binding {
    const char *argument; /* its name in the call */
    const char *source;   /* "visitor.user_id", "session_id", "=fixed", ... (tool/bind.h) */
};

struct tool {
    const char *id;   /* the row: client_tools.id or integration_endpoints.id */
    const char *name; /* ^[a-zA-Z0-9_-]{1,64}$, what every provider takes */
    const char *description;
    const char *parameters; /* JSON Schema as the model sees it: without bound arguments */
    const struct tool_schema *schema; /* the same, compiled */
    enum tool_risk risk;
    enum tool_kind kind;
    int timeout_ms;                     /* of one call */
    const char *url;                    /* of a webhook */
    const struct tool_webhook *webhook; /* the rest of a webhook; else NULL */
    const struct fd_json *config;       /* client_tools.custom_config; an object */
    const struct tool_binding *bindings;
    size_t binding_count;
};

struct tool_set {
    const struct tool *list;
    size_t count;
};

/* Where the keys of tenants' secrets are (core/vault.h); once, before there are threads.
 * A tool whose secrets do not open cannot be used. */
void tool_use_vault(const char *keys);

/* The enabled tools of an org, webhooks first, then endpoints and queries, in the
 * order of their names. A row that cannot be used is logged and left out. */
enum db_status tool_set_load(struct db *db, struct arena *a, const char *org, struct tool_set *set);
const struct tool *tool_find(const struct tool_set *set, const char *name);
const char *tool_risk_name(enum tool_risk risk); /* "read", "write", "high" */

/* -- one execution --------------------------------------------------------------------------- */

enum tool_failure {
    TOOL_OK,
    TOOL_UNKNOWN,     /* no such tool, or it is not enabled */
    TOOL_ARGUMENTS,   /* they do not meet the schema */
    TOOL_REFUSED,     /* not confirmed, not approved, or a bound argument is missing */
    TOOL_BLOCKED,     /* the address may not be reached */
    TOOL_UNREACHABLE, /* name, connection, TLS */
    TOOL_TIMEOUT,     /* it may have happened all the same */
    TOOL_HTTP,        /* a status other than 2xx */
    TOOL_RESPONSE,    /* 2xx with an empty or unexpected body, or too large */
    TOOL_UNAVAILABLE, /* its circuit breaker is open, or too many calls */
    TOOL_FAILED       /* it ran and says that it failed */
};
const char *tool_failure_name(enum tool_failure failure); /* "timeout", ... */

#define TOOL_RESULT_MAX 32768 /* bytes of a result that the model is shown */

struct tool_result {
    enum tool_failure failure;
    const char *json; /* for the model: the data, or {"error":{"code","message","retryable"}} */
    size_t len;       /* <= TOOL_RESULT_MAX */
    bool pending;     /* accepted; the outcome comes later to the callback */
    int status;       /* HTTP, 0 = none */
    int64_t ms;
    const char *operator_detail; /* one line for the log of calls; NULL = none */
};

/* Who and what a call is for; everything the server knows and the model does not. */
struct tool_context {
    const char *org;
    const char *org_name;
    const char *session;
    const char *conversation_id;
    const char *job_id;
    const char *call_id; /* unique in the job; with the job id the idempotency key */
    const char *language;
    const char *channel; /* "widget", "api", ... */
    const char *user_id; /* NULL = anonymous */
    bool user_verified;
    const char *user_email;   /* verified; NULL = not known */
    const char *callback_url; /* NULL = none */
    int64_t deadline_ms;      /* unix, of the job */
    int step;                 /* 0 = the first round of calls in this answer */
};

/* What tool_run_start() does first, for whoever asks a person before it: checks the
 * model's arguments and adds the bound ones, whatever the model wrote there. TOOL_OK:
 * *complete is in the arena. TOOL_ARGUMENTS or TOOL_REFUSED: `why` is for the model. */
#define TOOL_WHY_SIZE 768
enum tool_failure tool_arguments(const struct tool *tool, const char *arguments,
                                 const struct tool_context *context, struct arena *a,
                                 const char **complete, char why[TOOL_WHY_SIZE]);

struct tool_runner; /* one a loop: executors, breakers, limits of calls at a time */
struct tool_run;    /* valid until on_end or tool_run_cancel() */
typedef void tool_end_fn(void *arg, const struct tool_result *result);

/* What runs the calls of one kind. The arguments are checked and complete (bound ones
 * included). Never calls back from inside start(); everything is copied. */
struct tool_executor {
    void *(*start)(void *self, const struct tool *tool, const char *arguments,
                   const struct tool_context *context, tool_end_fn *on_end, void *arg);
    void (*cancel)(void *self, void *running);
    void *self;
};

struct outbound;
struct loop;
struct tool_runner *tool_runner_new(struct loop *loop, struct outbound *outbound);
void tool_runner_free(struct tool_runner *runner);
/* TOOL_WEBHOOK is there from the start. */
void tool_runner_register(struct tool_runner *runner, enum tool_kind kind,
                          const struct tool_executor *executor);

/* Binds, checks against the schema, asks the breaker, runs. Confirmation and approval
 * are the caller's to have. Arguments are copied; the tool and what it points at must
 * live until on_end. Never NULL; on_end comes from the loop, later. */
struct tool_run *tool_run_start(struct tool_runner *runner, const struct tool *tool,
                                const char *arguments, const struct tool_context *context,
                                tool_end_fn *on_end, void *arg);
void tool_run_cancel(struct tool_run *run);

#endif
