#include "core/config_table.h"
#include "core/config.h"
#include "protocol/limits.h"

#define AT(member)   offsetof(struct config, member)
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define TEXT_OF(x)   TEXT_OF_(x)
#define TEXT_OF_(x)  #x

/* the last three members of a row */
#define ANY             0, 0, NULL
#define RANGE(min, max) min, max, NULL
#define ONE_OF(words)   0, 0, words

#define DAY_MS   86400000
#define DATA_DIR "/usr/local/share/frontdesk"

const struct config_setting config_settings[] = {
    {"FRONTDESK_DATABASE_URL", CONFIG_SECRET, AT(database_url),
     "postgresql://frontdesk_app@/frontdesk", "PostgreSQL, as the application's role (libpq URL).",
     ANY},
    {"FRONTDESK_OWNER_DATABASE_URL", CONFIG_SECRET, AT(owner_database_url), NULL,
     "PostgreSQL, as the role that owns the tables; for migrate, seed and doctor only.", ANY},
    {"FRONTDESK_JOBS_REDIS", CONFIG_ADDRESS, AT(jobs_redis), "127.0.0.1:6379",
     "The Redis that holds accepted work (AOF always, noeviction).", ANY},
    {"FRONTDESK_LIVE_REDIS", CONFIG_ADDRESS, AT(live_redis), "127.0.0.1:6380",
     "The Redis that carries events and caches (no AOF, noeviction).", ANY},
    {"FRONTDESK_MIGRATIONS_DIR", CONFIG_STRING, AT(migrations_dir), DATA_DIR "/migrations",
     "Numbered SQL files for migrate.", ANY},
    {"FRONTDESK_PROMPTS_DIR", CONFIG_STRING, AT(prompts_dir), DATA_DIR "/prompts", "Prompt files.",
     ANY},

    {"FRONTDESK_WORKER_NAME", CONFIG_NAME, AT(worker_name), NULL,
     "Unique among the workers, the same after a restart; the host's name if unset.", ANY},
    {"FRONTDESK_STATE_DIR", CONFIG_STRING, AT(state_dir), "/var/lib/frontdesk",
     "Where the worker notes which job it is working on.", ANY},
    {"FRONTDESK_METRICS_LISTEN", CONFIG_ADDRESS, AT(metrics_listen), NULL,
     "Where GET /metrics is served; off if unset.", ANY},
    {"FRONTDESK_ERROR_DSN", CONFIG_SECRET, AT(error_dsn), NULL,
     "Errors of the log are reported there: the DSN of Sentry, or of what speaks its protocol. Off "
     "if unset.",
     ANY},
    {"FRONTDESK_LOG_LEVEL", CONFIG_CHOICE, AT(log_level), "info", "The least level that is logged.",
     ONE_OF("debug|info|warn|error")},
    {"FRONTDESK_JOB_SLOTS", CONFIG_INT, AT(job_slots), "1000", "Answers at the same time.",
     RANGE(1, 20000)},
    {"FRONTDESK_DB_THREADS", CONFIG_INT, AT(db_threads), "4",
     "Threads that work with PostgreSQL, one connection each.", RANGE(1, 64)},
    {"FRONTDESK_DRAIN_MS", CONFIG_INT, AT(drain_ms), "30000",
     "After SIGTERM, running answers have this long to end.", RANGE(0, 3600000)},

    {"FRONTDESK_ADMIN_LISTEN", CONFIG_ADDRESS, AT(admin_listen), "unix:/run/frontdesk/admin.sock",
     "Where `frontdesk admin` serves nginx: a unix socket, or a port on loopback.", ANY},
    {"FRONTDESK_ADMIN_TOKEN", CONFIG_SECRET, AT(admin_token), NULL,
     "What nginx proves itself with to `frontdesk admin`: 32 random characters or more.", ANY},
    {"FRONTDESK_ADMIN_TOKEN_FILE", CONFIG_STRING, AT(admin_token_file), NULL,
     "A file with that secret, where it is not in the environment.", ANY},
    {"FRONTDESK_ADMIN_THREADS", CONFIG_INT, AT(admin_threads), "4",
     "Requests that `frontdesk admin` works on at a time, one database connection each.",
     RANGE(1, 64)},
    {"FRONTDESK_ADMIN_TIMEOUT_MS", CONFIG_INT, AT(admin_timeout_ms), "60000",
     "A request that takes longer is answered 504; nginx has to wait for it longer.",
     RANGE(100, 3600000)},
    {"FRONTDESK_SESSION_ACCESS_S", CONFIG_INT, AT(session_access_s), "600",
     "A signed-in user's claims are good for so many seconds; then they are renewed.",
     RANGE(1, 3600)},
    {"FRONTDESK_SESSION_IDLE_S", CONFIG_INT, AT(session_idle_s), "1800",
     "They can be renewed for so many seconds after that.", RANGE(1, 2592000)},
    {"FRONTDESK_SESSION_MAX_S", CONFIG_INT, AT(session_max_s), "43200",
     "Then the user signs in again, whatever happened.", RANGE(1, 2592000)},
    {"FRONTDESK_RESET_WEBHOOK_URL", CONFIG_URL, AT(reset_webhook_url), NULL,
     "Mails a link to whoever forgot the password, which begins with FRONTDESK_PUBLIC_URL. Nobody "
     "is offered one if unset.",
     ANY},
    {"FRONTDESK_RESET_WEBHOOK_SECRET", CONFIG_SECRET, AT(reset_webhook_secret), NULL,
     "Signs what that webhook is sent: 16 random characters or more.", ANY},

    {"LLM_PROVIDER", CONFIG_CHOICE, AT(llm_provider), "auto",
     "Who answers; auto takes the first that is configured, in this order.",
     ONE_OF("auto|openrouter|openai|anthropic|claude|ollama|builtin")},
    {"OPENROUTER_API_KEY", CONFIG_SECRET, AT(openrouter.api_key), NULL, "OpenRouter.", ANY},
    {"OPENROUTER_BASE_URL", CONFIG_URL, AT(openrouter.base_url), NULL,
     "https://openrouter.ai/api/v1 if unset.", ANY},
    {"OPENROUTER_FAST_MODEL", CONFIG_STRING, AT(openrouter.fast_model), NULL,
     "openai/gpt-4.1-mini if unset.", ANY},
    {"OPENROUTER_REASONING_MODEL", CONFIG_STRING, AT(openrouter.reasoning_model), NULL,
     "anthropic/claude-sonnet-4 if unset.", ANY},
    {"OPENROUTER_FALLBACK_MODEL", CONFIG_STRING, AT(openrouter.fallback_model), NULL,
     "google/gemini-2.0-flash-001 if unset.", ANY},
    {"OPENAI_API_KEY", CONFIG_SECRET, AT(openai.api_key), NULL,
     "OpenAI, or anything that speaks its protocol.", ANY},
    {"OPENAI_BASE_URL", CONFIG_URL, AT(openai.base_url), NULL,
     "https://api.openai.com/v1 if unset.", ANY},
    {"OPENAI_FAST_MODEL", CONFIG_STRING, AT(openai.fast_model), NULL, "Built-in if unset.", ANY},
    {"OPENAI_REASONING_MODEL", CONFIG_STRING, AT(openai.reasoning_model), NULL,
     "Built-in if unset.", ANY},
    {"OPENAI_FALLBACK_MODEL", CONFIG_STRING, AT(openai.fallback_model), NULL, "Built-in if unset.",
     ANY},
    {"ANTHROPIC_API_KEY", CONFIG_SECRET, AT(anthropic.api_key), NULL, "Anthropic.", ANY},
    {"ANTHROPIC_BASE_URL", CONFIG_URL, AT(anthropic.base_url), NULL,
     "https://api.anthropic.com if unset.", ANY},
    {"ANTHROPIC_FAST_MODEL", CONFIG_STRING, AT(anthropic.fast_model), NULL, "Built-in if unset.",
     ANY},
    {"ANTHROPIC_REASONING_MODEL", CONFIG_STRING, AT(anthropic.reasoning_model), NULL,
     "Built-in if unset.", ANY},
    {"ANTHROPIC_FALLBACK_MODEL", CONFIG_STRING, AT(anthropic.fallback_model), NULL,
     "Built-in if unset.", ANY},
    {"OLLAMA_HOST", CONFIG_HOST, AT(ollama.base_url), NULL,
     "Ollama; http://127.0.0.1:11434 is looked at if unset.", ANY},
    {"OLLAMA_API_KEY", CONFIG_SECRET, AT(ollama.api_key), NULL,
     "For an Ollama behind a proxy that wants one.", ANY},
    {"OLLAMA_FAST_MODEL", CONFIG_STRING, AT(ollama.fast_model), NULL,
     "What the server has if unset.", ANY},
    {"OLLAMA_REASONING_MODEL", CONFIG_STRING, AT(ollama.reasoning_model), NULL,
     "What the server has if unset.", ANY},
    {"OLLAMA_FALLBACK_MODEL", CONFIG_STRING, AT(ollama.fallback_model), NULL,
     "What the server has if unset.", ANY},
    {"AI_MODEL_SUMMARY", CONFIG_STRING, AT(summary_model), NULL,
     "Summarises what long conversations leave behind. gpt-4o-mini at OpenAI and OpenRouter if "
     "unset, else the provider's fast model.",
     ANY},
    {"AI_MODEL_EMBEDDING", CONFIG_STRING, AT(embedding_model), NULL,
     "Embeds knowledge and questions, with OPENAI_API_KEY at OPENAI_BASE_URL, such as "
     "text-embedding-3-small; not done if unset.",
     ANY},
    {"FRONTDESK_EMBEDDING_CACHE_MB", CONFIG_INT, AT(embedding_cache_mb), "256",
     "Memory for vectors of sections: 4 bytes a dimension, so 100,000 of 512 take 200. Who does "
     "not fit is searched by words alone.",
     RANGE(1, 65536)},
    {"FRONTDESK_EMBEDDING_MS", CONFIG_INT, AT(embedding_ms), "800",
     "A question's vector may take this long; then words alone are searched.", RANGE(10, 30000)},
    {"FRONTDESK_SENTIMENT_MS", CONFIG_INT, AT(sentiment_ms), "2000",
     "A model that rates how visitors sound may take this long; then rules do.", RANGE(10, 30000)},
    {"OPENROUTER_MAX_CHUNK_TOKENS", CONFIG_INT, AT(max_chunk_tokens), "1000",
     "Context: tokens of one chunk. This and the next three are for every provider.",
     RANGE(300, 100000)},
    {"OPENROUTER_MAX_CHUNKS", CONFIG_INT, AT(max_chunks), "6", "Context: chunks.", RANGE(1, 80)},
    {"OPENROUTER_MAX_CONTEXT_TOKENS", CONFIG_INT, AT(max_context_tokens), "6000",
     "Context: tokens of all chunks.", RANGE(300, 1000000)},
    {"OPENROUTER_TEMPERATURE", CONFIG_DOUBLE, AT(temperature), "0.2", "Of the models.",
     RANGE(0, 1)},
    {"FRONTDESK_MAX_TOKENS", CONFIG_INT, AT(max_tokens), "1024", "Tokens of one answer.",
     RANGE(16, 128000)},

    {"FRONTDESK_LLM_CONNECT_TIMEOUT_MS", CONFIG_INT, AT(connect_timeout_ms), "10000",
     "Connecting to a provider.", RANGE(1, DAY_MS)},
    {"FRONTDESK_LLM_FIRST_TOKEN_MS", CONFIG_INT, AT(first_token_ms), "60000",
     "From the request to the first token.", RANGE(1, DAY_MS)},
    {"FRONTDESK_LLM_IDLE_MS", CONFIG_INT, AT(idle_ms), "30000", "Between two tokens.",
     RANGE(1, DAY_MS)},
    {"FRONTDESK_LLM_TOTAL_MS", CONFIG_INT, AT(total_ms), "240000",
     "One request, from start to end.", RANGE(1, DAY_MS)},

    {"FRONTDESK_PROMPT_TOOL_MODELS", CONFIG_STRING, AT(prompt_tool_models), NULL,
     "Models without tools of their own, with commas between them: they get them in words. One "
     "that refuses tools is noticed without this.",
     ANY},
    {"FRONTDESK_PUBLIC_URL", CONFIG_URL, AT(public_url), NULL,
     "Where the world reaches nginx: tools tell late outcomes there. They cannot if unset.", ANY},
    {"FRONTDESK_OUTBOUND_ALLOW", CONFIG_HOSTS, AT(outbound_allow), NULL,
     "What tenants' URLs may reach although it is not public, such as an n8n of yours.", ANY},
    {"FRONTDESK_DNS_SERVERS", CONFIG_SERVERS, AT(dns_servers), NULL,
     "Who resolves the names in tenants' URLs; those of /etc/resolv.conf if unset.", ANY},
    {"FRONTDESK_VAULT_KEYS", CONFIG_STRING, AT(vault_keys), NULL,
     "The file of keys for tenants' credentials; `frontdesk vault init` makes it.", ANY},

    {"FRONTDESK_CACHE_MS", CONFIG_INT, AT(cache_ms), TEXT_OF(FD_CACHE_MS),
     "The same first question gets the same answer for this long; 0 switches it off.",
     RANGE(0, DAY_MS)},

    {"FRONTDESK_HEARTBEAT_MS", CONFIG_INT, AT(heartbeat_ms), TEXT_OF(FD_HEARTBEAT_MS),
     "How often a worker renews its hold on its jobs.", RANGE(10, 60000)},
    {"FRONTDESK_TAKEOVER_IDLE_MS", CONFIG_INT, AT(takeover_idle_ms), TEXT_OF(FD_TAKEOVER_IDLE_MS),
     "A job not renewed for longer is taken over by another worker.", RANGE(20, 600000)},
    {"FRONTDESK_ABANDONED_MS", CONFIG_INT, AT(abandoned_ms), TEXT_OF(FD_ABANDONED_MS),
     "An answer nobody listened to for this long is stopped.", RANGE(100, DAY_MS)},
    {"FRONTDESK_SYNC_MS", CONFIG_INT, AT(sync_ms), TEXT_OF(FD_SYNC_MS),
     "How often keys and limits are written to Redis again.", RANGE(100, DAY_MS)},
    {"FRONTDESK_HOUSEKEEPING_MS", CONFIG_INT, AT(housekeeping_ms), "5000",
     "How often a worker counts what changed, and once an hour deletes what is old.",
     RANGE(100, DAY_MS)},
    {"FRONTDESK_ARCHIVE_DIR", CONFIG_STRING, AT(archive_dir), NULL,
     "Where messages and calls of tools are kept as JSON lines before they are deleted; they are "
     "not if this and the next are unset.",
     ANY},
    {"FRONTDESK_ARCHIVE_URL", CONFIG_URL, AT(archive_url), NULL,
     "The same in a bucket of an S3-compatible store: https://host/bucket, and below it if wanted.",
     ANY},
    {"FRONTDESK_ARCHIVE_KEY_ID", CONFIG_STRING, AT(archive_key_id), NULL, "Who may write there.",
     ANY},
    {"FRONTDESK_ARCHIVE_SECRET", CONFIG_SECRET, AT(archive_secret), NULL, "And its secret.", ANY},
    {"FRONTDESK_ARCHIVE_REGION", CONFIG_STRING, AT(archive_region), "us-east-1", "Of the bucket.",
     ANY},
};
const size_t config_setting_count = COUNT(config_settings);

void config_print_rule(const struct config_setting *setting, FILE *out)
{
    switch (setting->type) {
    case CONFIG_STRING:
    case CONFIG_SECRET: fputs("text without control characters", out); return;
    case CONFIG_NAME: fputs("up to 63 letters, digits, dots, dashes and underscores", out); return;
    case CONFIG_CHOICE:
        fputs("one of ", out);
        for (const char *c = setting->rule; *c != '\0'; c++)
            fputs(*c == '|' ? ", " : (const char[]){*c, '\0'}, out);
        return;
    case CONFIG_ADDRESS: fputs("unix:/path or IP:port", out); return;
    case CONFIG_URL: fputs("an http or https URL", out); return;
    case CONFIG_HOST: fputs("an http or https URL, or host:port", out); return;
    case CONFIG_HOSTS: fputs("host:port, several with commas between them", out); return;
    case CONFIG_SERVERS: fputs("IP or IP:port, several with commas between them", out); return;
    case CONFIG_INT:
        fprintf(out, "a whole number from %.0f to %.0f", setting->min, setting->max);
        return;
    case CONFIG_DOUBLE: fprintf(out, "a number from %g to %g", setting->min, setting->max); return;
    }
}

void config_print_example(FILE *out)
{
    fputs("# Every setting of Frontdesk's worker, with its default. The environment comes before\n"
          "# this file; a variable that is empty counts as unset.\n"
          "# `frontdesk help config` prints this text.\n",
          out);
    for (size_t i = 0; i < config_setting_count; i++) {
        const struct config_setting *setting = &config_settings[i];

        fprintf(out, "\n# %s\n", setting->help);
        if (setting->type != CONFIG_STRING && setting->type != CONFIG_SECRET) {
            fputs("# Value: ", out);
            config_print_rule(setting, out);
            fputs(".\n", out);
        }
        fprintf(out, "#%s=%s\n", setting->name,
                setting->otherwise != NULL ? setting->otherwise : "");
    }
}
