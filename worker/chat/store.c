#include "chat/store.h"

#include "chat/prices.h"
#include "protocol/ids.h"
#include "tenant/gap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TITLE_MAX 80 /* bytes of the first message */

/* One statement, so that the worker's early word to PostgreSQL is one round trip. A
 * dry run has no conversation. created_at comes from the acceptance, so that a
 * repeated message meets itself. */
static const struct db_statement claim_statement = {
    "job_claim",
    "WITH t AS ("
    "  SELECT timestamptz 'epoch' + $8::bigint * interval '1 millisecond' AS accepted"
    "), c AS ("
    "  INSERT INTO conversations (id, org_id, session_id, user_identifier, title, language,"
    "                             page_url, started_at, channel)"
    "  SELECT $2::uuid, $1::uuid, $3::text, $4::text, $5::text, $6::text, $7::text, accepted,"
    "         coalesce($18::text, 'widget')"
    "    FROM t WHERE $2::uuid IS NOT NULL"
    "  ON CONFLICT (org_id, session_id) DO UPDATE SET updated_at = now(),"
    "    user_identifier = CASE WHEN conversations.verified_id IS NOT NULL"
    "      THEN conversations.user_identifier"
    "      ELSE coalesce(EXCLUDED.user_identifier, conversations.user_identifier) END,"
    "    title = CASE WHEN conversations.title = '' THEN EXCLUDED.title"
    "                 ELSE conversations.title END,"
    "    language = coalesce(conversations.language, EXCLUDED.language),"
    "    page_url = coalesce(conversations.page_url, EXCLUDED.page_url)"
    "  RETURNING id, status,"
    "    CASE WHEN xmax = 0 THEN conversation_facts(conversations) END AS facts" /* it is new */
    "), j AS ("
    "  INSERT INTO jobs (id, org_id, session_id, conversation_id, epoch, owner, request_id,"
    "                    key_id, body, accepted_at)"
    "  SELECT $9::text, $1::uuid, $3::text, (SELECT id FROM c), $10::int, $11::text, $12::text,"
    "         $13::uuid, $14::jsonb, accepted FROM t"
    "  ON CONFLICT (id) DO UPDATE SET epoch = EXCLUDED.epoch, owner = EXCLUDED.owner"
    "   WHERE jobs.epoch < EXCLUDED.epoch"
    "      OR (jobs.epoch = EXCLUDED.epoch AND jobs.owner = EXCLUDED.owner)"
    "  RETURNING state"
    "), m AS ("
    "  INSERT INTO messages (id, org_id, conversation_id, role, content, job_id,"
    "                        client_message_id, created_at, sentiment)"
    "  SELECT $15::uuid, $1::uuid, c.id, 'user', $16::text, $9::text, $17::text, accepted,"
    "         $19::smallint"
    "    FROM t, c, j"
    "   WHERE $16::text IS NOT NULL AND j.state = 'running' AND c.status <> 'ended'"
    "  ON CONFLICT DO NOTHING"
    ") SELECT (SELECT state FROM j), (SELECT status FROM c),"
    "         EXISTS (SELECT FROM jobs WHERE id = $9::text AND epoch = $10::int"
    "                    AND owner = $11::text)," /* before this statement */
    "         (SELECT facts FROM c)",
    19};

/* The answer, what it cost and the counters in one statement: all or nothing, in one
 * round trip. No row of jobs, nothing at all: the job is not ours, or not any more. */
#define FINISH(rated)                                                                              \
    "WITH p AS (" /* who takes the conversation over comes before this, or after it */             \
    "  SELECT c.status FROM jobs j JOIN conversations c"                                           \
    "      ON c.org_id = j.org_id AND c.id = j.conversation_id"                                    \
    "   WHERE j.id = $2::text AND j.org_id = $1::uuid AND j.epoch = $3::int"                       \
    "     AND j.owner = $4::text AND j.state = 'running' FOR NO KEY UPDATE OF c"                   \
    "), j AS ("                                                                                    \
    "  UPDATE jobs SET state = $5::text, outcome = $6::jsonb, reason = $7::text,"                  \
    "                  finished_at = now()"                                                        \
    "   WHERE id = $2::text AND org_id = $1::uuid AND epoch = $3::int AND owner = $4::text"        \
    "     AND state = 'running'"                                                                   \
    "     AND ($19::boolean OR NOT EXISTS"                                                         \
    "          (SELECT FROM p WHERE status IN ('waiting_human', 'human')))"                        \
    "  RETURNING id, epoch, conversation_id, accepted_at"                                          \
    "), m AS ("                                                                                    \
    "  INSERT INTO messages (id, org_id, conversation_id, role, content, status, model_id,"        \
    "                        citations, route, tokens_used, tool_calls, job_id, created_at,"       \
    "                        finished_at, gap)"                                                    \
    "  SELECT $8::uuid, $1::uuid, conversation_id, 'assistant', $9::text, $10::text, $11::text,"   \
    "         $12::jsonb, $13::jsonb, $14::int, $17::jsonb, id,"                                   \
    "         accepted_at + interval '1 microsecond', now(), $20::int[]"                           \
    "    FROM j WHERE conversation_id IS NOT NULL AND $9::text <> ''"                              \
    "  ON CONFLICT (job_id, role, created_at) DO UPDATE SET content = EXCLUDED.content,"           \
    "    status = EXCLUDED.status, model_id = EXCLUDED.model_id, citations = EXCLUDED.citations,"  \
    "    route = EXCLUDED.route, tokens_used = EXCLUDED.tokens_used,"                              \
    "    tool_calls = EXCLUDED.tool_calls, gap = EXCLUDED.gap, finished_at = now()"                \
    "), c AS ("                                                                                    \
    "  UPDATE conversations SET message_count = message_count + $15::int,"                         \
    "         tokens_total = tokens_total + $14::int, model_id = coalesce($11::text, model_id),"   \
    "         model_name = coalesce((SELECT name FROM model_catalog WHERE model_id = $11::text),"  \
    "                               $11::text, model_name), updated_at = now()"                    \
    "   WHERE id = (SELECT conversation_id FROM j) AND org_id = $1::uuid"                          \
    "  RETURNING message_count - $15::int AS before, status, channel,"                             \
    "    conversation_facts(conversations) AS facts"                                               \
    "), a AS ("                                                                                    \
    "  SELECT * FROM jsonb_to_recordset($16::jsonb) AS a (attempt int, last boolean,"              \
    "    kind text, provider text, model text, input bigint, output bigint, cache_read bigint,"    \
    "    cache_write bigint, cost bigint, estimated boolean, paid boolean, own boolean)"           \
    "), l AS ("                                                                                    \
    "  INSERT INTO usage_ledger (org_id, conversation_id, job_id, epoch, attempt, kind, provider," \
    "    model_id, tokens_input, tokens_output, tokens_cache_read, tokens_cache_write,"            \
    "    cost_micro, estimated, user_ref, own_key)"                                                \
    "  SELECT $1::uuid, conversation_id, CASE kind WHEN 'chat' THEN id ELSE kind || ':' || id "    \
    "END,"                                                                                         \
    "         epoch, attempt, kind, provider, model, input, output, cache_read, cache_write, "     \
    "cost,"                                                                                        \
    "         estimated, $18::text, own FROM j, a"                                                 \
    "  ON CONFLICT (job_id, epoch, attempt) DO NOTHING"                                            \
    "), u AS ("                                                                                    \
    "  INSERT INTO api_usage AS u (org_id, date, model_id, conversation_count, message_count,"     \
    "                              tokens_input, tokens_output, cost_estimate, own_cost,"          \
    "                              unpriced_calls, tool_calls_count)"                              \
    "  SELECT $1::uuid, (now() AT TIME ZONE 'UTC')::date, model,"                                  \
    "         (bool_or(last) AND EXISTS (SELECT FROM c WHERE before = 0 AND channel <> "           \
    "'test'))::int,"                                                                               \
    "         (bool_or(last) AND NOT EXISTS (SELECT FROM c WHERE channel = 'test'))::int,"         \
    "         sum(input + cache_read + cache_write), sum(output),"                                 \
    "         coalesce(sum(cost), 0), coalesce(sum(cost) FILTER (WHERE own), 0),"                  \
    "         count(*) FILTER (WHERE paid AND cost IS NULL),"                                      \
    "         CASE WHEN bool_or(last) THEN coalesce(jsonb_array_length($17::jsonb), 0) ELSE 0 END" \
    "    FROM j, a GROUP BY model ORDER BY model" /* in one order, against deadlocks */            \
    "  ON CONFLICT (org_id, date, model_id) DO UPDATE SET"                                         \
    "    conversation_count = u.conversation_count + EXCLUDED.conversation_count,"                 \
    "    message_count = u.message_count + EXCLUDED.message_count,"                                \
    "    tokens_input = u.tokens_input + EXCLUDED.tokens_input,"                                   \
    "    tokens_output = u.tokens_output + EXCLUDED.tokens_output,"                                \
    "    cost_estimate = u.cost_estimate + EXCLUDED.cost_estimate,"                                \
    "    own_cost = u.own_cost + EXCLUDED.own_cost,"                                               \
    "    unpriced_calls = u.unpriced_calls + EXCLUDED.unpriced_calls,"                             \
    "    tool_calls_count = u.tool_calls_count + EXCLUDED.tool_calls_count"                        \
    "), r AS (" /* what it held is spent now, or free again */                                     \
    "  DELETE FROM budget_reservations WHERE org_id = $1::uuid AND job_id = (SELECT id FROM j)"    \
    ")" rated " SELECT (SELECT count(*) FROM j), (SELECT status FROM c), (SELECT status FROM p),"  \
    "         (SELECT facts FROM c)"
static const struct db_statement finish_statement = {"job_finish", FINISH(""), 20};
/* What a model made of the message, in place of the rule's word. It is a statement of its own, as
 * the messages' partitions need not be looked at for answers that nobody rated. */
static const struct db_statement finish_rated_statement = {
    "job_finish_rated",
    FINISH(", s AS ("
           "  UPDATE messages SET sentiment = $21::smallint"
           "   WHERE EXISTS (SELECT FROM j) AND org_id = $1::uuid"
           "     AND job_id = $2::text AND role = 'user'"
           "     AND created_at = timestamptz 'epoch' + $22::bigint * interval '1 millisecond')"),
    22};

void store_uuid(char out[STORE_UUID_SIZE], const char *kind, const char *a, const char *b)
{
    char text[256];
    char hex[FD_SHA256_HEX_SIZE];
    int len = snprintf(text, sizeof(text), "frontdesk %s %s %s", kind, a, b);
    fd_sha256_hex(hex, text, (size_t)len < sizeof(text) ? (size_t)len : sizeof(text) - 1);
    hex[12] = '8';                                 /* RFC 9562: version 8, */
    hex[16] = "89ab"[(unsigned char)hex[16] & 3u]; /* variant 10 */
    snprintf(out, STORE_UUID_SIZE, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16,
             hex + 20);
}

/* The first line of the first message names the conversation in lists. */
static const char *title_of(struct arena *a, const struct fd_text *message)
{
    size_t len = 0;
    while (len < message->len && len < TITLE_MAX && (unsigned char)message->s[len] >= ' ')
        len++;
    while (len > 0 && len < message->len && ((unsigned char)message->s[len] & 0xc0) == 0x80)
        len--;
    return arena_strndup(a, message->s, len);
}

/* A body that cannot be read is kept as a JSON string. */
static const char *body_of(struct arena *a, const struct store_job *job)
{
    if (job->request != NULL)
        return job->entry->body;
    struct buf out;
    struct fd_json_writer w;
    buf_init(&out, job->entry->body_len * 6 + 16);
    buf_json(&out, &w);
    fd_jw_string(&w, job->entry->body, job->entry->body_len);
    const char *json = buf_json_end(&out, &w) ? arena_strndup(a, out.data, out.len) : "null";
    buf_free(&out);
    return json;
}

static enum store_claim verdict(const PGresult *result)
{
    const char *state = db_text(result, 0, 0);
    const char *status = db_text(result, 0, 1);
    if (state == NULL)
        return STORE_LATER;
    if (strcmp(state, "running") != 0)
        return db_true(result, 0, 2) ? STORE_SAVED : STORE_ANSWERED;
    if (status != NULL && strcmp(status, "ended") == 0)
        return STORE_ENDED;
    return store_is_human(status) ? STORE_HUMAN : STORE_MINE;
}

/* What the organisation's dashboards are told once this is committed. */
static void keep_facts(const struct store_job *job, const PGresult *result, int column)
{
    const char *facts = db_text(result, 0, column);
    if (job->facts == NULL || facts == NULL)
        return;
    buf_reset(job->facts);
    buf_puts(job->facts, facts);
}

/* Unhurried: until the answer is committed, Redis holds the question, and a row that a
 * crash took away is claimed again by the save. */
enum db_status store_claim(struct db *db, const struct store_job *job, enum store_claim *claim)
{
    const struct job_entry *entry = job->entry;
    const struct fd_chat_request *request = job->request;
    bool apart = job->apart || (request != NULL && request->dry_run);
    struct arena a;
    arena_init(&a);
    char epoch[DB_NUMBER_SIZE], accepted[DB_NUMBER_SIZE], sentiment[DB_NUMBER_SIZE];
    const char *params[] = {
        entry->org,
        apart ? NULL : job->conversation_id,
        entry->session,
        request != NULL ? request->user_id.s : NULL,
        request != NULL ? title_of(&a, &request->message) : "",
        job->language,
        request != NULL ? request->page_url.s : NULL,
        db_number(accepted, entry->accepted_ms),
        entry->id,
        db_number(epoch, job->epoch),
        job->owner,
        entry->request_id,
        entry->key_id,
        body_of(&a, job),
        job->user_message_id,
        request != NULL ? request->message.s : NULL,
        request != NULL ? request->client_message_id.s : NULL,
        job->channel,
        request != NULL ? db_number(sentiment, job->sentiment) : NULL,
    };
    PGresult *result;
    enum db_status status = db_query_unhurried(db, entry->org, &claim_statement, params, &result);
    if (status == DB_OK) {
        *claim = verdict(result);
        keep_facts(job, result, 3);
        PQclear(result);
    }
    arena_free(&a);
    return status;
}

static int64_t clamp_int(int64_t value)
{
    return value < 0 ? 0 : value > INT32_MAX ? INT32_MAX : value;
}

static void write_attempt(struct fd_json_writer *w, const char *kind,
                          const struct answer_attempt *attempt, size_t n, bool last)
{
    fd_jw_object(w);
    fd_jw_member_int(w, "attempt", (int64_t)n);
    fd_jw_member_bool(w, "last", last);
    fd_jw_member(w, "kind", kind);
    fd_jw_member(w, "provider", attempt->provider);
    fd_jw_member(w, "model", attempt->model);
    fd_jw_member_int(w, "input", clamp_int(attempt->usage.input));
    fd_jw_member_int(w, "output", clamp_int(attempt->usage.output));
    fd_jw_member_int(w, "cache_read", clamp_int(attempt->usage.cache_read));
    fd_jw_member_int(w, "cache_write", clamp_int(attempt->usage.cache_write));
    if (attempt->cost_micro >= 0)
        fd_jw_member_int(w, "cost", attempt->cost_micro);
    fd_jw_member_bool(w, "estimated", attempt->estimated);
    fd_jw_member_bool(w, "paid", price_is_due(attempt->provider));
    fd_jw_member_bool(w, "own", attempt->own_key);
    fd_jw_end_object(w);
}

/* For the ledger; a dry run's attempt is a price, not a purchase. */
static bool attempts_json(const struct answer *answer, struct buf *out)
{
    size_t count = answer->dry_run ? 0 : answer->attempt_count;
    const struct answer_attempt *sentiment = &answer->sentiment.attempt;
    struct fd_json_writer w;
    buf_json(out, &w);
    fd_jw_array(&w);
    for (size_t i = 0; i < count; i++)
        write_attempt(&w, "chat", &answer->attempts[i], i, i + 1 == count);
    if (sentiment->provider != NULL)
        write_attempt(&w, "sentiment", sentiment, 0, false);
    fd_jw_end_array(&w);
    return buf_json_end(out, &w);
}

static int64_t tokens_of(const struct answer *answer)
{
    int64_t sum = 0;
    for (size_t i = 0; i < answer->attempt_count; i++) {
        const struct llm_usage *usage = &answer->attempts[i].usage;
        sum += usage->input + usage->output + usage->cache_read + usage->cache_write;
    }
    return clamp_int(sum);
}

/* The words of a question that the sources had nothing on; NULL: they had, or it was none. */
static const char *gap_text(char out[GAP_TEXT_SIZE + 2], const struct store_job *job,
                            const struct answer *answer)
{
    char words[GAP_TEXT_SIZE];
    struct gap gap;
    if (answer->ungrounded == NULL || job->request == NULL)
        return NULL;
    gap_of(&gap, job->request->message.s, job->request->message.len);
    if (gap.count == 0)
        return NULL;
    gap_write(&gap, words);
    snprintf(out, GAP_TEXT_SIZE + 2, "{%s}", words);
    return out;
}

/* *claim LATER: no row was ours. */
static enum db_status finish(struct db *db, const struct store_job *job,
                             const struct answer *answer, const char *outcome,
                             enum store_claim *claim)
{
    bool asked = job->request != NULL && *claim != STORE_ENDED;
    char n[5][DB_NUMBER_SIZE], gap[GAP_TEXT_SIZE + 2];
    struct buf route, citations, attempts, calls;
    buf_init(&route, 65536);
    buf_init(&citations, 65536);
    buf_init(&attempts, 65536);
    buf_init(&calls, 65536);
    bool has_calls = answer->call_count > 0 && answer_calls_json(answer, &calls);
    bool has_route = answer->routed && answer_route_json(answer, &route);
    bool has_citations = answer_citations_json(answer, &citations);
    const char *text = answer->text_len > 0 ? answer->text : "";
    const char *params[] = {
        job->entry->org,
        job->entry->id,
        db_number(n[0], job->epoch),
        job->owner,
        answer_state(answer),
        outcome,
        answer->reason,
        job->message_id,
        text,
        answer_message_status(answer),
        answer->model,
        has_citations ? citations.data : NULL,
        has_route ? route.data : NULL,
        db_number(n[1], tokens_of(answer)),
        db_number(n[2], asked + (*text != '\0')),
        attempts_json(answer, &attempts) ? attempts.data : "[]",
        has_calls ? calls.data : NULL,
        job->request != NULL ? job->request->user_id.s : NULL,
        answer->end != ANSWER_DONE || answer->to_person ? "true" : "false",
        gap_text(gap, job, answer),
        db_number(n[3], answer->sentiment.score), /* finish_rated_statement's, as the next */
        db_number(n[4], job->entry->accepted_ms),
    };
    PGresult *result;
    enum db_status status = db_query_unhurried(
        db, job->entry->org,
        answer->sentiment.by_model ? &finish_rated_statement : &finish_statement, params, &result);
    if (status == DB_OK) {
        const char *conversation = db_text(result, 0, 1);
        *claim = STORE_MINE;
        if (db_int(result, 0, 0, 0) == 0)
            *claim = store_is_human(db_text(result, 0, 2)) ? STORE_HUMAN : STORE_LATER;
        else if (conversation != NULL && strcmp(conversation, "ended") == 0)
            *claim = STORE_ENDED;
        keep_facts(job, result, 3);
        PQclear(result);
    }
    buf_free(&route);
    buf_free(&citations);
    buf_free(&attempts);
    buf_free(&calls);
    return status;
}

static enum db_status save(struct db *db, const struct store_job *job, const struct answer *answer,
                           const char *outcome, enum store_claim *claim)
{
    if (job->claimed) {
        *claim = STORE_MINE;
        enum db_status status = finish(db, job, answer, outcome, claim);
        if (status != DB_OK || *claim != STORE_LATER)
            return status;
    }
    /* Not claimed yet, lost to another, or saved by a call whose reply was lost. */
    enum db_status status = store_claim(db, job, claim);
    if (status == DB_OK && (*claim == STORE_MINE || *claim == STORE_ENDED || *claim == STORE_HUMAN))
        status = finish(db, job, answer, outcome, claim);
    return status;
}

/* All answers of a day count in one row of api_usage: with its lock held while the disk
 * writes, an organisation would get one answer a write. */
enum db_status store_save(struct db *db, const struct store_job *job, struct answer *answer,
                          struct buf *data, enum store_claim *claim)
{
    for (size_t i = 0; i < answer->attempt_count; i++) {
        enum db_status status = prices_charge(db, &answer->attempts[i]);
        if (status != DB_OK)
            return status;
    }
    if (answer->sentiment.attempt.provider != NULL) {
        enum db_status status = prices_charge(db, &answer->sentiment.attempt);
        if (status != DB_OK)
            return status;
    }
    buf_reset(data);
    if (!answer_data(answer, data))
        return DB_FAILED;

    enum db_status status = save(db, job, answer, data->data, claim);
    return status == DB_OK ? db_settle(db) : status;
}
