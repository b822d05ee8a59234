/*
 * Language check: whether a finished answer is in the language that it was asked for. Pure.
 * It judges by letters alone: English for French passes, Hebrew for English does not.
 */
#ifndef FD_CORE_LANGUAGE_CHECK_H
#define FD_CORE_LANGUAGE_CHECK_H

#include <stdbool.h>
#include <stddef.h>

/* Code, addresses, citations, numbers and names of products say nothing; neither does a
 * text with only a few words left, or a language whose script is not known here. */
bool language_differs(const char *text, size_t len, const char *expected);

#endif
