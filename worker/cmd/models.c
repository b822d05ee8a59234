/* frontdesk models: the catalogue, and which of it an organisation uses. */
#include "cmd/models.h"
#include "cmd/cmd.h"
#include "cmd/org.h"
#include "tenant/ai_models.h"
#include "tenant/ai_settings.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX  2
#define DAYS_MAX   3650
#define OUTPUT_MAX (16u << 20)

struct models_command {
    const struct config *config;
    struct db *db;
    const char *verb;
    const char *words[WORDS_MAX];
    int word_count;
    const char *org; /* as given */
    char org_id[37];
    const char *label;
    const char *name;
    int days;
    struct models_sync sync;
};

static bool parse(int argc, char **argv, struct models_command *c)
{
    static const struct option known[] = {
        {"org", required_argument, NULL, 'o'},      {"label", required_argument, NULL, 'l'},
        {"name", required_argument, NULL, 'n'},     {"days", required_argument, NULL, 'd'},
        {"file", required_argument, NULL, 'f'},     {"url", required_argument, NULL, 'u'},
        {"provider", required_argument, NULL, 'p'}, {"region", required_argument, NULL, 'r'},
        {"json", no_argument, NULL, 'j'},           {0}};
    int option;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (option) {
        case 'o': c->org = optarg; break;
        case 'l': c->label = optarg; break;
        case 'n': c->name = optarg; break;
        case 'd': c->days = atoi(optarg); break;
        case 'f': c->sync.file = optarg; break;
        case 'u': c->sync.url = optarg; break;
        case 'p': c->sync.provider = optarg; break;
        case 'r': c->sync.region = optarg; break;
        case 'j': c->sync.json = true; break;
        default: return false;
        }
    }
    c->verb = optind < argc ? argv[optind++] : "";
    while (optind < argc && c->word_count < WORDS_MAX) {
        c->words[c->word_count++] = argv[optind++];
    }
    return optind == argc && c->days > 0 && c->days <= DAYS_MAX;
}

/* -- looking ----------------------------------------------------------------------- */

static int print_json(struct models_command *c, enum db_status status, struct buf *out)
{
    if (status != DB_OK) {
        return cmd_complain("models", c->db);
    }
    puts(out->data);
    return 0;
}

static void print_row(const struct models_command *c, const PGresult *rows, int row)
{
    const char *label = db_text(rows, row, AI_MODEL_LABEL);
    const char *hint = db_text(rows, row, AI_MODEL_HINT);
    const char *region = db_text(rows, row, AI_MODEL_REGION);

    if (c->org != NULL) {
        printf("%c ", db_true(rows, row, AI_MODEL_IS_DEFAULT) ? '*'
                      : db_true(rows, row, AI_MODEL_ENABLED)  ? '+'
                                                              : ' ');
    }
    printf("%-40s %-36s %s%s\n", db_text(rows, row, AI_MODEL_ID),
           hint != NULL ? hint : "price not known", region != NULL ? region : "-",
           db_true(rows, row, AI_MODEL_ALLOWED) ? "" : " (not allowed)");
    if (label != NULL) {
        printf("    called %s\n", label);
    }
}

/* Grouped by provider; "*" the default, "+" enabled. */
static int print_table(struct models_command *c)
{
    const char *group = NULL;
    PGresult *rows;

    if (ai_models_list(c->db, c->org != NULL ? c->org_id : NULL, &rows) != DB_OK) {
        return cmd_complain("models", c->db);
    }
    for (int row = 0; row < PQntuples(rows); row++) {
        const char *provider = db_text(rows, row, AI_MODEL_PROVIDER);
        provider = provider != NULL ? provider : "not in the catalogue";
        if (group == NULL || strcmp(group, provider) != 0) {
            printf("%s%s\n", group != NULL ? "\n" : "", provider);
            group = provider;
        }
        print_row(c, rows, row);
    }
    PQclear(rows);
    return 0;
}

static int list(struct models_command *c)
{
    if (!c->sync.json) {
        return print_table(c);
    }
    struct buf out;
    buf_init(&out, OUTPUT_MAX);
    int rc = print_json(c, ai_models_json(c->db, c->org != NULL ? c->org_id : NULL, &out), &out);
    buf_free(&out);
    return rc;
}

static const char *cell(const PGresult *rows, int row, int column)
{
    const char *text = db_text(rows, row, column);
    return text != NULL ? text : "-";
}

static void print_line(const PGresult *rows, const char *what, int column)
{
    printf("%-28s %20s %20s\n", what, cell(rows, 0, column), cell(rows, 1, column));
}

static int print_split(struct models_command *c)
{
    PGresult *rows;

    if (ai_split_report(c->db, c->org_id, c->name, c->days, &rows) != DB_OK) {
        return cmd_complain("models", c->db);
    }
    printf("split %s, the last %d days\n", db_text(rows, 0, AI_SPLIT_NAME), c->days);
    print_line(rows, "", AI_SPLIT_ARM);
    print_line(rows, "models", AI_SPLIT_MODELS);
    print_line(rows, "conversations", AI_SPLIT_CONVERSATIONS);
    print_line(rows, "answers", AI_SPLIT_ANSWERS);
    print_line(rows, "cut or cancelled", AI_SPLIT_FAILED);
    print_line(rows, "cost, micro-dollars", AI_SPLIT_COST);
    print_line(rows, "calls without a price", AI_SPLIT_UNPRICED);
    print_line(rows, "first token, median ms", AI_SPLIT_FIRST_P50);
    print_line(rows, "first token, 95 % ms", AI_SPLIT_FIRST_P95);
    print_line(rows, "whole answer, median ms", AI_SPLIT_TOTAL_P50);
    print_line(rows, "whole answer, 95 % ms", AI_SPLIT_TOTAL_P95);
    print_line(rows, "thumbs up", AI_SPLIT_UP);
    print_line(rows, "thumbs down", AI_SPLIT_DOWN);
    print_line(rows, "rating of conversations", AI_SPLIT_RATING);
    print_line(rows, "conversations rated", AI_SPLIT_RATED);
    PQclear(rows);
    return 0;
}

static int ab(struct models_command *c)
{
    if (!c->sync.json) {
        return print_split(c);
    }
    struct buf out;
    buf_init(&out, OUTPUT_MAX);
    int rc = print_json(c, ai_split_json(c->db, c->org_id, c->name, c->days, &out), &out);
    buf_free(&out);
    return rc;
}

/* -- changing ---------------------------------------------------------------------- */

static int changed(struct models_command *c, enum db_status status, const struct ai_fault *fault,
                   const char *what)
{
    if (status != DB_OK) {
        return cmd_complain("models", c->db);
    }
    if (fault->detail[0] != '\0') {
        fprintf(stderr, "frontdesk models: %s\n", fault->detail);
        return 1;
    }
    cmd_publish_org(c->db, c->config, c->org_id);
    printf("%s\n", what);
    return 0;
}

/* A change of one setting that is a model; NULL takes the built-in value back. */
static int set_model(struct models_command *c, const char *setting, const char *model)
{
    struct fd_json_fault json_fault;
    struct fd_json_writer w;
    struct ai_fault fault;
    struct buf text, out;
    struct arena a;

    arena_init(&a);
    buf_init(&text, AI_SETTINGS_BYTES_MAX);
    buf_init(&out, AI_SETTINGS_BYTES_MAX);
    buf_json(&text, &w);
    fd_jw_object(&w);
    fd_jw_member(&w, setting, model);
    fd_jw_end_object(&w);
    bool ok = buf_json_end(&text, &w);
    const struct fd_json *patch =
        ok ? fd_json_parse(text.data, text.len, (struct fd_json_limits){0}, arena_allocator(&a),
                           &json_fault)
           : NULL;
    int rc = 1;
    if (patch == NULL) {
        fprintf(stderr, "frontdesk models: this is no model's id\n");
    } else {
        enum db_status status = ai_settings_change(c->db, c->org_id, patch, &fault, &out);
        rc = changed(c, status, &fault,
                     arena_printf(&a, "%s is %s", setting, model != NULL ? model : "not set"));
    }
    buf_free(&text);
    buf_free(&out);
    arena_free(&a);
    return rc;
}

static int change_list(struct models_command *c, const char *label, const char *what)
{
    struct ai_fault fault;
    struct buf out;

    buf_init(&out, AI_SETTINGS_BYTES_MAX);
    enum db_status status =
        strcmp(c->verb, "disable") == 0
            ? ai_models_disable(c->db, c->org_id, c->words[0], &fault, &out)
            : ai_models_enable(c->db, c->org_id, c->words[0], label, &fault, &out);
    buf_free(&out);
    return changed(c, status, &fault, what);
}

static int enable(struct models_command *c)
{
    return change_list(c, c->label, "enabled");
}

static int disable(struct models_command *c)
{
    return change_list(c, NULL, "disabled");
}

static int label(struct models_command *c)
{
    return change_list(c, c->words[1], "labelled");
}

static int set_default(struct models_command *c)
{
    return set_model(c, "default_model_id", c->words[0]);
}

static int set_tier(struct models_command *c)
{
    static const char *const settings[][2] = {
        {"fast", "fast_model"}, {"reasoning", "reasoning_model"}, {"fallback", "fallback_model"}};
    for (size_t i = 0; i < 3; i++) {
        if (strcmp(c->words[0], settings[i][0]) == 0) {
            bool none = strcmp(c->words[1], "none") == 0;
            return set_model(c, settings[i][1], none ? NULL : c->words[1]);
        }
    }
    return cmd_usage("models");
}

static int sync(struct models_command *c)
{
    if (c->sync.file != NULL && c->sync.url != NULL) {
        return cmd_usage("models");
    }
    return models_sync(c->db, c->config, &c->sync);
}

/* -- together ---------------------------------------------------------------------- */

static const struct verb {
    const char *name;
    int words;
    enum { NO_ORG, MAYBE_ORG, ONE_ORG } org;
    int (*run)(struct models_command *c);
} verbs[] = {
    {"sync", 0, NO_ORG, sync},
    {"list", 0, MAYBE_ORG, list},
    {"enable", 1, ONE_ORG, enable},
    {"disable", 1, ONE_ORG, disable},
    {"default", 1, ONE_ORG, set_default},
    {"label", 2, ONE_ORG, label},
    {"set-tier", 2, ONE_ORG, set_tier},
    {"ab", 0, ONE_ORG, ab},
};

static int run(struct models_command *c, const struct verb *verb)
{
    int rc = 1;

    c->db = db_new(c->config->database_url, "frontdesk models");
    if (c->org == NULL || cmd_find_org(c->db, "models", c->org, c->org_id)) {
        rc = verb->run(c);
    }
    db_free(c->db);
    return rc;
}

int cmd_models(int argc, char **argv, const struct config *config)
{
    struct models_command c = {.config = config, .days = 30};

    if (!parse(argc, argv, &c)) {
        return cmd_usage("models");
    }
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        bool org_fits = verbs[i].org == MAYBE_ORG || (c.org != NULL) == (verbs[i].org == ONE_ORG);
        if (strcmp(c.verb, verbs[i].name) == 0 && c.word_count == verbs[i].words && org_fits) {
            return run(&c, &verbs[i]);
        }
    }
    return cmd_usage("models");
}
