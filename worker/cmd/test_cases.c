/* frontdesk test-cases: asks an organisation's regression cases, and says which failed. The
 * workers that run ask them; this waits. */
#include "cmd/cmd.h"
#include "cmd/org.h"

#include "chat/test_run.h"
#include "core/buf.h"
#include "core/clock.h"
#include "protocol/ids.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define POLL_MS    500
#define WAIT_S     1800
#define WAIT_MAX_S 86400
#define OUTPUT_MAX 33554432
#define NODES      (TEST_RUN_CASES * TEST_ARMS_MAX * 64)

struct test_command {
    const char *org_given;
    char org[37];
    const char *cases[TEST_RUN_CASES];
    size_t case_count;
    struct test_arm arms[TEST_ARMS_MAX];
    size_t arm_count;
    long wait_s;
    bool json;
    struct db *db;
};

static bool add_case(struct test_command *c, const char *id)
{
    if (c->case_count == TEST_RUN_CASES || !fd_uuid_valid(id, strlen(id)))
        return false;
    c->cases[c->case_count++] = id;
    return true;
}

static bool add_model(struct test_command *c, const char *model)
{
    size_t len = strlen(model);

    if (c->arm_count == TEST_ARMS_MAX || len == 0 || len > TEST_LABEL_MAX)
        return false;
    c->arms[c->arm_count++] = (struct test_arm){.label = model, .model_id = model};
    return true;
}

static bool read_wait(struct test_command *c, const char *text)
{
    char *end;

    c->wait_s = strtol(text, &end, 10);
    return *text != '\0' && *end == '\0' && c->wait_s > 0 && c->wait_s <= WAIT_MAX_S;
}

static bool parse(int argc, char **argv, struct test_command *c)
{
    static const struct option known[] = {
        {"org", required_argument, NULL, 'o'},   {"case", required_argument, NULL, 'c'},
        {"model", required_argument, NULL, 'm'}, {"wait", required_argument, NULL, 'w'},
        {"json", no_argument, NULL, 'j'},        {0}};
    bool good = true;
    int option;

    c->wait_s = WAIT_S;
    while (good && (option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (option) {
        case 'o': c->org_given = optarg; break;
        case 'c': good = add_case(c, optarg); break;
        case 'm': good = add_model(c, optarg); break;
        case 'w': good = read_wait(c, optarg); break;
        case 'j': c->json = true; break;
        default: good = false;
        }
    }
    if (c->arm_count == 0)
        c->arms[c->arm_count++] = (struct test_arm){.label = "now"};
    return good && c->org_given != NULL && optind + 1 == argc && strcmp(argv[optind], "run") == 0;
}

/* -- what came of it -----------------------------------------------------------------------------
 */

static void print_money(double usd)
{
    if (usd < 0)
        printf("  %10s", "-");
    else
        printf("  %10.6f", usd);
}

static void print_arm(const struct fd_json *arm)
{
    printf("%-24s  %" PRId64 " passed, %" PRId64 " failed", fd_json_string(arm, "label"),
           fd_json_int(arm, "passed", 0), fd_json_int(arm, "failed", 0));
    printf(", first token %" PRId64 " ms, answer %" PRId64 " ms (half of them)",
           fd_json_int(arm, "p50_first_token_ms", 0), fd_json_int(arm, "p50_ms", 0));
    double usd = fd_json_double(arm, "cost_usd", -1);
    if (usd >= 0)
        printf(", $%.6f", usd);
    puts("");
}

static void print_result(const struct fd_json *result)
{
    const struct fd_json *failures = fd_json_get(result, "failures");
    bool passed = fd_json_bool(result, "passed", false);

    printf("%-4s  %-40.40s  %-24.24s  %6" PRId64, passed ? "ok" : "FAIL",
           fd_json_string(result, "name"), fd_json_string(result, "arm"),
           fd_json_int(result, "ms", 0));
    print_money(fd_json_double(result, "cost_usd", -1));
    puts("");
    for (const struct fd_json *f = failures != NULL ? failures->child : NULL; f != NULL;
         f = f->next)
        printf("      %s\n", f->text);
}

static bool print_table(const struct fd_json *run)
{
    const struct fd_json *results = fd_json_get(run, "results"), *arms = fd_json_get(run, "arms");
    bool passed = true;

    printf("%-4s  %-40s  %-24s  %6s  %10s\n", "", "case", "arm", "ms", "usd");
    for (const struct fd_json *r = results->child; r != NULL; r = r->next) {
        print_result(r);
        passed = passed && fd_json_bool(r, "passed", false);
    }
    puts("");
    for (const struct fd_json *arm = arms->child; arm != NULL; arm = arm->next)
        print_arm(arm);
    return passed;
}

static bool all_passed(const struct fd_json *run)
{
    for (const struct fd_json *r = fd_json_get(run, "results")->child; r != NULL; r = r->next) {
        if (!fd_json_bool(r, "passed", false))
            return false;
    }
    return true;
}

static int tell(const struct test_command *c, const struct fd_json *run, const char *text)
{
    bool done = strcmp(fd_json_string(run, "status"), "done") == 0;
    bool passed = all_passed(run);

    if (c->json)
        puts(text);
    else
        passed = print_table(run);
    if (!done)
        fprintf(stderr, "frontdesk test-cases: the run is %s%s%s\n", fd_json_string(run, "status"),
                fd_json_string(run, "error") != NULL ? ": " : "",
                fd_json_string(run, "error") != NULL ? fd_json_string(run, "error") : "");
    return done && passed ? 0 : 1;
}

/* -- waiting
 * --------------------------------------------------------------------------------------- */

static bool read_run(const struct test_command *c, const char *id, struct buf *text)
{
    struct fd_json_writer w;
    bool found;

    buf_reset(text);
    buf_json(text, &w);
    if (test_run_write(c->db, c->org, id, &w, &found) != DB_OK || !found)
        return false;
    return buf_json_end(text, &w);
}

/* -1: it still runs. */
static int look(const struct test_command *c, const char *id)
{
    const struct fd_json_limits limits = {.nodes = NODES};
    struct fd_json_fault fault;
    struct buf text;
    struct arena a;
    int rc = 1;

    arena_init(&a);
    buf_init(&text, OUTPUT_MAX);
    const struct fd_json *run = read_run(c, id, &text) ? fd_json_parse(text.data, text.len, limits,
                                                                       arena_allocator(&a), &fault)
                                                       : NULL;
    if (run == NULL)
        cmd_complain("test-cases", c->db);
    else
        rc = strcmp(fd_json_string(run, "status"), "running") == 0 ? -1 : tell(c, run, text.data);
    buf_free(&text);
    arena_free(&a);
    return rc;
}

static int wait_for(const struct test_command *c, const char *id)
{
    const struct timespec pause = {.tv_nsec = POLL_MS * 1000000L};
    int64_t until = clock_mono_ms() + c->wait_s * INT64_C(1000);
    int rc;

    while ((rc = look(c, id)) == -1 && clock_mono_ms() < until)
        nanosleep(&pause, NULL);
    if (rc == -1)
        fprintf(stderr, "frontdesk test-cases: run %s is not done after %ld s; it goes on\n", id,
                c->wait_s);
    return rc == -1 ? 1 : rc;
}

static int run(struct test_command *c)
{
    struct test_run_ask ask = {.actor = "cli",
                               .arms = c->arms,
                               .arm_count = c->arm_count,
                               .cases = c->cases,
                               .case_count = c->case_count};
    const char *id;
    struct arena a;

    if (!cmd_find_org(c->db, "test-cases", c->org_given, c->org))
        return 1;
    ask.org = c->org;
    arena_init(&a);
    int rc = test_run_start(c->db, &a, &ask, &id) == DB_OK ? wait_for(c, id)
                                                           : cmd_complain("test-cases", c->db);
    arena_free(&a);
    return rc;
}

int cmd_test_cases(int argc, char **argv, const struct config *config)
{
    struct test_command c = {0};

    if (!parse(argc, argv, &c))
        return cmd_usage("test-cases");
    c.db = db_new(config->database_url, "frontdesk test-cases");
    int rc = run(&c);
    db_free(c.db);
    return rc;
}
