#include "integration/probe.h"
#include "integration/integration.h"
#include "integration/journal.h"
#include "integration/oauth.h"
#include "integration/query.h"
#include "integration/request.h"
#include "integration/shape.h"
#include "core/clock.h"
#include "core/reason.h"
#include "tool/shown.h"

#include <stdio.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

#define CHECKS_MAX 4
#define CHECK_MS   6000
#define SAMPLE_MAX 2000

static const struct {
    enum integration_type type;
    const char *what;
    const char *path;
} plan[] = {
    {INTEGRATION_SHOPIFY, "shop", "/shop.json?fields=name,domain,currency,plan_name"},
    {INTEGRATION_SHOPIFY, "orders (read_orders)", "/orders.json?status=any&limit=1&fields=id"},
    {INTEGRATION_SHOPIFY, "products (read_products)", "/products.json?limit=1&fields=id,title"},
    {INTEGRATION_SHOPIFY, "inventory (read_inventory)", "/inventory_items.json?ids=1&limit=1"},
    {INTEGRATION_WOOCOMMERCE, "products", "/products?per_page=1&_fields=id,name,price"},
    {INTEGRATION_WOOCOMMERCE, "orders", "/orders?per_page=1&_fields=id,status"},
};

static const struct db_statement keep = {
    "probe_keep",
    "UPDATE client_integrations SET last_test = $3, last_sync_test = now()"
    " WHERE org_id = $1 AND id = $2",
    3};

struct check {
    const char *what;
    enum tool_failure failure;
    int status;
    int64_t ms;
    const char *detail; /* NULL: nothing is to be done */
};

struct probe {
    struct arena a;
    const struct config *config;
    struct integration integration;
    const char *token;
    struct check checks[CHECKS_MAX];
    size_t count;
    const char *sample; /* JSON */
};

/* -- over HTTP ------------------------------------------------------------------------------ */

struct taking {
    struct probe *probe;
    struct check *check; /* NULL: the token */
    char error[256];
};

static void take_token(void *arg, const struct outbound_response *response)
{
    struct taking *taking = arg;
    int64_t lifetime_s;

    taking->probe->token = oauth_token(&taking->probe->a, response, &lifetime_s, taking->error);
}

static void add_sample(struct probe *probe, const char *json)
{
    struct fd_json_fault fault;
    const struct fd_json *value;
    size_t len;

    if (probe->sample != NULL)
        return;
    value = fd_json_parse(json, strlen(json), (struct fd_json_limits){.depth = 24, .nodes = 20000},
                          arena_allocator(&probe->a), &fault);
    if (value != NULL)
        probe->sample = shown_json(&probe->a, value, NULL, SAMPLE_MAX, &len);
}

static void take_answer(void *arg, const struct outbound_response *response)
{
    static const struct endpoint reading = {
        .kind = ENDPOINT_HTTP, .name = "", .method = "GET", .url = ""};
    struct taking *taking = arg;
    struct tool_result result;
    struct probe *probe = taking->probe;

    shape_response(&probe->a, &probe->integration, &reading, NULL, response, &result);
    taking->check->failure = result.failure;
    taking->check->status = response->status;
    taking->check->ms = response->ms;
    taking->check->detail = result.operator_detail;
    if (result.failure == TOOL_OK)
        add_sample(probe, result.json);
}

static void request_token(struct probe *probe)
{
    struct taking taking = {.probe = probe};
    struct outbound_options options;
    struct check *check = &probe->checks[probe->count];
    int64_t started = clock_mono_ms();

    if (oauth_request(&probe->a, &probe->integration, &options, taking.error))
        outbound_perform(probe->config->outbound_allow, &options, take_token, &taking);
    if (probe->token != NULL)
        return;
    *check = (struct check){.what = "token",
                            .failure = TOOL_UNREACHABLE,
                            .ms = clock_mono_ms() - started,
                            .detail = arena_strdup(&probe->a, taking.error)};
    probe->count++;
}

static void check_path(struct probe *probe, const char *what, const char *path)
{
    struct taking taking = {.probe = probe, .check = &probe->checks[probe->count++]};
    struct outbound_options options;

    *taking.check = (struct check){.what = what};
    if (integration_request(&probe->a, &probe->integration, path, probe->token, &options,
                            taking.error)) {
        if (options.total_ms > CHECK_MS)
            options.total_ms = CHECK_MS;
        outbound_perform(probe->config->outbound_allow, &options, take_answer, &taking);
    } else {
        taking.check->failure = TOOL_BLOCKED;
        taking.check->detail = arena_strdup(&probe->a, taking.error);
    }
}

static bool answered(const struct check *check)
{
    return check->status != 0;
}

static void check_api(struct probe *probe)
{
    const char *path = fd_json_string(probe->integration.settings, "test_path");

    if (probe->integration.auth == AUTH_OAUTH2)
        request_token(probe);
    if (probe->count > 0)
        return;
    if (probe->integration.type == INTEGRATION_CUSTOM_API)
        check_path(probe, "answer", path != NULL ? path : "");
    for (size_t i = 0; i < COUNT(plan); i++) {
        /* who does not answer once is not asked again */
        if (plan[i].type == probe->integration.type &&
            (probe->count == 0 || answered(&probe->checks[0])))
            check_path(probe, plan[i].what, plan[i].path);
    }
}

/* -- a database ---------------------------------------------------------------------------------
 */

static void check_database(struct probe *probe)
{
    static const char sql[] =
        "SELECT current_user AS role, current_setting('server_version') AS version,"
        "       (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) AS "
        "superuser";
    struct check *check = &probe->checks[probe->count++];
    struct query_result result;

    query_run(&probe->a, &probe->integration, probe->config->outbound_allow, sql, NULL, 0, &result);
    *check = (struct check){.what = "query", .failure = result.failure, .ms = result.ms};
    if (result.failure != TOOL_OK) {
        check->detail = arena_strdup(&probe->a, result.error);
        return;
    }
    if (strstr(result.json, "\"superuser\":true") != NULL)
        check->detail = "this role is a superuser: make one that may only SELECT what the "
                        "queries need";
    add_sample(probe, result.json);
}

/* -- what was found
 * ---------------------------------------------------------------------------------- */

static bool all_good(const struct probe *probe)
{
    for (size_t i = 0; i < probe->count; i++) {
        if (probe->checks[i].failure != TOOL_OK)
            return false;
    }
    return probe->count > 0;
}

static int64_t slowest(const struct probe *probe)
{
    int64_t ms = 0;

    for (size_t i = 0; i < probe->count; i++) {
        if (probe->checks[i].ms > ms)
            ms = probe->checks[i].ms;
    }
    return ms;
}

static bool write_outcome(const struct probe *probe, bool sample, struct buf *json)
{
    struct fd_json_writer w;

    buf_json(json, &w);
    fd_jw_object(&w);
    fd_jw_member_bool(&w, "ok", all_good(probe));
    fd_jw_member_int(&w, "ms", slowest(probe));
    fd_jw_key(&w, "checks");
    fd_jw_array(&w);
    for (size_t i = 0; i < probe->count; i++) {
        const struct check *check = &probe->checks[i];

        fd_jw_object(&w);
        fd_jw_member(&w, "what", check->what);
        fd_jw_member(&w, "outcome", tool_failure_name(check->failure));
        fd_jw_member_int(&w, "status", check->status);
        fd_jw_member_int(&w, "ms", check->ms);
        reason_member(&w, "detail", check->detail);
        fd_jw_end_object(&w);
    }
    fd_jw_end_array(&w);
    if (sample) {
        fd_jw_key(&w, "sample");
        probe->sample != NULL ? fd_jw_raw(&w, probe->sample, strlen(probe->sample))
                              : fd_jw_null(&w);
    }
    fd_jw_end_object(&w);
    return buf_json_end(json, &w);
}

static enum db_status keep_outcome(struct db *db, const char *org, const struct probe *probe)
{
    const char *params[] = {org, probe->integration.id, NULL};
    enum db_status status = DB_OK;
    struct buf json;

    buf_init(&json, 16384);
    if (write_outcome(probe, false, &json)) {
        params[2] = json.data;
        status = db_query(db, org, &keep, params, NULL);
    }
    buf_free(&json);
    for (size_t i = 0; status == DB_OK && i < probe->count; i++) {
        const struct check *check = &probe->checks[i];
        const struct journal_entry entry = {.org = org,
                                            .integration_id = probe->integration.id,
                                            .endpoint = "",
                                            .failure = tool_failure_name(check->failure),
                                            .status = check->status,
                                            .ms = check->ms,
                                            .detail = check->detail};

        status = journal_write(db, &entry);
    }
    return status;
}

enum db_status integration_probe(struct db *db, const struct config *config, const char *org,
                                 const char *which, bool *ok, struct buf *json)
{
    struct probe probe = {.config = config};
    enum db_status status;

    arena_init(&probe.a);
    status = integration_find(db, &probe.a, org, which, config->vault_keys, &probe.integration);
    if (status == DB_OK) {
        if (probe.integration.type == INTEGRATION_DATABASE)
            check_database(&probe);
        else
            check_api(&probe);
        *ok = all_good(&probe);
        status = keep_outcome(db, org, &probe);
    }
    if (status == DB_OK && !write_outcome(&probe, true, json)) {
        db_explain(db, "the sample is too long");
        status = DB_FAILED;
    }
    integration_wipe(&probe.integration);
    arena_wipe(&probe.a);
    return status;
}
