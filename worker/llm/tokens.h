/*
 * Tokens: the one fixed estimator. Packing and routing use it alone, so that a
 * route never drifts; what is billed are the provider's own numbers. Pure.
 *
 * A quarter of a token for each ASCII character; other scripts cost more, by the table
 * in tokens.c; where code and JSON put one mark to another ({" or ":), half a token
 * besides. The estimate of two texts is never less than that of both in one, unless a
 * mark meets a mark where they join; more text never costs less.
 */
#ifndef FD_LLM_TOKENS_H
#define FD_LLM_TOKENS_H

#include <stddef.h>

int tokens_estimate(const char *text, size_t len);

#endif
