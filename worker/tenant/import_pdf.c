/* The text of a PDF, page by page, by poppler's pdftotext in a sandbox. */
#include "tenant/import_format.h"

#include "tenant/article.h"
#include "tenant/sandbox.h"

#include <stdio.h>
#include <string.h>

#define TIME_MS  20000
#define CPU_S    15
#define MEMORY   536870912
#define TEXT_MAX (2 * ARTICLE_MAX) /* as it comes: white space goes */

static bool is_lower(char c)
{
    return (c >= 'a' && c <= 'z') || (unsigned char)c >= 0x80;
}

static bool is_letter(char c)
{
    return is_lower(c) || (c >= 'A' && c <= 'Z');
}

/* "infor-" LF "mation" is one word. */
static bool is_divided(const char *line, size_t len, const char *next, const char *end)
{
    return len > 2 && line[len - 1] == '-' && is_letter(line[len - 2]) && next < end &&
           is_lower(*next);
}

static void put_page(const char *text, const char *end, struct buf *line, struct buf *out)
{
    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *stop = newline != NULL ? newline : end, *next = stop + (newline != NULL);
        size_t len = (size_t)(stop - text);
        bool divided = is_divided(text, len, next, end);
        buf_append(line, text, len - divided);
        text = next;
        if (!divided) {
            import_put_line(out, line->len > 0 ? line->data : "", line->len);
            buf_reset(line);
        }
    }
}

static bool is_blank(const char *text, const char *end)
{
    while (text < end && (*text == ' ' || *text == '\n' || *text == '\t'))
        text++;
    return text == end;
}

bool import_pdf_text(struct arena *a, const char *text, size_t len, struct buf *out)
{
    const char *end = text + len;
    struct buf line;
    bool any = false;

    buf_init(&line, TEXT_MAX);
    for (int page = 1; text < end; page++) {
        const char *feed = memchr(text, '\f', (size_t)(end - text));
        const char *stop = feed != NULL ? feed : end;
        size_t clean_len = 0;
        char *clean = import_decode(a, text, (size_t)(stop - text), false, &clean_len);
        if (clean != NULL && !is_blank(clean, clean + clean_len)) {
            buf_printf(out, "\n## p. %d\n\n", page);
            put_page(clean, clean + clean_len, &line, out);
            any = true;
        }
        text = stop + (feed != NULL);
    }
    buf_free(&line);
    return any;
}

static enum import_verdict explain(enum sandbox_end end, char error[IMPORT_ERROR_SIZE])
{
    static const struct {
        enum import_verdict verdict;
        const char *text;
    } faults[] = {
        [SANDBOX_FAILED] = {IMPORT_UNREADABLE,
                            "this PDF is damaged, locked with a password or too complex"},
        [SANDBOX_TIMEOUT] = {IMPORT_UNREADABLE, "this PDF takes too long to read"},
        [SANDBOX_TOO_LARGE] = {IMPORT_TOO_LARGE, "this PDF has more text than an article may"},
        [SANDBOX_MISSING] = {IMPORT_UNAVAILABLE,
                             "PDF cannot be read here: pdftotext (poppler-utils) is not installed"},
        [SANDBOX_REFUSED] = {IMPORT_UNAVAILABLE,
                             "PDF cannot be read here: the kernel offers no sandbox (seccomp)"},
    };

    snprintf(error, IMPORT_ERROR_SIZE, "%s", faults[end].text);
    return faults[end].verdict;
}

enum import_verdict import_pdf(struct arena *a, const char *bytes, size_t len, struct buf *out,
                               char error[IMPORT_ERROR_SIZE])
{
    static const char *const argv[] = {
        IMPORT_PDF_PROGRAM, "-q", "-enc", "UTF-8", "-eol", "unix", "-", "-", NULL};
    const struct sandbox_job job = {.argv = argv,
                                    .input = bytes,
                                    .input_len = len,
                                    .time_ms = TIME_MS,
                                    .cpu_s = CPU_S,
                                    .memory = MEMORY};
    struct buf text;

    buf_init(&text, TEXT_MAX);
    enum sandbox_end end = sandbox_run(&job, &text);
    bool any = end == SANDBOX_OK && import_pdf_text(a, text.data, text.len, out);
    buf_free(&text);
    if (end != SANDBOX_OK)
        return explain(end, error);
    if (!any)
        snprintf(error, IMPORT_ERROR_SIZE, "this PDF has no text: a scan needs OCR first");
    return any ? IMPORT_OK : IMPORT_UNREADABLE;
}
