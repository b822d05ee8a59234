#include "admin/feed.h"

#include "admin/admin.h"
#include "core/clock.h"
#include "core/loop.h"
#include "net/redis.h"
#include "protocol/keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PULSE_MS    10000
#define KEY_LIFE_MS 900000 /* of a key's; a user's is that of its session's claims */
#define PULL_MAX    128    /* events at a time */
#define SILENT_MS   5000   /* of live Redis */

struct feed {
    struct feeds *feeds;
    char org[37];
    struct redis_subscriber *channel;
    bool subscribed;
    struct follower *followers;
    size_t count;
    struct feed *next;
};

struct feeds {
    struct server *server;
    struct redis *live;
    struct redis_subscriber *control;
    bool heard; /* control was subscribed before */
    struct timer *pulse;
    struct feed *first;
    size_t count; /* followers */
};

/* -- reading the stream for one follower ---------------------------------------------------- */

static void pull(struct follower *f);

/* Nothing is awaited for it any more: who left meanwhile can go. False: it has. */
static bool settle(struct follower *f)
{
    f->pulling = false;
    if (f->http != NULL)
        return true;
    follower_free(f);
    return false;
}

static bool read_id(const redisReply *entry, struct fd_event_id *id)
{
    return entry->type == REDIS_REPLY_ARRAY && entry->elements == 2 &&
           entry->element[0]->type == REDIS_REPLY_STRING &&
           fd_event_id_parse(entry->element[0]->str, entry->element[0]->len, id);
}

/* From here on: what was before it, the client reads elsewhere. */
static void on_newest(void *arg, const redisReply *reply)
{
    struct follower *f = arg;
    char id[FD_EVENT_ID_SIZE], frame[sizeof(FD_EVENT_SYNC_FRAME) + FD_EVENT_ID_SIZE + 8];
    struct fd_event_id last = {0};

    if (f->http == NULL || reply == NULL || reply->type != REDIS_REPLY_ARRAY) {
        f->again = true;
        settle(f);
        return;
    }
    if (reply->elements == 1 && read_id(reply->element[0], &last)) {
        fd_event_id_format(id, last);
        snprintf(frame, sizeof(frame), "id: %s\n" FD_EVENT_SYNC_FRAME, id);
    } else {
        snprintf(frame, sizeof(frame), "%s", FD_EVENT_SYNC_FRAME);
    }
    f->last = last;
    f->placed = true;
    follower_write(f, frame, strlen(frame));
    if (settle(f) && f->again)
        pull(f);
}

/* The frame of an entry {id, ["f", frame]}. */
static bool read_frame(const redisReply *entry, struct fd_event *event, const redisReply **frame)
{
    const redisReply *fields;

    if (entry->type != REDIS_REPLY_ARRAY || entry->elements != 2)
        return false;
    fields = entry->element[1];
    if (fields->type != REDIS_REPLY_ARRAY || fields->elements != 2 ||
        fields->element[1]->type != REDIS_REPLY_STRING)
        return false;
    *frame = fields->element[1];
    return fd_event_parse((*frame)->str, (*frame)->len, event);
}

/* False: between what the follower has and this entry, something is missing. */
static bool give(struct follower *f, const redisReply *entry)
{
    const redisReply *frame;
    struct fd_event event;

    if (!read_frame(entry, &event, &frame))
        return false;
    switch (fd_event_judge(f->last, event.id)) {
    case FD_EVENT_BEHIND: return false;
    case FD_EVENT_IGNORE: return true;
    case FD_EVENT_WRITE: break;
    }
    f->last = event.id;
    follower_write(f, frame->str, frame->len);
    return true;
}

/* It begins with the event that the follower has: if not, nobody knows what was between. */
static bool give_all(struct follower *f, const redisReply *reply)
{
    struct fd_event_id first;

    if (f->last.epoch != 0 && (reply->elements == 0 || !read_id(reply->element[0], &first) ||
                               fd_event_id_compare(first, f->last) != 0))
        return false;
    for (size_t i = 0; i < reply->elements; i++) {
        if (!give(f, reply->element[i]))
            return false;
    }
    return true;
}

static void on_range(void *arg, const redisReply *reply)
{
    struct follower *f = arg;

    if (f->http == NULL || reply == NULL || reply->type != REDIS_REPLY_ARRAY) {
        f->again = true;
        settle(f);
        return;
    }
    f->placed = give_all(f, reply);
    if (settle(f) && (!f->placed || f->again || reply->elements == PULL_MAX))
        pull(f);
}

static void pull(struct follower *f)
{
    struct redis *live = f->feed->feeds->live;
    char id[FD_EVENT_ID_SIZE] = "-", key[64];

    f->again = f->pulling || !f->feed->subscribed;
    if (f->again)
        return;
    snprintf(key, sizeof(key), FD_KEY_ORG_EVENTS, f->org);
    if (f->last.epoch != 0)
        fd_event_id_format(id, f->last);
    f->pulling = f->placed
                     ? redis_call(live, on_range, f, "XRANGE %s %s + COUNT %d", key, id, PULL_MAX)
                     : redis_call(live, on_newest, f, "XREVRANGE %s + - COUNT 1", key);
    f->again = !f->pulling; /* once live is back */
}

/* -- an organisation ------------------------------------------------------------------------ */

static void hear(struct feed *feed, const struct fd_event *event, const char *frame, size_t len)
{
    struct follower *next;

    for (struct follower *f = feed->followers; f != NULL; f = next) {
        next = f->next;
        enum fd_event_verdict verdict = fd_event_judge(f->last, event->id);
        if (f->pulling || !f->placed || verdict == FD_EVENT_BEHIND) {
            pull(f);
        } else if (verdict == FD_EVENT_WRITE) {
            f->last = event->id;
            follower_write(f, frame, len);
        }
    }
}

static void pass_by(struct feed *feed, const char *frame, size_t len)
{
    struct follower *next;

    for (struct follower *f = feed->followers; f != NULL; f = next) {
        next = f->next;
        if (f->placed)
            follower_write(f, frame, len);
    }
}

static void pull_all(struct feed *feed)
{
    for (struct follower *f = feed->followers; f != NULL; f = f->next)
        pull(f);
}

static void on_message(void *arg, const char *message, size_t len)
{
    struct feed *feed = arg;
    struct fd_event event;

    if (message == NULL) {
        feed->subscribed = true;
        pull_all(feed);
    } else if (fd_event_parse(message, len, &event)) {
        hear(feed, &event, message, len);
    } else if (fd_event_passing(message, len)) {
        pass_by(feed, message, len);
    }
}

static struct feed *find(const struct feeds *feeds, const char *org)
{
    struct feed *feed = feeds->first;

    while (feed != NULL && strcmp(feed->org, org) != 0)
        feed = feed->next;
    return feed;
}

static struct feed *open_feed(struct feeds *feeds, const char *org)
{
    struct feed *feed = calloc(1, sizeof(*feed));
    char channel[64];

    if (feed == NULL)
        abort();
    feed->feeds = feeds;
    snprintf(feed->org, sizeof(feed->org), "%s", org);
    snprintf(channel, sizeof(channel), FD_KEY_ORG_EVENTS, org);
    feed->channel = redis_subscribe(feeds->server->loop, feeds->server->config->live_redis, channel,
                                    on_message, feed);
    if (feed->channel == NULL)
        abort();
    feed->next = feeds->first;
    feeds->first = feed;
    return feed;
}

static void close_feed(void *arg)
{
    struct feed *feed = arg, **at = &feed->feeds->first;

    while (*at != feed)
        at = &(*at)->next;
    *at = feed->next;
    redis_subscriber_free(feed->channel);
    free(feed);
}

/* -- who follows ---------------------------------------------------------------------------- */

static size_t followers_of(const struct feed *feed, const char *actor)
{
    size_t count = 0;

    for (const struct follower *f = feed->followers; f != NULL; f = f->next)
        count += strcmp(f->actor, actor) == 0;
    return count;
}

const char *feeds_full(const struct feeds *feeds, const char *org, const char *actor)
{
    const struct feed *feed = find(feeds, org);

    if (feed != NULL && followers_of(feed, actor) >= FEED_OF_ACTOR_MAX)
        return "this user or key listens so often already; end one of these streams first";
    if (feed != NULL && feed->count >= FEED_FOLLOWERS_MAX)
        return "so many of this organisation listen already; come again in a moment";
    if (feeds->count >= FEEDS_FOLLOWERS_MAX)
        return "so many listen already; come again in a moment";
    return NULL;
}

void feeds_follow(struct feeds *feeds, struct evhttp_request *http,
                  const struct admin_request *request, struct fd_event_id last)
{
    int64_t life_ms = request->session != NULL
                          ? (int64_t)feeds->server->config->session_access_s * 1000
                          : KEY_LIFE_MS;
    struct follower *f = follower_new(feeds->server, http, request, life_ms);
    if (f == NULL)
        return;
    struct feed *feed = find(feeds, request->org);
    if (feed == NULL)
        feed = open_feed(feeds, request->org);
    else
        loop_undefer(feeds->server->loop, close_feed, feed); /* if the last one just left */
    f->feed = feed;
    f->last = last;
    f->placed = last.epoch != 0;
    f->next = feed->followers;
    feed->followers = f;
    feed->count++;
    feeds->count++;
    pull(f);
}

void feed_leave(struct follower *f)
{
    struct feed *feed = f->feed;
    struct follower **at = &feed->followers;

    while (*at != f)
        at = &(*at)->next;
    *at = f->next;
    feed->count--;
    feed->feeds->count--;
    if (feed->count == 0)
        loop_defer(feed->feeds->server->loop, close_feed, feed);
    if (!f->pulling)
        follower_free(f);
}

enum whom { EVERYBODY, KEYS, KEYS_OF_ORG, SESSION };

static bool is_meant(const struct follower *f, enum whom whom, const char *which)
{
    switch (whom) {
    case KEYS: return f->session[0] == '\0';
    case KEYS_OF_ORG: return f->session[0] == '\0' && strcmp(f->org, which) == 0;
    case SESSION: return strcmp(f->session, which) == 0;
    default: return true;
    }
}

static void end_those(struct feeds *feeds, enum whom whom, const char *which, const char *why)
{
    for (struct feed *feed = feeds->first; feed != NULL; feed = feed->next) {
        struct follower *next;
        for (struct follower *f = feed->followers; f != NULL; f = next) {
            next = f->next;
            if (is_meant(f, whom, which))
                follower_end(f, why);
        }
    }
}

/* Whoever may have lost the right to listen comes again, and nginx looks. A hint may have been
 * missed while there was no connection. */
static void on_control(void *arg, const char *message, size_t len)
{
    struct feeds *feeds = arg;
    char word[16], which[80];

    (void)len;
    if (message == NULL) {
        if (feeds->heard)
            end_those(feeds, EVERYBODY, NULL, "again");
        feeds->heard = true;
    } else if (sscanf(message, "%15s %79s", word, which) == 2) {
        if (strcmp(word, FD_CONTROL_SESSION) == 0)
            end_those(feeds, SESSION, which, "signed out");
        else if (strcmp(word, FD_CONTROL_ORG) == 0)
            end_those(feeds, KEYS_OF_ORG, which, "again");
        else if (strcmp(word, FD_CONTROL_KEY) == 0)
            end_those(feeds, KEYS, NULL, "again");
    }
}

static void on_pulse(void *arg)
{
    struct feeds *feeds = arg;
    int64_t now = clock_mono_ms();

    for (struct feed *feed = feeds->first; feed != NULL; feed = feed->next) {
        struct follower *next;
        for (struct follower *f = feed->followers; f != NULL; f = next) {
            next = f->next;
            if (f->again)
                pull(f);
            if (now >= f->until_ms)
                follower_end(f, "again");
            else
                follower_write(f, FD_EVENT_PING_FRAME, sizeof(FD_EVENT_PING_FRAME) - 1);
        }
    }
    timer_set(feeds->pulse, PULSE_MS);
}

static void on_up(void *arg)
{
    struct feeds *feeds = arg;

    for (struct feed *feed = feeds->first; feed != NULL; feed = feed->next)
        pull_all(feed);
}

/* -- life ----------------------------------------------------------------------------------- */

struct feeds *feeds_new(struct server *server)
{
    struct feeds *feeds = calloc(1, sizeof(*feeds));
    if (feeds == NULL)
        abort();
    const struct redis_options options = {.name = "live",
                                          .address = server->config->live_redis,
                                          .on_up = on_up,
                                          .arg = feeds,
                                          .command_timeout_ms = SILENT_MS};
    feeds->server = server;
    feeds->pulse = timer_new(server->loop, on_pulse, feeds);
    feeds->live = redis_new(server->loop, &options);
    feeds->control = redis_subscribe(server->loop, server->config->live_redis, FD_CHANNEL_CONTROL,
                                     on_control, feeds);
    if (feeds->live == NULL || feeds->control == NULL)
        abort();
    timer_set(feeds->pulse, PULSE_MS);
    return feeds;
}

void feeds_stop(struct feeds *feeds)
{
    end_those(feeds, EVERYBODY, NULL, "again");
}

void feeds_free(struct feeds *feeds)
{
    end_those(feeds, EVERYBODY, NULL, "again");
    redis_subscriber_free(feeds->control);
    redis_free(feeds->live); /* answers what is pulled: the last followers go */
    while (feeds->first != NULL) {
        struct feed *feed = feeds->first;
        loop_undefer(feeds->server->loop, close_feed, feed);
        close_feed(feed);
    }
    timer_free(feeds->pulse);
    free(feeds);
}
