/*
 * Follower: one client of GET events, an answer that stays open. It costs neither a thread nor
 * a database connection, and no more memory than what its client may leave unread: who leaves
 * more is told so and let go. Loop thread.
 */
#ifndef FD_ADMIN_FOLLOWER_H
#define FD_ADMIN_FOLLOWER_H

#include "admin/server.h"
#include "protocol/event.h"

struct admin_request;
struct evhttp_request;
struct feed;

#define FOLLOWER_UNREAD_MAX 262144 /* bytes */
#define FOLLOWER_STALL_S    30     /* without a byte taken, the connection is dead */

struct follower {
    struct server *server;
    struct evhttp_request *http; /* NULL: the client is gone, or was let go */
    char org[37], actor[64], request_id[64];
    char session[37]; /* of the user; "": a key asks */
    int64_t since_ms; /* monotonic */
    int64_t until_ms; /* then it has to come again, and is checked again */
    uint64_t bytes;
    /* feed.c's: where it is in the organisation's stream */
    struct feed *feed;
    struct follower *next;
    struct fd_event_id last;
    bool placed;  /* `last` is known */
    bool pulling; /* the stream is being read for it; it is freed after that */
    bool again;   /* and has to be read once more */
};

/* Begins the answer, whose headers are set; http is not the caller's any more. NULL: its client
 * is gone already. Once nothing can be written to it any more, it calls feed_leave(). */
struct follower *follower_new(struct server *server, struct evhttp_request *http,
                              const struct admin_request *request, int64_t life_ms);
/* One or more frames, whole. */
void follower_write(struct follower *f, const char *frames, size_t len);
/* The last frame says why, and the client may come again. */
void follower_end(struct follower *f, const char *why);
void follower_free(struct follower *f);

#endif
