/*
 * Settings: an organisation's tools as its operators see and change them: the catalogue's
 * and its own, what their webhooks need, what was executed (ENG-10). Synchronous, for
 * commands and pool threads. Whoever changes something tells the workers (publish.h).
 */
#ifndef FD_TOOL_SETTINGS_H
#define FD_TOOL_SETTINGS_H

#include "tool/set.h"

#include <stdbool.h>

/* Columns of tools_list(): the catalogue and the organisation's own, by name. */
enum tools_column {
    TOOLS_NAME,
    TOOLS_ORIGIN, /* catalogue or own */
    TOOLS_CATEGORY,
    TOOLS_DESCRIPTION,
    TOOLS_SCHEMA, /* JSON */
    TOOLS_RISK,
    TOOLS_ENABLED,
    TOOLS_URL, /* NULL: none yet */
    TOOLS_BINDINGS,
    TOOLS_TIMEOUT_MS,
    TOOLS_ACKNOWLEDGEMENT,
    TOOLS_SIGNED,       /* has a signing secret */
    TOOLS_TOKEN_HEADER, /* NULL: no token */
    TOOLS_CONFIG,
    TOOLS_UPDATED_AT, /* NULL: never touched */
    TOOLS_COLUMNS
};
/* name NULL: all. */
enum db_status tools_list(struct db *db, const char *org, const char *name, PGresult **rows);

enum tool_secret {
    TOOL_SECRET_KEEP,
    TOOL_SECRET_MAKE, /* anew: it is told once */
    TOOL_SECRET_SET,
    TOOL_SECRET_REMOVE
};

/* NULL and negative: as it was. */
struct tool_change {
    const char *name;
    const char *description, *parameters, *risk, *url, *bindings, *config;
    const char *token_header;
    int timeout_ms;
    int enabled, acknowledgement; /* 0, 1 */
    enum tool_secret secret, token;
    const char *secret_value, *token_value; /* of SET */
};
extern const struct tool_change tool_unchanged;

#define TOOL_SECRET_SIZE 80

/* The catalogue's tool is taken up, the organisation's own made, or either changed, in
 * one transaction. A problem has a field and DB_OK; nothing is changed then. `made` is the
 * new signing secret, or "": a URL on another server has one made, and wants the token again. */
enum db_status tools_change(struct db *db, const char *org, const char *vault_keys,
                            const struct tool_change *change, struct tool_problem *problem,
                            char made[TOOL_SECRET_SIZE]);
/* An own tool is gone, a catalogue's as if it had never been taken up. */
enum db_status tools_remove(struct db *db, const char *org, const char *name, bool *found);

enum executions_column {
    EXECUTIONS_ID,
    EXECUTIONS_TOOL,
    EXECUTIONS_CONVERSATION, /* NULL: a test run */
    EXECUTIONS_JOB,
    EXECUTIONS_PARAMETERS,
    EXECUTIONS_RESPONSE,
    EXECUTIONS_SUCCESS,
    EXECUTIONS_STATUS,
    EXECUTIONS_FAILURE,
    EXECUTIONS_HTTP_STATUS,
    EXECUTIONS_DETAIL,
    EXECUTIONS_APPROVED_BY,
    EXECUTIONS_MS,
    EXECUTIONS_CREATED_AT,
    EXECUTIONS_CURSOR, /* created_at, exactly */
    EXECUTIONS_COLUMNS
};
/* The latest first, after the one with this cursor and id (NULL: from the latest); tool
 * NULL: every tool. */
enum db_status tools_executions(struct db *db, const char *org, const char *tool,
                                const char *after_cursor, const char *after_id, int most,
                                PGresult **rows);

#endif
