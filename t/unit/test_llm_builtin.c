/* ENG-1: the built-in offline assistant: what it quotes, and that it says what it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <stdlib.h>

#include "llm/passage.h"
#include "llm/provider.h"

static const char english[] =
    "[article:shipping] Shipping\n"
    "We ship every order from our warehouse in Holon. Orders that are paid before 14:00\n"
    "leave the same day, e.g. on Sunday.\n"
    "\n"
    "## Delivery times\n"
    "\n"
    "- Standard delivery to your door takes 3 to 5 working days.\n"
    "- Express delivery takes 1 working day.\n"
    "\n"
    "## Shipping costs\n"
    "\n"
    "Standard delivery costs 25 shekels. Express delivery costs 45 shekels.\n"
    "\n"
    "[article:warranty] Warranty\n"
    "Shoes have a warranty of 6 months. A. Cohen decides on claims.\n"
    "\n---\n\n"
    "[article:opening-hours] Opening hours\n"
    "Our shop is open from Sunday to Thursday from 09:00 to 18:00. It is closed on Saturday.\n";

static const char hebrew[] = "[article:shipping-he] משלוחים\n"
                             "משלוח רגיל מגיע תוך 3 עד 5 ימי עסקים. משלוח עולה 25 שקלים.\n"
                             "\n"
                             "[article:hours-he] שעות פתיחה\n"
                             "החנות פתוחה בימים ראשון עד חמישי. בשבת החנות סגורה.\n";

static char *answer(const char *question, const char *context, const char *language)
{
    struct llm_request request = {.question = question, .context = context, .language = language};
    struct buf out;
    buf_init(&out, 65536);
    llm_builtin_answer(&request, &out);
    assert_true(fd_utf8_valid(out.data, out.len));
    return out.data;
}

static void check(const char *question, const char *context, const char *part)
{
    char *text = answer(question, context, "en");
    char *again = answer(question, context, "en");
    if (strstr(text, part) == NULL) {
        fail_msg("%s\n%s\ndoes not say: %s", question, text, part);
    }
    assert_string_equal(text, again); /* deterministic */
    free(text);
    free(again);
}

#define SAYS_SO_ENGLISH "built-in offline assistant"
#define SAYS_SO_HEBREW  "העוזר המובנה"
#define NOTHING_ENGLISH "I found nothing"
#define NOTHING_HEBREW  "לא נמצא"

static void eng_1_quotes_and_cites(void **state)
{
    static const struct {
        const char *question, *part;
    } cases[] = {
        {"How long does shipping take?", "takes 3 to 5 working days. Express delivery takes 1 "
                                         "working day. [article:shipping]"},
        {"How much is delivery?", "Standard delivery costs 25 shekels."},
        {"Are you open on Saturday", "It is closed on Saturday. [article:opening-hours]"},
        {"opening hours?", "from 09:00 to 18:00."},
        {"is there a guarantee on shoes", "6 months. [article:warranty]"},
        {"SHIPPED when?", "working days."},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        check(cases[i].question, english, cases[i].part);
        check(cases[i].question, english, SAYS_SO_ENGLISH);
    }
}

/* "How long" wants a time: that sentence comes before others that share as much. */
static void eng_1_a_figure_where_one_is_asked(void **state)
{
    static const char context[] = "[a:b] x\nShipping is fun. Shipping is good. Shipping is great. "
                                  "Shipping is nice. Shipping needs 3 days. Shipping is 5 dollars.";
    (void)state;
    check("How long is shipping?", context, "Shipping needs 3 days.");
    check("How much is shipping?", context, "Shipping is 5 dollars.");
}

/* Words with their one-letter prefixes, plurals and final letters. */
static void eng_1_hebrew(void **state)
{
    static const struct {
        const char *question, *part;
    } cases[] = {
        {"כמה זמן לוקח המשלוח?", "3 עד 5 ימי עסקים."},
        {"כמה עולים משלוחים?", "25 שקלים."},
        {"מה לגבי שבת?", "בשבת החנות סגורה. [article:hours-he]"},
        {"מתי החנויות פתוחות?", "החנות פתוחה"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        check(cases[i].question, hebrew, cases[i].part);
        check(cases[i].question, hebrew, SAYS_SO_HEBREW);
    }
}

static void eng_1_says_that_it_found_nothing(void **state)
{
    (void)state;
    check("What is the capital of France?", english, NOTHING_ENGLISH);
    check("What is the capital of France?", english, "Please contact us directly.");
    check("What is the capital of France?", "", SAYS_SO_ENGLISH);
    check("How long does shipping take?", "", NOTHING_ENGLISH);
    check("How long does shipping take?", NULL, NOTHING_ENGLISH);
    check("מה בירת צרפת?", hebrew, NOTHING_HEBREW);
    check("מה בירת צרפת?", hebrew, "לפנות אלינו");
    check("Hello!", english, "What would you like to know?");
    check("שלום", hebrew, "מה תרצו לדעת?");
    check("", english, SAYS_SO_ENGLISH);
    check(NULL, english, SAYS_SO_ENGLISH);
}

static void eng_1_the_question_decides_the_language(void **state)
{
    static const struct {
        const char *question, *language, *part;
    } cases[] = {{"Where?", "he", SAYS_SO_ENGLISH}, {"איפה?", "en", SAYS_SO_HEBREW},
                 {"123", "he", SAYS_SO_HEBREW},     {"123", "en", SAYS_SO_ENGLISH},
                 {"123", NULL, SAYS_SO_ENGLISH},    {"123", "he-IL", SAYS_SO_HEBREW}};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *text = answer(cases[i].question, english, cases[i].language);
        assert_non_null(strstr(text, cases[i].part));
        free(text);
    }
}

static void eng_1_passages(void **state)
{
    static const struct {
        const char *id, *heading, *text;
    } expected[] = {
        {"article:shipping", "", "We ship every order from our warehouse in Holon."},
        {"article:shipping", "",
         "Orders that are paid before 14:00 leave the same day, e.g. on Sunday."},
        {"article:shipping", "Delivery times",
         "Standard delivery to your door takes 3 to 5 working days."},
        {"article:shipping", "Delivery times", "Express delivery takes 1 working day."},
        {"article:shipping", "Shipping costs", "Standard delivery costs 25 shekels."},
        {"article:shipping", "Shipping costs", "Express delivery costs 45 shekels."},
        {"article:warranty", "", "Shoes have a warranty of 6 months."},
        {"article:warranty", "", "A. Cohen decides on claims."},
        {"article:opening-hours", "",
         "Our shop is open from Sunday to Thursday from 09:00 to 18:00."},
        {"article:opening-hours", "", "It is closed on Saturday."},
    };
    struct passage *list = calloc(PASSAGES_MAX, sizeof(*list));
    struct arena a;
    (void)state;
    arena_init(&a);
    assert_int_equal(passages_of(&a, english, list), sizeof(expected) / sizeof(expected[0]));
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        assert_string_equal(list[i].id, expected[i].id);
        assert_string_equal(list[i].heading, expected[i].heading);
        assert_string_equal(list[i].text, expected[i].text);
    }
    arena_free(&a);
    free(list);
}

/* Whatever a tenant's article holds, the answer is bounded and valid. */
static void eng_1_strange_contexts(void **state)
{
    static const char *const contexts[] = {"[",
                                           "[]",
                                           "[a:",
                                           "[a:b]",
                                           "[a:b] ",
                                           "\n\n\n",
                                           "#",
                                           "##\n:",
                                           "- ",
                                           "---",
                                           "[a:b]c\xff shipping",
                                           "shipping",
                                           "shipping.\nshipping.\nshipping.",
                                           "[x y:z] shipping",
                                           ". . . shipping ?!?",
                                           "[a:b] t\n# shipping\n# shipping\n"};
    struct buf big;
    (void)state;
    for (size_t i = 0; i < sizeof(contexts) / sizeof(contexts[0]); i++) {
        struct llm_request request = {.question = "shipping?", .context = contexts[i]};
        struct buf out;
        buf_init(&out, 65536);
        llm_builtin_answer(&request, &out);
        assert_non_null(strstr(out.data, SAYS_SO_ENGLISH));
        buf_free(&out);
    }
    buf_init(&big, 4u << 20);
    for (int i = 0; i < 20000; i++) {
        buf_printf(&big, "Shipping number %d is here. ", i);
    }
    char *text = answer("shipping", big.data, "en");
    assert_true(strlen(text) < 2000);
    free(text);
    buf_free(&big);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eng_1_quotes_and_cites),
        cmocka_unit_test(eng_1_a_figure_where_one_is_asked),
        cmocka_unit_test(eng_1_hebrew),
        cmocka_unit_test(eng_1_says_that_it_found_nothing),
        cmocka_unit_test(eng_1_the_question_decides_the_language),
        cmocka_unit_test(eng_1_passages),
        cmocka_unit_test(eng_1_strange_contexts),
    };
    return cmocka_run_group_tests_name("llm builtin", tests, NULL, NULL);
}
