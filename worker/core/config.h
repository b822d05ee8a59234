/*
 * Config: the settings of the process. One table gives each its variable name,
 * type, default, bounds and help; values come from the environment, else from
 * the file given with --config (lines of NAME=value, as systemd's EnvironmentFile
 * takes them), else the default; an empty value counts as unset. An org's stored
 * settings come before all of these (tenant/tenant.h).
 */
#ifndef FD_CORE_CONFIG_H
#define FD_CORE_CONFIG_H

#include <stdbool.h>
#include <stdio.h>

struct config {
    /* stores */
    const char *database_url;       /* FRONTDESK_DATABASE_URL: the application role */
    const char *owner_database_url; /* FRONTDESK_OWNER_DATABASE_URL: migrate and doctor only */
    const char *jobs_redis;         /* FRONTDESK_JOBS_REDIS: unix:/path or IP:port */
    const char *live_redis;         /* FRONTDESK_LIVE_REDIS */
    const char *migrations_dir;     /* FRONTDESK_MIGRATIONS_DIR */
    const char *prompts_dir;        /* FRONTDESK_PROMPTS_DIR */

    /* the process */
    const char *worker_name;    /* FRONTDESK_WORKER_NAME: stable over restarts; default host name */
    const char *state_dir;      /* FRONTDESK_STATE_DIR: the crumb file */
    const char *metrics_listen; /* FRONTDESK_METRICS_LISTEN: unix:/path or IP:port; NULL = off */
    const char *error_dsn;      /* FRONTDESK_ERROR_DSN; NULL = errors are in the log only */
    const char *log_level;      /* FRONTDESK_LOG_LEVEL: debug, info, warn, error */
    int job_slots;              /* FRONTDESK_JOB_SLOTS: answers at a time */
    int db_threads;             /* FRONTDESK_DB_THREADS */
    int drain_ms;               /* FRONTDESK_DRAIN_MS: SIGTERM to the end of running answers */

    /* frontdesk admin */
    const char *admin_listen;      /* FRONTDESK_ADMIN_LISTEN: unix:/path, or IP:port of loopback */
    const char *admin_token;       /* FRONTDESK_ADMIN_TOKEN: nginx's proof that it is nginx */
    const char *admin_token_file;  /* FRONTDESK_ADMIN_TOKEN_FILE: the same, in a file */
    int admin_threads;             /* FRONTDESK_ADMIN_THREADS */
    int admin_timeout_ms;          /* FRONTDESK_ADMIN_TIMEOUT_MS: of one request */
    int session_access_s;          /* FRONTDESK_SESSION_ACCESS_S: claims of a signed-in user */
    int session_idle_s;            /* FRONTDESK_SESSION_IDLE_S: after them */
    int session_max_s;             /* FRONTDESK_SESSION_MAX_S: of the whole session */
    const char *reset_webhook_url; /* FRONTDESK_RESET_WEBHOOK_URL: mails links to new passwords */
    const char *reset_webhook_secret; /* FRONTDESK_RESET_WEBHOOK_SECRET: signs what it is sent */

    /* providers; NULL = not set */
    const char *llm_provider; /* LLM_PROVIDER: auto, openrouter, openai, anthropic (also for
                                 claude), ollama, builtin */
    struct config_provider {
        const char *api_key;
        const char *base_url; /* no slash at its end; OLLAMA_HOST gets its http:// */
        const char *fast_model;
        const char *reasoning_model;
        const char *fallback_model;
    } openrouter, openai, anthropic, ollama;
    const char *summary_model;   /* AI_MODEL_SUMMARY */
    const char *embedding_model; /* AI_MODEL_EMBEDDING: at OpenAI's */
    int embedding_cache_mb;      /* FRONTDESK_EMBEDDING_CACHE_MB */
    int embedding_ms;            /* FRONTDESK_EMBEDDING_MS: a question's vector may take */
    int sentiment_ms;            /* FRONTDESK_SENTIMENT_MS: rating a message may take */
    int max_chunk_tokens;        /* OPENROUTER_MAX_CHUNK_TOKENS */
    int max_chunks;              /* OPENROUTER_MAX_CHUNKS */
    int max_context_tokens;      /* OPENROUTER_MAX_CONTEXT_TOKENS */
    double temperature;          /* OPENROUTER_TEMPERATURE */
    int max_tokens;              /* FRONTDESK_MAX_TOKENS: of one answer */

    int connect_timeout_ms; /* FRONTDESK_LLM_CONNECT_TIMEOUT_MS */
    int first_token_ms;     /* FRONTDESK_LLM_FIRST_TOKEN_MS */
    int idle_ms;            /* FRONTDESK_LLM_IDLE_MS: between events of a stream */
    int total_ms;           /* FRONTDESK_LLM_TOTAL_MS */

    const char *prompt_tool_models; /* FRONTDESK_PROMPT_TOOL_MODELS: they have no tools of
                                       their own */

    /* what tenants connect */
    const char *public_url;     /* FRONTDESK_PUBLIC_URL: of nginx, no slash at its end */
    const char *outbound_allow; /* FRONTDESK_OUTBOUND_ALLOW: host:port,... */
    const char *dns_servers;    /* FRONTDESK_DNS_SERVERS: IP[:port],... */
    const char *vault_keys;     /* FRONTDESK_VAULT_KEYS: a file (core/vault.h) */

    int cache_ms; /* FRONTDESK_CACHE_MS: an answer may be given again; 0 = never */

    /* hand-off times, for tests and unusual networks; defaults from limits.h */
    int heartbeat_ms;     /* FRONTDESK_HEARTBEAT_MS */
    int takeover_idle_ms; /* FRONTDESK_TAKEOVER_IDLE_MS */
    int abandoned_ms;     /* FRONTDESK_ABANDONED_MS */
    int sync_ms;          /* FRONTDESK_SYNC_MS */
    int housekeeping_ms;  /* FRONTDESK_HOUSEKEEPING_MS */
    const char
        *archive_dir; /* FRONTDESK_ARCHIVE_DIR; this and the next NULL = nothing is archived */
    const char *archive_url; /* FRONTDESK_ARCHIVE_URL, and what signs requests to it: */
    const char *archive_key_id, *archive_secret, *archive_region;
};

/* Fills *config; every string stays valid for the life of the process. On a bad
 * value prints which variable, what it is and what would be right; false. */
bool config_load(struct config *config, const char *file, FILE *complaints);
/* Every variable with help and default, as an env file: conf/frontdesk.env.example
 * is this output, and a test keeps it so. */
void config_print_example(FILE *out);

#endif
