/* chat/execution.h, chat/approval.h, chat/decision.h on a real PostgreSQL: a call of a tool
 * happens at most once, whoever asks and whoever dies.  ENG-10, ENG-19 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "chat/approval.h"
#include "chat/decision.h"
#include "protocol/ids.h"
#include "schema_fixture.h"

#define ORG     "5eed0000-0000-4000-8000-0000000000a1"
#define OTHER   "5eed0000-0000-4000-8000-0000000000a2"
#define SESSION "abcdefghijklmnopqrstuvwxyz012345"
#define LATER   4102444800000 /* 2100 */

static struct pg_fixture pg;
static struct db *db;
static struct arena arena;

struct work {
    struct job_entry entry;
    struct fd_chat_request request;
    struct store_job row;
    char job[FD_JOB_ID_SIZE];
    char conversation[STORE_UUID_SIZE], question[STORE_UUID_SIZE], message[STORE_UUID_SIZE];
    char call[STORE_UUID_SIZE];
};

static void prepare(struct work *w, unsigned job, int epoch, const char *owner)
{
    *w = (struct work){.entry = {.entry = "1-1",
                                 .shard = "0",
                                 .org = ORG,
                                 .session = SESSION,
                                 .request_id = "r",
                                 .deadline_ms = LATER,
                                 .accepted_ms = 1700000000123,
                                 .body = "{\"message\":\"Book\",\"stream\":true}"},
                       .request = {.message = {"Book", 4}, .stream = true},
                       .row = {.epoch = epoch, .owner = owner, .language = "en"}};
    snprintf(w->job, sizeof(w->job), "0-%032x", job);
    store_uuid(w->conversation, "conversation", ORG, SESSION);
    store_uuid(w->question, "question", w->job, "");
    store_uuid(w->message, "answer", w->job, "");
    execution_uuid(w->call, w->job, "c_1");
    w->entry.id = w->job;
    w->entry.body_len = strlen(w->entry.body);
    w->row.entry = &w->entry;
    w->row.request = &w->request;
    w->row.conversation_id = w->conversation;
    w->row.user_message_id = w->question;
    w->row.message_id = w->message;
}

static enum store_claim claim(struct work *w)
{
    enum store_claim verdict;
    assert_int_equal(store_claim(db, &w->row, &verdict), DB_OK);
    return verdict;
}

static struct execution begin(const struct work *w, enum tool_risk risk,
                              enum execution_status status)
{
    struct execution_call call = {.id = w->call,
                                  .call_id = "c_1",
                                  .tool = "book",
                                  .risk = risk,
                                  .arguments = "{\"day\":\"friday\"}",
                                  .status = status,
                                  .summary = "Books it.\nday: friday",
                                  .expires_ms = LATER};
    struct execution execution;
    assert_int_equal(execution_begin(db, &arena, &w->row, &call, &execution), DB_OK);
    return execution;
}

static void end(const struct work *w, enum execution_status status, const char *response)
{
    struct execution_end how = {
        .status = status, .response = response, .response_len = strlen(response), .ms = 5};
    struct execution stands;
    assert_int_equal(execution_end(db, &arena, ORG, w->call, &how, &stands), DB_OK);
}

static const char *status_of(const struct work *w)
{
    char sql[128];
    snprintf(sql, sizeof(sql), "SELECT status FROM tool_executions WHERE id = '%s'", w->call);
    return pg_do(&pg, sql);
}

static void a_begin_is_repeatable(void **state)
{
    (void)state;
    struct work w;
    prepare(&w, 1, 1, "a t1");
    assert_false(begin(&w, TOOL_READ, EXECUTION_STARTED).mine); /* not claimed: nothing begins */
    assert_string_equal(status_of(&w), "");
    assert_int_equal(claim(&w), STORE_MINE);
    assert_true(begin(&w, TOOL_WRITE, EXECUTION_STARTED).made);
    assert_true(begin(&w, TOOL_WRITE, EXECUTION_STARTED).made); /* the reply was lost */
    end(&w, EXECUTION_DONE, "{\"id\":7}");
    struct execution again = begin(&w, TOOL_WRITE, EXECUTION_STARTED);
    assert_false(again.made);
    assert_int_equal(again.status, EXECUTION_DONE);
    assert_string_equal(again.response, "{\"id\": 7}");
}

static void a_zombie_begins_nothing(void **state)
{
    (void)state;
    struct work old, taker;
    prepare(&old, 2, 1, "a t1");
    prepare(&taker, 2, 2, "b t2");
    assert_int_equal(claim(&old), STORE_MINE);
    assert_int_equal(claim(&taker), STORE_MINE);
    assert_false(begin(&old, TOOL_WRITE, EXECUTION_STARTED).mine);
    assert_string_equal(status_of(&old), "");
    assert_true(begin(&taker, TOOL_WRITE, EXECUTION_STARTED).made);
}

/* ENG-14: whose hint is lost begins nothing either, whatever the visitor says to it. */
static void nothing_is_begun_while_a_person_has_it(void **state)
{
    (void)state;
    struct work w;
    struct execution execution;
    prepare(&w, 10, 1, "a t1");
    assert_int_equal(claim(&w), STORE_MINE);
    assert_true(begin(&w, TOOL_WRITE, EXECUTION_CONFIRMING).made);
    for (int i = 0; i < 2; i++) {
        pg_do(&pg, i == 0 ? "UPDATE conversations SET status = 'waiting_human'"
                          : "UPDATE conversations SET status = 'human'");
        assert_int_equal(execution_accept(db, &w.row, w.call, LATER, &execution), DB_OK);
        assert_true(execution.mine && execution.human && !execution.made);
    }
    assert_string_equal(status_of(&w), "confirming");
    execution_uuid(w.call, w.job, "c_2");
    struct execution_call other = {.id = w.call,
                                   .call_id = "c_2",
                                   .tool = "look",
                                   .risk = TOOL_READ,
                                   .arguments = "{}",
                                   .status = EXECUTION_STARTED,
                                   .expires_ms = LATER};
    assert_int_equal(execution_begin(db, &arena, &w.row, &other, &execution), DB_OK);
    assert_true(execution.mine && execution.human && !execution.made);
    assert_string_equal(status_of(&w), "");
    pg_do(&pg, "UPDATE conversations SET status = 'active'");
}

static struct execution_past past(void)
{
    char conversation[STORE_UUID_SIZE];
    struct execution_past found;
    store_uuid(conversation, "conversation", ORG, SESSION);
    assert_int_equal(execution_past(db, &arena, ORG, conversation, &found), DB_OK);
    return found;
}

/* ENG-10: what an answer may rest on is what ended well, and each tool of it once. */
static void a_conversations_past_is_told(void **state)
{
    (void)state;
    struct work w;
    pg_do(&pg, "DELETE FROM tool_executions");
    prepare(&w, 11, 1, "a t1");
    assert_int_equal(claim(&w), STORE_MINE);
    assert_true(begin(&w, TOOL_WRITE, EXECUTION_STARTED).made);
    assert_int_equal(past().acted_count, 0);
    end(&w, EXECUTION_FAILED, "{}");
    assert_int_equal(past().acted_count, 0);
    pg_do(&pg, "UPDATE tool_executions SET status = 'pending'");
    pg_do(&pg, "INSERT INTO tool_executions (org_id, conversation_id, tool_name, risk, status)"
               " SELECT org_id, conversation_id, tool_name, risk, 'done' FROM tool_executions");
    assert_int_equal(past().acted_count, 1);
    assert_string_equal(past().acted[0], "book");
    assert_false(past().informed);
    pg_do(&pg, "UPDATE tool_executions SET risk = 'read' WHERE status = 'done'");
    assert_true(past().informed);
    pg_do(&pg, "DELETE FROM tool_executions");
    assert_false(past().informed);
    pg_do(&pg,
          "INSERT INTO messages (org_id, conversation_id, role, content, citations, created_at)"
          " SELECT org_id, id, 'assistant', 'x', '[{\"id\": \"article:a\"}]', now()"
          "   FROM conversations");
    assert_false(past().informed);
    pg_do(&pg, "UPDATE messages SET citations = '[{\"id\": \"article:a\"}, {\"id\": \"order:1\"}]'"
               " WHERE content = 'x'");
    assert_true(past().informed);
    pg_do(&pg, "DELETE FROM messages WHERE content = 'x'");
}

static void what_was_begun_is_not_begun_again(void **state)
{
    (void)state;
    struct work old, taker;
    prepare(&old, 3, 1, "a t1");
    prepare(&taker, 3, 2, "b t2");
    assert_int_equal(claim(&old), STORE_MINE);
    assert_true(begin(&old, TOOL_WRITE, EXECUTION_STARTED).made);
    assert_int_equal(claim(&taker), STORE_MINE);
    struct execution found = begin(&taker, TOOL_WRITE, EXECUTION_STARTED);
    assert_true(found.mine);
    assert_false(found.made);
    assert_int_equal(found.status, EXECUTION_STARTED);
    end(&taker, EXECUTION_UNKNOWN, "{}");
    end(&old, EXECUTION_DONE, "{\"ok\":true}"); /* the sleeper knows better */
    assert_string_equal(status_of(&old), "done");
    end(&taker, EXECUTION_FAILED, "{}");
    assert_string_equal(status_of(&old), "done");
}

static void a_word_counts_once(void **state)
{
    (void)state;
    struct work w, taker;
    struct execution execution;
    prepare(&w, 4, 1, "a t1");
    prepare(&taker, 4, 2, "b t2");
    assert_int_equal(claim(&w), STORE_MINE);
    assert_true(begin(&w, TOOL_WRITE, EXECUTION_CONFIRMING).made);
    assert_int_equal(claim(&taker), STORE_MINE);
    struct execution found = begin(&taker, TOOL_WRITE, EXECUTION_CONFIRMING);
    assert_int_equal(found.status, EXECUTION_CONFIRMING);
    assert_int_equal(found.expires_ms, LATER);
    assert_int_equal(execution_accept(db, &w.row, w.call, LATER, &execution), DB_OK);
    assert_false(execution.mine);
    assert_int_equal(execution_accept(db, &taker.row, w.call, LATER, &execution), DB_OK);
    assert_true(execution.made);
    assert_int_equal(execution_accept(db, &taker.row, w.call, LATER, &execution), DB_OK);
    assert_true(execution.made); /* the reply was lost */
    end(&taker, EXECUTION_DONE, "not JSON \x01");
    assert_int_equal(execution_accept(db, &taker.row, w.call, LATER, &execution), DB_OK);
    assert_false(execution.made);
}

static bool late(const char *org, const struct work *w, const char *outcome, bool *found)
{
    struct fd_json_fault fault;
    const char *session;
    const struct fd_json *json = fd_json_parse(outcome, strlen(outcome), (struct fd_json_limits){0},
                                               arena_allocator(&arena), &fault);
    assert_int_equal(execution_late(db, &arena, org, w->call, json, found, &session), DB_OK);
    return session != NULL;
}

static void a_late_outcome_counts_once(void **state)
{
    (void)state;
    struct work w;
    bool found;
    prepare(&w, 5, 1, "a t1");
    assert_int_equal(claim(&w), STORE_MINE);
    assert_true(begin(&w, TOOL_WRITE, EXECUTION_STARTED).made);
    end(&w, EXECUTION_UNKNOWN, "{}");
    assert_false(late(OTHER, &w, "{}", &found));
    assert_false(found);
    assert_true(late(ORG, &w, "{\"ok\":false}", &found));
    assert_string_equal(status_of(&w), "failed");
    assert_false(late(ORG, &w, "{\"ok\":true}", &found));
    assert_true(found);
    assert_string_equal(pg_do(&pg, "SELECT count(*) FROM messages WHERE role = 'tool'"), "1");
}

static void the_callback_that_came_first_stands(void **state)
{
    (void)state;
    struct work w;
    struct execution stands;
    struct execution_end how = {.status = EXECUTION_UNKNOWN, .response = "{}", .response_len = 2};
    bool found;
    prepare(&w, 9, 1, "a t1");
    assert_int_equal(claim(&w), STORE_MINE);
    assert_true(begin(&w, TOOL_WRITE, EXECUTION_STARTED).made);
    assert_true(late(ORG, &w, "{\"ok\":true}", &found));
    assert_int_equal(execution_end(db, &arena, ORG, w.call, &how, &stands), DB_OK);
    assert_int_equal(stands.status, EXECUTION_DONE);
    assert_string_equal(stands.response, "{\"ok\": true}");
}

static void a_write_without_a_clear_answer_is_unknown(void **state)
{
    (void)state;
    static const struct {
        enum tool_failure failure;
        int http;
        enum execution_status write;
    } rows[] = {{TOOL_TIMEOUT, 0, EXECUTION_UNKNOWN},    {TOOL_RESPONSE, 200, EXECUTION_UNKNOWN},
                {TOOL_HTTP, 500, EXECUTION_UNKNOWN},     {TOOL_HTTP, 499, EXECUTION_FAILED},
                {TOOL_UNREACHABLE, 0, EXECUTION_FAILED}, {TOOL_OK, 200, EXECUTION_DONE}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct tool_result result = {.failure = rows[i].failure, .status = rows[i].http};
        assert_int_equal(execution_status_of(TOOL_WRITE, &result), rows[i].write);
        assert_int_equal(execution_status_of(TOOL_HIGH, &result), rows[i].write);
        assert_int_equal(execution_status_of(TOOL_READ, &result),
                         rows[i].failure == TOOL_OK ? EXECUTION_DONE : EXECUTION_FAILED);
    }
}

static void what_a_job_leaves_open_is_closed(void **state)
{
    (void)state;
    struct work w;
    prepare(&w, 6, 1, "a t1");
    assert_int_equal(claim(&w), STORE_MINE);
    assert_true(begin(&w, TOOL_WRITE, EXECUTION_CONFIRMING).made);
    assert_int_equal(execution_abandon(db, &w.row), DB_OK);
    assert_string_equal(status_of(&w), "expired");
}

static void an_operator_decides_once_and_it_runs_once(void **state)
{
    (void)state;
    struct work w;
    struct approval *list;
    size_t count;
    enum approval_verdict verdict;
    struct decisions first = {.run_count = 0}, second = {.run_count = 0};
    prepare(&w, 7, 1, "a t1");
    assert_int_equal(claim(&w), STORE_MINE);
    assert_true(begin(&w, TOOL_HIGH, EXECUTION_APPROVING).made);
    assert_int_equal(approvals_list(db, &arena, OTHER, false, &list, &count), DB_OK);
    assert_int_equal(count, 0);
    assert_int_equal(approvals_list(db, &arena, ORG, false, &list, &count), DB_OK);
    assert_int_equal(count, 1);
    assert_string_equal(list[0].id, w.call);
    assert_int_equal(approval_decide(db, OTHER, w.call, true, "x", &verdict), DB_OK);
    assert_int_equal(verdict, APPROVAL_UNKNOWN);
    assert_int_equal(approval_decide(db, ORG, w.call, true, "cli:ann", &verdict), DB_OK);
    assert_int_equal(verdict, APPROVAL_TAKEN);
    assert_int_equal(approval_decide(db, ORG, w.call, false, "cli:bob", &verdict), DB_OK);
    assert_int_equal(verdict, APPROVAL_CLOSED);

    assert_int_equal(decisions_take(db, &arena, 0, &first), DB_OK);
    assert_int_equal(first.run_count, 0); /* no hands free */
    assert_int_equal(decisions_take(db, &arena, 8, &first), DB_OK);
    assert_int_equal(decisions_take(db, &arena, 8, &second), DB_OK);
    assert_int_equal(first.run_count, 1);
    assert_int_equal(second.run_count, 0);
    assert_int_equal(decision_put_back(db, &first.runs[0]), DB_OK); /* the worker drains */
    toolbox_unref(first.runs[0].box);
    first.run_count = 0;
    assert_int_equal(decisions_take(db, &arena, 8, &first), DB_OK);
    assert_int_equal(first.run_count, 1);
    assert_string_equal(first.runs[0].arguments, "{\"day\": \"friday\"}");
    struct execution_end how = {.status = EXECUTION_DONE, .response = "{}", .response_len = 2};
    enum execution_status stands;
    for (int i = 0; i < 2; i++) { /* the reply was lost: told once */
        assert_int_equal(decision_end(db, &arena, &first.runs[0], &how, &stands), DB_OK);
        assert_int_equal(stands, EXECUTION_DONE);
    }
    assert_string_equal(status_of(&w), "done");
    assert_string_equal(
        pg_do(&pg, "SELECT count(*) FROM messages WHERE content LIKE 'Your request was approved%'"),
        "1");
    toolbox_unref(first.runs[0].box);
}

static struct decision_run *take_one(struct decisions *found)
{
    *found = (struct decisions){.run_count = 0};
    assert_int_equal(decisions_take(db, &arena, 1, found), DB_OK);
    assert_int_equal(found->run_count, 1);
    return &found->runs[0];
}

static void give_back(struct decisions *found)
{
    assert_int_equal(decision_put_back(db, &found->runs[0]), DB_OK);
    toolbox_unref(found->runs[0].box);
}

/* Who declined is told first, who was approved first has the next free hand. */
static void the_sweep_goes_in_order(void **state)
{
    (void)state;
    static const char *const days[] = {"2", "1", "3", "0"}; /* ago */
    struct work w[4];
    struct decisions found;
    enum approval_verdict verdict;
    char sql[256];
    for (size_t i = 0; i < 4; i++) {
        prepare(&w[i], (unsigned)(20 + i), 1, "a t1");
        assert_int_equal(claim(&w[i]), STORE_MINE);
        assert_true(begin(&w[i], TOOL_HIGH, EXECUTION_APPROVING).made);
        assert_int_equal(approval_decide(db, ORG, w[i].call, i < 3, "cli:ann", &verdict), DB_OK);
        snprintf(sql, sizeof(sql),
                 "UPDATE tool_executions SET created_at = now() - interval '%s days'"
                 " WHERE id = '%s'",
                 days[i], w[i].call);
        pg_do(&pg, sql);
    }
    assert_string_equal(pg_do(&pg, "SELECT id FROM platform_due_tools(1)"), w[3].call);
    assert_string_equal(take_one(&found)->id, w[2].call);
    assert_int_equal(found.told_count, 1);
    assert_string_equal(status_of(&w[3]), "declined");
    toolbox_unref(found.runs[0].box);
    assert_string_equal(take_one(&found)->id, w[0].call);
    toolbox_unref(found.runs[0].box);
    assert_string_equal(take_one(&found)->id, w[1].call);
    toolbox_unref(found.runs[0].box);
}

/* Of a worker that drains: it keeps its place, and what has ended stays as it ended. */
static void what_is_put_back_is_run_by_another(void **state)
{
    (void)state;
    struct work w[2];
    struct decisions found;
    enum approval_verdict verdict;
    enum execution_status stands;
    const struct execution_end how = {
        .status = EXECUTION_DONE, .response = "{}", .response_len = 2};
    pg_do(&pg, "DELETE FROM tool_executions WHERE due OR status = 'started'");
    for (size_t i = 0; i < 2; i++) {
        prepare(&w[i], (unsigned)(30 + i), 1, "a t1");
        assert_int_equal(claim(&w[i]), STORE_MINE);
        assert_true(begin(&w[i], TOOL_HIGH, EXECUTION_APPROVING).made);
        assert_int_equal(approval_decide(db, ORG, w[i].call, true, "cli:ann", &verdict), DB_OK);
    }
    assert_string_equal(take_one(&found)->id, w[0].call);
    give_back(&found);
    assert_string_equal(status_of(&w[0]), "approved");
    assert_string_equal(take_one(&found)->id, w[0].call); /* before the one behind it */
    assert_int_equal(decision_end(db, &arena, &found.runs[0], &how, &stands), DB_OK);
    give_back(&found); /* too late */
    assert_string_equal(status_of(&w[0]), "done");
    assert_string_equal(take_one(&found)->id, w[1].call);
    toolbox_unref(found.runs[0].box);
}

static void what_nobody_decided_expires(void **state)
{
    (void)state;
    struct work w;
    struct decisions found = {.run_count = 0};
    prepare(&w, 8, 1, "a t1");
    assert_int_equal(claim(&w), STORE_MINE);
    assert_true(begin(&w, TOOL_HIGH, EXECUTION_APPROVING).made);
    pg_do(&pg, "UPDATE tool_executions SET expires_at = now() - interval '1 second'"
               " WHERE status = 'approving'");
    assert_int_equal(decisions_take(db, &arena, 8, &found), DB_OK);
    assert_int_equal(found.run_count, 0);
    assert_int_equal(found.told_count, 1);
    assert_string_equal(found.told[0].session, SESSION);
    assert_string_equal(status_of(&w), "expired");
}

static int setup(void **state)
{
    (void)state;
    arena_init(&arena);
    if (!schema_start(&pg))
        return -1;
    pg_do(&pg, "INSERT INTO organizations (id, name) VALUES ('" ORG "', 'a'), ('" OTHER "', 'b')");
    db = db_new(pg.app, "test");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    db_free(db);
    pg_end(&pg);
    arena_free(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_begin_is_repeatable),
        cmocka_unit_test(a_zombie_begins_nothing),
        cmocka_unit_test(nothing_is_begun_while_a_person_has_it),
        cmocka_unit_test(a_conversations_past_is_told),
        cmocka_unit_test(what_was_begun_is_not_begun_again),
        cmocka_unit_test(a_word_counts_once),
        cmocka_unit_test(a_late_outcome_counts_once),
        cmocka_unit_test(the_callback_that_came_first_stands),
        cmocka_unit_test(a_write_without_a_clear_answer_is_unknown),
        cmocka_unit_test(what_a_job_leaves_open_is_closed),
        cmocka_unit_test(an_operator_decides_once_and_it_runs_once),
        cmocka_unit_test(the_sweep_goes_in_order),
        cmocka_unit_test(what_is_put_back_is_run_by_another),
        cmocka_unit_test(what_nobody_decided_expires),
    };
    return cmocka_run_group_tests_name("execution", tests, setup, teardown);
}
