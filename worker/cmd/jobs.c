/* frontdesk jobs list|show|retry|drop: dead letters, jobs that failed for good. */
#include "cmd/cmd.h"

#include "cmd/dead_entries.h"
#include "db/db.h"
#include "net/redis_sync.h"
#include "protocol/chat_request.h"
#include "protocol/ids.h"
#include "protocol/job.h"
#include "protocol/keys.h"
#include "protocol/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST_MAX   "200"
#define COMMAND_MS 2000

static const struct db_statement list_dead = {
    "jobs_list",
    "SELECT id, org_id, to_char(accepted_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),"
    "       coalesce(reason, '')"
    "  FROM platform_dead_jobs($1::int)",
    1};
static const struct db_statement find_dead = {
    "jobs_find",
    "SELECT id, org_id, session_id, coalesce(reason, ''), body::text, request_id, key_id,"
    "       to_char(accepted_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
    "  FROM platform_dead_jobs(2147483647) WHERE id = $1",
    1};
/* Its question goes with it: the new job brings it again. */
static const struct db_statement retire = {
    "jobs_retire",
    "WITH j AS (UPDATE jobs SET state = 'failed', reason = $3::text"
    "            WHERE org_id = $1::uuid AND id = $2::text AND state = 'dead' RETURNING id),"
    "     m AS (DELETE FROM messages WHERE org_id = $1::uuid AND job_id = $2::text"
    "            AND $4::boolean AND EXISTS (SELECT FROM j))"
    " SELECT count(*) FROM j",
    4};

/* What it was to be spared is not in its row: asked again, its tools would write. */
static const struct db_statement is_test = {
    "jobs_is_test",
    "SELECT 1 FROM conversations"
    " WHERE org_id = $1::uuid AND session_id = $2 AND channel = 'test'",
    2};

static int complain(const char *text)
{
    fprintf(stderr, "frontdesk jobs: %s\n", text);
    return 1;
}

static int list(struct db *db)
{
    const char *params[] = {LIST_MAX};
    PGresult *result;
    if (db_query(db, NULL, &list_dead, params, &result) != DB_OK)
        return complain(db_error(db));
    for (int i = 0; i < PQntuples(result); i++)
        printf("%s  %s  org %s  %s\n", db_text(result, i, 0), db_text(result, i, 2),
               db_text(result, i, 1), db_text(result, i, 3));
    PQclear(result);
    return 0;
}

static PGresult *find(struct db *db, const char *id)
{
    PGresult *result;
    if (db_query(db, NULL, &find_dead, &id, &result) != DB_OK) {
        complain(db_error(db));
        return NULL;
    }
    if (PQntuples(result) == 0) {
        fprintf(stderr, "frontdesk jobs: no dead job %s; `frontdesk jobs list` shows them\n", id);
        PQclear(result);
        return NULL;
    }
    return result;
}

static int show(const PGresult *job)
{
    printf("job       %s\norg       %s\nsession   %s\nreason    %s\naccepted  %s\nrequest   %s\n"
           "body      %s\n",
           db_text(job, 0, 0), db_text(job, 0, 1), db_text(job, 0, 2), db_text(job, 0, 3),
           db_text(job, 0, 7), db_text(job, 0, 5) != NULL ? db_text(job, 0, 5) : "-",
           db_text(job, 0, 4));
    return 0;
}

/* PostgreSQL first: a job that is in the queue must not be there twice. */
static bool take_off(struct db *db, const PGresult *job, const char *reason, bool question)
{
    const char *params[] = {db_text(job, 0, 1), db_text(job, 0, 0), reason,
                            question ? "true" : "false"};
    PGresult *result;
    if (db_query(db, params[0], &retire, params, &result) != DB_OK) {
        complain(db_error(db));
        return false;
    }
    bool done = db_int(result, 0, 0, 0) == 1;
    PQclear(result);
    if (!done)
        complain("somebody else retried or dropped it meanwhile");
    return done;
}

static bool expect(redisContext *redis, redisReply *reply)
{
    bool ok = reply != NULL && reply->type != REDIS_REPLY_ERROR;
    if (!ok)
        fprintf(stderr, "frontdesk jobs: Redis: %s\n", reply != NULL ? reply->str : redis->errstr);
    if (reply != NULL)
        freeReplyObject(reply);
    return ok;
}

/* Two answers at once would mix up a conversation, whoever asks for the second. */
static bool lock_session(redisContext *redis, const char *key, const char *id)
{
    redisReply *reply =
        redisCommand(redis, "SET %s %s NX PX %d", key, id, FD_JOB_DEADLINE_MS + FD_JOB_LINGER_MS);
    if (reply != NULL && reply->type == REDIS_REPLY_NIL) {
        freeReplyObject(reply);
        complain("its conversation is being answered now: try again when that has ended");
        return false;
    }
    return expect(redis, reply);
}

/* The keys that admit.lua writes for a new job, but for the session's lock; the operator's
 * word stands above the limits. */
static bool enqueue(redisContext *redis, const PGresult *job, const char *id)
{
    char shard[5], stream[32], hash[96], load[32], now[24], deadline[24];
    redisReply *time = redisCommand(redis, "TIME");
    if (time == NULL || time->type != REDIS_REPLY_ARRAY || time->elements != 2)
        return expect(redis, time) && complain("odd answer to TIME") == 0;
    long long now_ms = strtoll(time->element[0]->str, NULL, 10) * 1000;
    freeReplyObject(time);

    const char *body = db_text(job, 0, 4);
    const char *request = db_text(job, 0, 5) != NULL ? db_text(job, 0, 5) : "";
    const char *key = db_text(job, 0, 6) != NULL ? db_text(job, 0, 6) : "";
    fd_job_id_shard(id, strlen(id), shard);
    snprintf(stream, sizeof(stream), FD_KEY_JOBS, shard);
    snprintf(hash, sizeof(hash), FD_KEY_JOB, shard, id);
    snprintf(load, sizeof(load), FD_KEY_LOAD, shard);
    snprintf(now, sizeof(now), "%lld", now_ms);
    snprintf(deadline, sizeof(deadline), "%lld", now_ms + FD_JOB_DEADLINE_MS);

    /* the hash first: a worker that reads the entry finds it */
    return expect(redis, redisCommand(redis,
                                      "HSET %s org %s session %s state queued epoch 1 deadline %s "
                                      "bytes %d",
                                      hash, db_text(job, 0, 1), db_text(job, 0, 2), deadline,
                                      (int)strlen(body))) &&
           expect(redis, redisCommand(redis, "PEXPIRE %s %d", hash,
                                      FD_JOB_DEADLINE_MS + FD_JOB_LINGER_MS)) &&
           expect(redis, redisCommand(redis, "HINCRBY %s bytes %d", load, (int)strlen(body))) &&
           expect(redis, redisCommand(redis,
                                      "XADD %s * job %s org %s session %s deadline %s accepted %s "
                                      "request %s key %s kind sk started 0 address %s origin %s "
                                      "body %s",
                                      stream, id, db_text(job, 0, 1), db_text(job, 0, 2), deadline,
                                      now, request, key, "", "", body));
}

static bool may_retry(struct db *db, const PGresult *job)
{
    const char *params[] = {db_text(job, 0, 1), db_text(job, 0, 2)};
    PGresult *test;
    if (*db_text(job, 0, 4) != '{') {
        complain("its body is not a chat request: it cannot be answered");
        return false;
    }
    if (db_query(db, params[0], &is_test, params, &test) != DB_OK) {
        complain(db_error(db));
        return false;
    }
    bool tried = PQntuples(test) > 0;
    PQclear(test);
    if (tried)
        complain("it was a test: try it out again where it was tried out");
    return !tried;
}

static int retry(struct db *db, const struct config *config, const PGresult *job)
{
    char error[256], id[FD_JOB_ID_SIZE], reason[96], lock[160];
    const char *old = db_text(job, 0, 0);
    char shard[5];
    if (!may_retry(db, job))
        return 1;
    redisContext *redis = redis_sync_connect(config->jobs_redis, COMMAND_MS, error);
    if (redis == NULL)
        return complain(error);
    fd_job_id_shard(old, strlen(old), shard);
    fd_job_id_make(id, (unsigned)strtoul(shard, NULL, 10));
    snprintf(reason, sizeof(reason), "retried as %s", id);
    snprintf(lock, sizeof(lock), FD_KEY_SESSION, shard, db_text(job, 0, 1), db_text(job, 0, 2));
    bool locked = lock_session(redis, lock, id);
    bool ok = locked && take_off(db, job, reason, true) && enqueue(redis, job, id);
    if (locked && !ok)
        expect(redis, redisCommand(redis, "DEL %s", lock));
    redisFree(redis);
    if (ok)
        puts(id);
    return ok ? 0 : 1;
}

int cmd_jobs(int argc, char **argv, const struct config *config)
{
    const char *verb = argc > 1 ? argv[1] : "";
    bool lists = strcmp(verb, "list") == 0 && argc == 2;
    bool shows = strcmp(verb, "show") == 0, retries = strcmp(verb, "retry") == 0;
    bool drops = strcmp(verb, "drop") == 0;
    if (!lists && (argc != 3 || !(shows || retries || drops)))
        return cmd_usage(argv[0]);

    struct db *db = db_new(config->database_url, "frontdesk jobs");
    bool unreadable = !lists && dead_entry_id(argv[2]);
    PGresult *job = lists || unreadable ? NULL : find(db, argv[2]);
    int status = 1;
    if (lists)
        status = list(db) | dead_entries_list(config);
    else if (unreadable)
        status = drops ? dead_entries_drop(config, argv[2])
                       : complain("an entry that could not be read can only be dropped");
    else if (job != NULL && shows)
        status = show(job);
    else if (job != NULL && retries)
        status = retry(db, config, job);
    else if (job != NULL)
        status = take_off(db, job, "dropped", false) ? 0 : 1;
    PQclear(job);
    db_free(db);
    return status;
}
