/*
 * Feed: what happens in an organisation (fd:oev), as long as somebody follows it: one
 * subscription, however many follow. A follower that has missed something is given it from the
 * stream, or told by `sync` that it is not there any more. Loop thread.
 */
#ifndef FD_ADMIN_FEED_H
#define FD_ADMIN_FEED_H

#include "admin/follower.h"

#define FEED_OF_ACTOR_MAX   8   /* of one user or key */
#define FEED_FOLLOWERS_MAX  32  /* of an organisation */
#define FEEDS_FOLLOWERS_MAX 512 /* in all; nginx's upstream has as many connections */

struct feeds;

struct feeds *feeds_new(struct server *server);
/* Why another follower would be one too many; NULL: it would not. */
const char *feeds_full(const struct feeds *feeds, const char *org, const char *actor);
/* `last` is the client's Last-Event-ID; epoch 0: it begins. http is not the caller's any more. */
void feeds_follow(struct feeds *feeds, struct evhttp_request *http,
                  const struct admin_request *request, struct fd_event_id last);
/* Every follower is told that this process stops. */
void feeds_stop(struct feeds *feeds);
void feeds_free(struct feeds *feeds); /* after the last follower's connection */

/* The follower's: it is over. */
void feed_leave(struct follower *f);

#endif
