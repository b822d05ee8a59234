/* chat/store.h on a real PostgreSQL: who owns a job, and what is written once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "chat/store.h"
#include "schema_fixture.h"

#define ORG     "5eed0000-0000-4000-8000-0000000000a1"
#define OTHER   "5eed0000-0000-4000-8000-0000000000a2"
#define CLAIMED "claimedclaimedclaimedclaimedclai"
#define TAKEN   "takentakentakentakentakentakenta"
#define PROVEN  "provenprovenprovenprovenprovenpr"
#define RATED   "ratedratedratedratedratedratedra"
#define SESSION "abcdefghijklmnopqrstuvwxyz012345"

static struct pg_fixture pg;
static struct db *db;

struct work {
    struct job_entry entry;
    struct fd_chat_request request;
    struct store_job row;
    struct answer answer;
    struct buf data;
    char conversation[STORE_UUID_SIZE], question[STORE_UUID_SIZE], message[STORE_UUID_SIZE];
};

static struct work work_of(const char *job, int epoch, const char *owner)
{
    struct work w = {.entry = {.entry = "1-1",
                               .id = job,
                               .shard = "0",
                               .org = ORG,
                               .session = SESSION,
                               .request_id = "r",
                               .deadline_ms = 1700000300000,
                               .accepted_ms = 1700000000123,
                               .body = "{\"message\":\"Where?\",\"stream\":true}"},
                     .request = {.message = {"Where?", 6}, .stream = true},
                     .row = {.epoch = epoch, .owner = owner}};
    static struct chunk_set chunks;
    w.entry.body_len = strlen(w.entry.body);
    store_uuid(w.conversation, "conversation", ORG, SESSION);
    store_uuid(w.question, "question", job, "");
    store_uuid(w.message, "answer", job, "");
    w.answer = (struct answer){.end = ANSWER_DONE,
                               .stream = true,
                               .session = SESSION,
                               .message_id = w.message,
                               .text = "Here.",
                               .text_len = 5,
                               .model = "m1",
                               .routed = true,
                               .route = {.intent = "general_qa"},
                               .chunks = &chunks,
                               .attempt_count = 1};
    w.answer.attempts[0] =
        (struct answer_attempt){.provider = "p", .model = "m1", .usage = {100, 10, 0, 0, -1}};
    buf_init(&w.data, 65536);
    return w;
}

static const struct store_job *row_of(struct work *w)
{
    w->row.entry = &w->entry;
    w->row.request = &w->request;
    w->row.conversation_id = w->conversation;
    w->row.user_message_id = w->question;
    w->row.message_id = w->message;
    w->answer.message_id = w->message;
    return &w->row;
}

static enum store_claim claim(struct work *w)
{
    enum store_claim verdict;
    assert_int_equal(store_claim(db, row_of(w), &verdict), DB_OK);
    return verdict;
}

static enum store_claim save(struct work *w)
{
    enum store_claim verdict;
    assert_int_equal(store_save(db, row_of(w), &w->answer, &w->data, &verdict), DB_OK);
    return verdict;
}

static int count(const char *what, const char *job)
{
    char sql[256];
    snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s AND job_id = '%s'", what, job);
    return atoi(pg_do(&pg, sql));
}

#define J1 "0-00000000000000000000000000000001"
#define J2 "0-00000000000000000000000000000002"
#define J3 "0-00000000000000000000000000000003"
#define J4 "0-00000000000000000000000000000004"
#define J5 "0-00000000000000000000000000000005"

/* ENG-9: saved twice (the first commit's reply was lost), written and billed once. */
static void saved_once(void **state)
{
    (void)state;
    struct work w = work_of(J1, 1, "a t1");
    assert_int_equal(claim(&w), STORE_MINE);
    assert_int_equal(claim(&w), STORE_MINE);
    assert_int_equal(save(&w), STORE_MINE);
    assert_int_equal(save(&w), STORE_SAVED);
    assert_int_equal(count("messages WHERE role = 'assistant'", J1), 1);
    assert_int_equal(count("messages WHERE role = 'user'", J1), 1);
    assert_int_equal(count("usage_ledger WHERE true", J1), 1);
    assert_string_equal(pg_do(&pg, "SELECT message_count || ' ' || tokens_total || ' ' || title"
                                   "  FROM conversations WHERE session_id = '" SESSION "'"),
                        "2 110 Where?");
    assert_string_equal(pg_do(&pg, "SELECT conversation_count || ' ' || message_count || ' ' ||"
                                   " tokens_input FROM api_usage WHERE model_id = 'm1'"),
                        "1 1 100");
    assert_string_equal(pg_do(&pg, "SELECT cost_micro IS NULL FROM usage_ledger"), "t");
    buf_free(&w.data);
}

/* ENG-19: a zombie writes nothing once a later epoch owns the job. */
static void zombie_is_fenced(void **state)
{
    (void)state;
    struct work old = work_of(J2, 1, "a t1"), taker = work_of(J2, 2, "b t2");
    assert_int_equal(claim(&old), STORE_MINE);
    assert_int_equal(claim(&taker), STORE_MINE);
    assert_int_equal(claim(&old), STORE_LATER);
    old.answer.text = "stale";
    assert_int_equal(save(&old), STORE_LATER);
    assert_int_equal(count("messages WHERE role = 'assistant'", J2), 0);
    assert_int_equal(save(&taker), STORE_MINE);
    assert_int_equal(count("messages WHERE content = 'Here.'", J2), 1);
    assert_int_equal(count("usage_ledger WHERE epoch = 2", J2), 1);

    struct work same = work_of(J2, 2, "c t3"); /* the same epoch, another life */
    assert_int_equal(claim(&same), STORE_LATER);
    buf_free(&old.data);
    buf_free(&taker.data);
    buf_free(&same.data);
}

/* ENG-19: a take-over that finds the answer committed replays it. */
static void committed_answer_is_found(void **state)
{
    (void)state;
    struct work first = work_of(J3, 1, "a t1"), taker = work_of(J3, 2, "b t2");
    assert_int_equal(save(&first), STORE_MINE); /* without an early claim */
    assert_int_equal(claim(&taker), STORE_ANSWERED);
    assert_int_equal(count("messages WHERE content = 'Here.'", J3), 1);

    struct arena a;
    struct store_outcome outcome;
    bool found;
    arena_init(&a);
    assert_int_equal(store_outcome(db, &a, ORG, SESSION, J3, &outcome, &found), DB_OK);
    assert_true(found && outcome.terminal && outcome.stream);
    assert_int_equal(outcome.epoch, 2);
    assert_int_equal(outcome.event, FD_EVENT_DONE);
    assert_string_equal(outcome.text, "Here.");
    assert_int_equal(store_outcome(db, &a, ORG, "", J3, &outcome, &found), DB_OK);
    assert_true(found);
    /* not another session's, not another organisation's */
    assert_int_equal(store_outcome(db, &a, ORG, "zzz", J3, &outcome, &found), DB_OK);
    assert_false(found);
    assert_int_equal(store_outcome(db, &a, OTHER, "", J3, &outcome, &found), DB_OK);
    assert_false(found);
    arena_free(&a);
    buf_free(&first.data);
    buf_free(&taker.data);
}

static struct work work_in(const char *session, const char *job, int epoch, const char *owner)
{
    struct work w = work_of(job, epoch, owner);
    w.entry.session = session;
    store_uuid(w.conversation, "conversation", ORG, session);
    return w;
}

/* ENG-9, ENG-19: who has claimed saves without asking again, and is still fenced, told
 * of its own earlier commit, and able to save after a crash that took the claim away. */
static void claimed_save_is_fenced_too(void **state)
{
    (void)state;
    struct work w = work_in(CLAIMED, "0-00000000000000000000000000000011", 1, "a t1");
    assert_int_equal(claim(&w), STORE_MINE);
    w.row.claimed = true;
    assert_int_equal(save(&w), STORE_MINE);
    assert_int_equal(save(&w), STORE_SAVED);
    assert_int_equal(count("messages WHERE role = 'assistant'", w.entry.id), 1);
    assert_int_equal(count("usage_ledger WHERE true", w.entry.id), 1);

    struct work old = work_in(CLAIMED, "0-00000000000000000000000000000012", 1, "a t1");
    struct work taker = work_in(CLAIMED, old.entry.id, 2, "b t2");
    assert_int_equal(claim(&old), STORE_MINE);
    assert_int_equal(claim(&taker), STORE_MINE);
    old.row.claimed = taker.row.claimed = true;
    assert_int_equal(save(&old), STORE_LATER);
    assert_int_equal(count("messages WHERE role = 'assistant'", old.entry.id), 0);
    assert_int_equal(count("usage_ledger WHERE true", old.entry.id), 0);
    assert_int_equal(save(&taker), STORE_MINE);

    struct work lost = work_in(CLAIMED, "0-00000000000000000000000000000013", 1, "a t1");
    lost.row.claimed = true; /* but its row is gone */
    assert_int_equal(save(&lost), STORE_MINE);
    assert_int_equal(count("messages WHERE true", lost.entry.id), 2);
    buf_free(&w.data);
    buf_free(&old.data);
    buf_free(&taker.data);
    buf_free(&lost.data);
}

/* ENG-14: a person takes over while the answer is saved: it is saved cancelled, once, and what
 * is not ours any more ends, whoever has the conversation. */
static void taken_over_is_saved_once(void **state)
{
    (void)state;
    struct work w = work_in(TAKEN, "0-00000000000000000000000000000021", 1, "a t1");
    struct work old = work_in(TAKEN, "0-00000000000000000000000000000022", 1, "a t1");
    struct work taker = work_in(TAKEN, old.entry.id, 2, "b t2");
    assert_int_equal(claim(&w), STORE_MINE);
    assert_int_equal(claim(&old), STORE_MINE);
    assert_int_equal(claim(&taker), STORE_MINE);
    w.row.claimed = old.row.claimed = true;
    pg_do(&pg, "UPDATE conversations SET status = 'human' WHERE session_id = '" TAKEN "'");
    assert_int_equal(save(&w), STORE_HUMAN);
    assert_int_equal(count("messages WHERE role = 'assistant'", w.entry.id), 0);
    w.answer.end = old.answer.end = ANSWER_CANCELLED;
    w.answer.reason = old.answer.reason = "taken over";
    assert_int_equal(save(&w), STORE_MINE);
    assert_int_equal(save(&w), STORE_SAVED);
    assert_int_equal(count("messages WHERE role = 'assistant'", w.entry.id), 1);
    assert_int_equal(save(&old), STORE_LATER);
    old.answer.end = ANSWER_DONE;
    assert_int_equal(save(&old), STORE_LATER);
    assert_int_equal(count("messages WHERE role = 'assistant'", old.entry.id), 0);
    buf_free(&w.data);
    buf_free(&old.data);
    buf_free(&taker.data);
}

/* WID-5: who has proven who he is is not renamed by the body of a chat. */
static void proven_user_stays(void **state)
{
    (void)state;
    struct work w = work_in(PROVEN, "0-00000000000000000000000000000023", 1, "a t1");
    w.request.user_id = (struct fd_text){"somebody", 8};
    assert_int_equal(claim(&w), STORE_MINE);
    pg_do(&pg, "UPDATE conversations SET verified_id = 'u-1', user_identifier = 'u-1',"
               " verified_at = now() WHERE session_id = '" PROVEN "'");
    assert_int_equal(claim(&w), STORE_MINE);
    assert_string_equal(
        pg_do(&pg, "SELECT user_identifier FROM conversations WHERE session_id = '" PROVEN "'"),
        "u-1");
    buf_free(&w.data);
}

/* Every call of a model is billed, also when two of one job asked the same model. */
static void every_attempt_is_billed(void **state)
{
    (void)state;
    struct work w = work_in("attemptsattemptsattemptsattempts",
                            "0-00000000000000000000000000000014", 1, "a t1");
    for (size_t i = 0; i < 3; i++)
        w.answer.attempts[i] = (struct answer_attempt){.provider = "p",
                                                       .model = i == 1 ? "priced" : "twice",
                                                       .usage = {1000, 10, 0, 0, i == 2 ? 7 : -1}};
    w.answer.attempt_count = 3;
    assert_int_equal(save(&w), STORE_MINE);
    assert_string_equal(pg_do(&pg, "SELECT string_agg(attempt || ':' || coalesce(cost_micro, -1),"
                                   " ' ' ORDER BY attempt) FROM usage_ledger"
                                   " WHERE job_id = '0-00000000000000000000000000000014'"),
                        "0:-1 1:2040 2:7");
    assert_string_equal(
        pg_do(&pg, "SELECT string_agg(model_id || ' ' || conversation_count || message_count ||"
                   " ' ' || tokens_input || ' ' || cost_estimate, ', ' ORDER BY model_id)"
                   "  FROM api_usage WHERE model_id IN ('priced', 'twice')"),
        "priced 00 1000 2040, twice 11 2000 7");
    buf_free(&w.data);
}

static void dead_letter_keeps_its_body(void **state)
{
    (void)state;
    struct work w = work_of(J4, 4, "a t1");
    w.entry.body = "not \"json\" \x01";
    w.entry.body_len = strlen(w.entry.body);
    w.answer.end = ANSWER_DEAD;
    w.answer.problem = FD_PROBLEM_INTERNAL;
    w.answer.reason = "crashes";
    w.answer.text_len = 0;
    w.answer.attempt_count = 0;
    enum store_claim verdict;
    row_of(&w);
    w.row.request = NULL;
    assert_int_equal(store_save(db, &w.row, &w.answer, &w.data, &verdict), DB_OK);
    assert_string_equal(pg_do(&pg,
                              "SELECT state || ' ' || reason || ' ' || (body #>> '{}') FROM jobs"
                              " WHERE id = '" J4 "'"),
                        "dead crashes not \"json\" \x01");
    assert_string_equal(pg_do(&pg, "SELECT count(*) FROM platform_dead_jobs(10)"), "1");
    buf_free(&w.data);
}

static void dry_run_leaves_no_conversation(void **state)
{
    (void)state;
    struct work w = work_of(J5, 1, "a t1");
    w.entry.session = "dryrunsessiondryrunsessiondryrun";
    w.request.dry_run = w.answer.dry_run = true;
    w.answer.text_len = 0;
    assert_int_equal(save(&w), STORE_MINE);
    assert_string_equal(
        pg_do(&pg, "SELECT count(*) FROM conversations WHERE session_id LIKE 'dryrun%'"), "0");
    assert_int_equal(count("usage_ledger WHERE true", J5), 0);
    assert_string_equal(pg_do(&pg, "SELECT outcome->>'dry_run' FROM jobs WHERE id = '" J5 "'"),
                        "true");
    buf_free(&w.data);
}

static const char *score(const struct work *w)
{
    static char sql[256];
    snprintf(sql, sizeof(sql),
             "SELECT sentiment FROM messages WHERE role = 'user' AND job_id = '%s'", w->entry.id);
    return pg_do(&pg, sql);
}

static struct answer_sentiment rated(int score)
{
    return (struct answer_sentiment){
        .score = score,
        .by_model = true,
        .model = "priced",
        .attempt = {.provider = "p", .model = "priced", .usage = {200, 10, 0, 0, -1}}};
}

/* ENG-14: by rule from the claim on, by the model with the answer, which pays for it under its
 * kind; and by nobody whom a later epoch has overtaken. */
static void a_models_score_comes_with_the_answer(void **state)
{
    (void)state;
    struct work w = work_in(RATED, "0-00000000000000000000000000000041", 1, "a t1");
    w.row.sentiment = -1;
    assert_int_equal(claim(&w), STORE_MINE);
    assert_string_equal(score(&w), "-1");
    w.row.claimed = true;
    w.answer.sentiment = rated(-6);
    pg_do(&pg, "UPDATE conversations SET status = 'human' WHERE session_id = '" RATED "'");
    assert_int_equal(save(&w), STORE_HUMAN);
    assert_string_equal(score(&w), "-1"); /* no answer, no score */
    pg_do(&pg, "UPDATE conversations SET status = 'active' WHERE session_id = '" RATED "'");
    assert_int_equal(save(&w), STORE_MINE);
    assert_int_equal(save(&w), STORE_SAVED);
    assert_string_equal(score(&w), "-6");
    assert_string_equal(pg_do(&pg,
                              "SELECT string_agg(kind || ' ' || cost_micro || ' ' || epoch, ',')"
                              "  FROM usage_ledger WHERE job_id ="
                              "   'sentiment:0-00000000000000000000000000000041'"),
                        "sentiment 440 1");
    assert_int_equal(count("usage_ledger WHERE kind = 'chat'", w.entry.id), 1);
    assert_int_equal(w.answer.sentiment.attempt.cost_micro, 440);

    struct work late = work_in(RATED, "0-00000000000000000000000000000042", 1, "a t1");
    assert_int_equal(claim(&late), STORE_MINE);
    late.answer.sentiment = rated(-6);
    late.answer.sentiment.by_model = false; /* it was asked, in vain */
    assert_int_equal(save(&late), STORE_MINE);
    assert_string_equal(score(&late), "0");
    assert_int_equal(count("usage_ledger WHERE kind = 'sentiment'",
                           "sentiment:0-00000000000000000000000000000042"),
                     1);

    struct work old = work_in(RATED, "0-00000000000000000000000000000043", 1, "a t1");
    struct work taker = work_in(RATED, old.entry.id, 2, "b t2");
    assert_int_equal(claim(&old), STORE_MINE);
    assert_int_equal(claim(&taker), STORE_MINE);
    old.row.claimed = true;
    old.answer.sentiment = rated(9);
    assert_int_equal(save(&old), STORE_LATER);
    assert_string_equal(score(&old), "0");
    assert_int_equal(save(&taker), STORE_MINE);
    buf_free(&w.data);
    buf_free(&late.data);
    buf_free(&old.data);
    buf_free(&taker.data);
}

/* ENG-7: the conversation so far, but not the question that is being answered. */
static void history_and_pages(void **state)
{
    (void)state;
    struct arena a;
    struct llm_message *messages;
    size_t n;
    struct route_last last;
    bool ended, human;
    arena_init(&a);
    assert_int_equal(
        store_history(db, &a, ORG, SESSION, J3, 20, &messages, &n, &last, &ended, &human), DB_OK);
    assert_int_equal(n, 4);                    /* J1 and J2 */
    assert_true(last.known && last.at_ms > 0); /* ENG-2: how the latest answer was routed */
    assert_int_equal(messages[0].role, LLM_USER);
    assert_false(ended);
    assert_int_equal(
        store_history(db, &a, OTHER, SESSION, J3, 20, &messages, &n, &last, &ended, &human), DB_OK);
    assert_int_equal(n, 0);

    char cursor[256] = "";
    int seen = 0, pages = 0;
    do {
        struct buf out;
        enum store_page page;
        struct fd_json_fault fault;
        buf_init(&out, 1 << 20);
        assert_int_equal(
            store_history_page(db, ORG, SESSION, 4, *cursor ? cursor : NULL, &out, &page), DB_OK);
        assert_int_equal(page, STORE_PAGE_OK);
        const struct fd_json *json = fd_json_parse(out.data, out.len, (struct fd_json_limits){0},
                                                   arena_allocator(&a), &fault);
        seen += (int)fd_json_get(json, "messages")->count;
        const char *next = fd_json_string(json, "next_cursor");
        snprintf(cursor, sizeof(cursor), "%s", next != NULL ? next : "");
        buf_free(&out);
        pages++;
    } while (*cursor != '\0');
    assert_int_equal(seen, 6);
    assert_int_equal(pages, 2);

    static const char *const bad[] = {"x", "!!", "MTIz", "MSAxMjM"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct buf out;
        enum store_page page;
        buf_init(&out, 1 << 20);
        assert_int_equal(store_history_page(db, ORG, SESSION, 4, bad[i], &out, &page), DB_OK);
        assert_int_equal(page, STORE_PAGE_BAD_CURSOR);
        buf_free(&out);
    }
    arena_free(&a);
}

static void ended_session_takes_no_message(void **state)
{
    (void)state;
    struct work w = work_of("0-00000000000000000000000000000006", 1, "a t1");
    struct arena a;
    struct llm_message *messages;
    size_t n;
    struct route_last last;
    bool ended, human;
    const char *facts;
    arena_init(&a);
    assert_int_equal(store_end_session(db, &a, ORG, SESSION, w.conversation, &facts), DB_OK);
    assert_non_null(strstr(facts, "\"status\": \"ended\""));
    assert_int_equal(store_end_session(db, &a, ORG, SESSION, w.conversation, &facts), DB_OK);
    assert_int_equal(claim(&w), STORE_ENDED);
    assert_int_equal(count("messages WHERE true", w.entry.id), 0);
    assert_int_equal(
        store_history(db, &a, ORG, SESSION, "", 20, &messages, &n, &last, &ended, &human), DB_OK);
    assert_true(ended);
    arena_free(&a);
    buf_free(&w.data);
}

static int setup(void **state)
{
    (void)state;
    if (!schema_start(&pg))
        return -1;
    pg_do(&pg, "INSERT INTO organizations (id, name) VALUES ('" ORG "', 'a'), ('" OTHER "', 'b')");
    pg_do(&pg, "INSERT INTO model_catalog (model_id, provider, name) VALUES ('priced', 'p', 'P');"
               "INSERT INTO model_prices VALUES ('priced', '2020-01-01', 2000000, 4000000)");
    db = db_new(pg.app, "test");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    db_free(db);
    pg_end(&pg);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(saved_once),
        cmocka_unit_test(zombie_is_fenced),
        cmocka_unit_test(committed_answer_is_found),
        cmocka_unit_test(claimed_save_is_fenced_too),
        cmocka_unit_test(taken_over_is_saved_once),
        cmocka_unit_test(proven_user_stays),
        cmocka_unit_test(every_attempt_is_billed),
        cmocka_unit_test(dead_letter_keeps_its_body),
        cmocka_unit_test(dry_run_leaves_no_conversation),
        cmocka_unit_test(a_models_score_comes_with_the_answer),
        cmocka_unit_test(history_and_pages),
        cmocka_unit_test(ended_session_takes_no_message),
    };
    return cmocka_run_group_tests_name("job store", tests, setup, teardown);
}
