/* The pure parts of a job: handles, entries, crumbs, the terminal event. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "chat/answer.h"
#include "chat/crumb.h"
#include "chat/entry.h"
#include "chat/handle.h"
#include "chat/outbox.h"
#include "chat/store.h"
#include "protocol/limits.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* -- handle ------------------------------------------------------------------------------- */

static void late_reply_finds_nothing(void **state)
{
    (void)state;
    int first, second;
    handle a = handle_make(HANDLE_JOB, &first);
    assert_ptr_equal(handle_find(HANDLE_JOB, a), &first);
    assert_null(handle_find(HANDLE_OUTBOX, a));
    handle_drop(a);
    handle b = handle_make(HANDLE_JOB, &second); /* in the same place */
    assert_int_equal((uint32_t)a, (uint32_t)b);
    assert_null(handle_find(HANDLE_JOB, a));
    assert_ptr_equal(handle_find(HANDLE_JOB, b), &second);
    handle_drop(a); /* again: not b's */
    assert_ptr_equal(handle_find(HANDLE_JOB, b), &second);
    assert_null(handle_find(HANDLE_JOB, 0));
    assert_null(handle_find(HANDLE_JOB, UINT64_MAX));
    handle_drop(b);
}

static void handles_by_the_thousand(void **state)
{
    (void)state;
    static char objects[5000];
    static handle handles[5000];
    for (int i = 0; i < 5000; i++)
        handles[i] = handle_make(HANDLE_JOB, &objects[i]);
    for (int i = 0; i < 5000; i++)
        assert_ptr_equal(handle_find(HANDLE_JOB, handles[i]), &objects[i]);
    for (int i = 0; i < 5000; i++)
        handle_drop(handles[i]);
}

/* -- entry --------------------------------------------------------------------------------- */

#define JOB     "0-00112233445566778899aabbccddeeff"
#define ORG     "5eed0000-0000-4000-8000-000000000001"
#define SESSION "abcdefghijklmnopqrstuvwxyz012345"

struct fake {
    redisReply list, id, fields;
    redisReply cells[32];
    redisReply *cell[32];
    redisReply *pair[2];
};

static redisReply *fake_entry(struct fake *f, const char *const *fields, size_t count)
{
    memset(f, 0, sizeof(*f));
    f->id = (redisReply){.type = REDIS_REPLY_STRING, .len = 3, .str = strdup("1-1")};
    for (size_t i = 0; i < count; i++) {
        f->cells[i] = (redisReply){
            .type = REDIS_REPLY_STRING, .len = strlen(fields[i]), .str = strdup(fields[i])};
        f->cell[i] = &f->cells[i];
    }
    f->fields = (redisReply){.type = REDIS_REPLY_ARRAY, .elements = count, .element = f->cell};
    f->pair[0] = &f->id;
    f->pair[1] = &f->fields;
    f->list = (redisReply){.type = REDIS_REPLY_ARRAY, .elements = 2, .element = f->pair};
    return &f->list;
}

static void free_fake(struct fake *f)
{
    free(f->id.str);
    for (size_t i = 0; i < f->fields.elements; i++)
        free(f->cells[i].str);
}

static const char *good_fields[] = {"job",      JOB,    "org",      ORG,    "session", SESSION,
                                    "deadline", "2000", "accepted", "1000", "key",     "not-a-uuid",
                                    "request",  "r1",   "started",  "1",    "body",    "{}"};
#define GOOD (sizeof(good_fields) / sizeof(*good_fields))

static void entry_is_read(void **state)
{
    (void)state;
    struct fake f;
    struct arena a;
    struct job_entry entry;
    const char *error;
    arena_init(&a);
    assert_true(entry_read(&a, fake_entry(&f, good_fields, GOOD), &entry, &error));
    assert_string_equal(entry.id, JOB);
    assert_string_equal(entry.shard, "0");
    assert_string_equal(entry.request_id, "r1");
    assert_int_equal(entry.deadline_ms, 2000);
    assert_true(entry.started);
    assert_null(entry.key_id); /* a uuid column would refuse it */
    assert_int_equal(entry.body_len, 2);
    free_fake(&f);
    arena_free(&a);
}

/* ENG-19: what is none of ours is refused, not run. */
static void bad_entries_are_refused(void **state)
{
    (void)state;
    static const struct {
        size_t field;
        const char *value;
        const char *error;
    } cases[] = {
        {1, "0-xyz", "job"},
        {3, "org", "org"},
        {5, "short", "session"},
        {7, "-1", "deadline"},
        {7, "12x", "deadline"},
        {7, "", "deadline"},
        {9, "99999999999999999999", "accepted"},
        {16, "other", "body"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const char *fields[GOOD];
        struct fake f;
        struct arena a;
        struct job_entry entry;
        const char *error = NULL;
        memcpy(fields, good_fields, sizeof(fields));
        fields[cases[i].field] = cases[i].value;
        arena_init(&a);
        assert_false(entry_read(&a, fake_entry(&f, fields, GOOD), &entry, &error));
        assert_string_equal(error, cases[i].error);
        free_fake(&f);
        arena_free(&a);
    }
}

static void deleted_entry_is_gone(void **state)
{
    (void)state;
    struct fake f;
    fake_entry(&f, good_fields, 0);
    f.fields.type = REDIS_REPLY_NIL; /* XREADGROUP 0 of an entry that XDEL removed */
    assert_true(entry_gone(&f.list));
    assert_string_equal(entry_stream_id(&f.list), "1-1");
    free_fake(&f);
}

/* -- crumb ---------------------------------------------------------------------------------- */

/* ENG-19: a crash is charged to the job that was being worked on, to no other. */
static void crumb_survives_a_crash(void **state)
{
    (void)state;
    char dir[] = "/tmp/fd-crumb-XXXXXX", error[256];
    struct crumb_left left;
    assert_non_null(mkdtemp(dir));
    pid_t child = fork();
    if (child == 0) {
        struct crumb *crumb = crumb_open(dir, "w", &left, error);
        int slot = crumb_slot(crumb);
        crumb_set(crumb, 0, "0-11111111111111111111111111111111");
        crumb_clear(crumb, 0);
        crumb_set(crumb, 0, JOB);
        crumb_set(crumb, slot, JOB); /* a pool thread, the same job */
        kill(getpid(), SIGKILL);
    }
    waitpid(child, NULL, 0);
    struct crumb *crumb = crumb_open(dir, "w", &left, error);
    assert_non_null(crumb);
    assert_int_equal(left.count, 1);
    assert_string_equal(left.jobs[0], JOB);

    struct crumb_left other;
    assert_null(crumb_open(dir, "w", &other, error)); /* a second worker of that name */
    assert_non_null(strstr(error, "FRONTDESK_WORKER_NAME"));
    assert_null(crumb_open(dir, "../w", &other, error));
    crumb_close(crumb);

    crumb = crumb_open(dir, "w", &left, error); /* charged once */
    assert_int_equal(left.count, 0);
    crumb_close(crumb);
    char path[64];
    snprintf(path, sizeof(path), "%s/worker-w.crumb", dir);
    unlink(path);
    rmdir(dir);
}

/* -- outbox: how much fits an event ------------------------------------------------------------ */

static void text_is_cut_to_fit(void **state)
{
    (void)state;
    static char text[FD_ANSWER_MAX];
    static const char *const pieces[] = {"a",  "\x01",     "\"",           "\\",
                                         "\n", "\xd7\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
    for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++) {
        size_t size = strlen(pieces[i]), len = 0;
        while (len + size <= 60000) {
            memcpy(text + len, pieces[i], size);
            len += size;
        }
        for (size_t done = 0; done < len;) {
            size_t part = outbox_fit(text + done, len - done);
            assert_true(part > 0);
            assert_int_equal(part % size, 0); /* no character is cut */
            struct buf data;
            struct fd_json_writer w;
            buf_init(&data, FD_EVENT_DATA_MAX);
            buf_json(&data, &w);
            fd_jw_object(&w);
            fd_jw_key(&w, "text");
            fd_jw_string(&w, text + done, part);
            fd_jw_end_object(&w);
            assert_true(buf_json_end(&data, &w));
            buf_free(&data);
            done += part;
        }
    }
    assert_int_equal(outbox_fit("hello", 5), 5);
}

/* -- the terminal event
 * ------------------------------------------------------------------------------ */

static struct fd_json *json_of(struct arena *a, const struct answer *answer)
{
    struct buf out;
    struct fd_json_fault fault;
    buf_init(&out, 1 << 20);
    assert_true(answer_data(answer, &out));
    assert_null(memchr(out.data, '\n', out.len)); /* one line: it cannot forge a frame */
    struct fd_json *json = fd_json_parse(arena_strndup(a, out.data, out.len), out.len,
                                         (struct fd_json_limits){0}, arena_allocator(a), &fault);
    assert_non_null(json);
    buf_free(&out);
    return json;
}

static struct answer plain_answer(void)
{
    static struct chunk_set chunks;
    struct answer answer = {.end = ANSWER_DONE,
                            .stream = true,
                            .session = SESSION,
                            .message_id = ORG,
                            .text = "line\nline",
                            .text_len = 9,
                            .finish = LLM_FINISH_STOP,
                            .model = "m",
                            .chunks = &chunks,
                            .route = {.intent = "general_qa"},
                            .attempt_count = 1};
    answer.attempts[0] = (struct answer_attempt){
        .provider = "p", .model = "m", .usage = {10, 20, 5, 0, -1}, .cost_micro = 1500};
    return answer;
}

static void done_event(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a);
    struct answer answer = plain_answer();
    assert_int_equal(answer_event(&answer), FD_EVENT_DONE);
    const struct fd_json *json = json_of(&a, &answer);
    assert_null(fd_json_get(json, "response")); /* it was streamed */
    assert_int_equal(fd_json_int(fd_json_get(json, "usage"), "total_tokens", 0), 35);
    assert_true(fd_json_double(json, "cost", 0) > 0.00149 &&
                fd_json_double(json, "cost", 0) < 0.00151);

    /* ENG-6: an unknown price is unknown, never 0 */
    answer.attempts[0].cost_micro = -1;
    json = json_of(&a, &answer);
    assert_int_equal(fd_json_get(json, "cost")->type, FD_JSON_NULL);

    answer.stream = false;
    assert_int_equal(answer_event(&answer), FD_EVENT_ANSWER);
    json = json_of(&a, &answer);
    assert_string_equal(fd_json_string(json, "response"), "line\nline");
    assert_string_equal(fd_json_string(json, "session_id"), SESSION);
    assert_int_equal(fd_json_get(json, "tool_calls_made")->type, FD_JSON_ARRAY);
    arena_free(&a);
}

static void failed_and_cancelled_events(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a);
    struct answer answer = plain_answer();
    answer.end = ANSWER_FAILED;
    answer.problem = FD_PROBLEM_INTERRUPTED;
    answer.cut = true;
    assert_int_equal(answer_event(&answer), FD_EVENT_ERROR);
    assert_string_equal(answer_state(&answer), "failed");
    assert_string_equal(answer_message_status(&answer), "interrupted");
    assert_true(fd_json_bool(json_of(&a, &answer), "retryable", false));

    answer.end = ANSWER_CANCELLED;
    assert_int_equal(answer_event(&answer), FD_EVENT_CANCELLED);
    assert_string_equal(answer_message_status(&answer), "cancelled");
    assert_int_equal(json_of(&a, &answer)->count, 0);

    answer.end = ANSWER_DEAD;
    answer.problem = FD_PROBLEM_INTERNAL;
    assert_string_equal(answer_state(&answer), "dead");
    assert_int_equal(answer_event(&answer), FD_EVENT_ERROR);
    arena_free(&a);
}

/* ENG-20: what a cut call did not report is estimated, what it did report is not. */
static void usage_is_filled(void **state)
{
    (void)state;
    struct llm_usage usage = {-1, -1, -1, -1, -1};
    assert_true(answer_usage_fill(&usage, 100, 7));
    assert_int_equal(usage.input, 100);
    assert_int_equal(usage.output, 7);
    assert_int_equal(usage.cache_read, 0);
    usage = (struct llm_usage){12, 3, 1, -1, -1};
    assert_false(answer_usage_fill(&usage, 100, 7));
    assert_int_equal(usage.input, 12);
    assert_int_equal(usage.cost_micro, -1);
    /* ENG-1: Ollama's "eval_count": 0 behind a text */
    usage = (struct llm_usage){12, 0, 1, -1, -1};
    assert_true(answer_usage_fill(&usage, 100, 7));
    assert_int_equal(usage.input, 12);
    assert_int_equal(usage.output, 7);
    usage = (struct llm_usage){12, 0, 1, -1, -1};
    assert_false(answer_usage_fill(&usage, 100, 0)); /* nothing was said */
    assert_int_equal(usage.output, 0);
}

static void names_are_stable_uuids(void **state)
{
    (void)state;
    char a[STORE_UUID_SIZE], b[STORE_UUID_SIZE], c[STORE_UUID_SIZE];
    store_uuid(a, "answer", JOB, "");
    store_uuid(b, "answer", JOB, "");
    store_uuid(c, "question", JOB, "");
    assert_string_equal(a, b);
    assert_string_not_equal(a, c);
    assert_true(fd_uuid_valid(a, strlen(a)));
    assert_int_equal(a[14], '8');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(late_reply_finds_nothing),
        cmocka_unit_test(handles_by_the_thousand),
        cmocka_unit_test(entry_is_read),
        cmocka_unit_test(bad_entries_are_refused),
        cmocka_unit_test(deleted_entry_is_gone),
        cmocka_unit_test(crumb_survives_a_crash),
        cmocka_unit_test(text_is_cut_to_fit),
        cmocka_unit_test(done_event),
        cmocka_unit_test(failed_and_cancelled_events),
        cmocka_unit_test(usage_is_filled),
        cmocka_unit_test(names_are_stable_uuids),
    };
    return cmocka_run_group_tests_name("job parts", tests, NULL, NULL);
}
