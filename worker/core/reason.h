/*
 * Reason: why something was refused or went wrong, as a code with values, for whoever tells it
 * in another language than English. Operations explain themselves in English sentences, which
 * pass through errors, rows and logs as they are. The table has each of them that a person may
 * be shown, with names for its values, and knows one again; `make lint` finds one that it lacks.
 *
 * In a sentence stands <name> for a text, <name:w> for a word, <name:n> for a number,
 * <name:list> for words ("a, b or c"), <name:kinds> for kinds of JSON values ("a text or null")
 * and <name:reason> for a sentence that has a code of its own.
 */
#ifndef FD_CORE_REASON_H
#define FD_CORE_REASON_H

#include "core/buf.h"
#include "protocol/json.h"

struct reason {
    const char *code; /* several sentences may have the same */
    const char *sentence;
};

extern const struct reason reason_table[];
extern const size_t reason_count;

/* {"code": "number_range", "params": {"min": 1, "max": 200}}; null where the sentence is not in
 * the table, or is NULL. */
void reason_write(struct fd_json_writer *w, const char *sentence);
/* "detail": the sentence, and "detail_reason": its reason. */
void reason_member(struct fd_json_writer *w, const char *key, const char *sentence);
/* A list of objects that PostgreSQL made, as it is, and in each, as `name`, the reason of its
 * `key`, a sentence or a list of them. */
void reason_write_rows(struct fd_json_writer *w, const char *rows, const char *key,
                       const char *name);
/* As a text, in `out`, which becomes the caller's to free; NULL where there is none. */
const char *reason_text(struct buf *out, const char *sentence);
/* All codes, each once, as an array. */
void reason_write_codes(struct fd_json_writer *w);

#endif
