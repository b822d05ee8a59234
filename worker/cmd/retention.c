/* frontdesk retention run|status|set: how long what is kept, and deleting what is old. */
#include "cmd/cmd.h"
#include "cmd/org.h"
#include "core/clock.h"
#include "tenant/housekeeping.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE_MS 60000 /* for the turn, which a worker has for moments */
#define PAUSE_US    50000

struct retention_command {
    const struct config *config;
    struct db *db;
    const char *org_given;
    char org[37];
    int message_days, tool_days; /* 0: not given */
    bool dry_run, json;
    struct arena arena;
};

static const char *parse(int argc, char **argv, struct retention_command *c)
{
    static const struct option known[] = {{"org", required_argument, NULL, 'o'},
                                          {"message-days", required_argument, NULL, 'm'},
                                          {"tool-execution-days", required_argument, NULL, 't'},
                                          {"dry-run", no_argument, NULL, 'n'},
                                          {"json", no_argument, NULL, 'j'},
                                          {0}};
    int option;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (option) {
        case 'o': c->org_given = optarg; break;
        case 'm': c->message_days = atoi(optarg); break;
        case 't': c->tool_days = atoi(optarg); break;
        case 'n': c->dry_run = true; break;
        case 'j': c->json = true; break;
        default: return NULL;
        }
    }
    return optind + 1 == argc ? argv[optind] : NULL;
}

static int complain(const struct retention_command *c)
{
    return cmd_complain("retention", c->db);
}

static const char *only(const struct retention_command *c)
{
    return c->org_given != NULL ? c->org : NULL;
}

/* -- run ------------------------------------------------------------------------------------------
 */

static void report(const struct retention_command *c, const struct retention_counts *n)
{
    if (c->json)
        printf("{\"dry_run\":%s,\"messages\":%" PRId64 ",\"conversations\":%" PRId64
               ",\"jobs\":%" PRId64 ",\"tool_executions\":%" PRId64 ",\"test_runs\":%" PRId64
               ",\"records\":%" PRId64 ",\"archived\":%" PRId64 ",\"partitions\":%" PRId64 "}\n",
               c->dry_run ? "true" : "false", n->messages, n->conversations, n->jobs,
               n->tool_executions, n->test_runs, n->records, n->archived, n->partitions);
    else
        printf("%s%" PRId64 " messages, %" PRId64 " conversations, %" PRId64 " jobs, %" PRId64
               " calls of tools, %" PRId64 " test runs, %" PRId64 " records; %" PRId64
               " lines archived, %" PRId64 " months dropped\n",
               c->dry_run ? "would delete " : "deleted ", n->messages, n->conversations, n->jobs,
               n->tool_executions, n->test_runs, n->records, n->archived, n->partitions);
}

static int dry_run(struct retention_command *c)
{
    struct retention_counts counts = {0};
    struct retention_org *orgs;
    size_t count;

    enum db_status status = retention_orgs(c->db, &c->arena, only(c), &orgs, &count);
    for (size_t i = 0; i < count && status == DB_OK; i++)
        status = retention_count(c->db, &orgs[i], &counts);
    if (status != DB_OK)
        return complain(c);
    report(c, &counts);
    return 0;
}

static enum db_status wait_for_turn(struct db *db, struct turn *turn)
{
    int64_t until = clock_mono_ms() + PATIENCE_MS;
    bool mine = false;
    enum db_status status;

    while ((status = turn_take(db, turn, &mine)) == DB_OK && !mine && clock_mono_ms() < until)
        usleep(PAUSE_US);
    if (status == DB_OK && !mine) {
        db_explain(db, "another process is at it; come again when it is done");
        return DB_FAILED;
    }
    return status;
}

static int run(struct retention_command *c)
{
    struct turn turn = {.name = RETENTION_TURN};
    struct housekeeping pass = {.only = only(c), .archive = archive_place_of(c->config)};
    bool done = false;

    if (c->dry_run)
        return dry_run(c);
    enum db_status status = wait_for_turn(c->db, &turn);
    if (status != DB_OK)
        return complain(c);
    while (status == DB_OK && !done)
        status = housekeeping_step(c->db, &turn, &pass, &done);
    if (status == DB_OK && pass.failed > 0) {
        db_explain(c->db, "of %zu organisations not all is deleted; the last: %s", pass.failed,
                   pass.error);
        status = DB_FAILED;
    }
    int rc = status == DB_OK ? 0 : complain(c);
    turn_give(c->db, &turn);
    report(c, &pass.counts);
    housekeeping_free(&pass);
    return rc;
}

/* -- status and set -------------------------------------------------------------------------------
 */

static void print_org(const struct retention_command *c, const struct retention_org *org,
                      const struct retention_counts *due)
{
    if (c->json)
        printf("{\"org_id\":\"%s\",\"message_days\":%d,\"tool_execution_days\":%d,"
               "\"due_messages\":%" PRId64 ",\"due_conversations\":%" PRId64
               ",\"due_jobs\":%" PRId64 ",\"due_tool_executions\":%" PRId64
               ",\"due_test_runs\":%" PRId64 ",\"due_records\":%" PRId64 "}\n",
               org->id, org->message_days, org->tool_execution_days, due->messages,
               due->conversations, due->jobs, due->tool_executions, due->test_runs, due->records);
    else
        printf("%s  messages %d days, calls of tools %d days; due: %" PRId64 " messages, %" PRId64
               " conversations, %" PRId64 " jobs, %" PRId64 " calls of tools, %" PRId64
               " test runs, %" PRId64 " records\n",
               org->id, org->message_days, org->tool_execution_days, due->messages,
               due->conversations, due->jobs, due->tool_executions, due->test_runs, due->records);
}

static int show(struct retention_command *c)
{
    struct retention_org *orgs = NULL;
    size_t count = 0;
    const char *last;

    enum db_status status = housekeeping_last(c->db, &c->arena, &last);
    if (status == DB_OK)
        status = retention_orgs(c->db, &c->arena, only(c), &orgs, &count);
    if (status == DB_OK && !c->json)
        printf("A worker's last pass began: %s\n", last != NULL ? last : "never");
    for (size_t i = 0; i < count && status == DB_OK; i++) {
        struct retention_counts due = {0};
        status = retention_count(c->db, &orgs[i], &due);
        if (status == DB_OK)
            print_org(c, &orgs[i], &due);
    }
    return status == DB_OK ? 0 : complain(c);
}

static int set(struct retention_command *c)
{
    struct retention_org *org;
    size_t count;

    if (c->org_given == NULL || (c->message_days == 0 && c->tool_days == 0))
        return cmd_usage("retention");
    enum db_status status = retention_orgs(c->db, &c->arena, c->org, &org, &count);
    if (status == DB_OK && count == 1)
        status =
            retention_set(c->db, c->org, c->message_days != 0 ? c->message_days : org->message_days,
                          c->tool_days != 0 ? c->tool_days : org->tool_execution_days);
    return status == DB_OK ? show(c) : complain(c);
}

int cmd_retention(int argc, char **argv, const struct config *config)
{
    static const struct {
        const char *name;
        int (*run)(struct retention_command *c);
    } verbs[] = {{"run", run}, {"status", show}, {"set", set}};
    struct retention_command c = {.config = config};
    const char *verb = parse(argc, argv, &c);
    int rc = CMD_USAGE;
    size_t i = 0;

    while (verb != NULL && i < 3 && strcmp(verbs[i].name, verb) != 0)
        i++;
    if (verb == NULL || i == 3)
        return cmd_usage("retention");
    arena_init(&c.arena);
    c.db = db_new(config->database_url, "frontdesk retention");
    if (c.org_given == NULL || cmd_find_org(c.db, "retention", c.org_given, c.org))
        rc = verbs[i].run(&c);
    else
        rc = 1;
    db_free(c.db);
    arena_free(&c.arena);
    return rc;
}
