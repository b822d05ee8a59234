#include "tenant/sightings.h"

#include "core/buf.h"
#include "core/log.h"
#include "net/redis_sync.h"
#include "protocol/ids.h"
#include "protocol/keys.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_MS  2000
#define PART        "500"
#define PART_SIZE   500
#define PARTS_MAX   20
#define PART_BYTES  1048576
#define ORIGIN_MAX  300
#define VERSION_MAX 32

static const struct db_statement note = {"sightings_note", "SELECT platform_note_sightings($1)", 1};

/* What has been allowed since is not refused any more, although nobody came by yet. */
static const struct db_statement list = {
    "sightings_list",
    "SELECT s.origin,"
    "       to_char(s.first_seen AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),"
    "       to_char(s.last_seen AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),"
    "       to_char(s.last_refused AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),"
    "       s.version, k.last4,"
    "       s.last_refused IS NOT NULL AND NOT s.origin = ANY (k.origins)"
    "         AND (s.last_seen IS NULL OR s.last_refused > s.last_seen)"
    "  FROM sightings s JOIN api_keys k ON k.org_id = s.org_id AND k.id = s.key_id"
    " WHERE s.org_id = $1 AND k.revoked_at IS NULL"
    "   AND (k.expires_at IS NULL OR k.expires_at > now())"
    " ORDER BY greatest(s.last_seen, s.last_refused) DESC, s.origin LIMIT 200",
    1};

/* -- what nginx left ---------------------------------------------------------------------- */

/* The value of one of an entry's fields; NULL: it has none, or it is too long. */
static const char *field(const redisReply *fields, const char *name, size_t max)
{
    for (size_t i = 0; i + 1 < fields->elements; i += 2) {
        const redisReply *key = fields->element[i], *value = fields->element[i + 1];
        if (key->type == REDIS_REPLY_STRING && value->type == REDIS_REPLY_STRING &&
            strcmp(key->str, name) == 0)
            return value->len <= max && strlen(value->str) == value->len ? value->str : NULL;
    }
    return NULL;
}

static bool is_uuid(const char *text)
{
    return text != NULL && fd_uuid_valid(text, strlen(text));
}

/* What is not as nginx writes it is left out: one bad entry must not be in the way of all. */
static void write_entry(struct fd_json_writer *w, const redisReply *entry)
{
    if (entry->type != REDIS_REPLY_ARRAY || entry->elements != 2 ||
        entry->element[0]->type != REDIS_REPLY_STRING ||
        entry->element[1]->type != REDIS_REPLY_ARRAY)
        return;
    const redisReply *fields = entry->element[1];
    const char *org = field(fields, FD_SEEN_ORG, 36), *key = field(fields, FD_SEEN_KEY, 36);
    const char *origin = field(fields, FD_SEEN_ORIGIN, ORIGIN_MAX);
    const char *allowed = field(fields, FD_SEEN_ALLOWED, 1);
    if (!is_uuid(org) || !is_uuid(key) || origin == NULL || allowed == NULL)
        return;
    fd_jw_object(w);
    fd_jw_member(w, "org", org);
    fd_jw_member(w, "key", key);
    fd_jw_member(w, "origin", origin);
    fd_jw_member(w, "version", field(fields, FD_SEEN_VERSION, VERSION_MAX));
    fd_jw_member_int(w, "at", strtoll(entry->element[0]->str, NULL, 10));
    fd_jw_member_bool(w, "allowed", allowed[0] == '1');
    fd_jw_end_object(w);
}

static enum db_status store(struct db *db, const redisReply *entries)
{
    struct fd_json_writer w;
    struct buf json;
    enum db_status status = DB_FAILED;

    buf_init(&json, PART_BYTES);
    buf_json(&json, &w);
    fd_jw_array(&w);
    for (size_t i = 0; i < entries->elements; i++)
        write_entry(&w, entries->element[i]);
    fd_jw_end_array(&w);
    if (buf_json_end(&json, &w)) {
        const char *params[] = {json.data};
        status = db_query(db, NULL, &note, params, NULL);
    }
    buf_free(&json);
    return status;
}

/* The entries up to this one are stored. */
static bool trim(redisContext *redis, const redisReply *last)
{
    char after[64];
    uint64_t ms, n;

    if (last->type != REDIS_REPLY_ARRAY || last->elements != 2 ||
        last->element[0]->type != REDIS_REPLY_STRING ||
        sscanf(last->element[0]->str, "%" SCNu64 "-%" SCNu64, &ms, &n) != 2)
        return false;
    snprintf(after, sizeof(after), "%" PRIu64 "-%" PRIu64, ms, n + 1);
    redisReply *reply = redisCommand(redis, "XTRIM %s MINID %s", FD_KEY_SEEN, after);
    bool ok = reply != NULL && reply->type == REDIS_REPLY_INTEGER;
    freeReplyObject(reply);
    return ok;
}

/* The oldest part; *more: there may be another. */
static bool take(struct db *db, redisContext *redis, bool *more)
{
    redisReply *entries = redisCommand(redis, "XRANGE %s - + COUNT " PART, FD_KEY_SEEN);
    bool ok = entries != NULL && entries->type == REDIS_REPLY_ARRAY;

    *more = ok && entries->elements == PART_SIZE;
    if (ok && entries->elements > 0)
        ok = store(db, entries) == DB_OK && trim(redis, entries->element[entries->elements - 1]);
    freeReplyObject(entries);
    return ok;
}

bool sightings_collect(struct db *db, const struct config *config)
{
    char error[256] = "";
    bool ok, more = true;

    redisContext *redis = redis_sync_connect(config->live_redis, TIMEOUT_MS, error);
    ok = redis != NULL;
    for (int part = 0; ok && more && part < PARTS_MAX; part++)
        ok = take(db, redis, &more);
    if (!ok)
        log_warn(NULL, "sightings.not_collected",
                 LOG_STR("error", redis == NULL ? error : db_error(db)));
    redisFree(redis);
    return ok;
}

enum db_status sightings_list(struct db *db, const char *org, PGresult **sightings)
{
    return db_query(db, org, &list, &org, sightings);
}
