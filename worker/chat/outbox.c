#include "chat/outbox.h"

#include "chat/engine.h"
#include "core/clock.h"
#include "core/loop.h"
#include "core/utf8.h"
#include "protocol/keys.h"
#include "protocol/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUSY_MARK     256  /* commands in flight from which on text is gathered */
#define GATHER_MAX    4096 /* but never more than this */
#define IN_FLIGHT_MAX 4096
#define DATA_ROOM     (FD_EVENT_DATA_MAX - 1536) /* of the text in a delta's JSON */
#define BYTES_MAX     (2 * FD_ANSWER_MAX)        /* kept for sending again */
#define REPLAY_OWNER  "replay"

struct frame {
    struct frame *next;
    uint32_t n;
    bool terminal;
    uint32_t len;
    char bytes[];
};

struct events {
    struct engine *engine;
    struct outbox *all;
    struct outbox *dirty;
    struct buf data; /* scratch: one event's JSON */
};

static void flush(void *arg);
static void plain_delta(void *arg, struct fd_json_writer *w, const char *text, size_t len);

struct events *events_new(struct engine *engine)
{
    struct events *events = calloc(1, sizeof(*events));
    if (events == NULL)
        abort();
    events->engine = engine;
    buf_init(&events->data, 2 * FD_EVENT_DATA_MAX);
    loop_on_turn_end(engine->loop, flush, events);
    return events;
}

void events_free(struct events *events)
{
    if (events == NULL)
        return;
    buf_free(&events->data);
    free(events);
}

void outbox_open(struct outbox *o, struct engine *engine, const char *job, uint32_t epoch,
                 enum outbox_mode mode, int64_t expires_ms, void (*on_change)(void *arg), void *arg)
{
    memset(o, 0, sizeof(*o));
    o->engine = engine;
    o->self = handle_make(HANDLE_OUTBOX, o);
    o->mode = mode;
    o->epoch = epoch;
    o->expires_ms = expires_ms;
    o->heard_ms = o->asked_ms = clock_mono_ms();
    o->listened = true;
    o->on_change = on_change;
    o->arg = arg;
    snprintf(o->stream, sizeof(o->stream), FD_KEY_EVENTS, job);
    snprintf(o->channel, sizeof(o->channel), FD_CHANNEL_EVENTS, job);
    buf_init(&o->text, FD_ANSWER_MAX);
    o->shape = plain_delta;

    struct events *events = engine->events;
    o->following = events->all;
    if (events->all != NULL)
        events->all->prev = o;
    events->all = o;
}

static void drop_frames(struct outbox *o)
{
    while (o->head != NULL) {
        struct frame *frame = o->head;
        o->head = frame->next;
        free(frame);
    }
    o->tail = o->unsent = NULL;
    o->bytes = 0;
}

static void forget_dirty(struct outbox *o)
{
    struct outbox **at = &o->engine->events->dirty;
    while (*at != NULL && *at != o)
        at = &(*at)->next_dirty;
    if (*at == o)
        *at = o->next_dirty;
    o->dirty = false;
}

void outbox_close(struct outbox *o)
{
    if (o->engine == NULL)
        return;
    handle_drop(o->self);
    drop_frames(o);
    if (o->dirty)
        forget_dirty(o);
    if (o->prev != NULL)
        o->prev->following = o->following;
    else
        o->engine->events->all = o->following;
    if (o->following != NULL)
        o->following->prev = o->prev;
    buf_free(&o->text);
    memset(o, 0, sizeof(*o));
}

static void mark_dirty(struct outbox *o)
{
    if (o->dirty)
        return;
    struct events *events = o->engine->events;
    o->dirty = true;
    o->next_dirty = events->dirty;
    events->dirty = o;
}

static bool over(const struct outbox *o)
{
    return o->state == OUTBOX_DETACHED || o->state == OUTBOX_LOST;
}

/* Nothing is sent any more; DETACHED or LOST. */
static void give_up(struct outbox *o, enum outbox_state state)
{
    o->state = state;
    drop_frames(o);
    buf_reset(&o->text);
    o->on_change(o->arg);
}

/* -- what fd:ev holds --------------------------------------------------------------- */

static bool entry_id(const redisReply *entry, struct fd_event_id *id)
{
    return entry->type == REDIS_REPLY_ARRAY && entry->elements == 2 &&
           entry->element[0]->type == REDIS_REPLY_STRING &&
           fd_event_id_parse(entry->element[0]->str, entry->element[0]->len, id);
}

static void on_first(void *arg, const redisReply *reply)
{
    struct outbox *o = handle_find(HANDLE_OUTBOX, handle_of(arg));
    if (o == NULL || o->state != OUTBOX_CHECKING)
        return;
    o->owned = false;
    if (reply == NULL || reply->type != REDIS_REPLY_ARRAY || reply->elements == 0)
        return;
    const redisReply *entry = reply->element[0];
    if (entry->elements != 2 || entry->element[1]->type != REDIS_REPLY_ARRAY)
        return;
    const redisReply *fields = entry->element[1];
    for (size_t i = 0; i + 1 < fields->elements; i += 2) {
        if (strcmp(fields->element[i]->str, "o") == 0)
            o->owned = strcmp(fields->element[i + 1]->str, o->engine->token) == 0;
    }
}

static void pop(struct outbox *o)
{
    struct frame *frame = o->head;
    o->head = frame->next;
    if (o->head == NULL)
        o->tail = NULL;
    if (o->unsent == frame)
        o->unsent = o->head;
    o->bytes -= frame->len;
    free(frame);
}

static void resume_after(struct outbox *o, bool any, struct fd_event_id top)
{
    while (any && top.epoch == o->epoch && o->head != NULL && o->head->n <= top.n)
        pop(o);
    o->unsent = o->head;
    o->state = OUTBOX_FLOWING;
    if (outbox_empty(o))
        o->on_change(o->arg);
    else
        mark_dirty(o);
}

static void on_top(void *arg, const redisReply *reply)
{
    struct outbox *o = handle_find(HANDLE_OUTBOX, handle_of(arg));
    if (o == NULL || o->state != OUTBOX_CHECKING)
        return;
    if (reply == NULL || reply->type != REDIS_REPLY_ARRAY) {
        o->state = OUTBOX_WAITING;
        return;
    }
    struct fd_event_id top = {0, 0};
    bool any = reply->elements > 0 && entry_id(reply->element[0], &top);
    bool begun = any && top.epoch == o->epoch;
    bool never_sent = o->head != NULL && o->head->n == 0;

    if (o->mode == OUTBOX_REPLAY) {
        if (any && top.epoch > o->epoch)
            give_up(o, OUTBOX_LOST);
        else if (!begun && !never_sent)
            give_up(o, OUTBOX_DETACHED);
        else
            resume_after(o, any, top);
    } else if (any && (top.epoch > o->epoch || (begun && !o->owned))) {
        give_up(o, OUTBOX_LOST);
    } else if (!begun && !never_sent) {
        give_up(o, OUTBOX_DETACHED);
    } else {
        resume_after(o, any, top);
    }
}

static void check(struct outbox *o)
{
    char first[FD_EVENT_ID_SIZE];
    fd_event_id_format(first, (struct fd_event_id){o->epoch, 0});
    o->state = OUTBOX_CHECKING;
    o->owned = false;
    struct redis *live = o->engine->live;
    if (!redis_call(live, on_first, handle_arg(o->self), "XRANGE %s %s %s", o->stream, first,
                    first) ||
        !redis_call(live, on_top, handle_arg(o->self), "XREVRANGE %s + - COUNT 1", o->stream))
        o->state = OUTBOX_WAITING;
}

void events_live_up(struct events *events)
{
    int64_t now = clock_mono_ms();
    for (struct outbox *o = events->all; o != NULL; o = o->following) {
        o->heard_ms = o->asked_ms = now; /* readers need a moment to come back as well */
        o->listened = true;
        if (o->state == OUTBOX_WAITING)
            check(o);
    }
}

/* -- sending -------------------------------------------------------------------------- */

static void on_added(void *arg, const redisReply *reply)
{
    struct outbox *o = handle_find(HANDLE_OUTBOX, handle_of(arg));
    if (o == NULL || o->state != OUTBOX_FLOWING || o->head == NULL)
        return;
    if (reply == NULL) {
        o->state = OUTBOX_WAITING;
        return;
    }
    bool smaller = reply->type == REDIS_REPLY_ERROR && strstr(reply->str, "equal or smaller");
    if (reply->type == REDIS_REPLY_STRING || (smaller && o->mode == OUTBOX_REPLAY)) {
        bool terminal = o->head->terminal;
        pop(o);
        if (terminal && outbox_empty(o))
            o->on_change(o->arg);
    } else if (reply->type == REDIS_REPLY_NIL) {
        give_up(o, OUTBOX_DETACHED);
    } else if (smaller) {
        check(o);
    } else {
        o->state = OUTBOX_WAITING; /* OOM, READONLY, LOADING: the tick looks again */
    }
}

static void on_listeners(void *arg, const redisReply *reply)
{
    struct outbox *o = handle_find(HANDLE_OUTBOX, handle_of(arg));
    if (o == NULL || reply == NULL)
        return;
    int64_t listeners;
    if (reply->type == REDIS_REPLY_INTEGER) /* PUBLISH */
        listeners = reply->integer;
    else if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 2) /* PUBSUB NUMSUB */
        listeners = reply->element[1]->integer;
    else
        return;
    o->asked_ms = clock_mono_ms();
    o->listened = listeners > 0;
    if (o->listened)
        o->heard_ms = o->asked_ms;
}

static bool add(struct outbox *o, const struct frame *frame)
{
    char id[FD_EVENT_ID_SIZE];
    size_t id_len = fd_event_id_format(id, (struct fd_event_id){o->epoch, frame->n});
    const char *owner = o->mode == OUTBOX_OWN ? o->engine->token : REPLAY_OWNER;
    size_t stream_len = strlen(o->stream);

    if (frame->n == 0) {
        const char *argv[] = {"XADD", o->stream, id, "f", frame->bytes, "o", owner};
        size_t lens[] = {4, stream_len, id_len, 1, frame->len, 1, strlen(owner)};
        return redis_command(o->engine->live, on_added, handle_arg(o->self), 7, argv, lens);
    }
    const char *argv[] = {"XADD", o->stream, "NOMKSTREAM", id, "f", frame->bytes};
    size_t lens[] = {4, stream_len, 10, id_len, 1, frame->len};
    return redis_command(o->engine->live, on_added, handle_arg(o->self), 6, argv, lens);
}

static void publish(struct outbox *o, const struct frame *frame)
{
    const char *argv[] = {"PUBLISH", o->channel, frame->bytes};
    size_t lens[] = {7, strlen(o->channel), frame->len};
    /* Refused (the bound in flight): the reader finds the gap with the next one. */
    redis_command(o->engine->live, on_listeners, handle_arg(o->self), 3, argv, lens);
}

static void expire(struct outbox *o, const struct frame *frame)
{
    int64_t ms = o->expires_ms;
    if (frame->terminal)
        ms = o->engine->live_pressed ? FD_EVENTS_PRESSED_MS : FD_EVENTS_LINGER_MS;
    redis_call(o->engine->live, NULL, NULL, "PEXPIRE %s %lld", o->stream, (long long)ms);
}

static void send_frames(struct outbox *o)
{
    while (o->unsent != NULL) {
        const struct frame *frame = o->unsent;
        if (redis_pending(o->engine->live) > IN_FLIGHT_MAX)
            return;
        if (!add(o, frame)) {
            if (!redis_up(o->engine->live))
                o->state = OUTBOX_WAITING;
            return;
        }
        publish(o, frame);
        if (frame->n == 0 || frame->terminal)
            expire(o, frame);
        o->unsent = frame->next;
    }
}

static void push(struct outbox *o, enum fd_event_type type, const char *data, size_t len)
{
    size_t bound = fd_event_frame_bound(len);
    struct frame *frame = malloc(sizeof(*frame) + bound);
    if (frame == NULL)
        abort();
    frame->next = NULL;
    frame->n = o->next++;
    frame->terminal = fd_event_terminal(type);
    frame->len = (uint32_t)fd_event_frame(frame->bytes, (struct fd_event_id){o->epoch, frame->n},
                                          type, data, len);
    if (o->tail != NULL)
        o->tail->next = frame;
    else
        o->head = frame;
    o->tail = frame;
    if (o->unsent == NULL)
        o->unsent = frame;
    o->bytes += frame->len;
}

size_t outbox_fit(const char *text, size_t len)
{
    size_t room = DATA_ROOM;
    size_t fit = 0;
    while (fit < len) {
        unsigned char c = (unsigned char)text[fit];
        size_t cost = 1;
        if (c < 0x20 || c == 0x7f)
            cost = 6; /* \\u001f */
        else if (c >= 0x80)
            cost = 3; /* U+FFFD, should it be malformed */
        else if (c == '"' || c == '\\' || c == '/')
            cost = 2;
        if (cost > room)
            break;
        room -= cost;
        fit++;
    }
    return fit == len ? fit : utf8_floor(text, len, fit);
}

static void plain_delta(void *arg, struct fd_json_writer *w, const char *text, size_t len)
{
    (void)arg;
    fd_jw_object(w);
    fd_jw_key(w, "text");
    fd_jw_string(w, text, len);
    fd_jw_end_object(w);
}

static void text_to_frames(struct outbox *o)
{
    struct buf *data = &o->engine->events->data;
    size_t done = 0;
    while (done < o->text.len) {
        size_t part = outbox_fit(o->text.data + done, o->text.len - done);
        struct fd_json_writer w;
        buf_reset(data);
        buf_json(data, &w);
        o->shape(o->shape_arg, &w, o->text.data + done, part);
        if (buf_json_end(data, &w))
            push(o, FD_EVENT_DELTA, data->data, data->len);
        done += part;
    }
    buf_reset(&o->text);
}

void outbox_text(struct outbox *o, const char *text, size_t len)
{
    if (over(o))
        return;
    if (o->bytes + o->text.len + len > BYTES_MAX || !buf_append(&o->text, text, len)) {
        drop_frames(o);
        buf_reset(&o->text);
        o->state = OUTBOX_DETACHED;
        return;
    }
    mark_dirty(o);
}

void outbox_cut(struct outbox *o)
{
    if (!over(o) && o->text.len > 0)
        text_to_frames(o);
}

void outbox_event(struct outbox *o, enum fd_event_type type, const char *data, size_t len)
{
    if (over(o))
        return;
    text_to_frames(o);
    push(o, type, data, len);
    mark_dirty(o);
}

bool outbox_empty(const struct outbox *o)
{
    return o->head == NULL && o->text.len == 0;
}

/* Text may wait while the connection is busy, and near the bound of events. */
static bool gathers(const struct outbox *o)
{
    if (o->text.len == 0 || o->text.len >= GATHER_MAX || o->unsent != NULL)
        return false;
    return redis_pending(o->engine->live) > BUSY_MARK || o->next > FD_EVENTS_MAX - 1000;
}

static void flush(void *arg)
{
    struct events *events = arg;
    struct outbox *o = events->dirty;
    events->dirty = NULL;
    while (o != NULL) {
        struct outbox *next = o->next_dirty;
        o->dirty = false;
        if (o->state == OUTBOX_FLOWING) {
            if (!gathers(o)) {
                text_to_frames(o);
                send_frames(o);
            }
            if (o->state == OUTBOX_FLOWING && (o->unsent != NULL || o->text.len > 0))
                mark_dirty(o);
        }
        o = next;
    }
}

/* -- listeners -------------------------------------------------------------------------- */

void outbox_tick(struct outbox *o, int64_t now_ms, int64_t ask_every_ms)
{
    if (o->state == OUTBOX_WAITING && redis_up(o->engine->live))
        check(o);
    if (over(o) || now_ms - o->asked_ms < ask_every_ms)
        return;
    if (redis_call(o->engine->live, on_listeners, handle_arg(o->self), "PUBSUB NUMSUB %s",
                   o->channel))
        o->asked_ms = now_ms;
}

int64_t outbox_silence(const struct outbox *o, int64_t now_ms)
{
    return o->listened || over(o) || !redis_up(o->engine->live) ? 0 : now_ms - o->heard_ms;
}
