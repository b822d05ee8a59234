/* frontdesk budget show|set: what an organisation may spend, and what it has spent. */
#include "cmd/cmd.h"
#include "cmd/org.h"
#include "core/buf.h"
#include "tenant/money.h"
#include "tenant/plan.h"

#include <getopt.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

struct budget_command {
    const struct config *config;
    struct db *db;
    const char *verb;
    const char *org;
    struct budget_change change;
    bool changes;
    bool json;
};

static bool parse(int argc, char **argv, struct budget_command *c)
{
    static const struct option known[] = {{"org", required_argument, NULL, 'o'},
                                          {"monthly", required_argument, NULL, 'm'},
                                          {"session", required_argument, NULL, 's'},
                                          {"user", required_argument, NULL, 'u'},
                                          {"allow", required_argument, NULL, 'a'},
                                          {"alert-webhook", required_argument, NULL, 'w'},
                                          {"alert-secret", required_argument, NULL, 'k'},
                                          {"json", no_argument, NULL, 'j'},
                                          {0}};
    int option;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        c->changes = c->changes || strchr("msuawk", option) != NULL;
        switch (option) {
        case 'o': c->org = optarg; break;
        case 'm': c->change.monthly = optarg; break;
        case 's': c->change.session = optarg; break;
        case 'u': c->change.user = optarg; break;
        case 'a': c->change.allowed = optarg; break;
        case 'w': c->change.webhook_url = optarg; break;
        case 'k': c->change.webhook_secret = optarg; break;
        case 'j': c->json = true; break;
        default: return false;
        }
    }
    c->verb = optind < argc ? argv[optind++] : "";
    return optind == argc && c->org != NULL;
}

/* "9.00 USD", or "none". */
#define DOLLARS_SIZE (MONEY_SIZE + 4)
static const char *dollars(char out[DOLLARS_SIZE], int64_t micro)
{
    char number[MONEY_SIZE];

    if (micro < 0)
        return "none";
    snprintf(out, DOLLARS_SIZE, "%s USD", money_text(number, micro));
    return out;
}

static void print_cap(const char *name, int64_t micro, const char *period)
{
    char most[DOLLARS_SIZE];

    if (micro < 0)
        printf("%-13s no cap\n", name);
    else
        printf("%-13s at most %s%s\n", name, dollars(most, micro), period);
}

static void print_view(const struct budget_view *v)
{
    char a[DOLLARS_SIZE], b[DOLLARS_SIZE], c[DOLLARS_SIZE];

    printf("budget        %s a month (own %s, plan %s allows %s)\n", dollars(a, v->monthly_micro),
           dollars(b, v->own_micro), v->plan,
           v->allowed_micro < 0 ? "any" : dollars(c, v->allowed_micro));
    printf("spent         %s", dollars(a, v->spent_micro));
    if (v->percent >= 0) {
        printf(", %d %%", v->percent);
    }
    printf("\nheld          %s for answers being written\n", dollars(a, v->held_micro));
    print_cap("conversation", v->session_micro, "");
    print_cap("visitor", v->user_micro, " a month");
    printf("messages      %" PRId64, v->messages);
    if (v->quota > 0) {
        printf(" of %" PRId64 ", then %s", v->quota, v->throttles ? "slower" : "refused");
    }
    printf("\nalerts        %s\n", v->webhook_url != NULL ? v->webhook_url : "no webhook");
}

static int show(struct budget_command *c, const char *org)
{
    struct budget_view view;
    struct buf out;

    if (budget_show(c->db, org, &view) != DB_OK) {
        return cmd_complain("budget", c->db);
    }
    if (c->json) {
        buf_init(&out, 65536);
        puts(budget_view_json(&view, &out) ? out.data : "{}");
        buf_free(&out);
    } else {
        print_view(&view);
    }
    budget_view_free(&view);
    return 0;
}

static int set(struct budget_command *c, const char *org)
{
    c->change.vault_keys = c->config->vault_keys;
    if (budget_set(c->db, org, &c->change) != DB_OK) {
        return cmd_complain("budget", c->db);
    }
    cmd_publish_org(c->db, c->config, org); /* workers forget what they knew of it */
    if (c->change.made_secret[0] != '\0') {
        printf("%s\n", c->change.made_secret);
        fprintf(stderr, "the secret that signs the alerts; it is not shown again\n");
        sodium_memzero(c->change.made_secret, sizeof(c->change.made_secret));
    }
    return 0;
}

int cmd_budget(int argc, char **argv, const struct config *config)
{
    struct budget_command c = {.config = config};
    char org[37];
    int rc = 1;

    bool parsed = parse(argc, argv, &c);
    bool shows = strcmp(c.verb != NULL ? c.verb : "", "show") == 0 && !c.changes;
    bool sets = strcmp(c.verb != NULL ? c.verb : "", "set") == 0 && c.changes && !c.json;
    if (!parsed || (!shows && !sets)) {
        return cmd_usage("budget");
    }
    c.db = db_new(config->database_url, "frontdesk budget");
    if (cmd_find_org(c.db, "budget", c.org, org)) {
        rc = shows ? show(&c, org) : set(&c, org);
    }
    db_free(c.db);
    return rc;
}
