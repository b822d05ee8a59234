/* frontdesk approvals list|approve|decline: calls of tools that wait for a person. */
#include "chat/approval.h"
#include "cmd/cmd.h"
#include "cmd/org.h"
#include "core/buf.h"
#include "protocol/ids.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JSON_MAX (16u << 20)

struct approvals_command {
    struct db *db;
    const char *verb;
    const char *id;
    const char *org_given;
    char org[37];
    bool all;
    bool json;
};

static bool parse(int argc, char **argv, struct approvals_command *c)
{
    static const struct option known[] = {{"org", required_argument, NULL, 'o'},
                                          {"all", no_argument, NULL, 'a'},
                                          {"json", no_argument, NULL, 'j'},
                                          {0}};
    int option;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (option) {
        case 'o': c->org_given = optarg; break;
        case 'a': c->all = true; break;
        case 'j': c->json = true; break;
        default: return false;
        }
    }
    c->verb = optind < argc ? argv[optind++] : "";
    c->id = optind < argc ? argv[optind++] : NULL;
    return optind == argc && c->org_given != NULL;
}

static void print_json(const struct approval *list, size_t count)
{
    struct buf out;
    struct fd_json_writer w;
    buf_init(&out, JSON_MAX);
    buf_json(&out, &w);
    approvals_write(&w, list, count);
    printf("%s\n", buf_json_end(&out, &w) ? out.data : "[]");
    buf_free(&out);
}

/* The summary has a line for each argument. */
static void print_row(const struct approval *row)
{
    printf("%s  %s  %s  until %s  %s\n", row->id, row->created_at, row->status, row->expires_at,
           row->tool);
    for (const char *line = row->summary; *line != '\0';) {
        size_t len = strcspn(line, "\n");
        printf("    %.*s\n", (int)len, line);
        line += len + (line[len] == '\n');
    }
}

static int list(const struct approvals_command *c)
{
    struct arena a;
    struct approval *rows;
    size_t count;
    arena_init(&a);
    if (approvals_list(c->db, &a, c->org, c->all, &rows, &count) != DB_OK) {
        arena_free(&a);
        return cmd_complain("approvals", c->db);
    }
    if (c->json) {
        print_json(rows, count);
    } else {
        for (size_t i = 0; i < count; i++)
            print_row(&rows[i]);
    }
    arena_free(&a);
    return 0;
}

static int decide(const struct approvals_command *c, bool approve)
{
    enum approval_verdict verdict;
    char by[128];
    const char *user = getenv("USER");
    snprintf(by, sizeof(by), "cli:%.100s", user != NULL ? user : "");
    if (approval_decide(c->db, c->org, c->id, approve, by, &verdict) != DB_OK)
        return cmd_complain("approvals", c->db);
    if (verdict == APPROVAL_TAKEN)
        return 0;
    fprintf(stderr,
            verdict == APPROVAL_CLOSED
                ? "frontdesk approvals: %s was decided already, or it is too late\n"
                : "frontdesk approvals: this organisation has no such call: %s\n",
            c->id);
    return 1;
}

static int act(struct approvals_command *c)
{
    bool approves = strcmp(c->verb, "approve") == 0;
    bool lists = strcmp(c->verb, "list") == 0;
    if (!lists && !approves && strcmp(c->verb, "decline") != 0)
        return cmd_usage("approvals");
    if (lists != (c->id == NULL) || (c->id != NULL && !fd_uuid_valid(c->id, strlen(c->id))))
        return cmd_usage("approvals");
    if (!cmd_find_org(c->db, "approvals", c->org_given, c->org))
        return 1;
    return lists ? list(c) : decide(c, approves);
}

int cmd_approvals(int argc, char **argv, const struct config *config)
{
    struct approvals_command c = {0};
    if (!parse(argc, argv, &c))
        return cmd_usage("approvals");
    c.db = db_new(config->database_url, "frontdesk approvals");
    int rc = act(&c);
    db_free(c.db);
    return rc;
}
