/* frontdesk conversations list|show|export: what was said, as in the admin API. */
#include "cmd/cmd.h"
#include "cmd/org.h"
#include "tenant/conversation_export.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT_MAX 1000

struct conversations_command {
    struct db *db;
    const char *verb;
    const char *id;
    const char *org_given;
    char org[37];
    const char *filters[32]; /* "name=value" */
    size_t filter_count;
    int limit;
    bool json;
    enum conversation_format format;
    struct arena arena;
};

static bool parse(int argc, char **argv, struct conversations_command *c)
{
    static const struct option known[] = {
        {"org", required_argument, NULL, 'o'},    {"filter", required_argument, NULL, 'f'},
        {"format", required_argument, NULL, 't'}, {"limit", required_argument, NULL, 'l'},
        {"json", no_argument, NULL, 'j'},         {0}};
    int option;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (option) {
        case 'o': c->org_given = optarg; break;
        case 'f':
            if (c->filter_count == sizeof(c->filters) / sizeof(c->filters[0]))
                return false;
            c->filters[c->filter_count++] = optarg;
            break;
        case 't':
            if (!conversation_format_named(optarg, &c->format))
                return false;
            break;
        case 'l': c->limit = (int)strtol(optarg, NULL, 10); break;
        case 'j': c->json = true; break;
        default: return false;
        }
    }
    c->verb = optind < argc ? argv[optind++] : "";
    c->id = optind < argc ? argv[optind++] : NULL;
    return optind == argc && c->org_given != NULL && c->limit >= 1 && c->limit <= LIMIT_MAX;
}

static const char *value(const void *from, const char *name)
{
    const struct conversations_command *c = from;
    size_t len = strlen(name);

    for (size_t i = 0; i < c->filter_count; i++) {
        if (strncmp(c->filters[i], name, len) == 0 && c->filters[i][len] == '=')
            return c->filters[i] + len + 1;
    }
    return NULL;
}

/* A name nobody knows is a mistake here, where nobody adds parameters of his own. */
static bool names_are_known(const struct conversations_command *c)
{
    for (size_t i = 0; i < c->filter_count; i++) {
        size_t len = strcspn(c->filters[i], "=");
        const char *const *name = conversation_parameters;
        while (*name != NULL && (strlen(*name) != len || memcmp(*name, c->filters[i], len) != 0))
            name++;
        if (*name == NULL) {
            fprintf(stderr, "frontdesk conversations: there is no filter \"%.*s\"\n", (int)len,
                    c->filters[i]);
            return false;
        }
    }
    return true;
}

static bool read_filter(struct conversations_command *c, struct conversation_filter *filter)
{
    struct conversation_fault fault;

    if (!names_are_known(c))
        return false;
    if (conversation_filter_read(&c->arena, value, c, filter, &fault))
        return true;
    fprintf(stderr, "frontdesk conversations: %s: %s\n", fault.field, fault.detail);
    return false;
}

static int complain(const struct conversations_command *c)
{
    return cmd_complain("conversations", c->db);
}

/* -- list ---------------------------------------------------------------------------------- */

static void print_row(const PGresult *rows, int row)
{
    const char *title = db_text(rows, row, CONVERSATION_TITLE);

    printf("%s  %.19s  %-13s %4s  %-2s  %s\n", db_text(rows, row, CONVERSATION_ID),
           db_text(rows, row, CONVERSATION_STARTED), db_text(rows, row, CONVERSATION_STATUS),
           db_text(rows, row, CONVERSATION_MESSAGES),
           db_text(rows, row, CONVERSATION_LANGUAGE) != NULL
               ? db_text(rows, row, CONVERSATION_LANGUAGE)
               : "",
           title);
}

static int print_json(const PGresult *rows)
{
    struct fd_json_writer w;
    struct buf out;

    buf_init(&out, CONVERSATION_PART_MAX);
    buf_json(&out, &w);
    fd_jw_array(&w);
    for (int row = 0; row < PQntuples(rows); row++) {
        fd_jw_object(&w);
        conversation_write_members(&w, rows, row);
        fd_jw_end_object(&w);
    }
    fd_jw_end_array(&w);
    bool ok = buf_json_end(&out, &w);
    if (ok)
        puts(out.data);
    buf_free(&out);
    return ok ? 0 : 1;
}

static int list(struct conversations_command *c)
{
    struct conversation_filter filter;
    PGresult *rows;
    int rc = 0;

    if (!read_filter(c, &filter))
        return CMD_USAGE;
    if (conversation_list(c->db, c->org, &filter, (struct conversation_place){0}, c->limit,
                          &rows) != DB_OK)
        return complain(c);
    if (c->json)
        rc = print_json(rows);
    for (int row = 0; !c->json && row < PQntuples(rows); row++)
        print_row(rows, row);
    PQclear(rows);
    return rc;
}

/* -- show and export -------------------------------------------------------------------------- */

static int print_parts(struct conversations_command *c, struct conversation_export *x)
{
    struct buf out;
    bool more = true;
    int rc = 0;

    buf_init(&out, CONVERSATION_PART_MAX);
    while (more && rc == 0) {
        buf_reset(&out);
        if (conversation_export_next(x, c->db, &out, &more) != DB_OK)
            rc = complain(c);
        else if (fwrite(out.data, 1, out.len, stdout) != out.len)
            rc = 1;
    }
    buf_free(&out);
    conversation_export_free(x);
    return rc;
}

static int one(struct conversations_command *c)
{
    PGresult *row;

    if (conversation_find(c->db, c->org, c->id, &row) != DB_OK)
        return complain(c);
    if (PQntuples(row) == 0) {
        fputs("frontdesk conversations: there is no such conversation\n", stderr);
        PQclear(row);
        return 1;
    }
    return print_parts(c, conversation_export_one(c->org, row, c->format));
}

static int export(struct conversations_command *c)
{
    struct conversation_filter filter;

    if (c->id != NULL)
        return one(c);
    if (!read_filter(c, &filter))
        return CMD_USAGE;
    return print_parts(c, conversation_export_many(c->org, &filter, c->format));
}

static int run(struct conversations_command *c)
{
    if (strcmp(c->verb, "list") == 0 && c->id == NULL)
        return list(c);
    if (strcmp(c->verb, "show") == 0 && c->id != NULL)
        return one(c);
    return strcmp(c->verb, "export") == 0 ? export(c) : cmd_usage("conversations");
}

int cmd_conversations(int argc, char **argv, const struct config *config)
{
    struct conversations_command c = {.limit = 50, .format = CONVERSATION_JSON};
    int rc = 1;

    if (!parse(argc, argv, &c))
        return cmd_usage("conversations");
    arena_init(&c.arena);
    c.db = db_new(config->database_url, "frontdesk conversations");
    if (cmd_find_org(c.db, "conversations", c.org_given, c.org))
        rc = run(&c);
    db_free(c.db);
    arena_free(&c.arena);
    return rc;
}
