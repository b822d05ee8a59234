#include "tenant/money.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MICRO      1000000
#define WHOLE_MAX  9
#define BEHIND_MAX 6
#define DIGITS     "0123456789"

bool money_read(const char *text, int64_t *micro)
{
    size_t whole = strspn(text, DIGITS);
    const char *rest = text + whole;
    size_t behind = *rest == '.' ? strspn(rest + 1, DIGITS) : 0;
    if (whole == 0 || whole > WHOLE_MAX || behind > BEHIND_MAX || (*rest == '.' && behind == 0) ||
        rest[*rest == '.' ? behind + 1 : 0] != '\0') {
        return false;
    }
    char padded[] = "000000";
    memcpy(padded, rest + (behind > 0 ? 1 : 0), behind);
    *micro = strtoll(text, NULL, 10) * MICRO + strtoll(padded, NULL, 10);
    return true;
}

const char *money_text(char out[MONEY_SIZE], int64_t micro)
{
    const char *sign = micro < 0 ? "-" : "";
    uint64_t size = micro < 0 ? -(uint64_t)micro : (uint64_t)micro;
    int len =
        snprintf(out, MONEY_SIZE, "%s%" PRIu64 ".%06" PRIu64, sign, size / MICRO, size % MICRO);
    for (int zeros = BEHIND_MAX - 2; zeros > 0 && out[len - 1] == '0'; zeros--) {
        out[--len] = '\0';
    }
    return out;
}
