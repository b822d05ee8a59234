#include "tenant/channels.h"

#include "net/target.h"
#include "protocol/ids.h"
#include "tenant/sealed.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define ISO         " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'"
#define WAITING_MAX "20" /* messages of one sender that wait for an answer */

static const struct db_statement list_statement = {
    "channels_list",
    "SELECT h.channel, h.enabled, h.outbound_url, h.last4, to_char(h.updated_at" ISO "),"
    "       (SELECT count(*) FROM channel_inbox i WHERE i.org_id = h.org_id"
    "           AND i.channel = h.channel AND i.state IN ('pending', 'admitted')),"
    "       d.pending, d.failed, d.last_error"
    "  FROM channels h LEFT JOIN LATERAL ("
    "    SELECT count(*) FILTER (WHERE x.state = 'pending') AS pending,"
    "           count(*) FILTER (WHERE x.state = 'failed') AS failed,"
    "           (array_agg(x.last_error ORDER BY x.created_at DESC)"
    "             FILTER (WHERE x.last_error IS NOT NULL))[1] AS last_error"
    "      FROM channel_deliveries x"
    "      JOIN channel_threads t ON t.org_id = x.org_id AND t.id = x.thread_id"
    "     WHERE x.org_id = h.org_id AND t.channel = h.channel"
    "       AND x.created_at > now() - interval '1 day') d ON true"
    " WHERE h.org_id = $1::uuid AND ($2::text IS NULL OR h.channel = $2) ORDER BY h.channel",
    2};

static const struct db_statement lock_statement = {
    "channel_lock",
    "SELECT h.id, (SELECT count(*) FROM channels x WHERE x.org_id = o.id), gen_random_uuid(),"
    "       h.outbound_url"
    "  FROM organizations o LEFT JOIN channels h ON h.org_id = o.id AND h.channel = $2"
    " WHERE o.id = $1::uuid FOR NO KEY UPDATE OF o",
    2};

static const struct db_statement save_statement = {
    "channel_save",
    "INSERT INTO channels AS h (id, org_id, channel, enabled, outbound_url, secret, last4)"
    " VALUES ($3::uuid, $1::uuid, $2, coalesce($4::boolean, false), $6, $7::bytea, $8)"
    " ON CONFLICT (org_id, channel) DO UPDATE SET enabled = coalesce($4::boolean, h.enabled),"
    "   outbound_url = CASE WHEN $5::boolean THEN $6 ELSE h.outbound_url END,"
    "   secret = coalesce($7::bytea, h.secret), last4 = coalesce($8, h.last4), updated_at = now()",
    8};
static const struct db_statement change_statement = {
    "channel_change",
    "UPDATE channels SET enabled = coalesce($3::boolean, enabled),"
    "       outbound_url = CASE WHEN $4::boolean THEN $5 ELSE outbound_url END, updated_at = now()"
    " WHERE org_id = $1::uuid AND id = $2::uuid",
    5};

/* One that is known already is not looked at; who is answered a row at a time may not pile up
 * more than a person writes. */
static const struct db_statement receive_statement = {
    "channel_receive",
    "WITH h AS ("
    "  SELECT channel FROM channels WHERE org_id = $1::uuid AND channel = $2 AND enabled"
    "), known AS ("
    "  SELECT id FROM channel_inbox WHERE org_id = $1::uuid AND channel = $2 AND message_id = $3"
    "), t AS ("
    "  INSERT INTO channel_threads AS t (org_id, channel, sender, thread, name, language)"
    "  SELECT $1::uuid, h.channel, $4, $5, $6, $7 FROM h"
    "   WHERE NOT EXISTS (SELECT FROM known)"
    "  ON CONFLICT (org_id, channel, sender, thread) DO UPDATE SET"
    "    name = coalesce(EXCLUDED.name, t.name), language = coalesce(EXCLUDED.language, "
    "t.language),"
    "    seen_at = now()"
    "  RETURNING id"
    "), i AS ("
    "  INSERT INTO channel_inbox (org_id, channel, thread_id, message_id, text)"
    "  SELECT $1::uuid, $2, t.id, $3, $8 FROM t"
    "   WHERE (SELECT count(*) FROM channel_inbox x WHERE x.thread_id = t.id"
    "             AND x.state IN ('pending', 'admitted')) < " WAITING_MAX
    "  ON CONFLICT (org_id, channel, message_id) DO NOTHING RETURNING id"
    ") SELECT (SELECT channel FROM h), (SELECT id FROM known), (SELECT id FROM i)",
    8};

static const struct db_statement deliveries_statement = {
    "channel_deliveries",
    "SELECT d.id, to_char(d.created_at" ISO "), d.kind, d.state, d.attempts,"
    "       to_char(d.settled_at" ISO "), d.last_error, t.conversation_id, d.created_at"
    "  FROM channel_deliveries d"
    "  JOIN channel_threads t ON t.org_id = d.org_id AND t.id = d.thread_id"
    " WHERE d.org_id = $1::uuid AND t.channel = $2"
    "   AND ($3::timestamptz IS NULL OR (d.created_at, d.id) < ($3::timestamptz, $4::uuid))"
    " ORDER BY d.created_at DESC, d.id DESC LIMIT $5::int",
    5};

bool channel_name_valid(const char *name)
{
    size_t len = strlen(name);

    return len > 0 && len <= CHANNEL_NAME_MAX && name[0] >= 'a' && name[0] <= 'z' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == len &&
           strcmp(name, "widget") != 0 && strcmp(name, "api") != 0 && strcmp(name, "test") != 0;
}

enum db_status channels_list(struct db *db, const char *org, const char *channel, PGresult **rows)
{
    const char *params[] = {org, channel};

    return db_query(db, org, &list_statement, params, rows);
}

/* -- saving --------------------------------------------------------------------------------- */

static struct sealed_place place_of(const char *org, const char *id)
{
    return (struct sealed_place){org, "channels", id, "secret"};
}

static void make_secret(char secret[CHANNEL_SECRET_SIZE])
{
    unsigned char bytes[(CHANNEL_SECRET_SIZE - 1) / 2];

    fd_random(bytes, sizeof(bytes));
    sodium_bin2hex(secret, CHANNEL_SECRET_SIZE, bytes, sizeof(bytes));
    sodium_memzero(bytes, sizeof(bytes));
}

static const char *word(bool has, bool value)
{
    return !has ? NULL : value ? "true" : "false";
}

static enum db_status save_sealed(struct db *db, const char *keys, const char *org, const char *id,
                                  const struct channel_settings *s, char made[CHANNEL_SECRET_SIZE],
                                  char error[256])
{
    struct sealed_place place = place_of(org, id);
    struct arena a;

    make_secret(made);
    arena_init(&a);
    enum db_status status = sealed_lock(db);
    if (status == DB_OK) {
        const char *sealed = sealed_text(&a, keys, &place, made, strlen(made), error);
        const char *params[] = {org,
                                s->channel,
                                id,
                                word(s->has_enabled, s->enabled),
                                s->has_url ? "true" : "false",
                                s->url,
                                sealed,
                                made + strlen(made) - 4};
        status = sealed != NULL ? db_exec(db, &save_statement, params, NULL) : DB_FAILED;
    }
    arena_free(&a);
    return status;
}

/* Another receiver gets another secret: what is signed for the one is worth nothing to the other.
 */
static bool goes_elsewhere(const struct channel_settings *s, const char *url)
{
    return s->has_url && s->url != NULL && !target_same_server(url, s->url);
}

static enum db_status save(struct db *db, const char *keys, const char *org,
                           const struct channel_settings *s, enum channel_saved *saved,
                           char made[CHANNEL_SECRET_SIZE], char error[256])
{
    const char *look[] = {org, s->channel};
    PGresult *row = NULL;

    enum db_status status = db_exec(db, &lock_statement, look, &row);
    if (status != DB_OK)
        return status;
    const char *id = db_text(row, 0, 0);
    *saved = s->makes == (id == NULL) ? CHANNEL_SAVED : s->makes ? CHANNEL_EXISTS : CHANNEL_UNKNOWN;
    if (*saved == CHANNEL_SAVED && s->makes && db_int(row, 0, 1, 0) >= CHANNELS_MAX) {
        snprintf(error, 256, "there are %d channels already", CHANNELS_MAX);
        status = DB_FAILED;
    } else if (*saved == CHANNEL_SAVED &&
               (s->makes || s->rotate_secret || goes_elsewhere(s, db_text(row, 0, 3)))) {
        status = save_sealed(db, keys, org, id != NULL ? id : db_text(row, 0, 2), s, made, error);
    } else if (*saved == CHANNEL_SAVED) {
        const char *params[] = {org, id, word(s->has_enabled, s->enabled),
                                s->has_url ? "true" : "false", s->url};
        status = db_exec(db, &change_statement, params, NULL);
    }
    PQclear(row);
    return status;
}

enum db_status channel_save(struct db *db, const char *keys, const char *org,
                            const struct channel_settings *settings, enum channel_saved *saved,
                            char made[CHANNEL_SECRET_SIZE])
{
    char error[256] = "";

    made[0] = '\0';
    enum db_status status = db_begin(db, org);
    if (status == DB_OK)
        status = save(db, keys, org, settings, saved, made, error);
    if (status == DB_OK)
        return db_commit(db);
    db_rollback(db);
    if (error[0] != '\0')
        db_explain(db, "%s", error);
    return status;
}

const char *channel_secret_open(struct arena *a, const char *keys, const char *org, const char *id,
                                const char *cell, char error[256])
{
    struct sealed_place place = place_of(org, id);
    char *plain;
    size_t len;

    return sealed_open(a, keys, &place, cell, &plain, &len, error) == SEALED_OK ? plain : NULL;
}

/* -- what comes in -------------------------------------------------------------------------- */

enum db_status channel_receive(struct db *db, struct arena *a, const char *org,
                               const struct channel_message *m, const char **id,
                               enum channel_receipt *receipt)
{
    const char *params[] = {org,       m->channel, m->message_id, m->sender,
                            m->thread, m->name,    m->language,   m->text};
    PGresult *row;

    *id = NULL;
    enum db_status status = db_query(db, org, &receive_statement, params, &row);
    if (status != DB_OK)
        return status;
    bool known = db_text(row, 0, 1) != NULL, taken = db_text(row, 0, 2) != NULL;
    *receipt = db_text(row, 0, 0) == NULL ? CHANNEL_OFF
               : known                    ? CHANNEL_KNOWN
               : taken                    ? CHANNEL_TAKEN
                                          : CHANNEL_CROWDED;
    *id = arena_strdup(a, db_text(row, 0, known ? 1 : 2));
    PQclear(row);
    return DB_OK;
}

enum db_status channel_deliveries(struct db *db, const char *org, const char *channel,
                                  const char *at, const char *id, int most, PGresult **rows)
{
    char number[DB_NUMBER_SIZE];
    const char *params[] = {org, channel, at, id, db_number(number, most)};

    return db_query(db, org, &deliveries_statement, params, rows);
}
