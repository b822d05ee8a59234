
/*
 * What is said on the subscribed connection to the live Redis: events of open
 * jobs and followed sessions, answers to calls, control hints.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "protocol/ids.h"
#include "protocol/keys.h"
#include "protocol/limits.h"

#include "ngx_http_frontdesk_call.h"
#include "ngx_http_frontdesk_channel.h"
#include "ngx_http_frontdesk_channel_connection.h"
#include "ngx_http_frontdesk_conf.h"
#include "ngx_http_frontdesk_redis.h"
#include "ngx_http_frontdesk_sign_in.h"
#include "ngx_http_frontdesk_stream.h"
#include "ngx_http_frontdesk_zone.h"


/* room for either prefix: the formats with their "%s" */
#define NGX_HTTP_FRONTDESK_CHANNEL_PREFIX                                     \
    (sizeof(FD_CHANNEL_EVENTS) + sizeof(FD_KEY_SESSION_EVENTS))


static ngx_str_t *ngx_http_frontdesk_channel_prefix(size_t id_len);
static void ngx_http_frontdesk_channel_job(const char *command,
    ngx_str_t *job);
static u_char *ngx_http_frontdesk_channel_job_of(redisReply *channel,
    size_t *len);
static void ngx_http_frontdesk_channel_subscribed(redisReply *channel);
static void ngx_http_frontdesk_channel_message(redisReply *channel,
    redisReply *message);
static void ngx_http_frontdesk_channel_control(u_char *p, size_t len);
static void ngx_http_frontdesk_channel_key(u_char *hex, size_t len);
static ngx_uint_t ngx_http_frontdesk_channel_is(redisReply *reply,
    const char *text, size_t len);


ngx_http_frontdesk_channel_t  ngx_http_frontdesk_channel;

static u_char  ngx_http_frontdesk_channel_name[sizeof(FD_CHANNEL_REPLY) + 32];


ngx_int_t
ngx_http_frontdesk_channel_init(ngx_cycle_t *cycle)
{
    u_char                         random[16], hex[33];
    ngx_http_frontdesk_channel_t  *ch = &ngx_http_frontdesk_channel;

    fd_random(random, sizeof(random));
    *ngx_hex_dump(hex, random, sizeof(random)) = '\0';

    ch->reply.data = ngx_http_frontdesk_channel_name;
    ch->reply.len = ngx_sprintf(ch->reply.data, FD_CHANNEL_REPLY, hex)
                    - ch->reply.data;

    ch->conf = &ngx_http_frontdesk_main_conf()->redis[NGX_HTTP_FRONTDESK_LIVE];
    ch->backoff = NGX_HTTP_FRONTDESK_BACKOFF_MIN;

    ch->retry.handler = ngx_http_frontdesk_channel_retry_handler;
    ch->retry.data = ch;
    ch->retry.log = cycle->log;
    ch->retry.cancelable = 1;

    ch->ping.handler = ngx_http_frontdesk_channel_ping_handler;
    ch->ping.data = ch;
    ch->ping.log = cycle->log;
    ch->ping.cancelable = 1;

    ngx_http_frontdesk_call_init(cycle);
    ngx_http_frontdesk_channel_connect();

    return NGX_OK;
}


void
ngx_http_frontdesk_channel_exit(ngx_cycle_t *cycle)
{
    ngx_http_frontdesk_channel_t  *ch = &ngx_http_frontdesk_channel;

    ch->closing = 1;

    if (ch->connection) {
        ngx_http_frontdesk_channel_drop("exit");
    }

    if (ch->retry.timer_set) {
        ngx_del_timer(&ch->retry);
    }

    if (ch->out) {
        ngx_free(ch->out);
        ch->out = NULL;
    }
}


/*
 * What a PING proves is that all that was published before it was sent has
 * arrived, so it is the sending that counts.
 */

ngx_uint_t
ngx_http_frontdesk_channel_alive(void)
{
    ngx_http_frontdesk_channel_t  *ch = &ngx_http_frontdesk_channel;

    return ch->ready
           && ngx_current_msec - ch->proven < FD_CONTROL_ALIVE_MS;
}


ngx_str_t *
ngx_http_frontdesk_channel_reply(void)
{
    return &ngx_http_frontdesk_channel.reply;
}


ngx_uint_t
ngx_http_frontdesk_channel_subscribe(ngx_str_t *job)
{
    if (!ngx_http_frontdesk_channel.ready) {
        return 0;
    }

    ngx_http_frontdesk_channel_job("SUBSCRIBE", job);

    return 1;
}


void
ngx_http_frontdesk_channel_unsubscribe(ngx_str_t *job)
{
    if (ngx_http_frontdesk_channel.ready) {
        ngx_http_frontdesk_channel_job("UNSUBSCRIBE", job);
    }
}


/* a job's or a session's: their ids differ in length */

static ngx_str_t *
ngx_http_frontdesk_channel_prefix(size_t id_len)
{
    static ngx_str_t  jobs = { sizeof(FD_CHANNEL_EVENTS) - 3,
                               (u_char *) FD_CHANNEL_EVENTS };
    static ngx_str_t  sessions = { sizeof(FD_KEY_SESSION_EVENTS) - 3,
                                   (u_char *) FD_KEY_SESSION_EVENTS };

    return (id_len == FD_SESSION_ID_LEN) ? &sessions : &jobs;
}


static void
ngx_http_frontdesk_channel_job(const char *command, ngx_str_t *job)
{
    u_char     *p;
    ngx_str_t  *prefix, args[2];
    u_char      name[NGX_HTTP_FRONTDESK_CHANNEL_PREFIX + FD_JOB_ID_SIZE];

    args[0].data = (u_char *) command;
    args[0].len = ngx_strlen(command);

    prefix = ngx_http_frontdesk_channel_prefix(job->len);

    p = ngx_cpymem(name, prefix->data, prefix->len);
    p = ngx_cpymem(p, job->data, job->len);

    args[1].data = name;
    args[1].len = p - name;

    ngx_http_frontdesk_channel_send(2, args);
}


void
ngx_http_frontdesk_channel_greet(void)
{
    ngx_str_t                      args[3];
    ngx_http_frontdesk_channel_t  *ch = &ngx_http_frontdesk_channel;

    if (ch->conf->password.len) {
        ngx_str_set(&args[0], "AUTH");
        args[1] = ch->conf->password;
        ngx_http_frontdesk_channel_send(2, args);
    }

    ngx_str_set(&args[0], "SUBSCRIBE");
    ngx_str_set(&args[1], FD_CHANNEL_CONTROL);
    args[2] = ch->reply;
    ngx_http_frontdesk_channel_send(3, args);

    ngx_http_frontdesk_channel_ping_handler(&ch->ping);
}


const char *
ngx_http_frontdesk_channel_hear(redisReply *reply)
{
    ngx_uint_t                     level;
    redisReply                    *kind;
    ngx_http_frontdesk_channel_t  *ch = &ngx_http_frontdesk_channel;

    if (reply->type == REDIS_REPLY_ERROR) {
        level = ch->down ? NGX_LOG_INFO : NGX_LOG_ERR;
        ngx_log_error(level, ngx_cycle->log, 0,
                      "frontdesk: channel: redis says \"%s\"", reply->str);
        return "refused";
    }

    if (reply->type != REDIS_REPLY_ARRAY || reply->elements < 2) {
        return NULL;
    }

    kind = reply->element[0];

    if (ngx_http_frontdesk_channel_is(kind, "message", 7)) {
        if (reply->elements == 3) {
            ngx_http_frontdesk_channel_message(reply->element[1],
                                               reply->element[2]);
        }

    } else if (ngx_http_frontdesk_channel_is(kind, "subscribe", 9)) {
        ngx_http_frontdesk_channel_subscribed(reply->element[1]);

    } else if (ngx_http_frontdesk_channel_is(kind, "pong", 4)) {
        ch->pinging = 0;
        ch->proven = ch->pinged;
    }

    return NULL;
}


static u_char *
ngx_http_frontdesk_channel_job_of(redisReply *channel, size_t *len)
{
    ngx_str_t   *prefix;
    ngx_uint_t   i;

    static const size_t  id_lens[] = { FD_JOB_ID_SIZE - 1, FD_SESSION_ID_LEN };

    if (channel->type != REDIS_REPLY_STRING) {
        return NULL;
    }

    for (i = 0; i < sizeof(id_lens) / sizeof(id_lens[0]); i++) {
        prefix = ngx_http_frontdesk_channel_prefix(id_lens[i]);

        if ((size_t) channel->len > prefix->len
            && ngx_memcmp(channel->str, prefix->data, prefix->len) == 0)
        {
            *len = channel->len - prefix->len;
            return (u_char *) channel->str + prefix->len;
        }
    }

    return NULL;
}


static void
ngx_http_frontdesk_channel_subscribed(redisReply *channel)
{
    size_t                         len;
    u_char                        *job;
    ngx_uint_t                     level;
    ngx_http_frontdesk_channel_t  *ch = &ngx_http_frontdesk_channel;

    job = ngx_http_frontdesk_channel_job_of(channel, &len);

    if (job) {
        ngx_http_frontdesk_stream_subscribed(job, len);
        return;
    }

    if (!ngx_http_frontdesk_channel_is(channel, FD_CHANNEL_CONTROL,
                                       sizeof(FD_CHANNEL_CONTROL) - 1))
    {
        return;
    }

    level = ch->down ? NGX_LOG_NOTICE : NGX_LOG_INFO;
    ngx_log_error(level, ngx_cycle->log, 0,
                  "frontdesk: channel to redis at \"%V\" is up",
                  &ch->conf->url);

    ch->ready = 1;
    ch->down = 0;
    ch->backoff = NGX_HTTP_FRONTDESK_BACKOFF_MIN;

    /* what was hinted at meanwhile is not known */
    ngx_http_frontdesk_zone_flush();
    ngx_http_frontdesk_ended_reload();
    ngx_http_frontdesk_stream_resubscribe();
}


static void
ngx_http_frontdesk_channel_message(redisReply *channel, redisReply *message)
{
    size_t                         len;
    u_char                        *job;
    ngx_http_frontdesk_channel_t  *ch = &ngx_http_frontdesk_channel;

    if (message->type != REDIS_REPLY_STRING) {
        return;
    }

    job = ngx_http_frontdesk_channel_job_of(channel, &len);

    if (job) {
        ngx_http_frontdesk_stream_message(job, len, (u_char *) message->str,
                                          message->len);

    } else if (ngx_http_frontdesk_channel_is(channel, (char *) ch->reply.data,
                                             ch->reply.len))
    {
        ngx_http_frontdesk_call_answer((u_char *) message->str, message->len);

    } else if (ngx_http_frontdesk_channel_is(channel, FD_CHANNEL_CONTROL,
                                             sizeof(FD_CHANNEL_CONTROL) - 1))
    {
        ngx_http_frontdesk_channel_control((u_char *) message->str,
                                           message->len);
    }
}


/* hints for the workers go the same way and mean nothing here */

static void
ngx_http_frontdesk_channel_control(u_char *p, size_t len)
{
    size_t   word;
    u_char  *argument;

    argument = ngx_strlchr(p, p + len, ' ');

    if (argument == NULL) {
        return;
    }

    word = argument++ - p;
    len -= word + 1;

    if (word == sizeof(FD_CONTROL_KEY) - 1
        && ngx_strncmp(p, FD_CONTROL_KEY, word) == 0)
    {
        ngx_http_frontdesk_channel_key(argument, len);

    } else if (word == sizeof(FD_CONTROL_ORG) - 1
               && ngx_strncmp(p, FD_CONTROL_ORG, word) == 0)
    {
        ngx_http_frontdesk_zone_org_forget(argument, len);

    } else if (word == sizeof(FD_CONTROL_SESSION) - 1
               && ngx_strncmp(p, FD_CONTROL_SESSION, word) == 0)
    {
        ngx_http_frontdesk_ended_add(argument, len);
    }
}


static void
ngx_http_frontdesk_channel_key(u_char *hex, size_t len)
{
    u_char      sha256[32];
    ngx_int_t   octet;
    ngx_uint_t  i;

    if (len != 2 * sizeof(sha256)) {
        return;
    }

    for (i = 0; i < sizeof(sha256); i++) {
        octet = ngx_hextoi(hex + 2 * i, 2);

        if (octet == NGX_ERROR) {
            return;
        }

        sha256[i] = (u_char) octet;
    }

    ngx_http_frontdesk_zone_key_forget(sha256);
    ngx_http_frontdesk_stream_revoke(sha256);
}


static ngx_uint_t
ngx_http_frontdesk_channel_is(redisReply *reply, const char *text, size_t len)
{
    return reply->type == REDIS_REPLY_STRING
           && (size_t) reply->len == len
           && ngx_memcmp(reply->str, text, len) == 0;
}
