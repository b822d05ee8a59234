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
        .cache = metric_register(METRIC_COUNTER, "frontdesk_cache_total",
                                 "Questions that an earlier answer might do for", "outcome"),
        .tools = metric_register(METRIC_COUNTER, "frontdesk_tool_outcomes_total",
                                 "Calls of tools, by how they ended", "status"),
        .claims = metric_register(METRIC_COUNTER, "frontdesk_claims_total",
                                  "Actions that an answer claimed and no tool confirmed, by what "
                                  "was done about it",
                                  "action"),
        .citations = metric_register(
            METRIC_COUNTER, "frontdesk_citations_total",
            "Sources that answers named, by whether the model was sent them", "outcome"),
        .language_mismatch =
            metric_register(METRIC_COUNTER, "frontdesk_language_mismatch_total",
                            "Answers in another language than their question's", NULL),
        .refused = metric_register(METRIC_COUNTER, "frontdesk_budget_refused_total",
                                   "Answers refused before a model was asked, by cap", "cap"),
        .embeddings =
            metric_register(METRIC_COUNTER, "frontdesk_embedding_batches_total",
                            "Batches of sections that were embedded, by outcome", "outcome"),
        .meaning = metric_register(METRIC_COUNTER, "frontdesk_meaning_total",
                                   "Questions, by whether sections were found by their meaning as "
                                   "well, or why by words alone",
                                   "outcome"),
        .meaning_time = metric_register(METRIC_HISTOGRAM, "frontdesk_question_vector_seconds",
                                        "From asking for a question's vector to its coming", NULL),
        .vectors_bytes = metric_register(METRIC_GAUGE, "frontdesk_vectors_bytes",
                                         "Memory of sections' vectors", NULL),
        .sentiment =
            metric_register(METRIC_COUNTER, "frontdesk_sentiment_total",
                            "Messages that a model was to rate, by what became of it", "outcome"),
        .summaries =
            metric_register(METRIC_COUNTER, "frontdesk_summaries_total",
                            "Steps of conversations' summaries, by what became of them", "outcome"),
        .deleted = metric_register(METRIC_COUNTER, "frontdesk_retention_deleted_total",
                                   "What was old and is deleted, by what it was", "what"),
        .housekeeping_failures =
            metric_register(METRIC_COUNTER, "frontdesk_housekeeping_failures_total",
                            "Times counting or deleting failed", NULL),
        .alerts_pending = metric_register(METRIC_GAUGE, "frontdesk_alerts_pending",
                                          "Alerts that no webhook has taken yet", NULL),
        .alerts_delivered = metric_register(METRIC_COUNTER, "frontdesk_alert_deliveries_total",
                                            "Attempts to deliver an alert, by outcome", "outcome"),
        .channel_deliveries =
            metric_register(METRIC_COUNTER, "frontdesk_channel_deliveries_total",
                            "Attempts to deliver a message to a channel, by outcome", "outcome"),
    };
}
