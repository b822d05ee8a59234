/*
 * Engine: what the files of a worker share - connections, settings, the running
 * jobs - and its life: start, drain, stop. One a process, on the loop thread.
 */
#ifndef FD_CHAT_ENGINE_H
#define FD_CHAT_ENGINE_H

#include "chat/crumb.h"
#include "core/config.h"
#include "llm/endpoint.h"
#include "llm/tool_support.h"
#include "net/redis.h"
#include "net/script.h"
#include "protocol/ids.h"
#include "tenant/tenant.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct alerts;
struct calibrator;
struct calls;
struct channels;
struct events;
struct housekeeper;
struct http_client;
struct intake;
struct integrations;
struct job;
struct embedder;
struct lease;
struct loop;
struct meaning;
struct org_cache;
struct pool;
struct probe;
struct prompt_set;
struct status;
struct summarizer;
struct sweep;
struct sync;
struct test_runner;
struct timer;
struct outbound;
struct own_endpoints;
struct tool_runner;
struct watch;

#define ENGINE_TOKEN_SIZE    17
#define ENGINE_CALLBACK_SIZE 2304

struct engine {
    const struct config *config;
    struct loop *loop;
    struct pool *pool; /* its threads hold a struct pool_seat */
    struct http_client *http;
    struct redis *jobs;
    struct redis *live;
    struct script_set *scripts; /* on jobs */
    struct redis_subscriber *control;
    struct llm_endpoints endpoints; /* the platform's */
    struct own_endpoints *own_endpoints;
    struct prompt_set *prompts;
    struct org_cache *tenants;
    struct org_cache *toolboxes;
    struct tool_support tool_support;
    struct outbound *outbound; /* to what tenants connect */
    struct tool_runner *tools;
    struct integrations *integrations;
    struct crumb *crumb;

    const char *name;              /* the consumer in group `workers` */
    char token[ENGINE_TOKEN_SIZE]; /* this life of the process: owner of its epochs */
    char owner[192];               /* name and token, as the jobs table has it */
    unsigned shards;               /* of fd:meta; 0 = not known yet */
    bool has_session_key;
    unsigned char session_key[FD_SESSION_KEY_LEN]; /* the same */
    int64_t clock_offset;                          /* jobs Redis's unix ms minus our monotonic ms */

    struct job *running; /* uthash by job id */
    size_t job_count;
    size_t taking;       /* entries that a claim is out for */
    struct job *suspect; /* the one job that killed a worker before and runs now */
    bool live_pressed;   /* live memory above half of its bound */
    bool reading;        /* the shards and the providers are known */
    bool draining;
    bool handed_back;
    bool stopped;        /* the loop turns no more */
    int64_t drain_until; /* monotonic ms */
    struct timer *drain;
    struct probe *probe; /* asking Ollama what it has */

    struct events *events;
    struct intake *intake;
    struct lease *lease;
    struct calls *calls;
    struct sync *sync;
    struct alerts *alerts;
    struct channels *channels;
    struct housekeeper *housekeeper;
    struct test_runner *test_runner;
    struct watch *watch;
    struct status *status;
    struct sweep *sweep;
    struct summarizer *summarizer;
    struct embedder *embedder;
    struct meaning *meaning;
    struct calibrator *calibrator;
};

/* NULL: it cannot start; error says why. The configuration outlives it. */
struct engine *engine_new(const struct config *config, struct loop *loop, char error[256]);
/* Stops reading; running answers get drain_ms, then what is left is handed back.
 * The loop is stopped once nothing runs. A second call hands back at once. */
void engine_drain(struct engine *engine);
void engine_free(struct engine *engine);

/* Answers that may still be started. */
size_t engine_free_slots(const struct engine *engine);
/* The jobs server's clock, unix ms: what deadlines are told in. */
int64_t engine_now(const struct engine *engine);
/* Where a tool tells the outcome of this call when it comes late; NULL: no public URL is
 * configured, or the key for its token is not known yet. */
const char *engine_callback_url(const struct engine *engine, const char *org, const char *call,
                                char out[ENGINE_CALLBACK_SIZE]);
/* A job is gone: intake may read again, a drain may be over. */
void engine_job_gone(struct engine *engine);

#endif
