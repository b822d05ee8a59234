/*
 * Takeover: operators in a conversation (ENG-14). One at a time holds it; each change of hands
 * raises its version, so that nobody takes it from a holder he does not know of. Straight-line
 * functions for a pool thread or the admin API.
 */
#ifndef FD_CHAT_TAKEOVER_H
#define FD_CHAT_TAKEOVER_H

#include "chat/news.h"
#include "chat/store.h"

#define TAKEOVER_TEXT_MAX    6000 /* bytes of a reply: an event holds it, escaped */
#define TAKEOVER_NAME_MAX    100
#define TAKEOVER_ANY_VERSION (-1)

struct takeover_by {
    const char *org;
    const char *actor; /* "user:<uuid>" or "key:<uuid>" */
    const char *name;  /* as the visitor sees it */
    int64_t version;   /* that the operator has seen; TAKEOVER_ANY_VERSION */
};

enum takeover_verdict {
    TAKEOVER_DONE,
    TAKEOVER_UNKNOWN,  /* no such conversation of the org */
    TAKEOVER_ENDED,    /* it is over */
    TAKEOVER_HELD,     /* by another: joining with the version now known takes it over */
    TAKEOVER_STALE,    /* it has changed hands since that version */
    TAKEOVER_NOT_YOURS /* join it first */
};

/* As it is now, whatever the verdict; in the arena. */
struct takeover {
    enum takeover_verdict verdict;
    const char *session;
    const char *status;
    const char *holder; /* NULL = nobody */
    const char *holder_name;
    int64_t version;
    char message_id[STORE_UUID_SIZE]; /* of a reply */
    const char *created_at;
};

/* It is the operator's; the model pauses. Repeated by its holder, it changes nothing. */
enum db_status takeover_join(struct db *db, struct arena *a, const struct takeover_by *by,
                             const char *conversation, struct takeover *now, struct news *news);
/* `once` (may be NULL) names the reply: the same again is the same message. */
enum db_status takeover_reply(struct db *db, struct arena *a, const struct takeover_by *by,
                              const char *conversation, const char *text, const char *once,
                              struct takeover *now, struct news *news);
enum db_status takeover_typing(struct db *db, struct arena *a, const struct takeover_by *by,
                               const char *conversation, struct takeover *now, struct news *news);
/* The model answers again, and knows what was said. */
enum db_status takeover_release(struct db *db, struct arena *a, const struct takeover_by *by,
                                const char *conversation, struct takeover *now, struct news *news);
/* It is over: the visitor's next message begins another. */
enum db_status takeover_resolve(struct db *db, struct arena *a, const struct takeover_by *by,
                                const char *conversation, struct takeover *now, struct news *news);

#endif
