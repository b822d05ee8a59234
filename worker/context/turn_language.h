/*
 * Turn language: the language that one answer is given in, decided once and kept for all
 * of its turn (ENG-12). Pure.
 */
#ifndef FD_CONTEXT_TURN_LANGUAGE_H
#define FD_CONTEXT_TURN_LANGUAGE_H

#include "llm/provider.h"

/* The question's; one that does not say ("OK", an order number) is in the conversation's,
 * at its beginning in the organisation's own. */
const char *turn_language(const char *question, size_t len, const struct llm_message *history,
                          size_t history_count, const char *own);

#endif
