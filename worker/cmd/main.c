#include "cmd/cmd.h"

#include "cmd/trace.h"
#include "net/outbound.h"
#include "tool/tool.h"

#include <getopt.h>
#include <signal.h>
#include <string.h>

#include <sodium.h>

struct command {
    const char *name;
    int (*run)(int argc, char **argv, const struct config *config);
    const char *summary;
    const char *usage;
};

static const struct command commands[] = {
    {"worker", cmd_worker, "answer messages until SIGTERM",
     "frontdesk worker\n"
     "    SIGTERM lets running answers end (FRONTDESK_DRAIN_MS); a second one does not.\n"},
    {"admin", cmd_admin, "serve the admin API to nginx until SIGTERM",
     "frontdesk admin\n"
     "frontdesk admin --routes    show what it serves below /api/admin/\n"
     "frontdesk admin --openapi   describe all of HTTP: docs/openapi.yaml\n"
     "    Listens on FRONTDESK_ADMIN_LISTEN; nginx authenticates and passes requests on\n"
     "    (docs/admin-api.md). SIGTERM lets running requests end.\n"},
    {"migrate", cmd_migrate, "bring the database's tables up to date",
     "frontdesk migrate [up]      apply what is missing\n"
     "frontdesk migrate status    show what is applied and what is not\n"},
    {"seed", cmd_seed, "load the models' prices, and a demo organisation",
     "frontdesk seed [--models FILE]\n"
     "frontdesk seed --demo [--origin ORIGIN]... [--keys-file FILE] [--owner-file FILE]\n"
     "               [--dir DIR]\n"
     "    --origin ORIGIN     a site that may use the publishable key, such as\n"
     "                        https://shop.example\n"
     "    --keys-file FILE    write the new keys there instead of showing them\n"
     "    --owner-file FILE   make an owner, and write how to sign in there\n"
     "    --dir DIR           where the demo's content is\n"
     "    --models FILE       where the models' prices are\n"},
    {"org", cmd_org, "make, list, change and switch off organisations",
     "frontdesk org create NAME [--domain DOMAIN] [--plan PLAN] [--language TAG]\n"
     "                     [--origin ORIGIN]... [--json]\n"
     "frontdesk org list [--search TEXT] [--status active|disabled] [--json]\n"
     "frontdesk org show NAME [--json]\n"
     "frontdesk org set NAME [--name NAME] [--domain DOMAIN|none] [--plan PLAN]\n"
     "frontdesk org disable|enable NAME\n"
     "    A new one has a key of each kind; the publishable one works on the origins, else\n"
     "    on the domain's. Of a disabled one keys stop, sessions and open answers end.\n"},
    {"key", cmd_key, "create, list, rotate and revoke API keys",
     "frontdesk key create --org NAME --name NAME --kind pk|sk [--origin ORIGIN]...\n"
     "                     [--scope read|write|admin] [--json]\n"
     "frontdesk key list [--org NAME] [--json]\n"
     "frontdesk key rotate KEY_ID [--overlap 24h] [--json]\n"
     "frontdesk key revoke KEY_ID\n"
     "    A key is shown once, when it is made.\n"},
    {"user", cmd_user, "make and look after the people who sign in",
     "frontdesk user create --org NAME --email ADDRESS --role owner|admin|staff|client\n"
     "                      [--name NAME] [--generate]\n"
     "frontdesk user list --org NAME [--json]\n"
     "frontdesk user password ADDRESS --org NAME [--generate]\n"
     "frontdesk user role ADDRESS owner|admin|staff|client --org NAME\n"
     "frontdesk user disable|enable ADDRESS --org NAME\n"
     "frontdesk user reset-token ADDRESS --org NAME\n"
     "frontdesk user superadmin ADDRESS on|off --org NAME    as the tables' owner\n"
     "frontdesk user setup-token\n"
     "    A password is the first line of stdin, or with --generate made and shown once.\n"
     "    A reset token sets a password within an hour; the setup token, good for a day,\n"
     "    makes the very first user.\n"},
    {"integration", cmd_integration, "connect a client's shop, API or database",
     "frontdesk integration add NAME --org ORG --type shopify|woocommerce|custom_api|database\n"
     "                          --url URL [--credentials FILE] [--auth AUTH] [--settings JSON]\n"
     "                          [--prefix PREFIX] [--api-version VERSION] [--json]\n"
     "frontdesk integration list|log [NAME] --org ORG [--limit LINES] [--json]\n"
     "frontdesk integration test|enable|disable|remove NAME --org ORG\n"
     "frontdesk integration set NAME --org ORG [--credentials FILE] [--settings JSON]\n"
     "frontdesk integration endpoint add INTEGRATION NAME --org ORG --description TEXT\n"
     "                          [--url TEMPLATE] [--method METHOD] [--query SQL] [--risk RISK]\n"
     "                          [--schema JSON] [--bindings JSON] [--config JSON]\n"
     "frontdesk integration endpoint list [INTEGRATION] --org ORG [--json]\n"
     "frontdesk integration endpoint enable|disable|remove NAME --org ORG\n"
     "    --credentials FILE    a JSON object; - reads it from stdin\n"},
    {"identity", cmd_identity, "secrets that prove who a site's visitors are",
     "frontdesk identity create --org NAME\n"
     "frontdesk identity list --org NAME\n"
     "frontdesk identity revoke SECRET_ID --org NAME\n"
     "    Two may live at a time, so that one can be replaced; each is shown once.\n"},
    {"vault", cmd_vault, "make and change the keys of tenants' credentials",
     "frontdesk vault init      make the file FRONTDESK_VAULT_KEYS with a first key\n"
     "frontdesk vault rotate    put every credential under a new key, and drop the old\n"},
    {"plan", cmd_plan, "show and change the plans, and which one an organisation has",
     "frontdesk plan list [--json]\n"
     "frontdesk plan set PLAN --org NAME\n"
     "frontdesk plan set PLAN [--requests-per-minute N] [--concurrent-chats N]\n"
     "    [--messages-per-month N] [--monthly-budget USD|none] [--at-limit refuse|throttle]\n"
     "    Over its messages of a month an organisation is refused or slowed down.\n"},
    {"budget", cmd_budget, "show and set what an organisation may spend on models",
     "frontdesk budget show --org NAME [--json]\n"
     "frontdesk budget set --org NAME [--monthly USD|none] [--session USD|none]\n"
     "    [--user USD|none] [--allow USD|plan] [--alert-webhook URL|none] [--alert-secret TEXT]\n"
     "    --monthly       its own budget, within what its plan allows\n"
     "    --session       of one conversation; --user: of one visitor in a month\n"
     "    --allow         in place of what its plan allows\n"
     "    --alert-webhook is told at 80 and 100 per cent of budget and messages; the secret\n"
     "                    that signs it is shown once, unless it is given\n"},
    {"usage", cmd_usage_report, "report what was used, and what it is charged",
     "frontdesk usage report --org NAME [--month YYYY-MM] [--csv|--json]\n"
     "frontdesk usage invoice --org NAME [--month YYYY-MM] [--csv|--json]\n"
     "frontdesk usage rates [--org NAME] [--json]\n"
     "frontdesk usage rate --model MODEL|'*' --markup PERCENT [--org NAME] [--from YYYY-MM-DD]\n"
     "    The month that it is, unless one is named. A markup without --org is for every\n"
     "    organisation that has none of its own.\n"},
    {"test-cases", cmd_test_cases, "ask the regression cases, and say which failed",
     "frontdesk test-cases run --org NAME [--case ID]... [--model ID]... [--wait SECONDS]\n"
     "                         [--json]\n"
     "    --model ID          a second one compares two models\n"
     "    Workers ask them; the exit status is 1 where one failed (docs/test-chat.md).\n"},
    {"dry-run", cmd_dry_run, "show what a question would send to which model",
     "frontdesk dry-run --org NAME [--model ID] [--language TAG] [--session ID] [--json]\n"
     "    \"QUESTION\"\n"
     "    Everything up to the model call, which is not made.\n"},
    {"prompt", cmd_prompt, "show an organisation's prompts, and check prompt files",
     "frontdesk prompt show --org NAME [--language TAG]\n"
     "frontdesk prompt check [DIR]    that of FRONTDESK_PROMPTS_DIR\n"},
    {"knowledge", cmd_knowledge, "import, show and forget what answers come from",
     "frontdesk knowledge import --org NAME [OPTION]... FILE...\n"
     "frontdesk knowledge list --org NAME [--language TAG] [--json]\n"
     "frontdesk knowledge show SLUG --org NAME [--json]\n"
     "frontdesk knowledge delete SLUG... --org NAME\n"
     "frontdesk knowledge search \"QUESTION\" --org NAME [--language TAG] [--json]\n"
     "    Text, Markdown, HTML, PDF, and CSV of questions and answers. A file that was\n"
     "    imported before replaces what came from it.\n"
     "    --language TAG    it is written in; by its letters if not said\n"
     "    --slug SLUG       the article's id, for one FILE; --title TEXT; --source TEXT\n"
     "    --format text|markdown|html|pdf|csv    refuse what is something else\n"},
    {"models", cmd_models, "bring models and prices up to date, choose an organisation's",
     "frontdesk models sync [--file FILE|--url URL] [--provider NAME] [--region NAME] [--json]\n"
     "frontdesk models list [--org NAME] [--json]\n"
     "frontdesk models enable MODEL --org NAME [--label TEXT]\n"
     "frontdesk models disable MODEL --org NAME\n"
     "frontdesk models default MODEL --org NAME\n"
     "frontdesk models label MODEL TEXT --org NAME\n"
     "frontdesk models set-tier fast|reasoning|fallback MODEL|none --org NAME\n"
     "frontdesk models ab --org NAME [--name SPLIT] [--days N] [--json]\n"
     "    sync takes the list that was shipped, another file, or a provider's /models.\n"
     "    In a list * is the default and + is enabled; ab compares the arms of a split.\n"},
    {"settings", cmd_settings, "show and set what an organisation sets of its assistant",
     "frontdesk settings show --org NAME [--json]\n"
     "frontdesk settings set --org NAME SETTING=VALUE...\n"
     "    All or none; null takes the built-in value back (docs/models-and-budgets.md).\n"
     "frontdesk settings business --org NAME [hours=... timezone=... currency=... contact=...\n"
     "                            shipping_zones=... tone=...]\n"
     "frontdesk settings provider|embedding show|test|remove --org NAME\n"
     "frontdesk settings provider|embedding set --org NAME [--key FILE] [NAME=VALUE...]\n"
     "    Its own model server: provider, base_url; of embeddings model and dimensions, too.\n"
     "    --key FILE    the API key; - reads it from stdin\n"},
    {"route", cmd_route, "print how a question would be routed, and why",
     "frontdesk route [--org NAME] [--model MODEL] [--context-tokens N] [--chunks N] [--json]\n"
     "    QUESTION\n"
     "    With --org by its settings and models; ends with 1 when it would be refused.\n"},
    {"conversations", cmd_conversations, "list, show and export what was said",
     "frontdesk conversations list --org NAME [--filter NAME=VALUE]... [--limit N] [--json]\n"
     "frontdesk conversations show ID --org NAME [--format json|csv|jsonl]\n"
     "frontdesk conversations export [ID] --org NAME [--filter NAME=VALUE]...\n"
     "                          [--format json|csv|jsonl]\n"
     "    Filters as in docs/conversations.md: q, from, to, status, language, channel, user,\n"
     "    rating, feedback, handled, handoff, handoff_reason, handoff_cause, resolved, sentiment,\n"
     "    has, gap, model, tool, active_from, active_to, order.\n"},
    {"visitor", cmd_visitor, "hand over or delete all that is kept of a visitor",
     "frontdesk visitor export --org NAME --session ID|--user NAME|--email ADDRESS|"
     "--conversation ID [--after NEXT]\n"
     "frontdesk visitor delete --org NAME --session ID|--user NAME|--email ADDRESS|"
     "--conversation ID [--json]\n"
     "    What was charged stays, without a name. Both may be repeated, and leave a record.\n"},
    {"retention", cmd_retention, "show and set how long what is kept, delete what is old",
     "frontdesk retention run [--org NAME] [--dry-run] [--json]\n"
     "frontdesk retention status [--org NAME] [--json]\n"
     "frontdesk retention set --org NAME [--message-days N] [--tool-execution-days N]\n"
     "    A worker runs it every hour. With FRONTDESK_ARCHIVE_DIR it is archived first.\n"},
    {"doctor", cmd_doctor, "check settings, PostgreSQL, Redis and the provider",
     "frontdesk doctor [--json]\n"
     "    Ends with 1 when something needs repair.\n"},
    {"approvals", cmd_approvals, "show and decide what tools wait for a person to allow",
     "frontdesk approvals list --org NAME [--all] [--json]\n"
     "frontdesk approvals approve ID --org NAME\n"
     "frontdesk approvals decline ID --org NAME\n"
     "    What is approved is run once, with the arguments that are shown.\n"},
    {"jobs", cmd_jobs, "show, retry and drop jobs that failed for good",
     "frontdesk jobs list\n"
     "frontdesk jobs show JOB_ID\n"
     "frontdesk jobs retry JOB_ID\n"
     "frontdesk jobs drop JOB_ID\n"
     "    An entry that could not be read as a job is listed by its own id, to be dropped.\n"},
    {"tool", cmd_tool, "enable, change and try the tools of an organisation",
     "frontdesk tool list [NAME] --org NAME [--json]\n"
     "frontdesk tool add NAME --org NAME --url URL [OPTION]...\n"
     "frontdesk tool set NAME --org NAME [OPTION]...\n"
     "frontdesk tool enable|disable|remove NAME --org NAME\n"
     "frontdesk tool test NAME --org NAME [--args JSON] [--language en] [--json]\n"
     "frontdesk tool log [NAME] --org NAME [--limit 20] [--json]\n"
     "    --url URL             the webhook; --timeout MS at most 30000\n"
     "    --description TEXT    --schema FILE    of a tool that is not in the catalogue\n"
     "    --risk read|write|high    runs by itself, asks the visitor, asks an operator\n"
     "    --bind ARGUMENT=SOURCE    set by the server, not by the model; --no-bindings\n"
     "    --token VALUE|-       sent in --token-header (X-Frontdesk-Token); - reads a line\n"
     "    --new-secret          of the signature, shown once; --unsigned sends none\n"
     "    --reply data|none     none: an empty answer is enough\n"
     "    --disabled            add it without enabling it\n"
     "    --config JSON         for who executes it\n"},
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    }
    return NULL;
}

static void print_overview(FILE *out)
{
    fputs("usage: frontdesk [--config FILE] COMMAND [ARGUMENT]...\n\n", out);
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(out, "    %-14s%s\n", commands[i].name, commands[i].summary);
    fputs("    help         how a command is used; `help config` lists every setting\n"
          "    version      which version this is\n"
          "\n"
          "Settings come from the environment, else from FILE.\n",
          out);
}

int cmd_usage(const char *command)
{
    const struct command *found = find_command(command);

    if (found != NULL)
        fputs(found->usage, stderr);
    else
        print_overview(stderr);
    return CMD_USAGE;
}

static int help(int argc, char **argv)
{
    const struct command *command;

    if (argc < 2) {
        print_overview(stdout);
        return 0;
    }
    if (strcmp(argv[1], "config") == 0) {
        config_print_example(stdout);
        return 0;
    }
    command = find_command(argv[1]);
    if (command == NULL) {
        fprintf(stderr, "frontdesk: there is no command \"%s\"\n", argv[1]);
        return cmd_usage(argv[1]);
    }
    fputs(command->usage, stdout);
    return 0;
}

static int run(int argc, char **argv, const char *file)
{
    const struct command *command;
    struct config config;

    if (strcmp(argv[0], "help") == 0)
        return help(argc, argv);
    if (strcmp(argv[0], "version") == 0) {
        puts("frontdesk " FRONTDESK_VERSION);
        return 0;
    }
    command = find_command(argv[0]);
    if (command == NULL) {
        fprintf(stderr, "frontdesk: there is no command \"%s\"\n", argv[0]);
        return cmd_usage(argv[0]);
    }
    if (!config_load(&config, file, stderr))
        return 1;
    outbound_use_dns(config.dns_servers);
    tool_use_vault(config.vault_keys);
    optind = 0; /* the command reads its own options from the start */
    int status = command->run(argc, argv, &config);
    if (status != CMD_USAGE)
        trace_write(&config, argc, argv, status);
    return status;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'v'},
        {NULL, 0, NULL, 0},
    };
    const char *file = NULL;
    int option;

    signal(SIGPIPE, SIG_IGN);
    if (sodium_init() < 0) {
        fputs("frontdesk: libsodium cannot start\n", stderr);
        return 1;
    }
    /* "+": what stands behind the command is the command's */
    while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
        switch (option) {
        case 'c': file = optarg; break;
        case 'h': print_overview(stdout); return 0;
        case 'v': puts("frontdesk " FRONTDESK_VERSION); return 0;
        default: return cmd_usage("");
        }
    }
    if (optind == argc) {
        print_overview(stderr);
        return CMD_USAGE;
    }
    return run(argc - optind, argv + optind, file);
}
