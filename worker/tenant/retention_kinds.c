/* What grows old: of each kind, how it is counted, archived and deleted. */
#include "tenant/retention_kinds.h"

#define NUMBER_OF(x) #x
#define TEXT_OF(x)   NUMBER_OF(x)
#define PAGE         TEXT_OF(RETENTION_PAGE)

/* Days end at midnight UTC: what is N days old today is N whole days old. */
#define CUTOFF                                                                                     \
    "((date_trunc('day', now() AT TIME ZONE 'UTC') - $2::int * interval '1 day')"                  \
    " AT TIME ZONE 'UTC')"
#define MONTH_START "(date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC')"
/* A call that somebody still decides on, or that runs, stays until it has ended. */
#define ENDED "status NOT IN ('confirming', 'approving', 'approved', 'started', 'pending')"
/* Of the oldest day: its end, where only that day may go ($3); else the cutoff. */
#define UNTIL(table, condition)                                                                    \
    "least(" CUTOFF ", CASE WHEN $3::boolean THEN (SELECT (date_trunc('day', min(created_at)"      \
    " AT TIME ZONE 'UTC') + interval '1 day') AT TIME ZONE 'UTC' FROM " table                      \
    " WHERE org_id = $1::uuid AND " condition ") END)"

/* Rows that are deleted where `condition` holds of `t`, at most so many at a time. What is
 * locked has its turn in the next pass; what changed meanwhile is looked at again. */
#define FORGET(what, table, most, condition)                                                       \
    .count = {"retention_" what "_count",                                                          \
              "SELECT count(*) FROM " table " t WHERE t.org_id = $1::uuid AND " condition, 2},     \
    .trim = {"retention_" what,                                                                    \
             "WITH old AS (SELECT t.id FROM " table " t"                                           \
             "  WHERE t.org_id = $1::uuid AND $3::boolean IS NOT NULL AND " condition              \
             "  LIMIT " most " FOR UPDATE SKIP LOCKED), gone AS ("                                 \
             "  DELETE FROM " table " t USING old"                                                 \
             "   WHERE t.org_id = $1::uuid AND t.id = old.id RETURNING 1"                          \
             ") SELECT count(*) FROM gone",                                                        \
             3}

/* A visitor's month is capped by what stands beside his name. */
#define NAMED "user_ref IS NOT NULL AND created_at < least(" CUTOFF ", " MONTH_START ")"

const struct retention_sql retention_sql[RETENTION_KINDS] = {
    [RETENTION_MESSAGES] =
        {.count = {"retention_messages_count",
                   "SELECT count(*) FROM messages WHERE org_id = $1::uuid AND created_at < " CUTOFF,
                   2},
         .trim = {"retention_messages",
                  "WITH old AS (SELECT id, created_at FROM messages"
                  "  WHERE org_id = $1::uuid AND created_at < " UNTIL("messages", "true") //
                  "  ORDER BY created_at LIMIT " PAGE "), gone AS ("
                  "  DELETE FROM messages m USING old"
                  "   WHERE m.id = old.id AND m.created_at = old.created_at"
                  "     AND m.org_id = $1::uuid RETURNING 1"
                  ") SELECT count(*) FROM gone",
                  3},
         .name = "messages",
         .day = {"retention_messages_day",
                 "SELECT (min(created_at) AT TIME ZONE 'UTC')::date FROM messages"
                 " WHERE org_id = $1::uuid AND created_at < " CUTOFF,
                 2},
         .rows = {"retention_messages_rows",
                  "SELECT (to_jsonb(m) - 'org_id')::text, created_at, id FROM messages m"
                  " WHERE org_id = $1::uuid"
                  "   AND created_at >= $2::date::timestamp AT TIME ZONE 'UTC'"
                  "   AND created_at < ($2::date + 1)::timestamp AT TIME ZONE 'UTC'"
                  "   AND ($3::timestamptz IS NULL"
                  "        OR (created_at, id) > ($3::timestamptz, $4::uuid))"
                  " ORDER BY created_at, id LIMIT " PAGE,
                  4}},
    /* What its tools did is kept for longer, and what the month's questions are counted of,
     * to the end of the month; neither names the conversation any more. What the tools of an
     * operator's test did is in no figure and goes with it. */
    [RETENTION_CONVERSATIONS] =
        {.count = {"retention_conversations_count",
                   "SELECT count(*) FROM conversations"
                   " WHERE org_id = $1::uuid AND updated_at < " CUTOFF,
                   2},
         .trim = {"retention_conversations",
                  "WITH old AS (SELECT id, channel = 'test' AS test FROM conversations c"
                  "  WHERE org_id = $1::uuid AND updated_at < " CUTOFF
                  "    AND $3::boolean IS NOT NULL"
                  "    AND NOT EXISTS (SELECT FROM messages m WHERE m.org_id = c.org_id"
                  "                       AND m.conversation_id = c.id)"
                  "  ORDER BY updated_at LIMIT 200"
                  "), tests AS ("
                  "  DELETE FROM tool_executions t USING old"
                  "   WHERE t.org_id = $1::uuid AND t.conversation_id = old.id AND old.test"
                  "), tools AS ("
                  "  UPDATE tool_executions t SET conversation_id = NULL, session_id = NULL"
                  "    FROM old"
                  "   WHERE t.org_id = $1::uuid AND t.conversation_id = old.id AND NOT old.test"
                  "), month AS ("
                  "  UPDATE jobs j SET conversation_id = NULL, session_id = '', body = '{}',"
                  "         outcome = NULL"
                  "    FROM old WHERE j.org_id = $1::uuid AND j.conversation_id = old.id"
                  "     AND j.accepted_at >= " MONTH_START "), told AS ("
                  "  UPDATE alerts a SET detail = a.detail - 'contact' - 'reason'"
                  "    FROM old WHERE a.org_id = $1::uuid AND a.kind = 'handoff.requested'"
                  "     AND a.detail->>'conversation_id' = old.id::text"
                  "), gone AS ("
                  "  DELETE FROM conversations c USING old"
                  "   WHERE c.org_id = $1::uuid AND c.id = old.id RETURNING 1"
                  ") SELECT count(*) FROM gone",
                  3}},
    [RETENTION_JOBS] =
        {.count = {"retention_jobs_count",
                   "SELECT count(*) FROM jobs WHERE org_id = $1::uuid AND accepted_at < " CUTOFF
                   "   AND (accepted_at < " MONTH_START " OR body <> '{}')",
                   2},
         .trim = {"retention_jobs",
                  "WITH old AS (SELECT id, accepted_at < " MONTH_START " AS counted FROM jobs"
                  "  WHERE org_id = $1::uuid AND accepted_at < " CUTOFF
                  "    AND $3::boolean IS NOT NULL"
                  "    AND (accepted_at < " MONTH_START " OR body <> '{}')"
                  "  ORDER BY accepted_at LIMIT " PAGE "), emptied AS ("
                  "  UPDATE jobs j SET body = '{}', outcome = NULL FROM old"
                  "   WHERE j.org_id = $1::uuid AND j.id = old.id AND NOT counted RETURNING 1"
                  "), gone AS ("
                  "  DELETE FROM jobs j USING old"
                  "   WHERE j.org_id = $1::uuid AND j.id = old.id AND counted RETURNING 1"
                  ") SELECT (SELECT count(*) FROM emptied) + (SELECT count(*) FROM gone)",
                  3}},
    /* Counted first; a day whose rows are deleted in part keeps what was counted. */
    [RETENTION_TOOLS] =
        {.count = {"retention_tools_count",
                   "SELECT count(*) FROM tool_executions"
                   " WHERE org_id = $1::uuid AND " ENDED " AND created_at < " CUTOFF,
                   2},
         .trim = {"retention_tools",
                  "WITH old AS (SELECT id FROM tool_executions"
                  "  WHERE org_id = $1::uuid AND " ENDED
                  "    AND created_at < " UNTIL("tool_executions", ENDED) //
                  "  ORDER BY created_at LIMIT " PAGE "), gone AS ("
                  "  DELETE FROM tool_executions t USING old"
                  "   WHERE t.org_id = $1::uuid AND t.id = old.id RETURNING 1"
                  ") SELECT count(*) FROM gone",
                  3},
         .name = "tool-executions",
         .day = {"retention_tools_day",
                 "SELECT (min(created_at) AT TIME ZONE 'UTC')::date FROM tool_executions"
                 " WHERE org_id = $1::uuid AND " ENDED " AND created_at < " CUTOFF,
                 2},
         .rows = {"retention_tools_rows",
                  "SELECT (to_jsonb(t) - 'org_id' - 'session_id')::text, created_at, id"
                  "  FROM tool_executions t"
                  " WHERE org_id = $1::uuid"
                  "   AND created_at >= $2::date::timestamp AT TIME ZONE 'UTC'"
                  "   AND created_at < ($2::date + 1)::timestamp AT TIME ZONE 'UTC'"
                  "   AND ($3::timestamptz IS NULL"
                  "        OR (created_at, id) > ($3::timestamptz, $4::uuid))"
                  " ORDER BY created_at, id LIMIT " PAGE,
                  4}},
    /* With their results. */
    [RETENTION_TEST_RUNS] = {FORGET("test_runs", "test_runs", "20",
                                    "t.status <> 'running' AND t.created_at < " CUTOFF)},
    /* A call of a model is kept for the accounts; whom it answered, no longer than its words. */
    [RETENTION_NAMES] = {.count = {"retention_names_count",
                                   "SELECT count(*) FROM usage_ledger"
                                   " WHERE org_id = $1::uuid AND " NAMED,
                                   2},
                         .trim = {"retention_names",
                                  "WITH old AS (SELECT id FROM usage_ledger"
                                  "  WHERE org_id = $1::uuid AND $3::boolean IS NOT NULL"
                                  "    AND " NAMED " LIMIT " PAGE "), gone AS ("
                                  "  UPDATE usage_ledger l SET user_ref = NULL FROM old"
                                  "   WHERE l.org_id = $1::uuid AND l.id = old.id RETURNING 1"
                                  ") SELECT count(*) FROM gone",
                                  3}},
    /* What a conversation costs is the sum of its calls. */
    [RETENTION_LEDGER] = {.days = 400,
                          FORGET("ledger", "usage_ledger", PAGE,
                                 "t.created_at < " CUTOFF
                                 " AND NOT EXISTS (SELECT FROM conversations c"
                                 "                  WHERE c.org_id = t.org_id"
                                 "                    AND c.id = t.conversation_id)")},
    [RETENTION_CALLS] = {.days = 30,
                         FORGET("calls", "integration_calls", PAGE, "t.created_at < " CUTOFF)},
    [RETENTION_DELIVERIES] = {.days = 30,
                              FORGET("deliveries", "channel_deliveries", PAGE,
                                     "t.state <> 'pending' AND t.created_at < " CUTOFF)},
    [RETENTION_RECEIPTS] = {.days = 30,
                            FORGET(
                                "receipts", "channel_inbox", PAGE,
                                "t.state IN ('answered', 'failed') AND t.received_at < " CUTOFF)},
    /* Whoever wrote and got no conversation; the others go with theirs. */
    [RETENTION_THREADS] = {.days = 30,
                           FORGET("threads", "channel_threads", PAGE,
                                  "t.conversation_id IS NULL AND t.seen_at < " CUTOFF)},
    [RETENTION_ALERTS] = {.days = 90,
                          FORGET("alerts", "alerts", PAGE,
                                 "t.delivery <> 'pending' AND t.month < usage_month()"
                                 " AND t.created_at < " CUTOFF)},
    [RETENTION_SESSIONS] = {.days = 90,
                            FORGET("sessions", "user_sessions", PAGE,
                                   "t.access_until < now() AND t.created_at < " CUTOFF)},
};

const struct db_statement retention_count_tools = {
    "retention_count_tools",
    "SELECT last, count_tools(greatest(first, $3::date + 1), last + 1)"
    "  FROM (SELECT min(day) AS first, max(day) AS last"
    "          FROM (SELECT (created_at AT TIME ZONE 'UTC')::date AS day FROM tool_executions"
    "                 WHERE org_id = $1::uuid AND " ENDED " AND created_at < " CUTOFF
    "                 ORDER BY created_at LIMIT " PAGE ") page) days"
    " WHERE last > coalesce($3::date, '-infinity')",
    3};
