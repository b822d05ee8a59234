/* ENG-5: chat/meaning.h - how many read vectors at a time, and what a server that fails is asked.
 * The clock, the pool and the server of embeddings are the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "chat/embed_call.h"
#include "chat/meaning.h"
#include "chat/meters.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/pool.h"

#define WORKS_MAX 16

static int64_t now_ms;

int64_t clock_mono_ms(void)
{
    return now_ms;
}

int64_t clock_mono_us(void)
{
    return now_ms * 1000;
}

int64_t clock_wall_ms(void)
{
    return now_ms;
}

static struct {
    void (*done)(void *arg, bool ran);
    void *arg;
} works[WORKS_MAX];
static size_t work_count;

bool pool_submit(struct pool *pool, void (*run)(void *resource, void *arg),
                 void (*done)(void *arg, bool ran), void *arg)
{
    (void)pool;
    (void)run;
    assert_true(work_count < WORKS_MAX);
    works[work_count].done = done;
    works[work_count++].arg = arg;
    return true;
}

/* The oldest is over, and came to nothing. */
static void end_work(void)
{
    assert_true(work_count > 0);
    works[0].done(works[0].arg, false);
    memmove(works, works + 1, --work_count * sizeof(works[0]));
}

static embed_end_fn *asked;
static void *asked_arg;
static int call;

bool embed_target_of(struct arena *a, const struct config *config, const struct tenant *tenant,
                     struct embed_target *target)
{
    (void)a;
    (void)config;
    (void)tenant;
    *target = (struct embed_target){
        .provider = "openai", .url = "https://e.example", .model = "m", .name = "m"};
    return true;
}

struct embed_call *embed_call_start(struct engine *e, const struct embed_target *target,
                                    const char *const *inputs, size_t count, int total_ms,
                                    embed_end_fn *on_end, void *arg)
{
    (void)e;
    (void)target;
    (void)inputs;
    (void)count;
    (void)total_ms;
    asked = on_end;
    asked_arg = arg;
    return (struct embed_call *)(void *)&call;
}

void embed_call_cancel(struct embed_call *it)
{
    assert_ptr_equal(it, &call);
    asked = NULL;
}

bool embed_may_spend(const struct tenant *tenant, const char *model)
{
    (void)tenant;
    (void)model;
    return true;
}

bool embed_cost(const struct embed_target *target, const struct embed_result *result,
                int64_t estimated, struct answer_attempt *attempt)
{
    *attempt = (struct answer_attempt){.provider = target->provider, .model = target->model};
    return result == NULL && estimated > 0;
}

/* -- the tests -------------------------------------------------------------------------------- */

static struct config config = {.embedding_cache_mb = 1, .embedding_ms = 100};
static struct engine engine = {.config = &config};
static struct meaning *meaning;

static int set_up(void **state)
{
    (void)state;
    work_count = 0;
    asked = NULL;
    now_ms = 1000000;
    meaning = meaning_new(&engine);
    return 0;
}

static int clean_up(void **state)
{
    (void)state;
    while (work_count > 0)
        end_work();
    meaning_free(meaning);
    return 0;
}

static int begin(void **state)
{
    (void)state;
    log_open("test", LOG_ERROR);
    meters_register();
    return 0;
}

static struct tenant tenant(int n, bool in_database)
{
    struct tenant tenant = {.vectors = {.version = 1, .in_database = in_database}};
    snprintf(tenant.org, sizeof(tenant.org), "5eed0000-0000-4000-8000-%012d", n);
    return tenant;
}

static struct meaning_vector *got;

static void on_end(void *arg, struct meaning_vector *vector)
{
    (void)arg;
    got = vector;
}

static struct meaning_ask *ask(const struct tenant *of)
{
    return meaning_ask(meaning, of, "Kangaroos allowed?", on_end, NULL);
}

static void test_one_reading_at_a_time(void **state)
{
    struct tenant one = tenant(1, false), two = tenant(2, false);

    (void)state;
    assert_null(ask(&one)); /* words alone, while they are read */
    assert_int_equal(work_count, 1);
    assert_null(ask(&one));
    assert_null(ask(&two));
    assert_int_equal(work_count, 1); /* what two take together would be bounded by nothing */
    end_work();
    assert_null(ask(&one));
    assert_int_equal(work_count, 0); /* not again at once */
    assert_null(ask(&two));
    assert_int_equal(work_count, 1);
    end_work();
    now_ms += 10000;
    assert_null(ask(&one));
    assert_int_equal(work_count, 1);
}

static void server_fails(void)
{
    struct tenant of = tenant(1, true);
    const struct embed_result result = {.error = "HTTP status 500", .fault = true};

    assert_non_null(ask(&of));
    asked(asked_arg, &result);
    assert_null(got);
}

static void test_an_abandoned_probe_lets_another_go(void **state)
{
    struct tenant of = tenant(1, true);

    (void)state;
    for (int i = 0; i < 5; i++)
        server_fails();
    assert_null(ask(&of)); /* it is left alone */
    now_ms += 10000;
    struct meaning_ask *probe = ask(&of);
    assert_non_null(probe);
    assert_null(ask(&of)); /* one at a time */
    meaning_cancel(probe); /* its job is over: nothing is known of the server */
    probe = ask(&of);
    assert_non_null(probe);
    meaning_cancel(probe);
}

static void test_what_was_hung_up_on_is_paid(void **state)
{
    struct tenant of = tenant(1, true);

    (void)state;
    meaning_cancel(ask(&of));
    assert_int_equal(work_count, 1);
    end_work();
    assert_non_null(ask(&of)); /* and with the process, which has nobody to pay any more */
    meaning_free(meaning);
    meaning = NULL;
    assert_int_equal(work_count, 0);
}

static void test_postgresql_searches_without_an_index(void **state)
{
    struct tenant of = tenant(1, true), empty = tenant(2, true);
    float values[] = {1, 0};
    const struct embedding_vectors vectors = {
        .count = 1, .dimensions = 2, .values = values, .tokens = 3};
    const struct embed_result result = {.vectors = &vectors, .charged = true};

    (void)state;
    empty.vectors.version = 0;
    assert_null(ask(&empty)); /* nothing is embedded: nobody is asked */
    assert_non_null(ask(&of));
    assert_int_equal(work_count, 0); /* nothing is read into memory */
    got = NULL;
    asked(asked_arg, &result);
    assert_non_null(got);
    meaning_vector_free(got);
}

#define T(name, function)                                                                          \
    {                                                                                              \
        name, function, set_up, clean_up, NULL                                                     \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        T("ENG-5: one organisation's vectors are read at a time", test_one_reading_at_a_time),
        T("ENG-5: a probe that nobody waits for lets another go",
          test_an_abandoned_probe_lets_another_go),
        T("ENG-16: a call that was hung up on is paid", test_what_was_hung_up_on_is_paid),
        T("ENG-5: where PostgreSQL searches, no vectors are read",
          test_postgresql_searches_without_an_index),
    };

    return cmocka_run_group_tests_name("meaning", tests, begin, NULL);
}
