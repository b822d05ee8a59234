/* ENG-5: a mistyped word finds the one that was meant, and no other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "context/spelling.h"

static void eng_5_slips_of_a_hand(void **state)
{
    static const struct {
        const char *typed, *word;
        int slips;
    } cases[] = {
        {"shipping", "shipping", 0},
        {"shiping", "shipping", 1},   /* left out */
        {"shippping", "shipping", 1}, /* put in */
        {"shipoing", "shipping", 1},  /* another */
        {"hsipping", "shipping", 1},  /* exchanged, at the beginning */
        {"retrun", "return", 1},
        {"uphollstry", "upholstery", 2},
        {"uphollstry", "upholsteri", -1}, /* its stem is further off */
        {"retrnu", "return", -1},         /* two in six letters: another word */
        {"cat", "car", -1},               /* too short to tell */
        {"cats", "cars", 1},
        {"משלח", "משלוח", 1},
        {"המלשוח", "המשלוח", 1},
        {"return", "", -1},
        {"", "return", -1},
        {"", "", 0},
        {"abcdefghijklmnopqrstuvwxyzabcdefghijklmnop", "abcdefghijklmnopqrstuvwxyzabcdefghijklmnop",
         -1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int slips = spelling_slips(cases[i].typed, cases[i].word);
        if (slips != cases[i].slips)
            fail_msg("%s, %s: %d", cases[i].typed, cases[i].word, slips);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eng_5_slips_of_a_hand),
    };

    return cmocka_run_group_tests_name("spelling", tests, NULL, NULL);
}
