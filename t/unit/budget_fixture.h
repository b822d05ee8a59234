/* An organisation with a priced model on a real PostgreSQL, its caps, and jobs that end,
 * for the tests of chat/budget.h. */
#ifndef T_UNIT_BUDGET_FIXTURE_H
#define T_UNIT_BUDGET_FIXTURE_H

#include "chat/budget.h"
#include "chat/store.h"
#include "schema_fixture.h"
#include "tenant/plan.h"

#define ORG     "5eed0000-0000-4000-8000-0000000000a1"
#define OTHER   "5eed0000-0000-4000-8000-0000000000a2"
#define SESSION "abcdefghijklmnopqrstuvwxyz012345"

/* Micro-dollars a token: 1 to read, 10 to write. A prompt of 0 reserves 64 tokens. */
#define MODEL      "priced"
#define MAX_TOKENS 100
#define WORST      1064

static struct pg_fixture pg;
static struct db *db;

static inline int set_up(void **state)
{
    (void)state;
    if (!schema_start(&pg))
        return -1;
    db = db_new(pg.app, "test");
    pg_do(&pg, "INSERT INTO organizations (id, name, plan_type) VALUES ('" ORG
               "', 'Shop', 'starter'), ('" OTHER "', 'Other', 'starter');"
               "INSERT INTO model_catalog (model_id, provider, name) VALUES ('" MODEL
               "', 'openai', 'Priced');"
               "INSERT INTO model_prices VALUES ('" MODEL
               "', '2020-01-01', 1000000, 10000000, NULL, NULL)");
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    db_free(db);
    pg_end(&pg);
    return 0;
}

/* Nothing was spent, held, capped or told. */
static inline int afresh(void **state)
{
    (void)state;
    pg_do(&pg, "TRUNCATE budget_reservations, api_usage, usage_ledger, alerts, org_ai_settings;"
               "DELETE FROM jobs; DELETE FROM conversations;"
               "UPDATE organizations SET plan_type = 'starter', limits = '{}'");
    return 0;
}

static inline void cap(const char *org, const char *monthly, const char *session, const char *user)
{
    struct budget_change change = {.monthly = monthly, .session = session, .user = user};
    assert_int_equal(budget_set(db, org, &change), DB_OK);
}

static inline struct budget_ask ask_of(const char *job)
{
    return (struct budget_ask){.org = ORG,
                               .job = job,
                               .epoch = 1,
                               .owner = "w t",
                               .session = SESSION,
                               .conversation_id = "00000000-0000-4000-8000-000000000001",
                               .life_ms = 300000,
                               .provider = "openai",
                               .model = MODEL,
                               .max_tokens = MAX_TOKENS};
}

static inline struct budget_word reserve(struct budget_ask ask)
{
    struct budget_word word;
    assert_int_equal(budget_reserve(db, &ask, &word), DB_OK);
    return word;
}

static inline void assert_verdict(struct budget_ask ask, enum budget_verdict verdict)
{
    assert_string_equal(budget_verdict_name(reserve(ask).verdict), budget_verdict_name(verdict));
}

static inline const char *held(void)
{
    return pg_do(&pg, "SELECT coalesce(sum(amount_micro), 0) FROM budget_reservations");
}

/* A job that ends; `output` tokens, or -1: no call was made. */
struct ending {
    struct job_entry entry;
    struct fd_chat_request request;
    struct store_job row;
    struct answer answer;
    struct chunk_set chunks;
    char conversation[STORE_UUID_SIZE], question[STORE_UUID_SIZE], message[STORE_UUID_SIZE];
};

static inline enum db_status end_job(struct db *with, const char *job, const char *session,
                                     const char *user, enum answer_end how, int64_t output)
{
    struct ending e = {.entry = {.entry = "1-1",
                                 .id = job,
                                 .shard = "0",
                                 .org = ORG,
                                 .session = session,
                                 .accepted_ms = 1700000000123,
                                 .body = "{}",
                                 .body_len = 2},
                       .request = {.message = {"?", 1}, .user_id = {user, user != NULL ? 1 : 0}}};
    struct buf data;
    enum store_claim verdict;

    store_uuid(e.conversation, "conversation", ORG, session);
    store_uuid(e.question, "question", job, "");
    store_uuid(e.message, "answer", job, "");
    e.row = (struct store_job){.entry = &e.entry,
                               .request = &e.request,
                               .epoch = 1,
                               .owner = "w t",
                               .conversation_id = e.conversation,
                               .user_message_id = e.question,
                               .message_id = e.message};
    e.answer = (struct answer){.end = how,
                               .problem = FD_PROBLEM_PROVIDER,
                               .session = session,
                               .message_id = e.message,
                               .text = output > 0 ? "Here." : "",
                               .text_len = output > 0 ? 5 : 0,
                               .model = MODEL,
                               .routed = true,
                               .route = {.intent = "general_qa"},
                               .chunks = &e.chunks,
                               .attempt_count = output >= 0};
    e.answer.attempts[0] = (struct answer_attempt){
        .provider = "openai", .model = MODEL, .usage = {.output = output, .cost_micro = -1}};
    buf_init(&data, 65536);
    enum db_status status = store_save(with, &e.row, &e.answer, &data, &verdict);
    buf_free(&data);
    return status == DB_OK && verdict != STORE_MINE ? DB_FAILED : status;
}

static inline void ended(const char *job, enum answer_end how, int64_t output)
{
    assert_int_equal(end_job(db, job, SESSION, NULL, how, output), DB_OK);
}

#endif
