#include "chat/handoff.h"

#include "chat/visitor.h"
#include "tenant/business_info.h"
#include "tenant/opening.h"

#include <string.h>

#define FACTS_MAX 16384

static const struct db_statement make_statement = {
    "handoff_make",
    "INSERT INTO conversations (id, org_id, session_id) VALUES ($2::uuid, $1::uuid, $3)"
    " ON CONFLICT (org_id, session_id) DO NOTHING",
    3};

static const struct db_statement lock_statement = {
    "handoff_lock",
    "SELECT c.id, c.status, coalesce(c.language, s.languages[1], 'en'), c.version,"
    "       coalesce(s.widget->'features'->>'handoff' = 'true', false), o.business_info,"
    "       coalesce(c.handoff_offered_for, 'visitor'), c.channel"
    "  FROM conversations c JOIN organizations o ON o.id = c.org_id"
    "  LEFT JOIN org_ai_settings s ON s.org_id = o.id"
    " WHERE c.org_id = $1::uuid AND c.session_id = $2 FOR UPDATE OF c",
    2};

static const struct db_statement opening_statement = {
    "handoff_opening",
    "SELECT is_open, to_char(opens_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),"
    "       extract(dow FROM opens_at AT TIME ZONE $1),"
    "       to_char(opens_at AT TIME ZONE $1, 'HH24:MI')"
    "  FROM opening_at($1, $2::jsonb, now())",
    2};

static const struct db_statement wait_statement = {
    "handoff_wait",
    "UPDATE conversations SET status = 'waiting_human', handoff_reason = $3, handoff_by = "
    "'visitor',"
    "       handoff_at = now(), contact = contact || $4::jsonb, version = version + 1,"
    "       updated_at = now()"
    " WHERE org_id = $1::uuid AND id = $2::uuid RETURNING conversation_facts(conversations)",
    4};

static const struct db_statement alert_statement = {
    "handoff_alert", "SELECT raise_alert($1::uuid, 'handoff.requested', $2, $3::jsonb)", 3};

/* -- hours ------------------------------------------------------------------------------------ */

static enum db_status ask_opening(struct db *db, struct arena *a, const char *zone,
                                  const char *week, struct handoff_hours *hours)
{
    const char *params[] = {zone, week};
    PGresult *result;
    enum db_status status = db_exec(db, &opening_statement, params, &result);
    if (status != DB_OK)
        return status;
    hours->known = db_text(result, 0, 0) != NULL;
    if (hours->known) {
        hours->open = db_true(result, 0, 0);
        hours->opens_at = arena_strdup(a, db_text(result, 0, 1));
        hours->day = (int)db_int(result, 0, 2, 0);
        hours->time = arena_strdup(a, db_text(result, 0, 3));
    }
    PQclear(result);
    return DB_OK;
}

static enum db_status look_at_hours(struct db *db, struct arena *a, const char *business_info,
                                    struct handoff_hours *hours)
{
    struct fd_json_fault fault;
    struct business_info info;
    struct opening week;
    struct buf json;
    enum db_status status = DB_OK;
    *hours = (struct handoff_hours){.open = true};
    business_info_read(a,
                       fd_json_parse(business_info, strlen(business_info),
                                     (struct fd_json_limits){0}, arena_allocator(a), &fault),
                       &info);
    if (info.timezone == NULL || !opening_read(info.hours, &week))
        return DB_OK;
    buf_init(&json, 4096);
    if (opening_json(&week, &json))
        status = ask_opening(db, a, info.timezone, json.data, hours);
    buf_free(&json);
    return status;
}

/* -- the wish --------------------------------------------------------------------------------- */

static const char *contact_of(struct arena *a, const struct fd_contact *contact)
{
    struct buf json;
    buf_init(&json, FACTS_MAX);
    const char *text = visitor_contact_json(contact, &json) ? arena_strdup(a, json.data) : "{}";
    buf_free(&json);
    return text;
}

/* What the webhook is told. */
static const char *facts_of(struct arena *a, const PGresult *row,
                            const struct fd_handoff_request *request, const char *contact,
                            const struct handoff_hours *hours)
{
    struct fd_json_writer w;
    struct buf json;
    buf_init(&json, FACTS_MAX);
    buf_json(&json, &w);
    fd_jw_object(&w);
    fd_jw_member(&w, "conversation_id", db_text(row, 0, 0));
    fd_jw_member(&w, "status", "waiting_human");
    fd_jw_member(&w, "channel", db_text(row, 0, 7));
    fd_jw_member(&w, "language", db_text(row, 0, 2));
    fd_jw_member(&w, "cause", db_text(row, 0, 6));
    fd_jw_member(&w, "reason", request->reason.s);
    fd_jw_key(&w, "contact");
    fd_jw_raw(&w, contact, strlen(contact));
    fd_jw_member_bool(&w, "open", hours->open);
    fd_jw_member(&w, "opens_at", hours->opens_at);
    fd_jw_end_object(&w);
    const char *text = buf_json_end(&json, &w) ? arena_strdup(a, json.data) : "{}";
    buf_free(&json);
    return text;
}

static enum db_status wait_for_one(struct db *db, struct arena *a, const char *org,
                                   const char *session, const PGresult *row,
                                   const struct fd_handoff_request *request,
                                   const struct handoff_hours *hours, struct news *news)
{
    const char *conversation = db_text(row, 0, 0);
    const char *contact = contact_of(a, &request->contact);
    const char *facts = facts_of(a, row, request, contact, hours);
    const char *subject = arena_printf(a, "%s/%lld", conversation, (long long)db_int(row, 0, 3, 0));
    const char *wait[] = {org, conversation, request->reason.s, contact};
    const char *alert[] = {org, subject, facts};
    PGresult *now;
    enum db_status status = db_exec(db, &wait_statement, wait, &now);
    if (status != DB_OK)
        return status;
    news_paused(news, org, session);
    news_session(news, session, FD_EVENT_STATUS, "{\"status\":\"waiting_human\"}");
    news_conversation(news, org, db_text(now, 0, 0));
    PQclear(now);
    return db_exec(db, &alert_statement, alert, NULL);
}

static enum handoff_verdict judge(const PGresult *row)
{
    if (strcmp(db_text(row, 0, 1), "ended") == 0)
        return HANDOFF_ENDED;
    return db_true(row, 0, 4) ? HANDOFF_WAITS : HANDOFF_NEVER;
}

static enum db_status decide(struct db *db, struct arena *a, const char *org, const char *session,
                             const struct fd_handoff_request *request, struct handoff *handoff,
                             struct news *news)
{
    const char *params[] = {org, session};
    PGresult *row;
    enum db_status status = db_exec(db, &lock_statement, params, &row);
    if (status != DB_OK)
        return status;
    const char *now = db_text(row, 0, 1);
    bool has_one = strcmp(now, "waiting_human") == 0 || strcmp(now, "human") == 0;
    handoff->language = arena_strdup(a, db_text(row, 0, 2));
    handoff->verdict = has_one ? HANDOFF_WAITS : judge(row);
    if (handoff->verdict == HANDOFF_WAITS)
        status = look_at_hours(db, a, db_text(row, 0, 5), &handoff->hours);
    handoff->fresh = handoff->verdict == HANDOFF_WAITS && !has_one;
    if (status == DB_OK && handoff->fresh)
        status = wait_for_one(db, a, org, session, row, request, &handoff->hours, news);
    PQclear(row);
    return status;
}

enum db_status handoff_ask(struct db *db, struct arena *a, const char *org, const char *session,
                           const struct fd_handoff_request *request, struct handoff *handoff,
                           struct news *news)
{
    char id[STORE_UUID_SIZE];
    const char *params[] = {org, id, session};
    *handoff = (struct handoff){0};
    store_uuid(id, "conversation", org, session);
    enum db_status status = db_begin(db, org);
    if (status == DB_OK)
        status = db_exec(db, &make_statement, params, NULL);
    if (status == DB_OK)
        status = decide(db, a, org, session, request, handoff, news);
    if (status == DB_OK && handoff->verdict == HANDOFF_WAITS)
        return db_commit(db);
    db_rollback(db);
    return status;
}

/* -- words --------------------------------------------------------------------------------------
 */

static const char *const days[2][7] = {
    {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"},
    {"ראשון", "שני", "שלישי", "רביעי", "חמישי", "שישי", "שבת"},
};

const char *handoff_text(struct arena *a, const char *language, const struct handoff_hours *hours)
{
    bool he = language != NULL && strncmp(language, "he", 2) == 0;
    if (!hours->known)
        return he ? "העברנו את הבקשה לצוות שלנו. נציג יענה כאן ברגע שיתפנה."
                  : "We have passed this on to our team. A person will answer here as soon as one "
                    "is free.";
    if (hours->open)
        return he ? "נציג מהצוות יצטרף לשיחה בקרוב. אפשר להמשיך לכתוב כאן."
                  : "A person from our team will join you here soon. You can keep writing.";
    if (hours->opens_at == NULL)
        return he ? "אין כרגע נציג זמין. ההודעה נשמרה והצוות יענה כאן כשיחזור."
                  : "Nobody is here right now. Your message is kept, and our team will answer here "
                    "when it is back.";
    return he ? arena_printf(a,
                             "אין כרגע נציג זמין. נחזור ביום %s בשעה %s; ההודעה נשמרה ונענה כאן.",
                             days[1][hours->day % 7], hours->time)
              : arena_printf(a,
                             "Nobody is here right now. We are back on %s at %s; your message is "
                             "kept, and we will answer here.",
                             days[0][hours->day % 7], hours->time);
}
