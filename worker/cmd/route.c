/* frontdesk route: the decision on a question, with its reasons; nobody is asked. */
#include "route/model.h"
#include "chat/budget.h"
#include "chat/own_endpoints.h"
#include "chat/route_json.h"
#include "route/tenant_route.h"
#include "cmd/cmd.h"
#include "cmd/org.h"
#include "core/buf.h"
#include "core/clock.h"
#include "protocol/limits.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OUTPUT_MAX      65536
#define DEFAULT_TOKENS  2500
#define DEFAULT_CHUNKS  4
#define CONVERSATION_ID "the conversation of frontdesk route" /* deals the arm of a split */

struct route_command {
    const struct config *config;
    struct arena arena;
    const char *org;
    const char *question;
    const char *model;
    int context_tokens;
    int chunks;
    bool json;

    struct db *db; /* NULL: of no organisation */
    char org_id[37];
    struct llm_endpoints endpoints;
    struct tenant *tenant;
    struct route route;
    struct model_plan plan;
};

static int complain(const char *text)
{
    fprintf(stderr, "frontdesk route: %s\n", text);
    return 1;
}

static bool parse_count(const char *text, int *count)
{
    char *end;
    long value = strtol(text, &end, 10);

    *count = (int)value;
    return end != text && *end == '\0' && value >= 0 && value <= 100000000;
}

static bool parse(int argc, char **argv, struct route_command *c)
{
    static const struct option known[] = {{"org", required_argument, NULL, 'o'},
                                          {"model", required_argument, NULL, 'm'},
                                          {"context-tokens", required_argument, NULL, 't'},
                                          {"chunks", required_argument, NULL, 'c'},
                                          {"json", no_argument, NULL, 'j'},
                                          {0}};
    int option;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (option) {
        case 'o': c->org = optarg; break;
        case 'm': c->model = optarg; break;
        case 't':
            if (!parse_count(optarg, &c->context_tokens)) {
                return false;
            }
            break;
        case 'c':
            if (!parse_count(optarg, &c->chunks)) {
                return false;
            }
            break;
        case 'j': c->json = true; break;
        default: return false;
        }
    }
    c->question = optind < argc ? argv[optind++] : NULL;
    return c->question != NULL && optind == argc;
}

/* -- deciding ---------------------------------------------------------------------- */

/* Of an organisation without settings: what is built in. */
static struct tenant *nobody(const struct config *config)
{
    struct tenant *tenant = calloc(1, sizeof(*tenant));

    if (tenant == NULL) {
        abort();
    }
    arena_init(&tenant->arena);
    tenant->refs = 1;
    tenant->reasoning_min_tokens = DEFAULT_TOKENS;
    tenant->reasoning_min_chunks = DEFAULT_CHUNKS;
    tenant->max_tokens = config->max_tokens;
    tenant->budget_used_percent = -1;
    return tenant;
}

static struct tenant *load(struct route_command *c)
{
    struct tenant *tenant = NULL;

    c->db = db_new(c->config->database_url, "frontdesk route");
    if (cmd_find_org(c->db, "route", c->org, c->org_id) &&
        tenant_load(c->db, c->config, c->org_id, &tenant) != DB_OK) {
        cmd_complain("route", c->db);
    }
    return tenant;
}

static void decide(struct route_command *c)
{
    struct route_input input = {.message = c->question,
                                .context_tokens = c->context_tokens,
                                .chunk_count = c->chunks,
                                .now_ms = clock_wall_ms()};
    tenant_route(&c->arena, c->tenant, &input, &c->route);
    struct model_ask ask = {.tier = c->route.tier,
                            .wish = c->model,
                            .budget_used_percent = c->tenant->budget_used_percent,
                            .prompt_tokens = c->context_tokens,
                            .session = CONVERSATION_ID,
                            .question = c->question};
    model_choose(&c->arena, &c->endpoints, c->tenant, &ask, &c->plan);
    for (size_t i = 0; i < c->plan.reason_count; i++) {
        route_add_reason(&c->route, c->plan.reasons[i]);
    }
}

static const char *refusal(struct route_command *c)
{
    switch (c->plan.refusal) {
    case MODEL_CHOSEN: break;
    case MODEL_NOT_ENABLED:
        return arena_printf(&c->arena, "Model %s is not enabled for this organization",
                            c->plan.refused);
    case MODEL_OVER_BUDGET: return BUDGET_NO_ROOM;
    case MODEL_NOWHERE: return "no model may run in the regions that the organisation allows";
    }
    return NULL;
}

/* What the budget would say to the first call of a conversation. */
static bool ask_budget(struct route_command *c, const char **refused)
{
    const struct model_candidate *first = &c->plan.candidates[0];
    struct budget_ask call = {.org = c->org_id,
                              .session = "",
                              .model = first->model,
                              .prompt_tokens = c->context_tokens,
                              .max_tokens = c->tenant->max_tokens};

    if (c->db == NULL || *refused != NULL || c->plan.count == 0) {
        return true;
    }
    return budget_try(c->db, &c->arena, c->tenant, first->endpoint, &call, refused) == DB_OK;
}

/* -- printing ---------------------------------------------------------------------- */

static void print_json(const struct route_command *c, const char *refused)
{
    struct fd_json_writer w;
    struct buf out;

    buf_init(&out, OUTPUT_MAX);
    buf_json(&out, &w);
    fd_jw_object(&w);
    route_write(&w, &c->route);
    fd_jw_member(&w, "model", c->plan.count > 0 ? c->plan.candidates[0].model : NULL);
    fd_jw_key(&w, "models");
    route_write_candidates(&w, &c->plan);
    fd_jw_member(&w, "suggested_model_id", c->plan.suggested);
    fd_jw_member(&w, "refused", refused);
    fd_jw_end_object(&w);
    puts(buf_json_end(&out, &w) ? out.data : "{}");
    buf_free(&out);
}

static void print_text(const struct route_command *c, const char *refused)
{
    const struct route_trial *trial = &c->route.trial;

    printf("intent     %s\ntier       %s\n", c->route.intent, route_tier_name(c->route.tier));
    for (size_t i = 0; i < c->plan.count; i++) {
        printf("%-10s %s (%s)\n", i == 0 ? "model" : "then", c->plan.candidates[i].model,
               c->plan.candidates[i].endpoint->name);
    }
    if (refused != NULL) {
        printf("refused    %s\n", refused);
    }
    for (size_t i = 0; i < c->route.reason_count; i++) {
        printf("%-10s %s\n", i == 0 ? "because" : "", c->route.reasons[i]);
    }
    if (c->plan.suggested != NULL) {
        printf("suggested  %s\n", c->plan.suggested);
    }
    printf("rules      version %d\n", c->route.version);
    if (trial->intent != NULL) {
        printf("on trial   version %d: %s, %s\n", trial->version, trial->intent,
               route_tier_name(trial->tier));
    }
}

static int run(struct route_command *c)
{
    c->tenant = c->org != NULL ? load(c) : nobody(c->config);
    if (c->tenant == NULL) {
        return 1;
    }
    struct llm_endpoints own;
    if (own_endpoints_make(c->tenant, &own)) {
        llm_endpoints_free(&c->endpoints);
        c->endpoints = own;
    }
    decide(c);
    const char *refused = refusal(c);
    int rc = 1;
    if (!ask_budget(c, &refused)) {
        cmd_complain("route", c->db);
    } else {
        c->json ? print_json(c, refused) : print_text(c, refused);
        rc = refused != NULL;
    }
    tenant_unref(c->tenant);
    return rc;
}

int cmd_route(int argc, char **argv, const struct config *config)
{
    struct route_command c = {.config = config};
    char error[256];

    if (!parse(argc, argv, &c)) {
        return cmd_usage("route");
    }
    if (strlen(c.question) > FD_MESSAGE_MAX) {
        return complain("the question is longer than a message may be");
    }
    arena_init(&c.arena);
    int rc = llm_endpoints_load(&c.endpoints, config, error) ? run(&c) : complain(error);
    llm_endpoints_free(&c.endpoints);
    db_free(c.db);
    arena_free(&c.arena);
    return rc;
}
