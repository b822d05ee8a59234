/* Money: amounts as people write them, "12.50", to whole micro-dollars and back. Pure. */
#ifndef FD_TENANT_MONEY_H
#define FD_TENANT_MONEY_H

#include <stdbool.h>
#include <stdint.h>

/* Digits, at most nine before the point and six behind it; no sign, no exponent. */
bool money_read(const char *text, int64_t *micro);

/* "12.50", "0.000123": two decimals at least, no more than are needed. */
#define MONEY_SIZE 32
const char *money_text(char out[MONEY_SIZE], int64_t micro);

#endif
