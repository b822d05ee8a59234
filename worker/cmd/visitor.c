/* frontdesk visitor export|delete: all that is kept of one visitor (ENG-17). */
#include "cmd/cmd.h"
#include "cmd/org.h"
#include "protocol/ids.h"
#include "tenant/conversation_export.h"
#include "tenant/visitor.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ACTOR "command"

struct visitor_command {
    const struct config *config;
    struct db *db;
    const char *org_given;
    char org[37];
    struct visitor visitor;
    const char *after;
    int named;
    bool json;
};

static void name(struct visitor_command *c, enum visitor_named_by named_by)
{
    c->visitor = (struct visitor){named_by, optarg};
    c->named++;
}

static const char *parse(int argc, char **argv, struct visitor_command *c)
{
    static const struct option known[] = {{"org", required_argument, NULL, 'o'},
                                          {"session", required_argument, NULL, 's'},
                                          {"user", required_argument, NULL, 'u'},
                                          {"email", required_argument, NULL, 'e'},
                                          {"conversation", required_argument, NULL, 'c'},
                                          {"after", required_argument, NULL, 'a'},
                                          {"json", no_argument, NULL, 'j'},
                                          {0}};
    int option;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (option) {
        case 'o': c->org_given = optarg; break;
        case 's': name(c, VISITOR_SESSION); break;
        case 'u': name(c, VISITOR_USER); break;
        case 'e': name(c, VISITOR_EMAIL); break;
        case 'c': name(c, VISITOR_CONVERSATION); break;
        case 'a': c->after = optarg; break;
        case 'j': c->json = true; break;
        default: return NULL;
        }
    }
    bool complete = optind + 1 == argc && c->org_given != NULL && c->named == 1 &&
                    c->visitor.name[0] != '\0' && strlen(c->visitor.name) <= VISITOR_NAME_MAX &&
                    (c->after == NULL || fd_uuid_valid(c->after, strlen(c->after)));
    return complete ? argv[optind] : NULL;
}

static int print(struct visitor_command *c, struct conversation_export *x, const char *next)
{
    struct buf out;
    bool more = true, ok = true;

    buf_init(&out, CONVERSATION_PART_MAX);
    printf("{\"named_by\":\"%s\",", visitor_named_by(c->visitor.named_by));
    if (next != NULL)
        printf("\"next\":\"%s\",", next);
    printf("\"conversations\":");
    while (more && ok) {
        buf_reset(&out);
        ok = conversation_export_next(x, c->db, &out, &more) == DB_OK;
        ok = ok && fwrite(out.data, 1, out.len, stdout) == out.len;
    }
    puts("}");
    buf_free(&out);
    return ok ? 0 : cmd_complain("visitor", c->db);
}

static int export(struct visitor_command *c)
{
    struct conversation_filter filter;
    const char *next;
    struct arena a;
    size_t count;
    int rc;

    arena_init(&a);
    enum db_status status =
        visitor_find(c->db, &a, c->org, &c->visitor, c->after, &filter, &count, &next);
    if (status == DB_OK)
        status = visitor_note_export(c->db, c->org, &c->visitor, ACTOR, count);
    if (status == DB_OK) {
        struct conversation_export *x =
            conversation_export_many(c->org, &filter, CONVERSATION_JSON);
        rc = print(c, x, next);
        conversation_export_free(x);
    } else {
        rc = cmd_complain("visitor", c->db);
    }
    arena_free(&a);
    return rc;
}

static void print_report(const struct visitor_report *report)
{
    printf("%" PRId64 " conversations with %" PRId64 " messages and %" PRId64
           " calls of tools are deleted, and %" PRId64 " jobs emptied or deleted.\n"
           "%" PRId64 " rows of the ledger stay, without a name.\n",
           report->conversations, report->messages, report->tool_executions, report->jobs,
           report->ledger_rows);
    if (report->more)
        puts("There are more: delete again.");
    if (!report->cache_cleared)
        puts("Redis could not be reached: it forgets within a day.");
}

static int delete (struct visitor_command *c)
{
    struct visitor_report report;
    struct fd_json_writer w;
    struct buf out;

    if (visitor_delete(c->db, c->config->live_redis, c->org, &c->visitor, ACTOR, &report) != DB_OK)
        return cmd_complain("visitor", c->db);
    if (!c->json) {
        print_report(&report);
        return 0;
    }
    buf_init(&out, 4096);
    buf_json(&out, &w);
    visitor_write_report(&w, &report);
    buf_json_end(&out, &w);
    puts(out.data);
    buf_free(&out);
    return 0;
}

int cmd_visitor(int argc, char **argv, const struct config *config)
{
    struct visitor_command c = {.config = config};
    const char *verb = parse(argc, argv, &c);
    int rc = 1;

    if (verb == NULL || (strcmp(verb, "export") != 0 && strcmp(verb, "delete") != 0))
        return cmd_usage("visitor");
    c.db = db_new(config->database_url, "frontdesk visitor");
    if (cmd_find_org(c.db, "visitor", c.org_given, c.org))
        rc = verb[0] == 'e' ? export(&c) : delete (&c);
    db_free(c.db);
    return rc;
}
