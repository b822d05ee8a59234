#include "tenant/publish.h"

#include "core/clock.h"
#include "core/log.h"
#include "protocol/ids.h"
#include "protocol/keys.h"
#include "protocol/limits.h"
#include "tenant/publish_redis.h"
#include "tenant/publish_sessions.h"
#include "tenant/widget.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHARD         "0" /* one for now: fd:meta says so to nginx */
#define KEY_TEXT_SIZE 160

/* Publishers take turns, each reading after it has the lock: an older state is never
 * written over a newer one, and a revoked key does not come back. */
static const struct db_statement lock = {
    "publish_lock", "SELECT pg_advisory_xact_lock(hashtext('frontdesk_publish'))", 0};
static const struct db_statement make_secret = {
    "publish_make_secret",
    "INSERT INTO platform_secrets (name, value) VALUES ('session_key', decode($1, 'hex'))"
    " ON CONFLICT (name) DO NOTHING",
    1};
static const struct db_statement read_secret = {
    "publish_read_secret",
    "SELECT encode(value, 'hex') FROM platform_secrets WHERE name = 'session_key'", 0};

#define MONTH "to_char(now() AT TIME ZONE 'UTC', 'YYYYMM')"
#define SLOW                                                                                       \
    "CASE o.at_limit WHEN 'throttle'"                                                              \
    " THEN greatest(1, o.requests_per_minute / " TEXT_OF(FD_THROTTLE_DIVISOR) ") ELSE 0 END"
#define TEXT_OF(x)  TEXT_OF_(x)
#define TEXT_OF_(x) #x

static const struct db_statement all_limits = {
    "publish_all_limits",
    "SELECT o.org_id, o.generation, o.requests_per_minute, o.concurrent_chats,"
    "       o.messages_per_month, " MONTH ", coalesce(u.used, 0), " SLOW
    "  FROM platform_organizations() o LEFT JOIN platform_month_usage() u USING (org_id)",
    0};
static const struct db_statement org_limits = {
    "publish_org_limits",
    "SELECT o.org_id, o.generation, o.requests_per_minute, o.concurrent_chats,"
    "       o.messages_per_month, " MONTH ","
    "       (SELECT count(*) FROM jobs WHERE org_id = $1::uuid"
    "           AND accepted_at >= date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE "
    "'UTC'), " SLOW "  FROM platform_organizations() o WHERE o.org_id = $1::uuid",
    1};

#define KEY_COLUMNS                                                                                \
    "key_sha256, org_id, key_id, kind, generation, array_to_string(origins, ' '),"                 \
    "coalesce(extract(epoch FROM expires_at)::bigint, 0), scope"

static const struct db_statement all_keys = {
    "publish_all_keys", "SELECT " KEY_COLUMNS " FROM platform_live_keys() ORDER BY key_sha256", 0};
static const struct db_statement org_keys = {
    "publish_org_keys",
    "SELECT " KEY_COLUMNS " FROM platform_live_keys() WHERE org_id = $1 ORDER BY key_sha256", 1};
/* Of the last day only: older ones every synchronisation has swept long ago. */
static const struct db_statement org_dead_keys = {
    "publish_org_dead_keys",
    "SELECT k.key_sha256 FROM api_keys k JOIN organizations o ON o.id = k.org_id"
    " WHERE k.org_id = $1 AND (o.status <> 'active'"
    "    OR k.revoked_at > now() - interval '1 day'"
    "    OR (k.expires_at <= now() AND k.expires_at > now() - interval '1 day'))",
    1};

#define CONFIG_COLUMNS                                                                             \
    "org_id, name, branding, widget, array_to_json(languages), models, default_model_id"

static const struct db_statement all_configs = {
    "publish_all_configs",
    "SELECT " CONFIG_COLUMNS " FROM platform_widget_settings() ORDER BY org_id", 0};
static const struct db_statement org_config = {
    "publish_org_config",
    "SELECT " CONFIG_COLUMNS " FROM platform_widget_settings() WHERE org_id = $1", 1};

/* KEYS fd:org. ARGV gen rpm chats quota month used slow. Never back to an older generation
 * or a smaller count; writes only what differs. Answers the generation it found. */
#define LIMITS_SCRIPT                                                                              \
    "local h = redis.call('HMGET', KEYS[1], 'gen', 'rpm', 'chats', 'quota', 'month', 'used',"      \
    " 'slow')\n"                                                                                   \
    "local gen, month = tonumber(h[1] or 0), tonumber(h[5] or 0)\n"                                \
    "if tonumber(ARGV[1]) < gen then return gen end\n"                                             \
    "if h[1] ~= ARGV[1] or h[2] ~= ARGV[2] or h[3] ~= ARGV[3] or h[4] ~= ARGV[4]"                  \
    " or h[7] ~= ARGV[7] then\n"                                                                   \
    "  redis.call('HSET', KEYS[1], 'gen', ARGV[1], 'rpm', ARGV[2], 'chats', ARGV[3],"              \
    " 'quota', ARGV[4], 'slow', ARGV[7])\n"                                                        \
    "end\n"                                                                                        \
    "if month < tonumber(ARGV[5]) or\n"                                                            \
    "   (month == tonumber(ARGV[5]) and tonumber(h[6] or 0) < tonumber(ARGV[6])) then\n"           \
    "  redis.call('HSET', KEYS[1], 'month', ARGV[5], 'used', ARGV[6])\n"                           \
    "end\n"                                                                                        \
    "return gen"

/* Redis may know a later generation than a PostgreSQL that was restored from a backup:
 * then no key would ever be fresh enough. */
static const struct db_statement catch_up = {
    "publish_catch_up",
    "UPDATE organizations SET generation = $2 WHERE id = $1 AND generation < $2", 2};

/* What PostgreSQL says, all of one moment, and the generations that Redis had. */
struct snapshot {
    struct arena arena;
    char session_key[2 * FD_SESSION_KEY_LEN + 1];
    PGresult *limits;
    PGresult *keys;
    PGresult *dead_keys; /* NULL: find them by what Redis has */
    PGresult *configs;
    PGresult *ended;
    int64_t *found; /* by row of `limits`; -1: not asked */
};

static void snapshot_free(struct snapshot *s)
{
    sodium_memzero(s->session_key, sizeof(s->session_key));
    arena_free(&s->arena);
    PQclear(s->limits);
    PQclear(s->keys);
    PQclear(s->dead_keys);
    PQclear(s->configs);
    PQclear(s->ended);
}

static enum db_status read_session_key(struct db *db, char hex[2 * FD_SESSION_KEY_LEN + 1])
{
    unsigned char fresh[FD_SESSION_KEY_LEN];
    const char *param = hex;
    PGresult *result;

    fd_random(fresh, sizeof(fresh));
    sodium_bin2hex(hex, 2 * FD_SESSION_KEY_LEN + 1, fresh, sizeof(fresh));
    sodium_memzero(fresh, sizeof(fresh));
    enum db_status status = db_exec(db, &make_secret, &param, NULL);
    if (status == DB_OK) {
        status = db_exec(db, &read_secret, NULL, &result);
    }
    if (status == DB_OK) {
        snprintf(hex, 2 * FD_SESSION_KEY_LEN + 1, "%s", db_text(result, 0, 0));
        PQclear(result);
    }
    return status;
}

/* In the open transaction, which holds the lock until db_commit(). */
static enum db_status snapshot_read(struct db *db, const char *org, struct snapshot *s)
{
    enum db_status status = db_exec(db, &lock, NULL, NULL);
    if (status == DB_OK) {
        status = read_session_key(db, s->session_key);
    }
    if (status == DB_OK) {
        status = db_exec(db, org != NULL ? &org_limits : &all_limits, &org, &s->limits);
    }
    if (status == DB_OK) {
        status = db_exec(db, org != NULL ? &org_keys : &all_keys, &org, &s->keys);
    }
    if (status == DB_OK && org != NULL) {
        status = db_exec(db, &org_dead_keys, &org, &s->dead_keys);
    }
    if (status == DB_OK) {
        status = publish_read_ended(db, org, &s->ended);
    }
    if (status == DB_OK) {
        status = db_exec(db, org != NULL ? &org_config : &all_configs, &org, &s->configs);
    }
    if (status == DB_OK) {
        size_t rows = (size_t)PQntuples(s->limits);
        s->found = arena_alloc(&s->arena, (rows + 1) * sizeof(*s->found));
        memset(s->found, 0xFF, rows * sizeof(*s->found));
    }
    return status;
}

static void hint(struct publisher *p, const char *word, const char *argument)
{
    char text[KEY_TEXT_SIZE];
    snprintf(text, sizeof(text), "%s %s", word, argument);
    pipe_send(&p->live, 3, (const char *const[]){"PUBLISH", FD_CHANNEL_CONTROL, text});
}

/* -- the jobs server ------------------------------------------------------------- */

static bool publish_meta(struct publisher *p, const char *session_key)
{
    redisReply *reply =
        pipe_ask(&p->jobs, 4, (const char *const[]){"HMGET", FD_KEY_META, "shards", "session_key"});
    if (reply == NULL) {
        return false;
    }
    if (reply->elements != 2) {
        freeReplyObject(reply);
        pipe_fail(&p->jobs, "unexpected reply to HMGET");
        return false;
    }
    const char *shards = reply->element[0]->str, *key = reply->element[1]->str;
    bool same = shards != NULL && key != NULL && strcmp(key, session_key) == 0;
    bool foreign = shards != NULL && strcmp(shards, TEXT_OF(PUBLISH_SHARDS)) != 0;
    freeReplyObject(reply);
    if (foreign) {
        pipe_fail(&p->jobs, "fd:meta was made for another number of shards");
        return false;
    }
    if (!same) {
        pipe_send(&p->jobs, 8,
                  (const char *const[]){"HSET", FD_KEY_META, "version", "1", "shards",
                                        TEXT_OF(PUBLISH_SHARDS), "session_key", session_key});
    }
    return pipe_flush(&p->jobs);
}

struct limits_walk {
    int64_t *found;
    int row;
};

static void on_limits_reply(void *arg, const redisReply *reply)
{
    struct limits_walk *walk = arg;
    walk->found[walk->row++] = reply->type == REDIS_REPLY_INTEGER ? reply->integer : -1;
}

static void publish_limits(struct publisher *p, struct snapshot *s)
{
    struct limits_walk walk = {.found = s->found};
    const PGresult *rows = s->limits;

    redisReply *sha = pipe_ask(&p->jobs, 3, (const char *const[]){"SCRIPT", "LOAD", LIMITS_SCRIPT});
    if (sha == NULL || sha->type != REDIS_REPLY_STRING) {
        freeReplyObject(sha);
        return;
    }
    p->jobs.on_reply = on_limits_reply;
    p->jobs.arg = &walk;
    for (int row = 0; row < PQntuples(rows); row++) {
        char key[KEY_TEXT_SIZE];
        snprintf(key, sizeof(key), FD_KEY_ORG, SHARD, db_text(rows, row, 0));
        pipe_send(&p->jobs, 11,
                  (const char *const[]){"EVALSHA", sha->str, "1", key, db_text(rows, row, 1),
                                        db_text(rows, row, 2), db_text(rows, row, 3),
                                        db_text(rows, row, 4), db_text(rows, row, 5),
                                        db_text(rows, row, 6), db_text(rows, row, 7)});
    }
    pipe_flush(&p->jobs);
    p->jobs.on_reply = NULL;
    freeReplyObject(sha);
}

/* -- the live server ------------------------------------------------------------- */

static void publish_keys(struct publisher *p, const PGresult *rows)
{
    for (int row = 0; row < PQntuples(rows); row++) {
        char key[KEY_TEXT_SIZE];
        snprintf(key, sizeof(key), FD_KEY_APIKEY, db_text(rows, row, 0));
        pipe_send(
            &p->live, 16,
            (const char *const[]){"HSET", key, FD_APIKEY_ORG, db_text(rows, row, 1), FD_APIKEY_ID,
                                  db_text(rows, row, 2), FD_APIKEY_KIND, db_text(rows, row, 3),
                                  FD_APIKEY_GENERATION, db_text(rows, row, 4), FD_APIKEY_ORIGINS,
                                  db_text(rows, row, 5), FD_APIKEY_EXPIRES, db_text(rows, row, 6),
                                  FD_APIKEY_SCOPE, db_text(rows, row, 7)});
    }
}

static void drop_key(struct publisher *p, const char *sha256)
{
    char key[KEY_TEXT_SIZE];
    snprintf(key, sizeof(key), FD_KEY_APIKEY, sha256);
    pipe_send(&p->live, 2, (const char *const[]){"DEL", key});
    hint(p, FD_CONTROL_KEY, sha256);
}

static bool has_row(const PGresult *rows, const char *value)
{
    int low = 0, high = PQntuples(rows); /* ordered by the first column */
    while (low < high) {
        int middle = low + (high - low) / 2;
        int order = strcmp(value, db_text(rows, middle, 0));
        if (order == 0) {
            return true;
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return false;
}

static void sweep_keys(struct publisher *p, struct arena *a, const PGresult *live)
{
    const char **names;
    size_t count, prefix = strlen(FD_KEY_APIKEY) - strlen("%s");

    if (pipe_scan(&p->live, "fd:key:*", prefix, a, &names, &count)) {
        for (size_t i = 0; i < count; i++) {
            if (!has_row(live, names[i])) {
                drop_key(p, names[i]);
            }
        }
    }
}

static void sweep_configs(struct publisher *p, struct arena *a, const PGresult *configs)
{
    const char **names;
    size_t count, prefix = strlen(FD_KEY_CONFIG) - strlen("%s");

    if (pipe_scan(&p->live, "fd:cfg:*", prefix, a, &names, &count)) {
        for (size_t i = 0; i < count; i++) {
            if (!has_row(configs, names[i])) {
                char key[KEY_TEXT_SIZE];
                snprintf(key, sizeof(key), FD_KEY_CONFIG, names[i]);
                pipe_send(&p->live, 2, (const char *const[]){"DEL", key});
                hint(p, FD_CONTROL_ORG, names[i]);
            }
        }
    }
}

static bool config_of_row(const PGresult *rows, int row, struct buf *out)
{
    const struct widget_settings settings = {.name = db_text(rows, row, 1),
                                             .branding = db_text(rows, row, 2),
                                             .widget = db_text(rows, row, 3),
                                             .languages = db_text(rows, row, 4),
                                             .models = db_text(rows, row, 5),
                                             .default_model_id = db_text(rows, row, 6)};
    return widget_config(&settings, out);
}

static void publish_configs(struct publisher *p, const PGresult *rows)
{
    struct buf json;

    buf_init(&json, WIDGET_CONFIG_MAX);
    for (int row = 0; row < PQntuples(rows); row++) {
        char key[KEY_TEXT_SIZE];
        buf_reset(&json);
        if (!config_of_row(rows, row, &json)) {
            const struct log_context ctx = {.org_id = db_text(rows, row, 0)};
            log_warn(&ctx, "publish.config_too_long", LOG_INT("most", WIDGET_CONFIG_MAX));
            continue; /* what was published before stays */
        }
        snprintf(key, sizeof(key), FD_KEY_CONFIG, db_text(rows, row, 0));
        pipe_send(&p->live, 3, (const char *const[]){"SET", key, json.data});
    }
    buf_free(&json);
}

/* -- together -------------------------------------------------------------------- */

static void write_everything(struct publisher *p, const struct config *config, struct snapshot *s)
{
    char life[DB_NUMBER_SIZE], now[DB_NUMBER_SIZE];

    if (publish_meta(p, s->session_key)) {
        publish_limits(p, s);
    }
    publish_keys(p, s->keys);
    publish_ended(p, s->ended);
    publish_configs(p, s->configs);
    sweep_keys(p, &s->arena, s->keys);
    sweep_configs(p, &s->arena, s->configs);
    for (int row = 0; row < PQntuples(s->limits); row++) {
        if (s->found[row] >= 0 && s->found[row] < db_int(s->limits, row, 1, 0)) {
            hint(p, FD_CONTROL_ORG, db_text(s->limits, row, 0));
        }
    }
    /* Its presence says that a key which is not there is nobody's. */
    if (publisher_ok(p)) {
        pipe_send(&p->live, 5,
                  (const char *const[]){"SET", FD_KEY_SYNCED, db_number(now, clock_wall_ms()), "PX",
                                        db_number(life, 3 * (int64_t)config->sync_ms)});
    }
}

static void write_org(struct publisher *p, const char *org, struct snapshot *s)
{
    if (publish_meta(p, s->session_key)) {
        publish_limits(p, s);
    }
    publish_keys(p, s->keys);
    for (int row = 0; row < PQntuples(s->dead_keys); row++) {
        drop_key(p, db_text(s->dead_keys, row, 0));
    }
    publish_ended(p, s->ended);
    publish_configs(p, s->configs);
    hint(p, FD_CONTROL_ORG, org); /* whatever changed: settings have no generation */
}

/* *behind: some generation was raised, and what was written is stale already. */
static enum db_status raise_generations(struct db *db, const struct snapshot *s, bool *behind)
{
    enum db_status status = DB_OK;

    for (int row = 0; status == DB_OK && row < PQntuples(s->limits); row++) {
        char number[DB_NUMBER_SIZE];
        const char *params[] = {db_text(s->limits, row, 0), db_number(number, s->found[row])};
        if (s->found[row] > db_int(s->limits, row, 1, 0)) {
            *behind = true;
            status = db_query(db, params[0], &catch_up, params, NULL);
        }
    }
    return status;
}

static enum db_status publish_once(struct db *db, const struct config *config, const char *org,
                                   struct publisher *p, bool *behind)
{
    struct snapshot s = {0};

    *behind = false;
    arena_init(&s.arena);
    enum db_status status = db_begin(db, org);
    if (status == DB_OK) {
        status = snapshot_read(db, org, &s);
    }
    if (status == DB_OK) {
        if (org != NULL) {
            write_org(p, org, &s);
        } else {
            write_everything(p, config, &s);
        }
        status = db_commit(db);
    }
    if (status == DB_OK) {
        status = raise_generations(db, &s, behind);
    }
    if (status != DB_OK) {
        db_rollback(db);
    }
    snapshot_free(&s);
    return status;
}

static enum publish_status publish(struct db *db, const struct config *config, const char *org,
                                   char error[256])
{
    struct publisher p;
    bool behind;

    /* Connected before the lock is taken; one server that is away does not keep the
     * other from learning of a revocation. */
    bool both = publisher_open(&p, config, error);
    enum db_status status = publish_once(db, config, org, &p, &behind);
    if (status == DB_OK && behind) {
        status = publish_once(db, config, org, &p, &behind);
    }
    bool written = publisher_ok(&p) && both;
    publisher_close(&p);
    if (status != DB_OK) {
        snprintf(error, 256, "PostgreSQL: %.200s", db_error(db));
        return PUBLISH_NO_DATABASE;
    }
    return written ? PUBLISH_OK : PUBLISH_NO_REDIS;
}

enum publish_status publish_all(struct db *db, const struct config *config, char error[256])
{
    return publish(db, config, NULL, error);
}

enum publish_status publish_org(struct db *db, const struct config *config, const char *org,
                                char error[256])
{
    return publish(db, config, org, error);
}
