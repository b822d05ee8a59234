#include "tenant/csv.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void begin(struct csv *csv)
{
    if (csv->begun) {
        buf_puts(csv->out, ",");
    }
    csv->begun = true;
}

/* Spreadsheets look past white space for the sign of a formula. */
static bool is_formula(const char *text)
{
    const char *first = text + strspn(text, " ");
    return *first != '\0' && strchr("=+-@\t\r\n", *first) != NULL;
}

void csv_text(struct csv *csv, const char *text)
{
    begin(csv);
    if (text == NULL) {
        return;
    }
    bool formula = is_formula(text);
    if (!formula && strpbrk(text, ",\"\r\n") == NULL) {
        buf_puts(csv->out, text);
        return;
    }
    buf_puts(csv->out, formula ? "\"'" : "\"");
    for (const char *rest = text; *rest != '\0';) {
        size_t plain = strcspn(rest, "\"");
        buf_append(csv->out, rest, plain);
        rest += plain;
        if (*rest == '"') {
            buf_puts(csv->out, "\"\"");
            rest++;
        }
    }
    buf_puts(csv->out, "\"");
}

void csv_int(struct csv *csv, int64_t value)
{
    begin(csv);
    buf_printf(csv->out, "%" PRId64, value);
}

void csv_number(struct csv *csv, const char *digits)
{
    begin(csv);
    buf_puts(csv->out, digits);
}

void csv_end_row(struct csv *csv)
{
    buf_puts(csv->out, "\r\n");
    csv->begun = false;
}
