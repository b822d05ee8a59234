/* frontdesk usage report|invoice|rates|rate: what was used, and what it is charged. */
#include "cmd/cmd.h"
#include "cmd/org.h"
#include "tenant/money.h"
#include "tenant/usage.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct usage_command {
    const struct config *config;
    struct db *db;
    const char *verb;
    const char *org_given;
    char org[37];
    const char *month;
    struct usage_rate rate;
    bool csv, json;
};

static bool parse(int argc, char **argv, struct usage_command *c)
{
    static const struct option known[] = {
        {"org", required_argument, NULL, 'o'},   {"month", required_argument, NULL, 'm'},
        {"model", required_argument, NULL, 'd'}, {"markup", required_argument, NULL, 'p'},
        {"from", required_argument, NULL, 'f'},  {"csv", no_argument, NULL, 'c'},
        {"json", no_argument, NULL, 'j'},        {0}};
    int option;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (option) {
        case 'o': c->org_given = optarg; break;
        case 'm': c->month = optarg; break;
        case 'd': c->rate.model = optarg; break;
        case 'p': c->rate.markup_percent = optarg; break;
        case 'f': c->rate.from = optarg; break;
        case 'c': c->csv = true; break;
        case 'j': c->json = true; break;
        default: return false;
        }
    }
    c->verb = optind < argc ? argv[optind++] : "";
    return optind == argc && !(c->csv && c->json);
}

/* -- a report, an invoice -------------------------------------------------------------------- */

static void print_line(const struct usage *usage, const struct usage_line *line)
{
    char cost[MONEY_SIZE], charge[MONEY_SIZE];

    printf("%-10s  %-32s %9" PRId64 " %12" PRId64 " %12" PRId64 " %14s",
           line->date != NULL ? line->date : usage->month, line->model, line->messages,
           line->tokens_input, line->tokens_output, money_text(cost, line->cost_micro));
    if (usage->invoice) {
        printf(" %9s %14s", line->markup_percent != NULL ? line->markup_percent : "",
               money_text(charge, line->charge_micro));
    }
    putchar('\n');
}

static void print_usage(const struct usage *usage)
{
    struct usage_line total = usage->total;

    printf("%s, %s%s\n", usage->org_name, usage->month, usage->open ? " (not over yet)" : "");
    printf("%-10s  %-32s %9s %12s %12s %14s", usage->invoice ? "month" : "date", "model",
           "messages", "tokens in", "tokens out", "cost USD");
    printf(usage->invoice ? " %9s %14s\n" : "\n", "markup %", "charge USD");
    for (size_t i = 0; i < usage->count; i++) {
        print_line(usage, &usage->lines[i]);
    }
    total.model = "total";
    total.date = usage->month;
    print_line(usage, &total);
    if (total.unpriced_calls > 0) {
        printf("%" PRId64 " calls are not in it: their model's price is not known\n",
               total.unpriced_calls);
    }
}

static int export(struct usage_command *c)
{
    struct usage usage;
    struct arena a;
    struct buf out;
    bool invoice = strcmp(c->verb, "invoice") == 0;

    arena_init(&a);
    buf_init(&out, USAGE_EXPORT_MAX);
    enum db_status status = invoice ? usage_invoice(c->db, &a, c->org, c->month, &usage)
                                    : usage_report(c->db, &a, c->org, c->month, &usage);
    int rc = status == DB_OK ? 0 : cmd_complain("usage", c->db);
    if (rc == 0 && !c->csv && !c->json) {
        print_usage(&usage);
    } else if (rc == 0) {
        rc = (c->csv ? usage_csv(&usage, &out) : usage_json(&usage, &out)) ? 0 : 1;
        fputs(rc == 0 ? out.data : "", stdout);
        fputs(c->json && rc == 0 ? "\n" : "", stdout);
    }
    buf_free(&out);
    arena_free(&a);
    return rc;
}

/* -- the rate card ------------------------------------------------------------------------------
 */

static void write_rates(struct fd_json_writer *w, const PGresult *rates)
{
    static const char *const members[] = {"org_id", "model_id", "from", "markup_percent"};

    fd_jw_array(w);
    for (int row = 0; row < PQntuples(rates); row++) {
        fd_jw_object(w);
        for (int i = 0; i < 4; i++) {
            fd_jw_member(w, members[i], db_text(rates, row, i));
        }
        fd_jw_end_object(w);
    }
    fd_jw_end_array(w);
}

static int rates(struct usage_command *c)
{
    struct fd_json_writer w;
    struct buf out;
    PGresult *rows;
    int rc = 0;

    if (usage_rates(c->db, c->org_given != NULL ? c->org : NULL, &rows) != DB_OK) {
        return cmd_complain("usage", c->db);
    }
    if (c->json) {
        buf_init(&out, USAGE_EXPORT_MAX);
        buf_json(&out, &w);
        write_rates(&w, rows);
        rc = buf_json_end(&out, &w) ? 0 : 1;
        puts(rc == 0 ? out.data : "[]");
        buf_free(&out);
    } else {
        for (int row = 0; row < PQntuples(rows); row++) {
            printf("%-36s  %-32s %s  %9s %%\n",
                   db_text(rows, row, 0) != NULL ? db_text(rows, row, 0) : "every organisation",
                   db_text(rows, row, 1), db_text(rows, row, 2), db_text(rows, row, 3));
        }
    }
    PQclear(rows);
    return rc;
}

static int rate(struct usage_command *c)
{
    c->rate.org = c->org_given != NULL ? c->org : NULL;
    return usage_rate_set(c->db, &c->rate) == DB_OK ? 0 : cmd_complain("usage", c->db);
}

static const struct verb {
    const char *name;
    int (*run)(struct usage_command *c);
    bool wants_org;
    bool wants_rate;
} verbs[] = {{"report", export, true, false},
             {"invoice", export, true, false},
             {"rates", rates, false, false},
             {"rate", rate, false, true}};

static const struct verb *find_verb(const struct usage_command *c)
{
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        bool has_rate = c->rate.model != NULL && c->rate.markup_percent != NULL;
        if (strcmp(verbs[i].name, c->verb) == 0) {
            return (verbs[i].wants_org && c->org_given == NULL) || verbs[i].wants_rate != has_rate
                       ? NULL
                       : &verbs[i];
        }
    }
    return NULL;
}

int cmd_usage_report(int argc, char **argv, const struct config *config)
{
    struct usage_command c = {.config = config};
    const struct verb *verb = parse(argc, argv, &c) ? find_verb(&c) : NULL;
    int rc = 1;

    if (verb == NULL) {
        return cmd_usage("usage");
    }
    c.db = db_new(config->database_url, "frontdesk usage");
    if (c.org_given == NULL || cmd_find_org(c.db, "usage", c.org_given, c.org)) {
        rc = verb->run(&c);
    }
    db_free(c.db);
    return rc;
}
