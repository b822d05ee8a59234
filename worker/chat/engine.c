#include "chat/engine.h"

#include "chat/alerts.h"
#include "chat/channels.h"
#include "chat/calibrator.h"
#include "chat/calls.h"
#include "chat/housekeeper.h"
#include "chat/embedder.h"
#include "chat/intake.h"
#include "chat/job.h"
#include "chat/lease.h"
#include "chat/meaning.h"
#include "chat/meters.h"
#include "chat/outbox.h"
#include "chat/own_endpoints.h"
#include "context/prompt.h"
#include "chat/seat.h"
#include "chat/status.h"
#include "chat/summarizer.h"
#include "chat/sweep.h"
#include "chat/sync.h"
#include "chat/test_runner.h"
#include "chat/toolbox.h"
#include "chat/watch.h"
#include "core/clock.h"
#include "core/loop.h"
#include "core/pool.h"
#include "db/db.h"
#include "integration/executor.h"
#include "net/http.h"
#include "net/outbound.h"
#include "protocol/keys.h"
#include "protocol/limits.h"
#include "tool/tool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMMAND_MS 5000
#define TAGS_MS    2000 /* for Ollama to say what it has */
#define TAGS_MAX   1048576
#define HINT_MAX   256
#define POLL_MS    100 /* of the drain */

/* -- pool threads ------------------------------------------------------------------------- */

static void *open_seat(void *arg)
{
    struct engine *engine = arg;
    struct pool_seat *seat = calloc(1, sizeof(*seat));
    if (seat == NULL)
        abort();
    seat->db = db_new(engine->config->database_url, "frontdesk worker");
    seat->crumb = engine->crumb;
    seat->slot = crumb_slot(engine->crumb);
    return seat;
}

static void close_seat(void *resource)
{
    struct pool_seat *seat = resource;
    if (seat == NULL)
        return;
    db_free(seat->db);
    free(seat);
}

static struct db *db_of(void *resource)
{
    return ((struct pool_seat *)resource)->db;
}

/* -- starting to read ------------------------------------------------------------------------- */

/* Ready once the shards are known and every provider is. */
static void start_reading(struct engine *engine)
{
    if (engine->shards == 0 || engine->probe != NULL || engine->reading)
        return;
    engine->reading = true;
    log_info(NULL, "worker.ready", LOG_STR("name", engine->name),
             LOG_STR("provider", engine->endpoints.list[0].name),
             LOG_INT("slots", engine->config->job_slots), LOG_INT("shards", engine->shards));
    lease_start(engine->lease);
    intake_start(engine->intake);
}

static void on_shards(void *arg)
{
    start_reading(arg);
}

/* What Ollama answered to the question what it has; nobody at home is no fault. */
struct probe {
    struct engine *engine;
    struct http_request *request;
    struct buf body;
};

static void on_tags(void *arg, const char *data, size_t len)
{
    struct probe *probe = arg;
    buf_append(&probe->body, data, len);
}

static void on_tags_end(void *arg, enum http_failure failure, int status, const char *error)
{
    struct probe *probe = arg;
    struct engine *engine = probe->engine;
    (void)error;
    if (failure == HTTP_OK && status == 200 && probe->body.len > 0 && !probe->body.over &&
        llm_endpoints_add_ollama(&engine->endpoints, engine->config, probe->body.data,
                                 probe->body.len))
        log_info(NULL, "provider.ollama_found");
    engine->probe = NULL;
    buf_free(&probe->body);
    free(probe);
    start_reading(engine);
}

static void drop_probe(struct engine *engine)
{
    if (engine->probe == NULL)
        return;
    http_cancel(engine->probe->request);
    buf_free(&engine->probe->body);
    free(engine->probe);
    engine->probe = NULL;
}

static void probe_ollama(struct engine *engine)
{
    struct arena a;
    arena_init(&a);
    const char *url = llm_ollama_tags_url(engine->config, &a);
    if (url != NULL) {
        struct probe *probe = calloc(1, sizeof(*probe));
        if (probe == NULL)
            abort();
        probe->engine = engine;
        buf_init(&probe->body, TAGS_MAX);
        struct http_options options = {.method = "GET",
                                       .url = url,
                                       .connect_ms = TAGS_MS,
                                       .total_ms = TAGS_MS,
                                       .max_body = TAGS_MAX,
                                       .on_data = on_tags,
                                       .on_end = on_tags_end,
                                       .arg = probe};
        probe->request = http_start(engine->http, &options);
        if (probe->request != NULL)
            engine->probe = probe;
        else
            free(probe);
    }
    arena_free(&a);
}

/* -- connections ---------------------------------------------------------------------------------
 */

static void on_jobs_up(void *arg)
{
    struct engine *engine = arg;
    script_set_load(engine->scripts);
    watch_jobs_up(engine->watch);
    lease_jobs_up(engine->lease);
    sync_soon(engine->sync);
    intake_wake(engine->intake);
}

static void on_live_up(void *arg)
{
    struct engine *engine = arg;
    events_live_up(engine->events);
    sync_soon(engine->sync);
}

/* A person has it: the answer that runs in it is not wanted any more. */
static void stop_session(struct engine *engine, const char *session)
{
    struct job *job, *next;
    HASH_ITER (hh, engine->running, job, next) {
        if (strcmp(job->entry.session, session) == 0)
            job_advance(job, &(struct job_event){.type = JOB_EV_TAKEN});
    }
}

/* Hints only: what they say is learnt by other ways as well. */
static void on_control(void *arg, const char *message, size_t len)
{
    struct engine *engine = arg;
    char hint[HINT_MAX];
    if (message == NULL) {
        org_cache_forget(engine->tenants, NULL);
        org_cache_forget(engine->toolboxes, NULL);
        return;
    }
    snprintf(hint, sizeof(hint), "%.*s", (int)(len < HINT_MAX ? len : HINT_MAX - 1), message);
    char *argument = strchr(hint, ' ');
    if (argument == NULL)
        return;
    *argument++ = '\0';
    if (strcmp(hint, FD_CONTROL_CANCEL) == 0) {
        struct job *job = job_find(engine, argument);
        if (job != NULL) /* whose hash the cancel script has marked */
            job_advance(job, &(struct job_event){.type = JOB_EV_CANCEL});
    } else if (strcmp(hint, FD_CONTROL_CONFIRM) == 0) {
        struct job *job = job_find(engine, argument);
        if (job != NULL) /* whose hash the confirm script wrote to */
            job_advance(job, &(struct job_event){.type = JOB_EV_CONFIRM});
    } else if (strcmp(hint, FD_CONTROL_HUMAN) == 0) {
        stop_session(engine, argument);
    } else if (strcmp(hint, FD_CONTROL_CHANNEL) == 0) {
        channels_soon(engine->channels);
    } else if (strcmp(hint, FD_CONTROL_ORG) == 0) {
        org_cache_forget(engine->tenants, argument);
        org_cache_forget(engine->toolboxes, argument);
    }
}

static bool connect_redis(struct engine *engine, char error[256])
{
    const struct config *config = engine->config;
    struct redis_options jobs = {.name = "jobs",
                                 .address = config->jobs_redis,
                                 .on_up = on_jobs_up,
                                 .arg = engine,
                                 .command_timeout_ms = COMMAND_MS};
    struct redis_options live = {.name = "live",
                                 .address = config->live_redis,
                                 .on_up = on_live_up,
                                 .arg = engine,
                                 .command_timeout_ms = COMMAND_MS};
    engine->jobs = redis_new(engine->loop, &jobs);
    if (engine->jobs == NULL) {
        snprintf(error, 256, "FRONTDESK_JOBS_REDIS is \"%s\"; unix:/path or IP:port would be right",
                 config->jobs_redis);
        return false;
    }
    engine->live = redis_new(engine->loop, &live);
    engine->control =
        redis_subscribe(engine->loop, config->live_redis, FD_CHANNEL_CONTROL, on_control, engine);
    if (engine->live == NULL || engine->control == NULL) {
        snprintf(error, 256, "FRONTDESK_LIVE_REDIS is \"%s\"; unix:/path or IP:port would be right",
                 config->live_redis);
        return false;
    }
    engine->scripts = script_set_new(engine->jobs);
    return true;
}

/* -- life
 * ------------------------------------------------------------------------------------------- */

static void on_drain_timer(void *arg);

static void name_engine(struct engine *engine)
{
    unsigned char bytes[(ENGINE_TOKEN_SIZE - 1) / 2];
    fd_random(bytes, sizeof(bytes));
    for (size_t i = 0; i < sizeof(bytes); i++)
        snprintf(engine->token + 2 * i, 3, "%02x", bytes[i]);
    engine->name = engine->config->worker_name;
    snprintf(engine->owner, sizeof(engine->owner), "%.160s %s", engine->name, engine->token);
}

static void register_integrations(struct engine *engine)
{
    const struct integrations_options options = {.loop = engine->loop,
                                                 .pool = engine->pool,
                                                 .db_of = db_of,
                                                 .outbound = engine->outbound,
                                                 .live = engine->live,
                                                 .live_pressed = &engine->live_pressed,
                                                 .vault_keys = engine->config->vault_keys,
                                                 .outbound_allow = engine->config->outbound_allow};
    engine->integrations = integrations_new(&options);
    struct tool_executor executor = integrations_executor(engine->integrations);
    tool_runner_register(engine->tools, TOOL_ENDPOINT, &executor);
    tool_runner_register(engine->tools, TOOL_QUERY, &executor);
}

/* The parts that talk to each other, lower ones first. */
static bool assemble(struct engine *engine, const struct crumb_left *left, char error[256])
{
    struct pool_thread_hooks hooks = {open_seat, close_seat, engine};
    engine->http = http_client_new(engine->loop);
    engine->tenants = tenant_cache_new();
    engine->toolboxes = toolbox_cache_new();
    engine->own_endpoints = own_endpoints_new();
    engine->tool_support.configured = engine->config->prompt_tool_models;
    engine->outbound = outbound_new(engine->loop, engine->config->outbound_allow);
    engine->tools = tool_runner_new(engine->loop, engine->outbound);
    engine->pool = pool_new(engine->loop, engine->config->db_threads, hooks);
    engine->drain = timer_new(engine->loop, on_drain_timer, engine);
    engine->watch = watch_new(engine);
    engine->lease = lease_new(engine);
    if (!connect_redis(engine, error))
        return false;
    engine->events = events_new(engine); /* its turn's end comes before the connections' */
    engine->intake = intake_new(engine, left);
    engine->calls = calls_new(engine);
    engine->sweep = sweep_new(engine);
    engine->summarizer = summarizer_new(engine);
    engine->embedder = embedder_new(engine);
    engine->meaning = meaning_new(engine);
    engine->calibrator = calibrator_new(engine);
    if (engine->http == NULL || engine->pool == NULL || engine->intake == NULL ||
        engine->calls == NULL || engine->outbound == NULL) {
        snprintf(error, 256, "out of memory");
        return false;
    }
    register_integrations(engine);
    engine->sync = sync_new(engine, on_shards, engine);
    engine->alerts = alerts_new(engine);
    engine->channels = channels_new(engine);
    engine->housekeeper = housekeeper_new(engine);
    engine->test_runner = test_runner_new(engine);
    engine->status = status_new(engine, error);
    return engine->status != NULL || error[0] == '\0';
}

struct engine *engine_new(const struct config *config, struct loop *loop, char error[256])
{
    struct engine *engine = calloc(1, sizeof(*engine));
    struct crumb_left left;
    if (engine == NULL)
        abort();
    engine->config = config;
    engine->loop = loop;
    name_engine(engine);
    meters_register();
    engine->crumb = crumb_open(config->state_dir, engine->name, &left, error);
    if (engine->crumb != NULL)
        engine->prompts = prompt_load(config->prompts_dir, error);
    if (engine->prompts == NULL || !llm_endpoints_load(&engine->endpoints, config, error) ||
        !assemble(engine, &left, error)) {
        engine_free(engine);
        return NULL;
    }
    probe_ollama(engine);
    return engine;
}

static void stop(void *arg)
{
    struct engine *engine = arg;
    engine->stopped = true;
    loop_stop(engine->loop);
}

/* They are another worker's now: they end here without a word to anybody. What they
 * put off to the end of the turn comes before the stop. */
static void on_left(void *arg)
{
    struct engine *engine = arg;
    struct job *job, *next;
    HASH_ITER (hh, engine->running, job, next) {
        job_drop(job);
    }
    summarizer_drop(engine->summarizer);
    loop_defer(engine->loop, stop, engine);
}

static void hand_back(struct engine *engine)
{
    if (engine->handed_back) { /* told three times */
        loop_stop(engine->loop);
        return;
    }
    engine->handed_back = true;
    timer_stop(engine->drain);
    log_info(NULL, "worker.leaving", LOG_INT("handed_back", engine->job_count));
    lease_leave(engine->lease, on_left, engine);
}

static void on_drain_timer(void *arg)
{
    struct engine *engine = arg;
    bool idle = engine->job_count == 0 && !sweep_busy(engine->sweep);
    if (idle || clock_mono_ms() >= engine->drain_until)
        hand_back(engine);
    else
        timer_set(engine->drain, POLL_MS);
}

void engine_drain(struct engine *engine)
{
    if (engine->draining) {
        hand_back(engine);
        return;
    }
    log_info(NULL, "worker.draining", LOG_INT("running", engine->job_count));
    engine->draining = true;
    engine->drain_until = clock_mono_ms() + engine->config->drain_ms;
    intake_stop(engine->intake);
    calls_stop(engine->calls);
    sweep_stop(engine->sweep);
    summarizer_stop(engine->summarizer);
    embedder_stop(engine->embedder);
    on_drain_timer(engine);
}

void engine_free(struct engine *engine)
{
    if (engine == NULL)
        return;
    drop_probe(engine);
    if (engine->pool != NULL)
        pool_free(engine->pool);
    redis_subscriber_free(engine->control);
    intake_free(engine->intake);
    calls_free(engine->calls);
    sweep_free(engine->sweep);
    summarizer_free(engine->summarizer);
    embedder_free(engine->embedder);
    meaning_free(engine->meaning);
    calibrator_free(engine->calibrator);
    redis_free(engine->live);
    redis_free(engine->jobs);
    script_set_free(engine->scripts);
    status_free(engine->status);
    sync_free(engine->sync);
    alerts_free(engine->alerts);
    channels_free(engine->channels);
    housekeeper_free(engine->housekeeper);
    test_runner_free(engine->test_runner);
    lease_free(engine->lease);
    watch_free(engine->watch);
    events_free(engine->events);
    timer_free(engine->drain);
    org_cache_free(engine->tenants);
    org_cache_free(engine->toolboxes);
    if (engine->tools != NULL)
        tool_runner_free(engine->tools);
    integrations_free(engine->integrations);
    if (engine->outbound != NULL)
        outbound_free(engine->outbound);
    if (engine->http != NULL)
        http_client_free(engine->http);
    own_endpoints_free(engine->own_endpoints);
    llm_endpoints_free(&engine->endpoints);
    prompt_free(engine->prompts);
    crumb_close(engine->crumb);
    free(engine);
}

size_t engine_free_slots(const struct engine *engine)
{
    size_t used = engine->job_count + engine->taking;
    size_t slots = (size_t)engine->config->job_slots;
    return used < slots ? slots - used : 0;
}

int64_t engine_now(const struct engine *engine)
{
    return clock_mono_ms() + engine->clock_offset;
}

const char *engine_callback_url(const struct engine *engine, const char *org, const char *call,
                                char out[ENGINE_CALLBACK_SIZE])
{
    char token[FD_CALLBACK_TOKEN_SIZE];
    if (engine->config->public_url == NULL || !engine->has_session_key)
        return NULL;
    fd_callback_token_make(token, engine->session_key, org, call);
    int len = snprintf(out, ENGINE_CALLBACK_SIZE, "%s/api/v1/tools/callback/%s",
                       engine->config->public_url, token);
    return len < ENGINE_CALLBACK_SIZE ? out : NULL;
}

void engine_job_gone(struct engine *engine)
{
    if (!engine->draining)
        intake_wake(engine->intake);
    else if (engine->job_count == 0)
        timer_set(engine->drain, 0);
}
