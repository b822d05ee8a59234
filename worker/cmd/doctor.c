/* frontdesk doctor: is everything as it must be, and what to do where it is not. */
#include "cmd/doctor.h"

#include "context/prompt.h"
#include "cmd/cmd.h"
#include "core/buf.h"
#include "llm/endpoint.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define FILES_BESIDE_JOBS 256 /* connections, logs, libraries */

static const char *const level_names[] = {"OK", "WARN", "FAIL"};

void findings_add(struct findings *findings, enum finding_level level, const char *check,
                  const char *advice, const char *detail, ...)
{
    va_list args;

    if (findings->count == FINDINGS_MAX) {
        return;
    }
    struct finding *f = &findings->list[findings->count++];
    *f = (struct finding){.level = level, .check = check, .advice = advice};
    va_start(args, detail);
    vsnprintf(f->detail, sizeof(f->detail), detail, args);
    va_end(args);
}

static bool is_local(const char *url)
{
    return strstr(url, "://127.") != NULL || strstr(url, "://localhost") != NULL ||
           strstr(url, "://[::1]") != NULL;
}

static void check_provider(struct findings *findings, const struct config *config)
{
    static struct llm_endpoints endpoints;
    char error[256];

    if (!llm_endpoints_load(&endpoints, config, error)) {
        findings_add(findings, FINDING_FAIL, "provider", "set the variable, or LLM_PROVIDER=auto",
                     "%s", error);
        return;
    }
    const struct llm_endpoint *first = &endpoints.list[0];
    if (first->protocol == NULL) {
        findings_add(findings, FINDING_WARN, "provider",
                     "set OPENROUTER_API_KEY, OPENAI_API_KEY, ANTHROPIC_API_KEY or OLLAMA_HOST",
                     "built-in: answers are extracts from the knowledge base (an Ollama found on "
                     "this machine is used all the same)");
        return;
    }
    findings_add(findings, FINDING_OK, "provider", NULL, "%s at %s, key %s; fast model %s",
                 first->name, first->base_url, first->api_key != NULL ? "set" : "not set",
                 first->fast_model != NULL ? first->fast_model : "as the server offers");
    bool exposed = first->api_key != NULL && strncmp(first->base_url, "http://", 7) == 0 &&
                   !is_local(first->base_url);
    if (exposed) {
        findings_add(findings, FINDING_WARN, "provider.encrypted", "use https:// in the base URL",
                     "the key and every message travel unencrypted to %s", first->base_url);
    }
}

static void check_prompts(struct findings *findings, const struct config *config)
{
    char error[256] = "";
    struct prompt_set *set = prompt_load(config->prompts_dir, error);
    FINDINGS_CHECK(findings, set != NULL, FINDING_FAIL, "prompts",
                   "point FRONTDESK_PROMPTS_DIR to the prompt files", "%s",
                   set != NULL ? config->prompts_dir : error);
    if (set != NULL) {
        prompt_free(set);
    }
}

static void check_files(struct findings *findings, const struct config *config)
{
    struct rlimit limit;
    rlim_t needed = (rlim_t)config->job_slots + FILES_BESIDE_JOBS;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        FINDINGS_CHECK(findings, limit.rlim_max >= needed, FINDING_WARN, "limits.files",
                       "raise LimitNOFILE (ulimit -Hn) or lower FRONTDESK_JOB_SLOTS",
                       "%llu open files allowed, %llu wanted for %d answers at a time",
                       (unsigned long long)limit.rlim_max, (unsigned long long)needed,
                       config->job_slots);
    }
    bool writable = access(config->state_dir, W_OK | X_OK) == 0;
    FINDINGS_CHECK(findings, writable, FINDING_WARN, "state_dir",
                   "make FRONTDESK_STATE_DIR writable for the worker's user", "%s: %s",
                   config->state_dir, writable ? "writable" : strerror(errno));
}

static void print_text(const struct findings *findings)
{
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *f = &findings->list[i];
        printf("%-4s  %-22s  %s\n", level_names[f->level], f->check, f->detail);
        if (f->advice != NULL) {
            printf("%30s-> %s\n", "", f->advice);
        }
    }
}

static void print_json(const struct findings *findings, enum finding_level worst)
{
    struct buf out;
    struct fd_json_writer w;

    buf_init(&out, 65536);
    buf_json(&out, &w);
    fd_jw_object(&w);
    fd_jw_member(&w, "status", level_names[worst]);
    fd_jw_key(&w, "checks");
    fd_jw_array(&w);
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *f = &findings->list[i];
        fd_jw_object(&w);
        fd_jw_member(&w, "check", f->check);
        fd_jw_member(&w, "level", level_names[f->level]);
        fd_jw_member(&w, "detail", f->detail);
        fd_jw_member(&w, "advice", f->advice);
        fd_jw_end_object(&w);
    }
    fd_jw_end_array(&w);
    fd_jw_end_object(&w);
    if (buf_json_end(&out, &w)) {
        puts(out.data);
    }
    buf_free(&out);
}

int cmd_doctor(int argc, char **argv, const struct config *config)
{
    static const struct option known[] = {{"json", no_argument, NULL, 'j'}, {0}};
    static struct findings findings;
    enum finding_level worst = FINDING_OK;
    bool json = false;
    int option;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (option != 'j') {
            return cmd_usage("doctor");
        }
        json = true;
    }
    if (optind != argc) {
        return cmd_usage("doctor");
    }
    doctor_postgres(&findings, config);
    doctor_redis(&findings, config);
    doctor_admin(&findings, config);
    doctor_secrets(&findings, config);
    check_provider(&findings, config);
    check_prompts(&findings, config);
    check_files(&findings, config);
    for (size_t i = 0; i < findings.count; i++) {
        worst = findings.list[i].level > worst ? findings.list[i].level : worst;
    }
    if (json) {
        print_json(&findings, worst);
    } else {
        print_text(&findings);
    }
    return worst == FINDING_FAIL ? 1 : 0;
}
