/* frontdesk tool: what an organisation's assistant may call, tried out and looked after. */
#include "cmd/cmd.h"
#include "cmd/listing.h"
#include "cmd/org.h"
#include "core/buf.h"
#include "core/file.h"
#include "tool/settings_json.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#define SCHEMA_FILE_MAX 65536
#define BINDINGS_MAX    16
#define LOG_LINES       20
#define LOG_LINES_MAX   1000
#define OUTPUT_MAX      (16u << 20)

struct tool_command {
    const struct config *config;
    struct db *db;
    struct arena arena;
    char org[37];
    const char *verb;
    const char *name;
    const char *given_org;
    struct tool_change change;
    const char *schema_file;
    const char *bindings[BINDINGS_MAX];
    size_t binding_count;
    bool unbound, is_unsigned, disabled;
    const char *arguments;
    const char *language;
    int lines;
    bool json;
};

static int complain(const char *text)
{
    fprintf(stderr, "frontdesk tool: %s\n", text);
    return 1;
}

static int complain_of(const struct tool_problem *problem)
{
    fprintf(stderr, "frontdesk tool: %s: %s\n", problem->field, problem->text);
    return 1;
}

/* -- the command line ------------------------------------------------------------------------ */

enum { URL = 1, DESCRIPTION, SCHEMA, RISK, BIND, NO_BINDINGS, TIMEOUT, TOKEN, TOKEN_HEADER };
enum { NEW_SECRET = 32, UNSIGNED, DISABLED, ACKNOWLEDGEMENT, CONFIG, ARGS, LANGUAGE, LIMIT };

static const struct option options[] = {{"org", required_argument, NULL, 'o'},
                                        {"json", no_argument, NULL, 'j'},
                                        {"url", required_argument, NULL, URL},
                                        {"description", required_argument, NULL, DESCRIPTION},
                                        {"schema", required_argument, NULL, SCHEMA},
                                        {"risk", required_argument, NULL, RISK},
                                        {"bind", required_argument, NULL, BIND},
                                        {"no-bindings", no_argument, NULL, NO_BINDINGS},
                                        {"timeout", required_argument, NULL, TIMEOUT},
                                        {"token", required_argument, NULL, TOKEN},
                                        {"token-header", required_argument, NULL, TOKEN_HEADER},
                                        {"new-secret", no_argument, NULL, NEW_SECRET},
                                        {"unsigned", no_argument, NULL, UNSIGNED},
                                        {"disabled", no_argument, NULL, DISABLED},
                                        {"reply", required_argument, NULL, ACKNOWLEDGEMENT},
                                        {"config", required_argument, NULL, CONFIG},
                                        {"args", required_argument, NULL, ARGS},
                                        {"language", required_argument, NULL, LANGUAGE},
                                        {"limit", required_argument, NULL, LIMIT},
                                        {0}};

static bool number(const char *text, int min, int max, int *value)
{
    char *end;
    long parsed = strtol(text, &end, 10);

    if (end == text || *end != '\0' || parsed < min || parsed > max)
        return false;
    *value = (int)parsed;
    return true;
}

static bool take_change(struct tool_command *c, int option)
{
    switch (option) {
    case URL: c->change.url = optarg; return true;
    case DESCRIPTION: c->change.description = optarg; return true;
    case SCHEMA: c->schema_file = optarg; return true;
    case RISK: c->change.risk = optarg; return true;
    case CONFIG: c->change.config = optarg; return true;
    case NO_BINDINGS: c->unbound = true; return true;
    case TOKEN_HEADER: c->change.token_header = optarg; return true;
    case NEW_SECRET: c->change.secret = TOOL_SECRET_MAKE; return true;
    case UNSIGNED: c->is_unsigned = true; return true;
    case DISABLED: c->disabled = true; return true;
    case TIMEOUT: return number(optarg, 100, 30000, &c->change.timeout_ms);
    case TOKEN:
        c->change.token = optarg[0] != '\0' ? TOOL_SECRET_SET : TOOL_SECRET_REMOVE;
        c->change.token_value = optarg;
        return true;
    case ACKNOWLEDGEMENT:
        c->change.acknowledgement = strcmp(optarg, "none") == 0;
        return c->change.acknowledgement || strcmp(optarg, "data") == 0;
    case BIND:
        if (c->binding_count == BINDINGS_MAX || strchr(optarg, '=') == NULL)
            return false;
        c->bindings[c->binding_count++] = optarg;
        return true;
    default: return false;
    }
}

static bool parse(int argc, char **argv, struct tool_command *c)
{
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'o': c->given_org = optarg; break;
        case 'j': c->json = true; break;
        case ARGS: c->arguments = optarg; break;
        case LANGUAGE: c->language = optarg; break;
        case LIMIT:
            if (!number(optarg, 1, LOG_LINES_MAX, &c->lines))
                return false;
            break;
        default:
            if (!take_change(c, option))
                return false;
        }
    }
    c->verb = optind < argc ? argv[optind++] : "";
    c->name = optind < argc ? argv[optind++] : NULL;
    return optind == argc && c->given_org != NULL;
}

/* -- list and log ---------------------------------------------------------------------------- */

static void print_tool(const PGresult *rows, int row)
{
    const char *url = db_text(rows, row, TOOLS_URL);
    const char *state = db_true(rows, row, TOOLS_ENABLED)              ? "enabled"
                        : db_text(rows, row, TOOLS_UPDATED_AT) != NULL ? "disabled"
                                                                       : "available";

    printf("%-24s %-9s %-5s %-9s %s\n", db_text(rows, row, TOOLS_NAME), state,
           db_text(rows, row, TOOLS_RISK), db_text(rows, row, TOOLS_ORIGIN),
           url != NULL ? url : "-");
}

/* Arguments and results are the visitors' own: they are in --json only. */
static void print_execution(const PGresult *rows, int row)
{
    const char *failure = db_text(rows, row, EXECUTIONS_FAILURE);
    const char *detail = db_text(rows, row, EXECUTIONS_DETAIL);

    printf("%s  %-24s %-10s %6" PRId64 " ms  %s%s%s\n", db_text(rows, row, EXECUTIONS_CREATED_AT),
           db_text(rows, row, EXECUTIONS_TOOL), db_text(rows, row, EXECUTIONS_STATUS),
           db_int(rows, row, EXECUTIONS_MS, 0), failure != NULL ? failure : "",
           detail != NULL ? ": " : "", detail != NULL ? detail : "");
}

static int print_rows(const struct tool_command *c, PGresult *rows, listing_row *write,
                      void (*print)(const PGresult *rows, int row))
{
    struct buf out;

    buf_init(&out, OUTPUT_MAX);
    bool fits = !c->json || listing_write(&out, rows, write);
    if (c->json && fits)
        puts(out.data);
    for (int row = 0; !c->json && row < PQntuples(rows); row++)
        print(rows, row);
    buf_free(&out);
    PQclear(rows);
    return fits ? 0 : complain("too much for one list: use --limit");
}

static int list(struct tool_command *c)
{
    PGresult *rows;

    if (tools_list(c->db, c->org, c->name, &rows) != DB_OK)
        return cmd_complain("tool", c->db);
    return print_rows(c, rows, tools_write, print_tool);
}

static int show_log(struct tool_command *c)
{
    PGresult *rows;

    if (tools_executions(c->db, c->org, c->name, NULL, NULL, c->lines, &rows) != DB_OK)
        return cmd_complain("tool", c->db);
    return print_rows(c, rows, tools_write_execution, print_execution);
}

/* -- changes --------------------------------------------------------------------------------- */

/* ARG=SOURCE...; the source may be "=text". */
static bool write_bindings(struct tool_command *c)
{
    struct fd_json_writer w;
    struct buf out;

    if (c->unbound)
        c->change.bindings = "{}";
    if (c->binding_count == 0)
        return true;
    buf_init(&out, 65536);
    buf_json(&out, &w);
    fd_jw_object(&w);
    for (size_t i = 0; i < c->binding_count; i++) {
        const char *equals = strchr(c->bindings[i], '=');
        const char *name =
            arena_strndup(&c->arena, c->bindings[i], (size_t)(equals - c->bindings[i]));
        fd_jw_member(&w, name, equals + 1);
    }
    fd_jw_end_object(&w);
    bool fits = buf_json_end(&out, &w);
    c->change.bindings = fits ? arena_strdup(&c->arena, out.data) : NULL;
    buf_free(&out);
    return fits;
}

/* A secret on the command line is seen by everybody on the machine: "-" is a line of stdin. */
static bool read_token(struct tool_command *c)
{
    char *line = arena_zalloc(&c->arena, 2048);

    if (c->change.token != TOOL_SECRET_SET || strcmp(c->change.token_value, "-") != 0)
        return true;
    if (fgets(line, 2048, stdin) == NULL)
        return false;
    line[strcspn(line, "\r\n")] = '\0';
    c->change.token_value = line;
    return true;
}

static int change(struct tool_command *c)
{
    char made[TOOL_SECRET_SIZE], error[256];
    struct tool_problem problem;
    size_t len;

    c->change.name = c->name;
    if (!write_bindings(c) || !read_token(c))
        return complain("the bindings or the token cannot be read");
    if (c->schema_file != NULL) {
        c->change.parameters = file_read(&c->arena, c->schema_file, SCHEMA_FILE_MAX, &len, error);
        if (c->change.parameters == NULL)
            return complain(error);
    }
    if (c->is_unsigned)
        c->change.secret = TOOL_SECRET_REMOVE;
    if (tools_change(c->db, c->org, c->config->vault_keys, &c->change, &problem, made) != DB_OK)
        return cmd_complain("tool", c->db);
    if (problem.field != NULL)
        return complain_of(&problem);
    cmd_publish_org(c->db, c->config, c->org);
    if (made[0] != '\0') {
        printf("%s\n", made);
        fprintf(stderr, "the secret that signs %s; it is not shown again\n", c->name);
        sodium_memzero(made, sizeof(made));
    }
    return 0;
}

static int add(struct tool_command *c)
{
    c->change.enabled = !c->disabled;
    c->change.secret = TOOL_SECRET_MAKE;
    return change(c);
}

static int enable(struct tool_command *c)
{
    c->change.enabled = 1;
    return change(c);
}

static int disable(struct tool_command *c)
{
    c->change.enabled = 0;
    return change(c);
}

static int remove_tool(struct tool_command *c)
{
    bool found;

    if (tools_remove(c->db, c->org, c->name, &found) != DB_OK)
        return cmd_complain("tool", c->db);
    if (!found)
        return complain("the organisation has no such tool");
    cmd_publish_org(c->db, c->config, c->org);
    return 0;
}

/* -- a test run ------------------------------------------------------------------------------ */

static void print_test_json(const struct trial *test)
{
    struct fd_json_writer w;
    struct buf out;

    buf_init(&out, OUTPUT_MAX);
    buf_json(&out, &w);
    tools_write_test(&w, test);
    puts(buf_json_end(&out, &w) ? out.data : "{}");
    buf_free(&out);
}

static int test(struct tool_command *c)
{
    struct trial run = {.allow = c->config->outbound_allow, .language = c->language};
    struct tool_problem problem = {0};

    enum db_status status = tools_test(c->db, &c->arena, c->org, c->name,
                                       c->arguments != NULL ? c->arguments : "{}", &run, &problem);
    if (problem.field != NULL)
        return complain_of(&problem);
    if (status != DB_OK)
        return cmd_complain("tool", c->db);
    const struct tool_result *r = &run.result;
    if (c->json) {
        print_test_json(&run);
    } else {
        printf("request  %s\nresult   %s, HTTP %d, %" PRId64 " ms\n", run.request_id,
               tool_failure_name(r->failure), r->status, r->ms);
        if (r->operator_detail != NULL)
            printf("detail   %s\n", r->operator_detail);
        printf("model    %s\n", r->json);
    }
    return r->failure == TOOL_OK ? 0 : 1;
}

/* -- the command ----------------------------------------------------------------------------- */

int cmd_tool(int argc, char **argv, const struct config *config)
{
    static const struct {
        const char *verb;
        int (*run)(struct tool_command *c);
        bool names; /* needs a tool */
    } verbs[] = {{"list", list, false},      {"add", add, true},
                 {"set", change, true},      {"enable", enable, true},
                 {"disable", disable, true}, {"remove", remove_tool, true},
                 {"test", test, true},       {"log", show_log, false}};
    struct tool_command c = {.config = config, .change = tool_unchanged, .lines = LOG_LINES};
    int rc = 1;

    if (!parse(argc, argv, &c))
        return cmd_usage("tool");
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(c.verb, verbs[i].verb) != 0)
            continue;
        if (verbs[i].names && c.name == NULL)
            return cmd_usage("tool");
        arena_init(&c.arena);
        c.db = db_new(config->database_url, "frontdesk tool");
        if (cmd_find_org(c.db, "tool", c.given_org, c.org))
            rc = verbs[i].run(&c);
        db_free(c.db);
        arena_wipe(&c.arena);
        return rc;
    }
    return cmd_usage("tool");
}
