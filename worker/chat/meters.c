#include "chat/meters.h"

struct meters meters;

void meters_register(void)
{
    meters = (struct meters){
        .jobs = metric_register(METRIC_COUNTER, "frontdesk_jobs_total", "Jobs that ended, by how",
                                "outcome"),
        .running = metric_register(METRIC_GAUGE, "frontdesk_jobs_running", "Jobs in work, by state",
                                   "state"),
        .first_token = metric_register(METRIC_HISTOGRAM, "frontdesk_first_token_seconds",
                                       "From acceptance to the first visible text", NULL),
        .answer_time = metric_register(METRIC_HISTOGRAM, "frontdesk_answer_seconds",
                                       "From acceptance to the commit of the answer", NULL),
        .provider_errors = metric_register(METRIC_COUNTER, "frontdesk_provider_errors_total",
                                           "Failed calls of a provider, by class", "class"),
        .tokens = metric_register(METRIC_COUNTER, "frontdesk_tokens_total",
                                  "Tokens that providers reported or we estimated", "direction"),
        .taken_over = metric_register(METRIC_COUNTER, "frontdesk_jobs_taken_over_total",
                                      "Jobs taken over from a worker that was gone", NULL),
        .calls = metric_register(METRIC_COUNTER, "frontdesk_calls_total",
                                 "Short questions of nginx, by operation", "op"),
        .queue_length = metric_register(METRIC_GAUGE, "frontdesk_queue_length",
                                        "Entries of the jobs streams, running ones too", NULL),
        .queue_age = metric_register(METRIC_GAUGE, "frontdesk_queue_age_seconds",
                                     "Age of the oldest entry", NULL),
        .redis_up = metric_register(METRIC_GAUGE, "frontdesk_redis_up", "1 = connected", "role"),
        .redis_pending = metric_register(METRIC_GAUGE, "frontdesk_redis_pending",
                                         "Commands without an answer yet", "role"),
        .redis_seconds = metric_register(METRIC_GAUGE, "frontdesk_redis_round_trip_seconds",
                                         "Of the last probe", "role"),
        .pool_queue = metric_register(METRIC_GAUGE, "frontdesk_pool_queue",
                                      "Steps that wait for a database thread", NULL),
        .sync_failures =
            metric_register(METRIC_COUNTER, "frontdesk_sync_failures_total",
                            "Times keys and limits could not be written through", NULL),
    };
}
