#include "context/spelling.h"

#include "core/utf8.h"

#include <stdint.h>
#include <string.h>

struct letters {
    uint32_t list[SPELLING_LETTERS_MAX];
    int count; /* -1: too many */
};

static void read(const char *word, struct letters *letters)
{
    const char *end = word + strlen(word);

    letters->count = 0;
    while (word < end) {
        if (letters->count == SPELLING_LETTERS_MAX) {
            letters->count = -1;
            return;
        }
        letters->list[letters->count++] = utf8_next(&word, end);
    }
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* Optimal string alignment, by rows. */
static int distance(const struct letters *a, const struct letters *b)
{
    int rows[3][SPELLING_LETTERS_MAX + 1];

    for (int j = 0; j <= b->count; j++) {
        rows[0][j] = j;
    }
    for (int i = 1; i <= a->count; i++) {
        int *row = rows[i % 3];
        const int *above = rows[(i + 2) % 3], *twice = rows[(i + 1) % 3];
        row[0] = i;
        for (int j = 1; j <= b->count; j++) {
            uint32_t left = a->list[i - 1], right = b->list[j - 1];
            row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + (left != right));
            if (i > 1 && j > 1 && left == b->list[j - 2] && a->list[i - 2] == right) {
                row[j] = least(row[j], twice[j - 2] + 1);
            }
        }
    }
    return rows[a->count % 3][b->count];
}

static int slips_of(int letters)
{
    return letters < 4 ? 0 : letters < 8 ? 1 : 2;
}

int spelling_slips(const char *typed, const char *word)
{
    struct letters a, b;

    read(typed, &a);
    read(word, &b);
    if (a.count < 0 || b.count < 0) {
        return -1;
    }
    int slips = distance(&a, &b);
    return slips <= slips_of(a.count) ? slips : -1;
}
