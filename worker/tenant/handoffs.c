#include "tenant/handoffs.h"

#define ISO  " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'"
#define TEAM " AND ($2::text IS NULL OR coalesce(c.team_id::text, 'none') = $2)"

/* The reason is the visitor's own; the cause is what the conversation said for a person. Its
 * score is the visitor's mood in the last messages: below 0, unhappy. */
static const struct db_statement list_statement = {
    "handoffs_list",
    "SELECT q.place, c.id, c.status, c.holder, c.holder_name, c.version, c.channel, c.language,"
    "       c.title, c.contact, c.user_identifier, c.verified_name, c.verified_email, c.page_url,"
    "       c.team_id, c.handoff_reason, coalesce(c.handoff_offered_for, c.handoff_by),"
    "       to_char(c.handoff_at" ISO "), CASE WHEN c.status = 'waiting_human'"
    "            THEN greatest(0, extract(epoch FROM now() - c.handoff_at))::bigint END,"
    "       s.score, c.message_count, m.role, left(m.content, 300),"
    "       to_char(m.created_at" ISO "), to_char(c.updated_at" ISO ")"
    "  FROM (SELECT c.org_id, c.id, CASE c.status WHEN 'waiting_human' THEN '0' ELSE '1' END"
    "               || to_char(coalesce(c.handoff_at, c.started_at) AT TIME ZONE 'UTC',"
    "                          'YYYYMMDDHH24MISSUS') AS place"
    "          FROM conversations c"
    "         WHERE c.org_id = $1::uuid AND c.status IN ('waiting_human', 'human')" TEAM
    "           AND c.channel <> 'test') q"
    "  JOIN conversations c ON c.org_id = q.org_id AND c.id = q.id"
    "  LEFT JOIN LATERAL ("
    "    SELECT role, content, created_at FROM messages x WHERE x.org_id = c.org_id"
    "       AND x.conversation_id = c.id AND x.role IN ('user', 'assistant', 'operator')"
    "     ORDER BY created_at DESC LIMIT 1) m ON true"
    "  LEFT JOIN LATERAL ("
    "    SELECT min(sentiment) AS score FROM ("
    "      SELECT sentiment FROM messages x WHERE x.org_id = c.org_id"
    "         AND x.conversation_id = c.id AND x.role = 'user'"
    "       ORDER BY created_at DESC LIMIT 5) recent) s ON true"
    " WHERE $3::text IS NULL OR (q.place, c.id) > ($3, $4::uuid)"
    " ORDER BY q.place, c.id LIMIT $5::int",
    5};

static const struct db_statement waiting_statement = {
    "handoffs_waiting",
    "SELECT count(*) FROM conversations c WHERE c.org_id = $1::uuid"
    "   AND c.status = 'waiting_human' AND c.channel <> 'test'" TEAM,
    2};

enum column {
    PLACE,
    ID,
    STATUS,
    HOLDER,
    NAME,
    VERSION,
    CHANNEL,
    LANGUAGE,
    TITLE,
    CONTACT,
    USER,
    VISITOR_NAME,
    EMAIL,
    PAGE_URL,
    TEAM_ID,
    REASON,
    CAUSE,
    SINCE,
    WAITED,
    SCORE,
    MESSAGES,
    LAST_ROLE,
    LAST_TEXT,
    LAST_AT,
    UPDATED
};

enum db_status handoffs_list(struct db *db, const char *org, const char *team, const char *place,
                             const char *id, int most, PGresult **rows)
{
    char number[DB_NUMBER_SIZE];
    const char *params[] = {org, team, place, id, db_number(number, most)};

    return db_query(db, org, &list_statement, params, rows);
}

enum db_status handoffs_waiting(struct db *db, const char *org, const char *team, int64_t *waiting)
{
    const char *params[] = {org, team};
    PGresult *row;

    enum db_status status = db_query(db, org, &waiting_statement, params, &row);
    if (status == DB_OK) {
        *waiting = db_int(row, 0, 0, 0);
        PQclear(row);
    }
    return status;
}

static void number(struct fd_json_writer *w, const char *key, const PGresult *rows, int row,
                   enum column column)
{
    fd_jw_key(w, key);
    if (db_text(rows, row, column) != NULL)
        fd_jw_int(w, db_int(rows, row, column, 0));
    else
        fd_jw_null(w);
}

static void write_last(struct fd_json_writer *w, const PGresult *rows, int row)
{
    fd_jw_key(w, "last_message");
    if (db_text(rows, row, LAST_ROLE) == NULL) {
        fd_jw_null(w);
        return;
    }
    fd_jw_object(w);
    fd_jw_member(w, "role", db_text(rows, row, LAST_ROLE));
    fd_jw_member(w, "text", db_text(rows, row, LAST_TEXT));
    fd_jw_member(w, "created_at", db_text(rows, row, LAST_AT));
    fd_jw_end_object(w);
}

void handoff_write(struct fd_json_writer *w, const PGresult *rows, int row)
{
    static const struct {
        const char *name;
        enum column column;
    } texts[] = {{"id", ID},
                 {"status", STATUS},
                 {"holder", HOLDER},
                 {"name", NAME},
                 {"channel", CHANNEL},
                 {"language", LANGUAGE},
                 {"title", TITLE},
                 {"user_identifier", USER},
                 {"verified_name", VISITOR_NAME},
                 {"verified_email", EMAIL},
                 {"page_url", PAGE_URL},
                 {"team_id", TEAM_ID},
                 {"reason", REASON},
                 {"cause", CAUSE},
                 {"waiting_since", SINCE},
                 {"updated_at", UPDATED}};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        fd_jw_member(w, texts[i].name, db_text(rows, row, texts[i].column));
    number(w, "version", rows, row, VERSION);
    number(w, "waiting_s", rows, row, WAITED);
    number(w, "score", rows, row, SCORE);
    number(w, "message_count", rows, row, MESSAGES);
    fd_jw_member_raw(w, "contact", db_text(rows, row, CONTACT));
    write_last(w, rows, row);
}
