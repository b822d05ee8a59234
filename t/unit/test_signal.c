/* chat/signal.h: when a person is offered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "chat/signal.h"

static bool asks(const char *text)
{
    return signal_asks_for_person(text, strlen(text));
}

static int mood(const char *text)
{
    return signal_mood(text, strlen(text));
}

static void test_asking_for_a_person(void **state)
{
    static const char *const yes[] = {
        "Can I talk to a human?",
        "I'd like to speak with a representative",
        "HUMAN PLEASE",
        "give me a real person",
        "let me talk to someone",
        "I want to speak to your manager",
        "live chat",
        "אפשר לדבר עם נציג?",
        "אני רוצה נציג אנושי",
        "תעבירו אותי לבן אדם",
        "תנו לי לדבר עם מישהו אמיתי",
        "עם נציגה בבקשה",
    };
    static const char *const no[] = {
        "",
        "How do I talk to my plants?",
        "Is it safe for humans?",
        "What does the agent do?",
        "I spoke to them",
        "איפה ההזמנה שלי?",
        "Do you ship in person?",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
        if (!asks(yes[i]))
            fail_msg("%s asks for a person", yes[i]);
    for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
        if (asks(no[i]))
            fail_msg("%s does not ask for a person", no[i]);
}

static void test_mood(void **state)
{
    (void)state;
    assert_int_equal(mood(""), 0);
    assert_int_equal(mood("Where is my order?"), 0);
    assert_true(mood("Thank you, great!") > 0);
    assert_true(mood("This is annoying") > SIGNAL_UPSET);
    assert_true(mood("This is annoying") < 0);
    assert_true(mood("This is terrible and awful") <= SIGNAL_UPSET);
    assert_true(mood("YOU ARE USELESS, THIS IS RIDICULOUS!!") <= SIGNAL_UPSET);
    assert_true(mood("really disappointed, waste of time") <= SIGNAL_UPSET);
    assert_true(mood("שירות נורא, ממש זוועה") <= SIGNAL_UPSET);
    assert_true(mood("אני מאוד מאוכזב, פשוט בושה") <= SIGNAL_UPSET);
    assert_true(mood("not bad at all, thanks") > SIGNAL_UPSET);
}

static void test_the_same_for_the_third_time(void **state)
{
    const struct llm_message history[] = {
        {.role = LLM_USER, .text = "Where is my order 1234?"},
        {.role = LLM_ASSISTANT, .text = "Where is my order 1234?"},
        {.role = LLM_USER, .text = "where is order 1234"},
        {.role = LLM_USER, .text = "And order 1235?"},
    };

    (void)state;
    assert_true(signal_repeats("Where's the order 1234??", history, 4));
    assert_false(signal_repeats("Where's the order 1234??", history, 2));
    assert_false(signal_repeats("Where is order 1235?", history, 4));
    assert_false(signal_repeats("?", history, 4));
    assert_false(signal_repeats("Where is my order 1234?", NULL, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_asking_for_a_person),
        cmocka_unit_test(test_mood),
        cmocka_unit_test(test_the_same_for_the_third_time),
    };
    return cmocka_run_group_tests_name("ENG-14: signals", tests, NULL, NULL);
}
