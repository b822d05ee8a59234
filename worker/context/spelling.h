/* Spelling: whether a word may be another one, mistyped. Pure. */
#ifndef FD_CONTEXT_SPELLING_H
#define FD_CONTEXT_SPELLING_H

#define SPELLING_LETTERS_MAX 40

/* Letters that were left out, put in, put for another or exchanged with their neighbour
 * between the two; -1 if more than a hand slips in a word of that length: none below four
 * letters, one below eight, else two. */
int spelling_slips(const char *typed, const char *word);

#endif
