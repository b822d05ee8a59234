/*
 * Deeds: kinds of actions, as bits, by which an answer's claim ("I've booked it") is held
 * against the calls that were made. A tool's are read from its name, else from what it says of
 * itself; of one that tells neither way nothing is known: it may have done anything. Pure.
 */
#ifndef FD_TOOL_DEEDS_H
#define FD_TOOL_DEEDS_H

#include "core/words.h"

#include <stdbool.h>

enum tool_deed {
    DEED_BOOK = 1,
    DEED_CANCEL = 2,
    DEED_REFUND = 4,
    DEED_SEND = 8,
    DEED_CHANGE = 16,
    DEED_CREATE = 32,
    DEED_ANY = 63
};

/* What a tool does; never none. `description` may be NULL. */
unsigned tool_deeds(const char *name, const char *description);
/* The same of a call that the answer itself made: its own words for it need not be the tool's
 * ("I've moved it" of a second booking). */
unsigned deeds_nearby(unsigned deeds);

/* Of an English word as a verb, and as what a verb is about; 0: none. */
unsigned deed_of_verb(const struct word *word);
unsigned deed_of_thing(const struct word *word);
/* Both in one: a verb that says what was done stands for itself, any other ("created",
 * "processed") for what it was done to as well. */
unsigned deeds_of(unsigned verbs, unsigned things);

/* Was that done? A claim of no kind ("Done!") rests on anything that was. */
bool deeds_cover(unsigned done, unsigned claimed);

#endif
