#include "chat/takeover.h"

#include "protocol/ids.h"

#include <string.h>

#define DATA_MAX (2 * TAKEOVER_TEXT_MAX + 2048) /* escaped, with the members around it */

static const struct db_statement lock_statement = {
    "takeover_lock",
    "SELECT session_id, status, holder, holder_name, version FROM conversations"
    " WHERE org_id = $1::uuid AND id = $2::uuid FOR UPDATE",
    2};

static const struct db_statement hold_statement = {
    "takeover_hold",
    "UPDATE conversations SET status = 'human', holder = $3, holder_name = $4,"
    "       version = version + 1, updated_at = now(),"
    "       handoff_at = CASE WHEN status IN ('waiting_human', 'human') THEN handoff_at ELSE now() "
    "END,"
    "       handoff_by = CASE WHEN status IN ('waiting_human', 'human') THEN handoff_by"
    "                         ELSE 'operator' END"
    " WHERE org_id = $1::uuid AND id = $2::uuid RETURNING conversation_facts(conversations)",
    4};

static const struct db_statement leave_statement = {
    "takeover_leave",
    "UPDATE conversations SET status = $3, holder = NULL, holder_name = NULL,"
    "       version = version + 1, updated_at = now(),"
    "       ended_at = CASE WHEN $3 = 'ended' THEN now() ELSE ended_at END"
    " WHERE org_id = $1::uuid AND id = $2::uuid RETURNING conversation_facts(conversations)",
    3};

static const struct db_statement say_statement = {
    "takeover_say",
    "WITH m AS ("
    "  INSERT INTO messages (id, org_id, conversation_id, role, content, author, created_at)"
    "  SELECT $3::uuid, $1::uuid, $2::uuid, 'operator', $4, $5, clock_timestamp()"
    "   WHERE NOT EXISTS (SELECT FROM messages WHERE org_id = $1::uuid AND id = $3::uuid)"
    "  RETURNING created_at"
    "), c AS ("
    "  UPDATE conversations SET message_count = message_count + 1, updated_at = now()"
    "   WHERE org_id = $1::uuid AND id = $2::uuid AND EXISTS (SELECT FROM m)"
    "  RETURNING conversation_facts(conversations) AS facts"
    ") SELECT to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), facts"
    "    FROM m, c",
    5};

/* Where the visitor writes by a channel, it goes out by it. */
static const struct db_statement send_statement = {
    "takeover_send",
    "INSERT INTO channel_deliveries (org_id, thread_id, message_id, kind, author, text)"
    " SELECT $1::uuid, id, $3::uuid, 'operator', $5, $4 FROM channel_threads"
    "  WHERE org_id = $1::uuid AND conversation_id = $2::uuid"
    " ON CONFLICT DO NOTHING RETURNING 1",
    5};

/* -- deciding -----------------------------------------------------------------------------------
 */

static bool is(const char *a, const char *b)
{
    return a != NULL && strcmp(a, b) == 0;
}

/* In a transaction, so that what is decided stays true until it is written. */
static enum db_status lock(struct db *db, struct arena *a, const struct takeover_by *by,
                           const char *conversation, struct takeover *now)
{
    const char *params[] = {by->org, db_uuid(conversation)};
    PGresult *row;
    *now = (struct takeover){.verdict = TAKEOVER_UNKNOWN};
    enum db_status status = db_begin(db, by->org);
    if (status == DB_OK)
        status = db_exec(db, &lock_statement, params, &row);
    if (status != DB_OK)
        return status;
    if (PQntuples(row) == 1) {
        now->session = arena_strdup(a, db_text(row, 0, 0));
        now->status = arena_strdup(a, db_text(row, 0, 1));
        now->holder = arena_strdup(a, db_text(row, 0, 2));
        now->holder_name = arena_strdup(a, db_text(row, 0, 3));
        now->version = db_int(row, 0, 4, 0);
        now->verdict = is(now->status, "ended") ? TAKEOVER_ENDED : TAKEOVER_DONE;
    }
    PQclear(row);
    return DB_OK;
}

static bool is_stale(const struct takeover_by *by, const struct takeover *now)
{
    return by->version != TAKEOVER_ANY_VERSION && by->version != now->version;
}

/* Of what only the holder may do. */
static void need_holder(const struct takeover_by *by, struct takeover *now)
{
    if (now->verdict != TAKEOVER_DONE)
        return;
    if (is_stale(by, now))
        now->verdict = TAKEOVER_STALE;
    else if (!is(now->status, "human") || now->holder == NULL)
        now->verdict = TAKEOVER_NOT_YOURS;
    else if (!is(now->holder, by->actor))
        now->verdict = TAKEOVER_HELD;
}

static enum db_status settle(struct db *db, enum db_status status, const struct takeover *now)
{
    if (status == DB_OK && now->verdict == TAKEOVER_DONE)
        return db_commit(db);
    db_rollback(db);
    return status;
}

/* -- telling ------------------------------------------------------------------------------------
 */

static const char *finish(struct arena *a, struct buf *json, struct fd_json_writer *w)
{
    fd_jw_end_object(w);
    const char *text = buf_json_end(json, w) ? arena_strdup(a, json->data) : "{}";
    buf_free(json);
    return text;
}

static void begin(struct buf *json, struct fd_json_writer *w)
{
    buf_init(json, DATA_MAX);
    buf_json(json, w);
    fd_jw_object(w);
}

static void tell_status(struct arena *a, const struct takeover_by *by, const char *facts,
                        const struct takeover *now, struct news *news)
{
    struct fd_json_writer w;
    struct buf json;
    begin(&json, &w);
    fd_jw_member(&w, "status", now->status);
    if (now->holder_name != NULL)
        fd_jw_member(&w, "name", now->holder_name);
    news_session(news, now->session, FD_EVENT_STATUS, finish(a, &json, &w));
    news_conversation(news, by->org, facts);
}

static void tell_typing(const struct takeover_by *by, const char *conversation,
                        const struct takeover *now, struct news *news)
{
    news_typing(news, now->session, by->name);
    news_org_typing(news, by->org, conversation, by->name, "operator");
}

static void tell_reply(struct arena *a, const struct takeover_by *by, const char *conversation,
                       const char *text, const struct takeover *now, struct news *news)
{
    for (int org = 0; org < 2; org++) {
        struct fd_json_writer w;
        struct buf json;
        begin(&json, &w);
        if (org)
            fd_jw_member(&w, "conversation_id", conversation);
        fd_jw_member(&w, "message_id", now->message_id);
        fd_jw_member(&w, "role", "operator");
        fd_jw_member(&w, "name", by->name);
        fd_jw_member(&w, "text", text);
        fd_jw_member(&w, "created_at", now->created_at);
        if (org)
            news_org(news, by->org, FD_EVENT_MESSAGE, finish(a, &json, &w));
        else
            news_session(news, now->session, FD_EVENT_MESSAGE, finish(a, &json, &w));
    }
}

/* Changes the row; *facts is what it is now. */
static enum db_status change(struct db *db, struct arena *a, const struct db_statement *statement,
                             const char *const *params, const char **facts)
{
    PGresult *row = NULL;
    enum db_status status = db_exec(db, statement, params, &row);
    *facts = status == DB_OK && PQntuples(row) == 1 ? arena_strdup(a, db_text(row, 0, 0)) : NULL;
    PQclear(row);
    return status;
}

/* -- the operations ------------------------------------------------------------------------------
 */

enum db_status takeover_join(struct db *db, struct arena *a, const struct takeover_by *by,
                             const char *conversation, struct takeover *now, struct news *news)
{
    const char *params[] = {by->org, conversation, by->actor, by->name}, *facts;
    enum db_status status = lock(db, a, by, conversation, now);
    bool own = is(now->status, "human") && is(now->holder, by->actor);
    if (now->verdict == TAKEOVER_DONE && !own && is_stale(by, now))
        now->verdict = TAKEOVER_STALE;
    else if (now->verdict == TAKEOVER_DONE && now->holder != NULL && !own &&
             by->version == TAKEOVER_ANY_VERSION)
        now->verdict = TAKEOVER_HELD;
    if (status == DB_OK && now->verdict == TAKEOVER_DONE && !own) {
        status = change(db, a, &hold_statement, params, &facts);
        now->status = "human";
        now->holder = by->actor;
        now->holder_name = by->name;
        now->version++;
        news_paused(news, by->org, now->session);
        tell_status(a, by, facts, now, news);
    }
    return settle(db, status, now);
}

/* Two operators may count their replies alike. */
static void name_reply(char id[STORE_UUID_SIZE], struct arena *a, const struct takeover_by *by,
                       const char *conversation, const char *once)
{
    unsigned char random[16];
    char hex[FD_SHA256_HEX_SIZE];
    fd_random(random, sizeof(random));
    const char *name = once != NULL ? arena_printf(a, "%s %s", by->actor, once) : NULL;
    fd_sha256_hex(hex, name != NULL ? name : (const char *)random,
                  name != NULL ? strlen(name) : sizeof(random));
    store_uuid(id, "operator", conversation, hex);
}

static enum db_status send_out(struct db *db, const char *org, const char *const *params,
                               struct news *news)
{
    PGresult *sent;
    enum db_status status = db_exec(db, &send_statement, params, &sent);
    if (status == DB_OK && PQntuples(sent) > 0)
        news_channel(news, org);
    if (status == DB_OK)
        PQclear(sent);
    return status;
}

enum db_status takeover_reply(struct db *db, struct arena *a, const struct takeover_by *by,
                              const char *conversation, const char *text, const char *once,
                              struct takeover *now, struct news *news)
{
    const char *params[] = {by->org, conversation, now->message_id, text, by->name};
    PGresult *row = NULL;
    enum db_status status = lock(db, a, by, conversation, now);
    need_holder(by, now);
    if (status == DB_OK && now->verdict == TAKEOVER_DONE) {
        name_reply(now->message_id, a, by, conversation, once);
        status = db_exec(db, &say_statement, params, &row);
    }
    bool fresh = status == DB_OK && row != NULL && PQntuples(row) == 1;
    if (fresh)
        status = send_out(db, by->org, params, news);
    if (fresh && status == DB_OK) {
        now->created_at = arena_strdup(a, db_text(row, 0, 0));
        tell_reply(a, by, conversation, text, now, news);
        news_conversation(news, by->org, db_text(row, 0, 1));
    }
    PQclear(row);
    return settle(db, status, now);
}

enum db_status takeover_typing(struct db *db, struct arena *a, const struct takeover_by *by,
                               const char *conversation, struct takeover *now, struct news *news)
{
    enum db_status status = lock(db, a, by, conversation, now);
    need_holder(by, now);
    if (status == DB_OK && now->verdict == TAKEOVER_DONE)
        tell_typing(by, conversation, now, news);
    return settle(db, status, now);
}

/* A conversation that nobody has joined may be given back or closed by anybody. */
static enum db_status leave(struct db *db, struct arena *a, const struct takeover_by *by,
                            const char *conversation, const char *to, struct takeover *now,
                            struct news *news)
{
    const char *params[] = {by->org, conversation, to}, *facts;
    enum db_status status = lock(db, a, by, conversation, now);
    bool there = is(now->status, to);
    if (now->verdict == TAKEOVER_DONE && is_stale(by, now))
        now->verdict = TAKEOVER_STALE;
    else if (now->verdict == TAKEOVER_DONE && now->holder != NULL && !is(now->holder, by->actor) &&
             by->version == TAKEOVER_ANY_VERSION)
        now->verdict = TAKEOVER_HELD;
    if (status == DB_OK && now->verdict == TAKEOVER_DONE && !there) {
        status = change(db, a, &leave_statement, params, &facts);
        now->status = to;
        now->holder = now->holder_name = NULL;
        now->version++;
        news_resumed(news, by->org, now->session);
        tell_status(a, by, facts, now, news);
    }
    return settle(db, status, now);
}

enum db_status takeover_release(struct db *db, struct arena *a, const struct takeover_by *by,
                                const char *conversation, struct takeover *now, struct news *news)
{
    return leave(db, a, by, conversation, "active", now, news);
}

enum db_status takeover_resolve(struct db *db, struct arena *a, const struct takeover_by *by,
                                const char *conversation, struct takeover *now, struct news *news)
{
    return leave(db, a, by, conversation, "ended", now, news);
}
