/* Any bytes as rows: no crash, and an article of them that article.h takes or refuses. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tenant/article.h"
#include "tenant/import_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char error[IMPORT_ERROR_SIZE] = "", why[128];
    struct article article;
    struct arena a;
    struct buf out;
    size_t len;

    arena_init(&a);
    buf_init(&out, ARTICLE_MAX);
    const char *text = import_decode(&a, (const char *)data, size, false, &len);
    if (text != NULL && import_csv(&a, text, len, &out, error)) {
        if (!fd_utf8_valid(out.data, out.len))
            abort();
        article_split(&a, "fuzz", "Fuzz", out.data, out.len, &article, why);
    } else if (text != NULL && error[0] == '\0') {
        abort();
    }
    buf_free(&out);
    arena_free(&a);
    return 0;
}
