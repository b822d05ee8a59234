/* frontdesk dry-run: what a question would send to which model, and at what price. */
#include "cmd/cmd.h"
#include "cmd/org.h"

#include "chat/dry_run.h"
#include "chat/route_json.h"
#include "core/buf.h"
#include "protocol/limits.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define OUTPUT_MAX 8388608

struct dry_run_command {
    const char *org; /* as given */
    bool json;
    struct dry_run_ask ask;
};

static bool parse(int argc, char **argv, struct dry_run_command *c)
{
    static const struct option known[] = {
        {"org", required_argument, NULL, 'o'},      {"model", required_argument, NULL, 'm'},
        {"language", required_argument, NULL, 'l'}, {"session", required_argument, NULL, 's'},
        {"json", no_argument, NULL, 'j'},           {0}};
    int option;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (option) {
        case 'o': c->org = optarg; break;
        case 'm': c->ask.model_id = optarg; break;
        case 'l': c->ask.language = optarg; break;
        case 's': c->ask.session = optarg; break;
        case 'j': c->json = true; break;
        default: return false;
        }
    }
    c->ask.question = optind < argc ? argv[optind++] : NULL;
    return optind == argc && c->org != NULL && c->ask.question != NULL;
}

static bool question_is_good(const char *question)
{
    size_t len = strlen(question);
    return len > 0 && len <= FD_MESSAGE_MAX && fd_utf8_valid(question, len);
}

static void print_price(const struct dry_run *run)
{
    int64_t most = price_worst(&run->price, run->likely_tokens, run->draft.request.max_tokens);

    if (run->plan.count == 0)
        return;
    if (run->free)
        puts("price       nothing: a provider of your own");
    else if (!run->priced)
        puts("price       unknown: the model is not in the catalogue (frontdesk models sync)");
    else
        printf("price       at most $%" PRId64 ".%06" PRId64 "\n", most / 1000000, most % 1000000);
}

static void print_memory(const struct answer_memory *memory)
{
    printf("memory      %zu messages", memory->messages);
    if (memory->left_out > 0)
        printf(", %zu left out", memory->left_out);
    if (memory->shortened > 0)
        printf(", %zu shortened", memory->shortened);
    if (memory->summarised > 0)
        printf(", summary of %d", memory->summarised);
    putchar('\n');
}

static void print_snippets(struct arena *a, const struct dry_run *run)
{
    printf("meaning     %s\n", run->meaning.outcome);
    for (size_t i = 0; i < run->retrieved.count; i++) {
        const struct snippet *snippet = &run->retrieved.snippets[i];
        printf("%-10s  %6.3f  %s  by %s%s\n", i == 0 ? "snippets" : "", snippet->score, snippet->id,
               route_found(a, snippet->reasons),
               draft_sent(&run->draft.set, snippet->id) ? "" : "  (not sent)");
    }
}

static void print_savings(const struct dry_run *run)
{
    printf(
        "saved       %zu repeated snippets; tokens: %d of repeated lines, %zu of schemas, %zu of "
        "%zu tools left out\n",
        run->retrieved.repeats, run->draft.saved_tokens, run->tools->saved_tokens,
        run->tools->tokens - run->tool_tokens,
        run->tools->set.count - run->draft.request.tool_count);
}

static void print_text(struct arena *a, const struct dry_run *run)
{
    const struct draft *draft = &run->draft;
    const struct llm_request *request = &draft->request;

    if (run->refused != NULL)
        printf("refused     %s\n", run->refused);
    for (size_t i = 0; i < run->plan.count; i++)
        printf("%-10s  %s (%s)\n", i == 0 ? "model" : "else", run->plan.candidates[i].model,
               run->plan.candidates[i].endpoint->name);
    printf("route       %s, %s: %s\n", route_tier_name(draft->route.tier), draft->route.intent,
           route_reasons(a, &draft->route));
    printf("tokens      %" PRId64 " of the prompt, %d of context in %zu chunks, %d of the answer\n",
           run->prompt_tokens, draft->set.context_tokens, draft->set.count, request->max_tokens);
    if (run->likely_tokens != run->prompt_tokens)
        printf("            %" PRId64 " of the prompt as this model counts\n", run->likely_tokens);
    if (run->history_count > 0)
        print_memory(&draft->memory);
    print_price(run);
    print_snippets(a, run);
    print_savings(run);
    for (size_t i = 0; i < request->tool_count; i++)
        printf("%-10s  %s\n", i == 0 ? "tools" : "", request->tools[i].name);
    printf("\n-- system\n%s\n", request->system);
    for (size_t i = 0; i < request->message_count; i++)
        printf("\n-- %s\n%s\n", request->messages[i].role == LLM_USER ? "user" : "assistant",
               request->messages[i].text);
}

static int print_json(const struct dry_run *run)
{
    struct fd_json_writer w;
    struct buf out;

    buf_init(&out, OUTPUT_MAX);
    buf_json(&out, &w);
    dry_run_write(&w, run);
    bool ok = buf_json_end(&out, &w);
    if (ok)
        puts(out.data);
    else
        fputs("frontdesk dry-run: the prompt is too long to be shown\n", stderr);
    buf_free(&out);
    return ok ? 0 : 1;
}

static int show(struct dry_run_command *c, struct db *db, const struct config *config)
{
    struct dry_run run;
    struct arena a;
    char org[37];
    int rc = 0;

    if (!cmd_find_org(db, "dry-run", c->org, org))
        return 1;
    c->ask.org = org;
    arena_init(&a);
    if (dry_run_make(db, config, &a, &c->ask, &run) != DB_OK)
        rc = cmd_complain("dry-run", db);
    else if (c->json)
        rc = print_json(&run);
    else
        print_text(&a, &run);
    dry_run_free(&run);
    arena_free(&a);
    return rc;
}

int cmd_dry_run(int argc, char **argv, const struct config *config)
{
    struct dry_run_command c = {0};

    if (!parse(argc, argv, &c))
        return cmd_usage("dry-run");
    if (!question_is_good(c.ask.question)) {
        fprintf(stderr, "frontdesk dry-run: a question has 1 to %d bytes of UTF-8\n",
                FD_MESSAGE_MAX);
        return 1;
    }
    struct db *db = db_new(config->database_url, "frontdesk dry-run");
    int rc = show(&c, db, config);
    db_free(db);
    return rc;
}
