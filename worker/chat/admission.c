#include "chat/admission.h"

#include "net/redis_sync.h"
#include "protocol/job.h"
#include "protocol/keys.h"
#include "protocol/limits.h"
#include "tenant/publish.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_OF_(value) #value
#define TEXT_OF(value)  TEXT_OF_(value)

#define WAIT_MS      2000
#define SESSION_RATE "60" /* messages a minute: a person's, typed */
#define KEYS         9
#define WORDS_MAX    48

struct call {
    const char *words[WORDS_MAX];
    size_t lens[WORDS_MAX];
    int count;
};

static void add(struct call *call, const char *word)
{
    if (call->count == WORDS_MAX)
        abort();
    call->words[call->count] = word;
    call->lens[call->count++] = strlen(word);
}

/* NULL: error says why. */
static redisReply *ask(redisContext *redis, struct call *call, char error[256])
{
    redisReply *reply = redisCommandArgv(redis, call->count, call->words, call->lens);

    if (reply != NULL && reply->type != REDIS_REPLY_ERROR)
        return reply;
    snprintf(error, 256, "Redis: %.200s", reply != NULL ? reply->str : redis->errstr);
    freeReplyObject(reply);
    return NULL;
}

static bool is_text(const redisReply *reply, const char *text)
{
    return reply->type == REDIS_REPLY_STRING && strcmp(reply->str, text) == 0;
}

/* The key of sessions' ids, which fd:meta has once a worker has published it. */
static bool read_meta(redisContext *redis, unsigned char key[FD_SESSION_KEY_LEN], char error[256])
{
    struct call call = {.count = 0};
    size_t len = 0;

    add(&call, "HMGET");
    add(&call, FD_KEY_META);
    add(&call, "shards");
    add(&call, "session_key");
    redisReply *reply = ask(redis, &call, error);
    if (reply == NULL)
        return false;
    bool ok = reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 &&
              is_text(reply->element[0], TEXT_OF(PUBLISH_SHARDS)) &&
              reply->element[1]->type == REDIS_REPLY_STRING &&
              sodium_hex2bin(key, FD_SESSION_KEY_LEN, reply->element[1]->str,
                             reply->element[1]->len, NULL, &len, NULL) == 0 &&
              len == FD_SESSION_KEY_LEN;
    freeReplyObject(reply);
    if (!ok)
        snprintf(error, 256, "no worker has published fd:meta");
    return ok;
}

/* What a key that nginx has just read would say. */
static const char *read_generation(redisContext *redis, struct arena *a, const char *key,
                                   char error[256])
{
    struct call call = {.count = 0};

    add(&call, "HGET");
    add(&call, key);
    add(&call, FD_ORG_GENERATION);
    redisReply *reply = ask(redis, &call, error);
    const char *generation =
        reply != NULL && reply->type == REDIS_REPLY_STRING ? arena_strdup(a, reply->str) : NULL;
    if (reply != NULL && generation == NULL)
        snprintf(error, 256, "no worker has published this organisation");
    freeReplyObject(reply);
    return generation;
}

static void add_field(struct call *call, const char *name, const char *value)
{
    add(call, name);
    add(call, value != NULL ? value : "");
}

/* As ngx_http_frontdesk_admission_call.c has it. */
static void compose(struct call *call, struct arena *a, const struct admission *ask,
                    const struct admitted *out, const char *org_key, const char *generation)
{
    const char *shard = "0", *started = ask->session == NULL ? "1" : "0";

    add(call, "EVAL");
    add(call, fd_script_sources[FD_SCRIPT_ADMIT].text);
    add(call, TEXT_OF(KEYS));
    add(call, arena_printf(a, FD_KEY_JOBS, shard));
    add(call, arena_printf(a, FD_KEY_JOB, shard, out->job));
    add(call, arena_printf(a, FD_KEY_SESSION, shard, ask->org, out->session));
    add(call, org_key);
    add(call, arena_printf(a, FD_KEY_LEASE, shard, ask->org));
    add(call, arena_printf(a, FD_KEY_LOAD, shard));
    add(call, arena_printf(a, FD_KEY_SESSION_RATE, shard, ask->org, out->session));
    add(call, arena_printf(a, FD_KEY_ADDRESS_RATE, shard, "-"));
    add(call, arena_printf(a, FD_KEY_ALIVE, shard));

    add(call, out->job);
    add(call, ask->org);
    add(call, out->session);
    add(call, generation);
    add(call, "-"); /* of the body: nothing is compared with it */
    add(call, TEXT_OF(FD_JOB_DEADLINE_MS));
    add(call, TEXT_OF(FD_JOB_LINGER_MS));
    add(call, TEXT_OF(FD_QUEUE_LENGTH_MAX));
    add(call, TEXT_OF(FD_QUEUE_BYTES_MAX));
    add(call, SESSION_RATE);
    add(call, "0"); /* starts are not limited by an address */
    add(call, TEXT_OF(FD_IDEMPOTENCY_TTL_MS));
    add(call, started);

    add_field(call, FD_JOB_REQUEST, ask->request_id);
    add_field(call, FD_JOB_KEY, ask->key_id);
    add_field(call, FD_JOB_KIND, ask->vouched ? "sk" : "pk");
    add_field(call, FD_JOB_STARTED, started);
    add_field(call, FD_JOB_BODY, ask->body);
    if (ask->channel != NULL)
        add_field(call, FD_JOB_CHANNEL, ask->channel);
    if (ask->test != NULL)
        add_field(call, FD_JOB_TEST, ask->test);
}

static const char *text_at(struct arena *a, const redisReply *reply, size_t at)
{
    return reply->elements > at && reply->element[at]->type == REDIS_REPLY_STRING
               ? arena_strdup(a, reply->element[at]->str)
               : "";
}

static int64_t number_at(const redisReply *reply, size_t at)
{
    return reply->elements > at && reply->element[at]->type == REDIS_REPLY_INTEGER
               ? reply->element[at]->integer
               : 0;
}

static void judge(struct arena *a, const redisReply *reply, struct admitted *out)
{
    bool named = reply->type == REDIS_REPLY_ARRAY && reply->elements > 0 &&
                 reply->element[0]->type == REDIS_REPLY_STRING;
    const char *word = named ? reply->element[0]->str : "";

    if (strcmp(word, "admitted") == 0) {
        out->verdict = ADMISSION_MADE;
    } else if (strcmp(word, "busy") == 0) {
        out->verdict = ADMISSION_BUSY;
        snprintf(out->job, sizeof(out->job), "%s", text_at(a, reply, 1));
    } else if (strcmp(word, "limited") == 0) {
        out->verdict = ADMISSION_LIMITED;
        out->limit = text_at(a, reply, 1);
        out->retry_ms = number_at(reply, 2);
    } else if (strcmp(word, "full") == 0) {
        out->verdict = ADMISSION_FULL;
        out->retry_ms = number_at(reply, 1);
    } else { /* away; or stale: the settings changed between two commands */
        out->retry_ms = 2000;
        snprintf(out->error, sizeof(out->error), "%s",
                 strcmp(word, "away") == 0 ? "no worker is alive"
                                           : "the organisation's settings are being changed");
    }
}

static void send(redisContext *redis, struct arena *a, const struct admission *asked,
                 struct admitted *out)
{
    unsigned char key[FD_SESSION_KEY_LEN];
    struct call call = {.count = 0};
    const char *org_key = arena_printf(a, FD_KEY_ORG, "0", asked->org);

    if (!read_meta(redis, key, out->error))
        return;
    if (asked->session != NULL)
        snprintf(out->session, sizeof(out->session), "%s", asked->session);
    else
        fd_session_id_make(out->session, key, asked->org, strlen(asked->org));
    sodium_memzero(key, sizeof(key));
    if (asked->job != NULL)
        snprintf(out->job, sizeof(out->job), "%s", asked->job);
    else
        fd_job_id_make(out->job, 0);
    const char *generation = read_generation(redis, a, org_key, out->error);
    if (generation == NULL)
        return;
    compose(&call, a, asked, out, org_key, generation);
    redisReply *reply = ask(redis, &call, out->error);
    if (reply != NULL)
        judge(a, reply, out);
    freeReplyObject(reply);
}

void admission_make(const struct config *config, struct arena *a, const struct admission *ask,
                    struct admitted *out)
{
    *out = (struct admitted){.verdict = ADMISSION_AWAY, .retry_ms = 2000};
    redisContext *redis = redis_sync_connect(config->jobs_redis, WAIT_MS, out->error);
    if (redis == NULL)
        return;
    send(redis, a, ask, out);
    redisFree(redis);
}

/* -- jobs that run --------------------------------------------------------------------------- */

const char *admission_tester(const struct config *config, struct arena *a, const char *org,
                             const char *job, char error[256])
{
    struct call call = {.count = 0};
    char shard[5];

    error[0] = '\0';
    if (!fd_job_id_valid(job, strlen(job)))
        return NULL;
    redisContext *redis = redis_sync_connect(config->jobs_redis, WAIT_MS, error);
    if (redis == NULL)
        return NULL;
    fd_job_id_shard(job, strlen(job), shard);
    add(&call, "HMGET");
    add(&call, arena_printf(a, FD_KEY_JOB, shard, job));
    add(&call, FD_JOB_ORG);
    add(&call, FD_JOB_TESTER);
    redisReply *reply = ask(redis, &call, error);
    bool ours = reply != NULL && reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 &&
                is_text(reply->element[0], org) && reply->element[1]->type == REDIS_REPLY_STRING;
    const char *tester = ours ? arena_strdup(a, reply->element[1]->str) : NULL;
    freeReplyObject(reply);
    redisFree(redis);
    return tester;
}

static const char *run_script(const struct config *config, struct arena *a, enum fd_script script,
                              const struct admission_word *word, char error[256])
{
    struct call call = {.count = 0};
    char shard[5];

    redisContext *redis = redis_sync_connect(config->jobs_redis, WAIT_MS, error);
    if (redis == NULL)
        return NULL;
    fd_job_id_shard(word->job, strlen(word->job), shard);
    add(&call, "EVAL");
    add(&call, fd_script_sources[script].text);
    add(&call, "1");
    add(&call, arena_printf(a, FD_KEY_JOB, shard, word->job));
    add(&call, word->org);
    add(&call, ""); /* whatever its session */
    for (size_t i = 0; i < word->count; i++)
        add(&call, word->more[i]);
    redisReply *reply = ask(redis, &call, error);
    const char *said =
        reply != NULL && reply->type == REDIS_REPLY_STRING ? arena_strdup(a, reply->str) : NULL;
    freeReplyObject(reply);
    redisFree(redis);
    return said;
}

static void hint(const struct config *config, struct arena *a, const char *control, const char *job)
{
    struct call call = {.count = 0};
    char error[256];

    redisContext *live = redis_sync_connect(config->live_redis, WAIT_MS, error);
    if (live == NULL)
        return;
    add(&call, "PUBLISH");
    add(&call, FD_CHANNEL_CONTROL);
    add(&call, arena_printf(a, "%s %s", control, job));
    freeReplyObject(ask(live, &call, error));
    redisFree(live);
}

const char *admission_tell_job(const struct config *config, struct arena *a, enum fd_script script,
                               const char *control, const struct admission_word *word,
                               char error[256])
{
    error[0] = '\0';
    if (!fd_job_id_valid(word->job, strlen(word->job)))
        return NULL;
    const char *said = run_script(config, a, script, word, error);
    if (said != NULL)
        hint(config, a, control, word->job);
    return said;
}
