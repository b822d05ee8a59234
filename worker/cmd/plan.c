/* frontdesk plan list|set: what the plans allow, and which one an organisation has. */
#include "cmd/cmd.h"
#include "cmd/org.h"
#include "core/buf.h"
#include "tenant/money.h"
#include "tenant/plan.h"
#include "tenant/publish.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

struct plan_command {
    const struct config *config;
    struct db *db;
    const char *verb;
    const char *plan;
    const char *org;
    struct plan_change change;
    bool changes;
    bool json;
};

static bool parse(int argc, char **argv, struct plan_command *c)
{
    static const struct option known[] = {{"org", required_argument, NULL, 'o'},
                                          {"requests-per-minute", required_argument, NULL, 'r'},
                                          {"concurrent-chats", required_argument, NULL, 'c'},
                                          {"messages-per-month", required_argument, NULL, 'm'},
                                          {"monthly-budget", required_argument, NULL, 'b'},
                                          {"at-limit", required_argument, NULL, 'a'},
                                          {"json", no_argument, NULL, 'j'},
                                          {0}};
    int option;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        c->changes = c->changes || strchr("rcmba", option) != NULL;
        switch (option) {
        case 'o': c->org = optarg; break;
        case 'r': c->change.requests_per_minute = optarg; break;
        case 'c': c->change.concurrent_chats = optarg; break;
        case 'm': c->change.messages_per_month = optarg; break;
        case 'b': c->change.monthly_budget = optarg; break;
        case 'a': c->change.at_limit = optarg; break;
        case 'j': c->json = true; break;
        default: return false;
        }
    }
    c->verb = optind < argc ? argv[optind++] : "";
    c->plan = optind < argc ? argv[optind++] : NULL;
    return optind == argc;
}

static void print_plan(const struct plan *plan)
{
    char money[MONEY_SIZE];
    printf("%-12s %8d %8d %10d %12s  %s\n", plan->name, plan->requests_per_minute,
           plan->concurrent_chats, plan->messages_per_month,
           plan->monthly_micro < 0 ? "none" : money_text(money, plan->monthly_micro),
           plan->throttles ? "throttle" : "refuse");
}

static void write_plan(struct fd_json_writer *w, const struct plan *plan)
{
    fd_jw_object(w);
    fd_jw_member(w, "plan", plan->name);
    fd_jw_member_int(w, "requests_per_minute", plan->requests_per_minute);
    fd_jw_member_int(w, "concurrent_chats", plan->concurrent_chats);
    fd_jw_member_int(w, "messages_per_month", plan->messages_per_month);
    fd_jw_key(w, "monthly_budget_usd");
    if (plan->monthly_micro < 0) {
        fd_jw_null(w);
    } else {
        fd_jw_double(w, (double)plan->monthly_micro / 1e6);
    }
    fd_jw_member(w, "at_limit", plan->throttles ? "throttle" : "refuse");
    fd_jw_end_object(w);
}

static int list(struct plan_command *c)
{
    struct plan plans[PLANS_MAX];
    struct fd_json_writer w;
    struct buf out;
    size_t count;

    if (c->plan != NULL || c->org != NULL || c->changes) {
        return cmd_usage("plan");
    }
    if (plan_list(c->db, plans, &count) != DB_OK) {
        return cmd_complain("plan", c->db);
    }
    if (!c->json) {
        printf("%-12s %8s %8s %10s %12s  %s\n", "plan", "req/min", "chats", "msg/month",
               "budget USD", "at the quota");
        for (size_t i = 0; i < count; i++) {
            print_plan(&plans[i]);
        }
        return 0;
    }
    buf_init(&out, 1u << 20);
    buf_json(&out, &w);
    fd_jw_array(&w);
    for (size_t i = 0; i < count; i++) {
        write_plan(&w, &plans[i]);
    }
    fd_jw_end_array(&w);
    bool ok = buf_json_end(&out, &w);
    printf("%s\n", ok ? out.data : "[]");
    buf_free(&out);
    return ok ? 0 : 1;
}

static bool change(const struct plan_command *c)
{
    if (c->config->owner_database_url == NULL) {
        fputs("frontdesk plan: FRONTDESK_OWNER_DATABASE_URL is not set: plans are changed as the "
              "role that owns the tables\n",
              stderr);
        return false;
    }
    struct db *owner = db_new(c->config->owner_database_url, "frontdesk plan");
    bool changed = plan_change(owner, c->plan, &c->change) == DB_OK;
    if (!changed) {
        cmd_complain("plan", owner);
    }
    db_free(owner);
    return changed;
}

/* Every organisation of the plan has new limits. */
static void publish_plan(const struct plan_command *c)
{
    char error[256];
    if (publish_all(c->db, c->config, error) != PUBLISH_OK) {
        fprintf(stderr, "warning: the change is stored but not yet in Redis (%s).\n", error);
    }
}

static int set(struct plan_command *c)
{
    char org[37];

    if (c->plan == NULL || (c->org == NULL) == !c->changes) {
        return cmd_usage("plan");
    }
    if (c->org == NULL) {
        if (!change(c)) {
            return 1;
        }
        publish_plan(c);
        return 0;
    }
    if (!cmd_find_org(c->db, "plan", c->org, org)) {
        return 1;
    }
    if (plan_assign(c->db, org, c->plan) != DB_OK) {
        return cmd_complain("plan", c->db);
    }
    cmd_publish_org(c->db, c->config, org);
    return 0;
}

int cmd_plan(int argc, char **argv, const struct config *config)
{
    struct plan_command c = {.config = config};
    int rc = CMD_USAGE;

    if (!parse(argc, argv, &c) || (strcmp(c.verb, "list") != 0 && strcmp(c.verb, "set") != 0)) {
        return cmd_usage("plan");
    }
    c.db = db_new(config->database_url, "frontdesk plan");
    rc = c.verb[0] == 'l' ? list(&c) : set(&c);
    db_free(c.db);
    return rc;
}
