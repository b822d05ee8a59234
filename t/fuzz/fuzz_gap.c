/* tenant/gap.h: whatever was asked, and whatever stands in a filter. */
#include "tenant/gap.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void check(const struct gap *gap)
{
    char text[GAP_TEXT_SIZE];
    struct gap again;

    if (gap->count > GAP_WORDS_MAX)
        abort();
    for (size_t i = 1; i < gap->count; i++) {
        if (gap->words[i] <= gap->words[i - 1])
            abort();
    }
    gap_write(gap, text);
    if (gap_read(text, &again) != (gap->count > 0) || again.count != gap->count ||
        gap_alike(gap, &again) != (gap->count > 0))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gap asked, read;
    char *text = malloc(size + 1);

    if (text == NULL)
        abort();
    memcpy(text, data, size);
    text[size] = '\0';
    gap_of(&asked, text, size);
    check(&asked);
    gap_read(text, &read);
    check(&read);
    free(text);
    return 0;
}
