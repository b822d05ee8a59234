/* frontdesk seed: the model catalogue and, if asked, the demo organisation. */
#include "cmd/cmd.h"
#include "core/file.h"
#include "db/db.h"
#include "tenant/catalogue.h"
#include "tenant/demo.h"
#include "tenant/publish.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define ORIGINS_MAX 50
#define DEFAULT_DIR "/usr/local/share/frontdesk/demo" /* FRONTDESK_DEMO_DIR comes before it */

struct seed_options {
    bool demo;
    const char *directory;
    const char *models;
    const char *keys_file;
    const char *owner_file;
    const char *origins[ORIGINS_MAX];
    size_t origin_count;
};

static int complain(const char *text)
{
    fprintf(stderr, "frontdesk seed: %s\n", text);
    return 1;
}

static bool parse(int argc, char **argv, struct seed_options *options)
{
    static const struct option known[] = {{"demo", no_argument, NULL, 'd'},
                                          {"origin", required_argument, NULL, 'o'},
                                          {"dir", required_argument, NULL, 'D'},
                                          {"models", required_argument, NULL, 'm'},
                                          {"keys-file", required_argument, NULL, 'k'},
                                          {"owner-file", required_argument, NULL, 'w'},
                                          {0}};
    int c;

    while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (c == 'd') {
            options->demo = true;
        } else if (c == 'D') {
            options->directory = optarg;
        } else if (c == 'm') {
            options->models = optarg;
        } else if (c == 'k') {
            options->keys_file = optarg;
        } else if (c == 'w') {
            options->owner_file = optarg;
        } else if (c == 'o' && options->origin_count < ORIGINS_MAX) {
            options->origins[options->origin_count++] = optarg;
        } else {
            return false;
        }
    }
    if (options->demo && options->origin_count == 0) {
        options->origins[options->origin_count++] = "http://127.0.0.1:8080";
        options->origins[options->origin_count++] = "http://localhost:8080";
    }
    bool for_demo =
        options->origin_count > 0 || options->keys_file != NULL || options->owner_file != NULL;
    return optind == argc && (options->demo || !for_demo);
}

static int seed_models(struct db *db, const struct seed_options *options)
{
    struct arena a;
    char error[256];
    const struct catalogue_defaults defaults = {0};
    struct catalogue_list list;
    int64_t prices;
    size_t len;
    int rc = 0;

    arena_init(&a);
    const char *path = options->models != NULL
                           ? options->models
                           : arena_printf(&a, "%s/../models.json", options->directory);
    const char *json = file_read(&a, path, CATALOGUE_BYTES_MAX, &len, error);
    if (json == NULL) {
        rc = complain(error);
    } else if (!catalogue_parse(&a, json, len, &defaults, &list, error)) {
        fprintf(stderr, "frontdesk seed: %s: %s\n", path, error);
        rc = 1;
    } else if (catalogue_store(db, &list, &prices) != DB_OK) {
        fprintf(stderr, "frontdesk seed: %s: %s\n", path, db_error(db));
        rc = 1;
    } else {
        fprintf(stderr, "%zu models, prices of %s\n", list.count,
                list.effective_from != NULL ? list.effective_from : "today");
    }
    arena_free(&a);
    return rc;
}

static int seed_demo(struct db *db, const struct config *config, const struct seed_options *options)
{
    struct demo_content content;
    struct demo_keys keys;
    char error[512];

    if (!demo_load(db, options->directory, &content, error) ||
        !demo_keys(db, options->keys_file, options->origins, options->origin_count, &keys, error) ||
        (options->owner_file != NULL && !demo_owner(db, options->owner_file, error))) {
        return complain(error);
    }
    fprintf(stderr,
            "demo organisation: %" PRId64 " articles, %" PRId64 " products, %" PRId64 " orders\n",
            content.articles, content.products, content.orders);
    if (!keys.known) {
        fputs("its keys were made before and cannot be shown again; --keys-file FILE makes new "
              "ones and keeps them\n",
              stderr);
    }
    if (publish_org(db, config, DEMO_ORG, error) != PUBLISH_OK) {
        fprintf(stderr,
                "warning: not yet in Redis (%s); nginx learns of it when a worker "
                "synchronises, within FRONTDESK_SYNC_MS\n",
                error);
    }
    keys.known = keys.known && options->keys_file == NULL; /* written once is enough */
    demo_keys_print(&keys, stdout);
    return 0;
}

int cmd_seed(int argc, char **argv, const struct config *config)
{
    struct seed_options options = {.directory = getenv("FRONTDESK_DEMO_DIR")};

    if (options.directory == NULL || options.directory[0] == '\0') {
        options.directory = DEFAULT_DIR;
    }
    if (!parse(argc, argv, &options)) {
        return cmd_usage("seed");
    }
    struct db *db = db_new(config->database_url, "frontdesk seed");
    int rc = seed_models(db, &options);
    if (rc == 0 && options.demo) {
        rc = seed_demo(db, config, &options);
    }
    db_free(db);
    return rc;
}
