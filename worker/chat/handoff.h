/*
 * Handoff: a visitor asks for a person. The conversation waits for one, no model answers in it
 * any more, the organisation is told by its webhook, and the visitor is told honestly when
 * somebody will be there.
 */
#ifndef FD_CHAT_HANDOFF_H
#define FD_CHAT_HANDOFF_H

#include "chat/news.h"
#include "chat/store.h"
#include "protocol/visitor_request.h"

enum handoff_verdict {
    HANDOFF_WAITS, /* now, or since long */
    HANDOFF_ENDED, /* the conversation is over */
    HANDOFF_NEVER  /* this organisation has nobody who would answer */
};

/* When somebody is there. */
struct handoff_hours {
    bool known;           /* its hours are, and its time zone */
    bool open;            /* true where they are not known */
    const char *opens_at; /* ISO 8601; NULL: open, or never */
    int day;              /* of it, where the business is: 0 = Sunday */
    const char *time;     /* the same, "09:00" */
};

struct handoff {
    enum handoff_verdict verdict;
    bool fresh; /* asked for just now: the webhook has something to deliver */
    const char *language;
    struct handoff_hours hours;
};

/* On a pool thread; repeated, it changes nothing. */
enum db_status handoff_ask(struct db *db, struct arena *a, const char *org, const char *session,
                           const struct fd_handoff_request *request, struct handoff *handoff,
                           struct news *news);

/* What the visitor reads, in Hebrew where the language is, else in English. Pure. */
const char *handoff_text(struct arena *a, const char *language, const struct handoff_hours *hours);

#endif
