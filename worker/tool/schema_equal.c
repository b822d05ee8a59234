#include "tool/schema_equal.h"

#include <math.h>
#include <string.h>

int schema_number_compare(const struct fd_json *a, const struct fd_json *b)
{
    if (a->is_integer && b->is_integer)
        return (a->integer > b->integer) - (a->integer < b->integer);
    return (a->number > b->number) - (a->number < b->number);
}

static bool same_items(const struct fd_json *a, const struct fd_json *b, unsigned *steps)
{
    const struct fd_json *y = b->child;

    for (const struct fd_json *x = a->child; x != NULL; x = x->next, y = y->next) {
        if (!schema_values_equal(x, y, steps))
            return false;
    }
    return true;
}

static bool same_members(const struct fd_json *a, const struct fd_json *b, unsigned *steps)
{
    for (const struct fd_json *x = a->child; x != NULL; x = x->next) {
        const struct fd_json *y = fd_json_get(b, x->key);
        if (y == NULL || !schema_values_equal(x, y, steps))
            return false;
    }
    return true;
}

bool schema_values_equal(const struct fd_json *a, const struct fd_json *b, unsigned *steps)
{
    if (*steps == 0)
        return false;
    --*steps;
    if (a->type != b->type)
        return false;
    switch (a->type) {
    case FD_JSON_NULL: return true;
    case FD_JSON_BOOL: return a->boolean == b->boolean;
    case FD_JSON_NUMBER: return schema_number_compare(a, b) == 0;
    case FD_JSON_STRING:
        return a->text_len == b->text_len && memcmp(a->text, b->text, a->text_len) == 0;
    case FD_JSON_ARRAY: return a->count == b->count && same_items(a, b, steps);
    case FD_JSON_OBJECT: return a->count == b->count && same_members(a, b, steps);
    }
    return false;
}

/* Decimal fractions are no binary ones: 0.3 is a multiple of 0.1 for whoever wrote it. */
bool schema_number_divides(const struct fd_json *divisor, const struct fd_json *value)
{
    if (divisor->is_integer && value->is_integer)
        return value->integer % divisor->integer == 0;
    double quotient = value->number / divisor->number;
    if (!isfinite(quotient))
        return false;
    return fabs(quotient - round(quotient)) <= 1e-9 * fmax(1, fabs(quotient)) &&
           (fabs(quotient) < 4503599627370496.0 || fmod(value->number, divisor->number) == 0);
}
