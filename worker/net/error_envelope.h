/*
 * Error_envelope: what a line of the log looks like to an error tracker that speaks
 * Sentry's protocol (Sentry, GlitchTip, Bugsink). Pure.
 * https://develop.sentry.dev/sdk/foundations/transport/envelopes/
 */
#ifndef FD_NET_ERROR_ENVELOPE_H
#define FD_NET_ERROR_ENVELOPE_H

#include "core/buf.h"

#include <stdbool.h>
#include <stdint.h>

#define ERROR_AUTH_SIZE 320

/* "https://KEY@host/PROJECT", what a tracker calls a DSN */
struct error_dsn {
    char *endpoint;             /* https://host/api/PROJECT/envelope/ */
    char auth[ERROR_AUTH_SIZE]; /* a header, "X-Sentry-Auth: ..." */
};

/* False: not a DSN; error says what would be right. error_dsn_free() in any case. */
bool error_dsn_parse(struct error_dsn *dsn, const char *text, char error[256]);
void error_dsn_free(struct error_dsn *dsn);

struct error_event {
    const char *id;   /* 32 hexadecimal digits */
    int64_t at_ms;    /* unix */
    const char *role; /* "worker" */
    const char *server;
    const char *name;   /* of the log's event, by which reports are grouped */
    const char *line;   /* the whole line: a JSON object */
    int64_t unreported; /* of the same name, since the last report */
};

/* Appends the envelope; out->over where it did not fit. */
void error_envelope(struct buf *out, const struct error_event *event);

#endif
