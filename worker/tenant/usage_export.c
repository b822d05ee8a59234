/* Usage as JSON and as CSV. */
#include "tenant/usage.h"

#include "tenant/csv.h"
#include "tenant/money.h"

static void dollars(struct fd_json_writer *w, const char *key, int64_t micro)
{
    fd_jw_key(w, key);
    fd_jw_double(w, (double)micro / 1e6);
}

/* The figures of a line or of the total. */
static void write_figures(struct fd_json_writer *w, const struct usage *usage,
                          const struct usage_line *line)
{
    fd_jw_member_int(w, "conversations", line->conversations);
    fd_jw_member_int(w, "messages", line->messages);
    fd_jw_member_int(w, "tokens_input", line->tokens_input);
    fd_jw_member_int(w, "tokens_output", line->tokens_output);
    fd_jw_member_int(w, "tool_calls", line->tool_calls);
    fd_jw_member_int(w, "unpriced_calls", line->unpriced_calls);
    fd_jw_member_int(w, "cost_micro", line->cost_micro);
    dollars(w, "cost_usd", line->cost_micro);
    if (usage->invoice) {
        fd_jw_member_int(w, "charge_micro", line->charge_micro);
        dollars(w, "charge_usd", line->charge_micro);
    }
}

static void write_line(struct fd_json_writer *w, const struct usage *usage,
                       const struct usage_line *line)
{
    fd_jw_object(w);
    if (line->date != NULL) {
        fd_jw_member(w, "date", line->date);
    }
    fd_jw_member(w, "model_id", line->model);
    fd_jw_member(w, "model", line->name);
    if (usage->invoice) {
        fd_jw_member(w, "markup_percent", line->markup_percent);
    }
    write_figures(w, usage, line);
    fd_jw_end_object(w);
}

bool usage_json(const struct usage *usage, struct buf *out)
{
    struct fd_json_writer w;

    buf_json(out, &w);
    fd_jw_object(&w);
    fd_jw_member(&w, "org_id", usage->org);
    fd_jw_member(&w, "organization", usage->org_name);
    fd_jw_member(&w, "month", usage->month);
    fd_jw_member(&w, "currency", "USD");
    fd_jw_member_bool(&w, "open", usage->open);
    fd_jw_key(&w, "lines");
    fd_jw_array(&w);
    for (size_t i = 0; i < usage->count; i++) {
        write_line(&w, usage, &usage->lines[i]);
    }
    fd_jw_end_array(&w);
    fd_jw_key(&w, "total");
    fd_jw_object(&w);
    write_figures(&w, usage, &usage->total);
    fd_jw_end_object(&w);
    fd_jw_end_object(&w);
    return buf_json_end(out, &w);
}

static const char *const report_columns[] = {
    "date",         "organization",  "model_id",   "model",          "conversations", "messages",
    "tokens_input", "tokens_output", "tool_calls", "unpriced_calls", "cost_usd",      NULL};
static const char *const invoice_columns[] = {
    "month",    "organization",   "model_id",      "model",      "conversations",
    "messages", "tokens_input",   "tokens_output", "tool_calls", "unpriced_calls",
    "cost_usd", "markup_percent", "charge_usd",    NULL};

static void csv_line(struct csv *csv, const struct usage *usage, const struct usage_line *line)
{
    char money[MONEY_SIZE];

    csv_text(csv, usage->invoice ? usage->month : line->date);
    csv_text(csv, usage->org_name);
    csv_text(csv, line->model);
    csv_text(csv, line->name);
    csv_int(csv, line->conversations);
    csv_int(csv, line->messages);
    csv_int(csv, line->tokens_input);
    csv_int(csv, line->tokens_output);
    csv_int(csv, line->tool_calls);
    csv_int(csv, line->unpriced_calls);
    csv_number(csv, money_text(money, line->cost_micro));
    if (usage->invoice) {
        csv_number(csv, line->markup_percent != NULL ? line->markup_percent : "");
        csv_number(csv, money_text(money, line->charge_micro));
    }
    csv_end_row(csv);
}

bool usage_csv(const struct usage *usage, struct buf *out)
{
    struct csv csv = {.out = out};

    for (const char *const *c = usage->invoice ? invoice_columns : report_columns; *c != NULL;
         c++) {
        csv_text(&csv, *c);
    }
    csv_end_row(&csv);
    for (size_t i = 0; i < usage->count; i++) {
        csv_line(&csv, usage, &usage->lines[i]);
    }
    if (usage->invoice) {
        struct usage_line total = usage->total;
        total.model = "total";
        csv_line(&csv, usage, &total);
    }
    return !out->over;
}
