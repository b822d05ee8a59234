/* Any bytes as Markdown: no crash, and sections within their bounds, in valid UTF-8. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tenant/article.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    struct article article;
    char error[128];

    arena_init(&a);
    if (article_split(&a, "fuzz", NULL, (const char *)data, size, &article, error)) {
        size_t total = 0;
        if (article.section_count < 1 || article.section_count > ARTICLE_SECTIONS_MAX)
            abort();
        for (size_t i = 0; i < article.section_count; i++) {
            const struct article_section *s = &article.sections[i];
            size_t len = strlen(s->body);
            if (len == 0 || len > ARTICLE_SECTION_MAX || !fd_utf8_valid(s->body, len) ||
                !fd_utf8_valid(s->label, strlen(s->label)) ||
                strlen(s->label) > 2 * ARTICLE_LABEL_MAX + 3)
                abort();
            total += len;
        }
        if (total > size)
            abort();
    }
    arena_free(&a);
    return 0;
}
