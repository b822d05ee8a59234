/* Any bytes are an answer; the same one claims the same, no more where more was done, and nothing
 * where everything was. A tool may be called anything, and does something. */
#include "tool/claims.h"
#include "tool/deeds.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned deeds_named(const char *text, size_t size)
{
    char *name = strndup(text, size < 64 ? size : 64);
    unsigned deeds = name != NULL ? tool_deeds(name, name) : DEED_ANY;

    free(name);
    return deeds;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = size > 0 ? (const char *)data : "";
    unsigned deeds = deeds_named(text, size);
    enum tool_claim claim = tool_claim_of(text, size, 0), beyond = tool_claim_of(text, size, deeds);

    if (deeds == 0 || beyond != tool_claim_of(text, size, deeds) || beyond > claim ||
        tool_claim_of(text, size, deeds_nearby(deeds)) > beyond ||
        tool_claim_of(text, size, DEED_ANY) != TOOL_CLAIM_NONE)
        abort();
    return 0;
}
