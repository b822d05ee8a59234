/* frontdesk settings: what an organisation sets of its assistant. */
#include "cmd/cmd.h"
#include "cmd/org.h"
#include "cmd/settings.h"
#include "tenant/ai_settings.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

struct settings_command {
    const struct config *config;
    struct db *db;
    const char *org;
    char **assignments;
    int count;
    const char *key_file;
    bool json;
};

static int refused(const struct ai_fault *fault)
{
    fprintf(stderr, "frontdesk settings: %s%s%s\n", fault->field,
            fault->field[0] != '\0' ? ": " : "", fault->detail);
    return 1;
}

/* A setting a line, its value as JSON. */
static void print_lines(const struct buf *out)
{
    struct fd_json_fault fault;
    struct fd_json_writer w;
    struct arena a;
    struct buf line;

    arena_init(&a);
    buf_init(&line, AI_SETTINGS_BYTES_MAX);
    const struct fd_json *settings = fd_json_parse(
        out->data, out->len, (struct fd_json_limits){.nodes = 65536}, arena_allocator(&a), &fault);
    for (const struct fd_json *s = settings != NULL ? settings->child : NULL; s != NULL;
         s = s->next) {
        buf_reset(&line);
        buf_json(&line, &w);
        fd_jw_json(&w, s);
        if (buf_json_end(&line, &w)) {
            printf("%s=%s\n", s->key, line.data);
        }
    }
    buf_free(&line);
    arena_free(&a);
}

static void print(const struct settings_command *c, const struct buf *out)
{
    if (c->json) {
        puts(out->data);
    } else {
        print_lines(out);
    }
}

static bool read_patch(const struct settings_command *c, struct arena *a,
                       const struct fd_json **patch, struct ai_fault *fault)
{
    struct fd_json_fault json_fault;
    struct fd_json_writer w;
    struct buf text;
    bool ok = true;

    buf_init(&text, AI_SETTINGS_BYTES_MAX);
    buf_json(&text, &w);
    fd_jw_object(&w);
    for (int i = 0; i < c->count && ok; i++) {
        ok = ai_settings_assign(&w, c->assignments[i], fault);
    }
    fd_jw_end_object(&w);
    if (!buf_json_end(&text, &w) && ok) {
        ok = ai_refuse(fault, "", "the change is too long");
    }
    if (ok) {
        *patch = fd_json_parse(text.data, text.len, (struct fd_json_limits){0}, arena_allocator(a),
                               &json_fault);
        ok = *patch != NULL ||
             ai_refuse(fault, json_fault.where, "%s", fd_json_error_text(json_fault.error));
    }
    buf_free(&text);
    return ok;
}

static int set(const struct settings_command *c, const char *org, struct buf *out)
{
    const struct fd_json *patch = NULL;
    struct ai_fault fault = {0};
    struct arena a;
    int rc = 0;

    arena_init(&a);
    if (!read_patch(c, &a, &patch, &fault)) {
        rc = refused(&fault);
    } else if (ai_settings_change(c->db, org, patch, &fault, out) != DB_OK) {
        rc = cmd_complain("settings", c->db);
    } else if (fault.detail[0] != '\0') {
        rc = refused(&fault);
    } else {
        cmd_publish_org(c->db, c->config, org);
    }
    arena_free(&a);
    return rc;
}

static int show(const struct settings_command *c, const char *org, struct buf *out)
{
    if (ai_settings_read(c->db, org, out) != DB_OK) {
        return cmd_complain("settings", c->db);
    }
    print(c, out);
    return 0;
}

static int run_endpoint(const struct settings_command *given, int argc, char **argv,
                        enum ai_endpoint_kind kind)
{
    struct settings_endpoint c = {
        .config = given->config, .kind = kind, .key_file = given->key_file};
    char org[37];
    int rc = 1;

    c.verb = optind < argc ? argv[optind++] : "";
    c.assignments = argv + optind;
    c.count = argc - optind;
    if (given->org == NULL) {
        return cmd_usage("settings");
    }
    c.db = db_new(c.config->database_url, "frontdesk settings");
    if (cmd_find_org(c.db, "settings", given->org, org)) {
        rc = settings_endpoint_run(&c, org);
    }
    db_free(c.db);
    return rc;
}

static int run_business(const struct settings_command *given, int argc, char **argv)
{
    struct settings_business c = {
        .config = given->config, .assignments = argv + optind, .count = argc - optind};
    char org[37];
    int rc = 1;

    if (given->org == NULL || given->key_file != NULL)
        return cmd_usage("settings");
    c.db = db_new(c.config->database_url, "frontdesk settings");
    if (cmd_find_org(c.db, "settings", given->org, org))
        rc = settings_business_run(&c, org);
    db_free(c.db);
    return rc;
}

int cmd_settings(int argc, char **argv, const struct config *config)
{
    static const struct option known[] = {{"org", required_argument, NULL, 'o'},
                                          {"key", required_argument, NULL, 'k'},
                                          {"json", no_argument, NULL, 'j'},
                                          {0}};
    struct settings_command c = {.config = config};
    char org[37];
    int option;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (option) {
        case 'o': c.org = optarg; break;
        case 'k': c.key_file = optarg; break;
        case 'j': c.json = true; break;
        default: return cmd_usage("settings");
        }
    }
    const char *verb = optind < argc ? argv[optind++] : "";
    bool provider = strcmp(verb, "provider") == 0, embedding = strcmp(verb, "embedding") == 0;
    if (provider || embedding) {
        return run_endpoint(&c, argc, argv, provider ? AI_ENDPOINT_CHAT : AI_ENDPOINT_EMBEDDING);
    }
    if (strcmp(verb, "business") == 0) {
        return run_business(&c, argc, argv);
    }
    c.assignments = argv + optind;
    c.count = argc - optind;
    bool sets = strcmp(verb, "set") == 0 && c.count > 0;
    bool shows = strcmp(verb, "show") == 0 && c.count == 0;
    if (c.org == NULL || c.key_file != NULL || (!sets && !shows)) {
        return cmd_usage("settings");
    }
    struct buf out;
    buf_init(&out, AI_SETTINGS_BYTES_MAX);
    c.db = db_new(config->database_url, "frontdesk settings");
    int rc = 1;
    if (cmd_find_org(c.db, "settings", c.org, org)) {
        rc = sets ? set(&c, org, &out) : show(&c, org, &out);
    }
    db_free(c.db);
    buf_free(&out);
    return rc;
}
