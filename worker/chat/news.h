/*
 * News: what a change of a conversation has to tell live Redis once it is committed: events for
 * the visitor's pages and for the organisation's dashboard, hints for workers, and which copies
 * are no longer true. Collected on a pool thread, sent from the loop, or by a process that has
 * none. PostgreSQL has the truth: what is lost here, the next look repairs.
 */
#ifndef FD_CHAT_NEWS_H
#define FD_CHAT_NEWS_H

#include "core/arena.h"
#include "net/redis.h"
#include "protocol/event.h"

#define NEWS_MAX       8
#define NEWS_WORDS_MAX 8
#define NEWS_LIFE_S    86400 /* of a session's stream behind its last event */
#define NEWS_EVENTS    1000  /* of it, roughly */
/* An organisation's is for dashboards that come back: every one has such a stream. */
#define NEWS_ORG_LIFE_S 3600
#define NEWS_ORG_EVENTS 250

struct news {
    struct arena *arena; /* of all words */
    struct news_command {
        int argc;
        const char *argv[NEWS_WORDS_MAX];
    } commands[NEWS_MAX];
    size_t count;
};

void news_init(struct news *news, struct arena *arena);

/* An event of a session's or an organisation's stream; data is one line of JSON. */
void news_session(struct news *news, const char *session, enum fd_event_type type,
                  const char *data);
void news_org(struct news *news, const char *org, enum fd_event_type type, const char *data);
/* The event `conversation`, made by conversation_facts(); NULL: of one that nobody hears of. */
void news_conversation(struct news *news, const char *org, const char *facts);
/* Who listens now hears it, nothing is stored: an operator writes, seen by the visitor and by
 * other operators; a visitor writes, seen by operators; who looks at a conversation. */
void news_typing(struct news *news, const char *session, const char *name);
void news_org_typing(struct news *news, const char *org, const char *conversation, const char *name,
                     const char *who);
void news_presence(struct news *news, const char *org, const char *data);
/* Something came in by a channel, or goes out: a worker need not wait for its time. */
void news_channel(struct news *news, const char *org);
/* A person has the conversation, or gives it back: its next question asks PostgreSQL, and
 * where it is taken, the answer that runs is stopped. */
void news_paused(struct news *news, const char *org, const char *session);
void news_resumed(struct news *news, const char *org, const char *session);
/* What is remembered of the conversation in Redis is not all of it any more. */
void news_forget(struct news *news, const char *org, const char *session);

/* On the loop; not sent where live is away. */
void news_send(const struct news *news, struct redis *live);
/* Blocking: of a command or the admin API. False: error says why. */
bool news_send_sync(const struct news *news, const char *address, char error[256]);

#endif
