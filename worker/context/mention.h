/* Mention: the order numbers, article numbers and e-mail addresses that a message
 * names. Pure. Few are taken: a message is no place to try numbers out. */
#ifndef FD_CONTEXT_MENTION_H
#define FD_CONTEXT_MENTION_H

#include "core/arena.h"

#define MENTION_EMAILS_MAX   2
#define MENTION_NUMBERS_MAX  4
#define MENTION_VARIANTS_MAX 4 /* "#a-7": as it is, without #, and both in capitals */

struct mentions {
    const char *emails[MENTION_EMAILS_MAX]; /* lower case */
    size_t email_count;
    const char *numbers[MENTION_NUMBERS_MAX * MENTION_VARIANTS_MAX];
    size_t number_count;
};

/* What is found is of [A-Za-z0-9] and a few of "@._%+-#/". */
void mentions_of(struct arena *a, const char *text, size_t len, struct mentions *mentions);

#endif
