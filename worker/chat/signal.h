/*
 * Signal: what in a conversation says that a person should be offered - the visitor asks for
 * one, asks the same for the third time, or is upset. English and Hebrew, from tables; the same
 * on every machine. Pure.
 */
#ifndef FD_CHAT_SIGNAL_H
#define FD_CHAT_SIGNAL_H

#include "llm/provider.h"

#include <stdbool.h>
#include <stddef.h>

#define SIGNAL_UPSET (-3) /* of signal_mood(): from here on a person is offered */

/* "Can I talk to a human?"; also an answer that says the visitor should. */
bool signal_asks_for_person(const char *text, size_t len);
/* From -9 to 9, below 0 unhappy. Words weigh 1 or 2, "very" and shouting add to it. */
int signal_mood(const char *text, size_t len);
/* Twice before in the history, in the same words but for order, endings and common ones. */
bool signal_repeats(const char *question, const struct llm_message *history, size_t count);

#endif
