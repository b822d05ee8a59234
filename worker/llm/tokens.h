/*
 * Tokens: the one fixed estimator. Packing and routing use it alone, so that a
 * route never drifts; what is billed are the provider's own numbers. Pure.
 *
 * ceil(code points / 4) for ASCII text; other scripts cost more: two bytes a
 * token for alphabets beyond ASCII, one a character for CJK, kana, hangul, thai.
 */
#ifndef FD_LLM_TOKENS_H
#define FD_LLM_TOKENS_H

#include <stddef.h>

int tokens_estimate(const char *text, size_t len);

#endif
