/*
 * Outbox: a job's events on their way to fd:ev and fd:ch (handoff: "Events"). The
 * XADD id is fence, order and idempotent retry in one; what Redis has not
 * acknowledged is kept and sent again after a look at what it holds.
 *
 * Text is sent in the turn it came in; while the connection is busy, what comes
 * meanwhile joins into one event.
 */
#ifndef FD_CHAT_OUTBOX_H
#define FD_CHAT_OUTBOX_H

#include "chat/handle.h"
#include "core/buf.h"
#include "protocol/event.h"

#include <stdbool.h>
#include <stdint.h>

struct engine;
struct events;

/* All outboxes of a worker: who has something to send, and who waits for Redis. */
struct events *events_new(struct engine *engine);
void events_free(struct events *events);
void events_live_up(struct events *events); /* from the live connection's on_up */

enum outbox_state {
    OUTBOX_FLOWING,
    OUTBOX_WAITING,  /* live is away, or refuses: its state is looked at when it is back */
    OUTBOX_CHECKING, /* asking what fd:ev holds */
    OUTBOX_DETACHED, /* live lost the stream, or too much waits: nothing more is sent;
                        the answer is rewritten from PostgreSQL at its end */
    OUTBOX_LOST      /* a later epoch or another owner writes: this worker is a zombie */
};

enum outbox_mode {
    OUTBOX_OWN,   /* the fence: somebody else's events end it */
    OUTBOX_REPLAY /* a stored answer: whoever wrote an id already wrote the same */
};

struct frame;

struct outbox {
    struct engine *engine;
    handle self;
    enum outbox_state state;
    enum outbox_mode mode;
    char stream[64];
    char channel[64];
    uint32_t epoch;
    uint32_t next;      /* n of the event that comes next */
    int64_t expires_ms; /* life of fd:ev from its first event */
    struct frame *head; /* not acknowledged, oldest first */
    struct frame *tail;
    struct frame *unsent;
    size_t bytes;
    struct buf text; /* of the delta that waits */
    /* A delta's data, where it is not {text}; set after outbox_open(). */
    void (*shape)(void *arg, struct fd_json_writer *w, const char *text, size_t len);
    void *shape_arg;
    bool dirty;
    bool owned;       /* while CHECKING: <epoch>-0 has our token */
    int64_t heard_ms; /* somebody listened then, monotonic */
    int64_t asked_ms; /* when that was last looked at */
    bool listened;
    struct outbox *next_dirty;
    struct outbox *prev, *following; /* all outboxes */
    /* Everything was acknowledged, or the state became DETACHED or LOST. */
    void (*on_change)(void *arg);
    void *arg;
};

/* on_change may be called from any Redis reply, never from inside a call below. */
void outbox_open(struct outbox *outbox, struct engine *engine, const char *job, uint32_t epoch,
                 enum outbox_mode mode, int64_t expires_ms, void (*on_change)(void *arg),
                 void *arg);
void outbox_close(struct outbox *outbox); /* safe on a zeroed one */

/* Visible text: becomes delta events. */
void outbox_text(struct outbox *outbox, const char *text, size_t len);
/* What came until now becomes delta events, which what comes later does not join. */
void outbox_cut(struct outbox *outbox);
/* An event of its own, behind the text before it. `data` is one line of JSON. */
void outbox_event(struct outbox *outbox, enum fd_event_type type, const char *data, size_t len);
bool outbox_empty(const struct outbox *outbox);

/* From the tick: asks for listeners when that was not learnt by publishing. */
void outbox_tick(struct outbox *outbox, int64_t now_ms, int64_t ask_every_ms);
/* For how long nobody has listened, 0 if somebody does or it is not known. */
int64_t outbox_silence(const struct outbox *outbox, int64_t now_ms);

/* How much of text[0..len) fits one delta event; at least one character. Pure. */
size_t outbox_fit(const char *text, size_t len);

#endif
