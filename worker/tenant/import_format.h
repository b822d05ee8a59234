/* Import_format: the readers behind import.h, one a format; each writes Markdown. Pure but
 * for PDF. Private to import*.c, its tests and fuzz targets. */
#ifndef FD_TENANT_IMPORT_FORMAT_H
#define FD_TENANT_IMPORT_FORMAT_H

#include "core/buf.h"
#include "tenant/import.h"

/* UTF-8 of UTF-8, of UTF-16 with a byte order mark, and of the encoding that an HTML file
 * declares. Line ends become LF; control characters, byte order marks and soft hyphens go.
 * NULL: none of these, or it has a NUL. */
char *import_decode(struct arena *a, const char *bytes, size_t len, bool html, size_t *out_len);

/* Appends one line that is text, whatever it looks like: "#" and fences are escaped. */
void import_put_line(struct buf *out, const char *line, size_t len);

/* All take what import_decode() gave. False: `error` says what is wrong. */
void import_plain(const char *text, size_t len, struct buf *out);
bool import_csv(struct arena *a, const char *text, size_t len, struct buf *out,
                char error[IMPORT_ERROR_SIZE]);
/* *title NULL: it has none. */
bool import_html(struct arena *a, const char *text, size_t len, struct buf *out, const char **title,
                 char error[IMPORT_ERROR_SIZE]);
/* From the file's own bytes. */
enum import_verdict import_pdf(struct arena *a, const char *bytes, size_t len, struct buf *out,
                               char error[IMPORT_ERROR_SIZE]);
#define IMPORT_PDF_PROGRAM "/usr/bin/pdftotext"

/* What pdftotext wrote: pages between form feeds. */
bool import_pdf_text(struct arena *a, const char *text, size_t len, struct buf *out);

/* Whether a text begins as HTML does. */
bool import_looks_html(const char *text, size_t len);

#endif
