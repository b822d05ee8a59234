/* Any bytes are an answer; the same one claims the same. */
#include "tool/claims.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = size > 0 ? (const char *)data : "";

    if (tool_claim_of(text, size) != tool_claim_of(text, size))
        abort();
    return 0;
}
