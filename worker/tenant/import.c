#define _GNU_SOURCE /* memmem */
#include "tenant/import.h"

#include "tenant/article.h"
#include "tenant/import_format.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define PDF_PRESCAN 1024 /* bytes in which "%PDF-" stands (ISO 32000-1, annex H) */

static const char *const names[IMPORT_FORMATS] = {
    [IMPORT_TEXT] = "text", [IMPORT_MARKDOWN] = "markdown", [IMPORT_HTML] = "html",
    [IMPORT_PDF] = "pdf",   [IMPORT_CSV] = "csv",
};

const char *import_format_name(enum import_format format)
{
    return names[format];
}

/* -- what it is --------------------------------------------------------------------------- */

/* What people send that is none of the formats. */
static const char *foreign(const char *bytes, size_t len)
{
    static const struct {
        const char *magic;
        size_t len;
        const char *what;
    } kinds[] = {
        {"PK\x03\x04", 4, "a ZIP archive or an Office document"},
        {"\xD0\xCF\x11\xE0", 4, "an old Office document"},
        {"{\\rtf", 5, "an RTF document"},
        {"\x89PNG", 4, "a picture"},
        {"GIF8", 4, "a picture"},
        {"\xFF\xD8\xFF", 3, "a picture"},
        {"RIFF", 4, "a picture or a recording"},
        {"\x1F\x8B", 2, "a compressed file"},
        {"BZh", 3, "a compressed file"},
        {"7z\xBC\xAF", 4, "a compressed file"},
        {"\xFD\x37zXZ", 5, "a compressed file"},
        {"\x7F"
         "ELF",
         4, "a program"},
    };

    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
        if (len >= kinds[i].len && memcmp(bytes, kinds[i].magic, kinds[i].len) == 0)
            return kinds[i].what;
    }
    return NULL;
}

/* A text may speak of "%PDF-"; what stands before it in a PDF is bytes of a mailer. */
static bool is_pdf(const char *bytes, size_t len)
{
    const char *at = memmem(bytes, len < PDF_PRESCAN ? len : PDF_PRESCAN, "%PDF-", 5);

    return at == bytes || (at != NULL && !fd_utf8_valid(bytes, len));
}

/* False: it says no format, as application/octet-stream does. */
static bool by_content_type(const char *type, enum import_format *format)
{
    static const struct {
        const char *type;
        enum import_format format;
    } types[] = {
        {"text/markdown", IMPORT_MARKDOWN},
        {"text/x-markdown", IMPORT_MARKDOWN},
        {"text/html", IMPORT_HTML},
        {"application/xhtml+xml", IMPORT_HTML},
        {"application/pdf", IMPORT_PDF},
        {"text/csv", IMPORT_CSV},
        {"text/tab-separated-values", IMPORT_CSV},
    };

    for (size_t i = 0; type != NULL && i < sizeof(types) / sizeof(*types); i++) {
        if (strcmp(types[i].type, type) == 0) {
            *format = types[i].format;
            return true;
        }
    }
    return false;
}

static bool by_name(const char *name, enum import_format *format)
{
    static const struct {
        const char *ending;
        enum import_format format;
    } endings[] = {
        {".md", IMPORT_MARKDOWN}, {".markdown", IMPORT_MARKDOWN}, {".html", IMPORT_HTML},
        {".htm", IMPORT_HTML},    {".xhtml", IMPORT_HTML},        {".pdf", IMPORT_PDF},
        {".csv", IMPORT_CSV},     {".tsv", IMPORT_CSV},           {".txt", IMPORT_TEXT},
    };
    size_t len = name != NULL ? strlen(name) : 0;

    for (size_t i = 0; i < sizeof(endings) / sizeof(*endings); i++) {
        size_t size = strlen(endings[i].ending);
        if (len > size && strcasecmp(name + len - size, endings[i].ending) == 0) {
            *format = endings[i].format;
            return true;
        }
    }
    return false;
}

static bool by_format(const char *name, enum import_format *format)
{
    for (int i = 0; name != NULL && i < IMPORT_FORMATS; i++) {
        if (strcmp(names[i], name) == 0) {
            *format = (enum import_format)i;
            return true;
        }
    }
    return false;
}

bool import_format_valid(const char *name)
{
    enum import_format format;

    return by_format(name, &format);
}

static bool says_markdown(const char *text)
{
    return strncmp(text, "# ", 2) == 0 || strstr(text, "\n# ") != NULL ||
           strstr(text, "\n## ") != NULL;
}

/* -- reading it ----------------------------------------------------------------------------- */

static enum import_verdict refuse(char error[IMPORT_ERROR_SIZE], enum import_verdict verdict,
                                  const char *text)
{
    snprintf(error, IMPORT_ERROR_SIZE, "%s", text);
    return verdict;
}

static enum import_verdict read_pdf(struct arena *a, const struct import_file *file, bool claimed,
                                    enum import_format claim, struct buf *out,
                                    char error[IMPORT_ERROR_SIZE])
{
    if (claimed && claim != IMPORT_PDF) {
        snprintf(error, IMPORT_ERROR_SIZE, "it is said to be %s, but it is a PDF", names[claim]);
        return IMPORT_UNKNOWN_TYPE;
    }
    return import_pdf(a, file->bytes, file->len, out, error);
}

/* The text's format: as claimed, unless it is plainly a page. */
static enum import_format text_format(const char *text, size_t len, bool claimed,
                                      enum import_format claim, const char *name)
{
    enum import_format format;

    if (claimed)
        return claim;
    if (import_looks_html(text, len))
        return IMPORT_HTML;
    if (by_name(name, &format))
        return format;
    return says_markdown(text) ? IMPORT_MARKDOWN : IMPORT_TEXT;
}

static enum import_verdict read_text(struct arena *a, const struct import_file *file, bool claimed,
                                     enum import_format claim, struct import_text *result,
                                     struct buf *out, char error[IMPORT_ERROR_SIZE])
{
    enum import_format hint = claim;
    bool may_be_html = claimed || by_name(file->name, &hint)
                           ? hint == IMPORT_HTML
                           : import_looks_html(file->bytes, file->len);
    size_t len;
    const char *text = import_decode(a, file->bytes, file->len, may_be_html, &len);

    if (text == NULL)
        return refuse(error, IMPORT_UNKNOWN_TYPE,
                      "it is not text in UTF-8, nor a format that is known here "
                      "(text, Markdown, HTML, PDF, CSV)");
    result->format = text_format(text, len, claimed, claim, file->name);
    switch (result->format) {
    case IMPORT_PDF:
        return refuse(error, IMPORT_UNKNOWN_TYPE, "it is said to be a PDF, but it is not");
    case IMPORT_HTML:
        return import_html(a, text, len, out, &result->title, error) ? IMPORT_OK
                                                                     : IMPORT_UNKNOWN_TYPE;
    case IMPORT_CSV: return import_csv(a, text, len, out, error) ? IMPORT_OK : IMPORT_UNREADABLE;
    case IMPORT_MARKDOWN: buf_append(out, text, len); return IMPORT_OK;
    default: import_plain(text, len, out); return IMPORT_OK;
    }
}

enum import_verdict import_read(struct arena *a, const struct import_file *file,
                                struct import_text *result, char error[IMPORT_ERROR_SIZE])
{
    enum import_format claim = IMPORT_TEXT;
    bool claimed = by_format(file->format, &claim) || by_content_type(file->content_type, &claim);
    bool pdf = is_pdf(file->bytes, file->len);
    const char *other = foreign(file->bytes, file->len);
    enum import_verdict verdict;
    struct buf out;

    *result = (struct import_text){.format = pdf ? IMPORT_PDF : IMPORT_TEXT};
    if (file->len == 0)
        return refuse(error, IMPORT_UNREADABLE, "it is empty");
    if (file->len > (pdf ? IMPORT_PDF_MAX : IMPORT_TEXT_MAX)) {
        snprintf(error, IMPORT_ERROR_SIZE, "it has more than %d bytes",
                 pdf ? IMPORT_PDF_MAX : IMPORT_TEXT_MAX);
        return IMPORT_TOO_LARGE;
    }
    if (!pdf && other != NULL) {
        snprintf(error, IMPORT_ERROR_SIZE, "it is %s; save it as PDF, HTML or text", other);
        return IMPORT_UNKNOWN_TYPE;
    }
    buf_init(&out, ARTICLE_MAX);
    verdict = pdf ? read_pdf(a, file, claimed, claim, &out, error)
                  : read_text(a, file, claimed, claim, result, &out, error);
    if (verdict == IMPORT_OK && out.over) {
        snprintf(error, IMPORT_ERROR_SIZE, "it has more text than an article may: %d bytes",
                 ARTICLE_MAX);
        verdict = IMPORT_TOO_LARGE;
    }
    result->markdown = out.len > 0 ? arena_strndup(a, out.data, out.len) : "";
    result->len = out.len;
    buf_free(&out);
    return verdict;
}
