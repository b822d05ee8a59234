/*
 * Wire: what a test run really sent, and what came back, as its operator is shown them: long
 * texts cut, and of what might be a secret only that it was there. Pure.
 */
#ifndef FD_TOOL_WIRE_H
#define FD_TOOL_WIRE_H

#include "core/arena.h"
#include "net/outbound.h"
#include "protocol/json.h"

#include <stdbool.h>
#include <stddef.h>

#define WIRE_TEXT_MAX 16384 /* bytes of a body */

struct wire_text {
    const char *text; /* valid UTF-8; NULL: none */
    bool cut;
};

struct wire_header {
    const char *name, *value;
};

/* All zero: nothing was sent, and nothing came. */
struct wire {
    const char *method, *url;
    const struct wire_header *headers;
    size_t header_count;
    struct wire_text body;
    bool came;  /* an answer */
    int status; /* HTTP; 0: of a database */
    const char *content_type;
    struct wire_text answer;
};

/* Of several attempts the last one stays. `secret_header`: what its owner has the credential sent
 * in, NULL: as is usual. */
void wire_sent(struct wire *wire, struct arena *a, const struct outbound_options *options,
               const char *secret_header);
void wire_came(struct wire *wire, struct arena *a, const struct outbound_response *response);
/* A query of a database instead: what is asked, and the rows. `database` names it. */
void wire_asked(struct wire *wire, struct arena *a, const char *database, const char *sql,
                const char *const *values, size_t count);
void wire_rows(struct wire *wire, struct arena *a, const char *json, size_t len);

/* The members "request" and "answer", null where there is none. */
void wire_write(struct fd_json_writer *w, const struct wire *wire);

#endif
