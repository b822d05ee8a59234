#include "tool/deeds.h"

#include <ctype.h>
#include <string.h>

#define NAME_MAX_BYTES 128
#define WORDS_MAX      24 /* of a description: its first sentence */

struct entry {
    const char *word;
    unsigned deeds;
};

/* Base forms, whose inflections words.h knows; of words that are as often a thing ("order"), the
 * past alone. What is not listed says nothing by itself. */
static const struct entry verbs[] = {
    {"book", DEED_BOOK},
    {"rebook", DEED_BOOK | DEED_CHANGE},
    {"schedule", DEED_BOOK},
    {"reserve", DEED_BOOK},
    {"cancel", DEED_CANCEL},
    {"void", DEED_CANCEL},
    {"delete", DEED_CANCEL | DEED_CHANGE},
    {"remove", DEED_CANCEL | DEED_CHANGE},
    {"unsubscribe", DEED_CANCEL | DEED_CHANGE},
    {"deactivate", DEED_CANCEL | DEED_CHANGE},
    {"terminate", DEED_CANCEL | DEED_CHANGE},
    {"refund", DEED_REFUND},
    {"reimburse", DEED_REFUND},
    {"credited", DEED_REFUND},
    {"send", DEED_SEND},
    {"sent", DEED_SEND},
    {"resend", DEED_SEND},
    {"emailed", DEED_SEND},
    {"mailed", DEED_SEND},
    {"texted", DEED_SEND},
    {"messaged", DEED_SEND},
    {"notify", DEED_SEND | DEED_CREATE},
    {"forward", DEED_SEND | DEED_CREATE},
    {"escalate", DEED_SEND | DEED_CREATE},
    {"pass", DEED_SEND | DEED_CREATE},
    {"transfer", DEED_SEND | DEED_CHANGE},
    {"update", DEED_CHANGE},
    {"change", DEED_CHANGE},
    {"modify", DEED_CHANGE},
    {"edit", DEED_CHANGE},
    {"set", DEED_CHANGE},
    {"patch", DEED_CHANGE},
    {"move", DEED_CHANGE},
    {"reschedule", DEED_CHANGE},
    {"upgrade", DEED_CHANGE},
    {"downgrade", DEED_CHANGE},
    {"activate", DEED_CHANGE},
    {"reactivate", DEED_CHANGE},
    {"extend", DEED_CHANGE},
    {"renew", DEED_CHANGE},
    {"pause", DEED_CHANGE},
    {"resume", DEED_CHANGE},
    {"adjust", DEED_CHANGE},
    {"correct", DEED_CHANGE},
    {"apply", DEED_CHANGE},
    {"assign", DEED_CHANGE},
    {"replace", DEED_CHANGE | DEED_CREATE},
    {"save", DEED_CHANGE | DEED_CREATE},
    {"create", DEED_CREATE},
    {"add", DEED_CREATE},
    {"insert", DEED_CREATE},
    {"open", DEED_CREATE},
    {"submit", DEED_CREATE},
    {"register", DEED_CREATE},
    {"enroll", DEED_CREATE},
    {"subscribe", DEED_CREATE},
    {"place", DEED_CREATE},
    {"buy", DEED_CREATE},
    {"filed", DEED_CREATE},
    {"ordered", DEED_CREATE},
    {"requested", DEED_CREATE},
    {"logged", DEED_CREATE},
    {"recorded", DEED_CREATE},
    {"manage", DEED_ANY},
    {"handle", DEED_ANY},
};
static const struct entry things[] = {
    {"appointment", DEED_BOOK}, {"booking", DEED_BOOK},      {"reservation", DEED_BOOK},
    {"meeting", DEED_BOOK},     {"consultation", DEED_BOOK}, {"table", DEED_BOOK},
    {"visit", DEED_BOOK},       {"demo", DEED_BOOK},         {"calendar", DEED_BOOK},
    {"slot", DEED_BOOK},        {"refund", DEED_REFUND},     {"reimbursement", DEED_REFUND},
    {"credit", DEED_REFUND},    {"return", DEED_REFUND},     {"cancellation", DEED_CANCEL},
    {"email", DEED_SEND},       {"mail", DEED_SEND},         {"message", DEED_SEND},
    {"sms", DEED_SEND},         {"change", DEED_CHANGE},
};

static unsigned look_up(const struct entry *list, size_t count, const struct word *word)
{
    for (size_t i = 0; i < count; i++) {
        const struct word base = {list[i].word, strlen(list[i].word)};
        if (word_is_form_of(word, &base))
            return list[i].deeds;
    }
    return 0;
}

unsigned deed_of_verb(const struct word *word)
{
    return look_up(verbs, sizeof(verbs) / sizeof(verbs[0]), word);
}

unsigned deed_of_thing(const struct word *word)
{
    return look_up(things, sizeof(things) / sizeof(things[0]), word);
}

unsigned deeds_of(unsigned did, unsigned about)
{
    return (did & ~(unsigned)DEED_CREATE) != 0 ? did : did | about;
}

bool deeds_cover(unsigned done, unsigned claimed)
{
    return claimed == 0 ? done != 0 : (done & claimed) != 0;
}

unsigned deeds_nearby(unsigned deeds)
{
    unsigned near = deeds;

    if ((deeds & (DEED_BOOK | DEED_CHANGE | DEED_CREATE)) != 0)
        near |= DEED_BOOK | DEED_CHANGE | DEED_CREATE;
    if ((deeds & DEED_CANCEL) != 0)
        near |= DEED_CHANGE;
    if ((deeds & DEED_CHANGE) != 0)
        near |= DEED_CANCEL;
    return near;
}

static unsigned deeds_in(const char *text, size_t len)
{
    struct word words[WORDS_MAX];
    unsigned did = 0, about = 0;
    struct arena a;

    arena_init(&a);
    size_t count = words_of(&a, text, len, words, WORDS_MAX);
    for (size_t i = 0; i < count; i++) {
        unsigned thing = deed_of_thing(&words[i]);
        about |= thing;
        did |= thing == 0 ? deed_of_verb(&words[i]) : 0;
    }
    arena_free(&a);
    return deeds_of(did, about);
}

/* "bookTable", "book_table": as words. */
static size_t spell_out(char out[NAME_MAX_BYTES], const char *name)
{
    size_t len = 0;

    for (size_t i = 0; name[i] != '\0' && len + 2 < NAME_MAX_BYTES; i++) {
        if (i > 0 && isupper((unsigned char)name[i]) && islower((unsigned char)name[i - 1]))
            out[len++] = ' ';
        out[len++] = isalnum((unsigned char)name[i]) ? name[i] : ' ';
    }
    return len;
}

unsigned tool_deeds(const char *name, const char *description)
{
    char spelt[NAME_MAX_BYTES];
    unsigned deeds = deeds_in(spelt, spell_out(spelt, name));

    if (deeds == 0 && description != NULL)
        deeds = deeds_in(description, strcspn(description, ".;\n"));
    return deeds != 0 ? deeds : DEED_ANY;
}
