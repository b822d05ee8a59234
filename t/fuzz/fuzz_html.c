/* Any bytes as a page: no crash, and Markdown in valid UTF-8 without control characters. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tenant/article.h"
#include "tenant/import_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *text, size_t len)
{
    if (!fd_utf8_valid(text, len))
        abort();
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)text[i] < 0x20 && text[i] != '\n' && text[i] != '\t')
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char error[IMPORT_ERROR_SIZE];
    const char *title;
    struct arena a;
    struct buf out;
    size_t len;

    arena_init(&a);
    buf_init(&out, ARTICLE_MAX);
    const char *text = import_decode(&a, (const char *)data, size, true, &len);
    if (text != NULL) {
        check(text, len);
        if (import_html(&a, text, len, &out, &title, error) && title != NULL)
            check(title, strlen(title));
        check(out.len > 0 ? out.data : "", out.len);
    }
    buf_free(&out);
    arena_free(&a);
    return 0;
}
