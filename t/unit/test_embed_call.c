/* ENG-16: chat/embed_call.h - what a call of a server of embeddings costs, whatever came of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "chat/embed_call.h"
#include "net/http.h"

#define ESTIMATED 12

static const struct embed_target target = {.provider = "openai", .model = "m", .own_key = true};

static int64_t cost(const struct embed_result *result, bool *estimated)
{
    struct answer_attempt attempt = {.usage = {.input = -1}};

    if (!embed_cost(&target, result, ESTIMATED, &attempt))
        return 0;
    assert_string_equal(attempt.provider, "openai");
    assert_string_equal(attempt.model, "m");
    assert_true(attempt.own_key);
    assert_int_equal(attempt.usage.cost_micro, -1); /* by its price, once that is looked up */
    *estimated = attempt.estimated;
    return attempt.usage.input;
}

static void test_what_is_paid(void **state)
{
    const struct embedding_vectors told = {.tokens = 7}, untold = {.tokens = -1};
    const struct {
        const char *what;
        struct embed_result result;
        int64_t tokens;
        bool estimated;
    } cases[] = {
        {"counted by the server", {.vectors = &told, .charged = true}, 7, false},
        {"not counted", {.vectors = &untold, .charged = true}, ESTIMATED, true},
        {"sent, and no answer came", {.fault = true, .charged = true}, ESTIMATED, true},
        {"refused, or never sent", {.fault = true}, 0, false},
    };
    bool estimated = false;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        estimated = false;
        if (cost(&cases[i].result, &estimated) != cases[i].tokens ||
            estimated != cases[i].estimated)
            fail_msg("%s", cases[i].what);
    }
    assert_int_equal(cost(NULL, &estimated), ESTIMATED); /* hung up on */
}

static void test_what_was_sent(void **state)
{
    static const enum http_failure never[] = {HTTP_BAD_URL, HTTP_RESOLVE, HTTP_CONNECT, HTTP_TLS,
                                              HTTP_CONNECT_TIMEOUT};
    static const enum http_failure perhaps[] = {HTTP_OK,           HTTP_FIRST_BYTE_TIMEOUT,
                                                HTTP_IDLE_TIMEOUT, HTTP_TOTAL_TIMEOUT,
                                                HTTP_CUT,          HTTP_TOO_LARGE};

    (void)state;
    for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
        assert_false(http_was_sent(never[i]));
    for (size_t i = 0; i < sizeof(perhaps) / sizeof(perhaps[0]); i++)
        assert_true(http_was_sent(perhaps[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"ENG-16: a call is paid as counted, else as estimated, where it was sent",
         test_what_is_paid, NULL, NULL, NULL},
        {"ENG-16: what a server may have got", test_what_was_sent, NULL, NULL, NULL},
    };

    return cmocka_run_group_tests_name("embed_call", tests, NULL, NULL);
}
