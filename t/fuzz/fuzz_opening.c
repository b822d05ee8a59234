/* tenant/opening.h: whatever an organisation wrote as its hours. */
#include "tenant/opening.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct opening week;
    char *text = malloc(size + 1);
    if (text == NULL)
        abort();
    memcpy(text, data, size);
    text[size] = '\0';
    if (opening_read(text, &week)) {
        if (week.count == 0 || week.count > OPENING_SPANS_MAX)
            abort();
        for (size_t i = 0; i < week.count; i++) {
            const struct opening_span *span = &week.spans[i];
            if (span->day < 0 || span->day > 6 || span->from < 0 || span->from >= 1440 ||
                span->to <= span->from || span->to > 2880)
                abort();
        }
    }
    free(text);
    return 0;
}
