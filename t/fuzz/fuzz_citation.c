/* Any bytes, cut anywhere: what is found was sent, and whole and cut agree. */
#include "context/citation.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct snippet snippets[] = {
    {"article:a", "A", "", 1}, {"article:b-2", "B", "", 1}, {"order:#7, x", "C", "", 1}};
static const char *ids[] = {"article:a", "article:b-2", "order:#7, x"};
static struct chunk chunk = {0, "", 1, ids, 3};
static const struct chunk_set sent = {&chunk, 1, 1};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct citation_scan whole, cut;
    const char *text = (const char *)data;
    size_t found = 0;

    citation_init(&whole, &sent, snippets, 3);
    citation_init(&cut, &sent, snippets, 3);
    if (citation_feed(&whole, text, size) != whole.count || whole.count > 3) {
        abort();
    }
    for (size_t at = 0; at < size;) {
        size_t len = 1 + data[at] % 7;
        len = len < size - at ? len : size - at;
        found += citation_feed(&cut, text + at, len);
        at += len;
    }
    if (found != whole.count || cut.count != whole.count || cut.dropped != whole.dropped) {
        abort();
    }
    for (size_t i = 0; i < whole.count; i++) {
        if (whole.found[i].id != cut.found[i].id || *whole.found[i].label == '\0') {
            abort();
        }
    }
    return 0;
}
