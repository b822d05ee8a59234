#include "tenant/demo.h"

#include "core/file.h"
#include "tenant/knowledge.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define JSON_MAX (1u << 20)

static const char *const languages[] = {"en", "he"};

static const struct db_statement put_organization = {
    "demo_put_organization",
    "INSERT INTO organizations (id, name, domain, plan_type, branding, business_info)"
    " SELECT $1, j->>'name', j->>'domain', j->>'plan_type', j->'branding', j->'business_info'"
    "   FROM (SELECT $2::jsonb AS j) file"
    " ON CONFLICT (id) DO NOTHING",
    2};
static const struct db_statement put_settings = {
    "demo_put_settings",
    "INSERT INTO org_ai_settings (org_id, languages, widget)"
    " SELECT $1, ARRAY(SELECT jsonb_array_elements_text(j->'languages')), j->'widget'"
    "   FROM (SELECT $2::jsonb AS j) file"
    " ON CONFLICT (org_id) DO NOTHING",
    2};

struct loader {
    struct db *db;
    struct arena *a;
    const char *directory;
    char *error; /* 512 */
};

static bool database_fault(struct loader *l, const char *file)
{
    snprintf(l->error, 512, "%.200s: %.300s", file, db_error(l->db));
    return false;
}

static char *read_file(struct loader *l, const char *name, size_t max, size_t *len)
{
    char why[256];
    char *text = file_read(l->a, arena_printf(l->a, "%s/%s", l->directory, name), max, len, why);
    if (text == NULL) {
        snprintf(l->error, 512, "%s", why);
    }
    return text;
}

static bool load_organization(struct loader *l)
{
    size_t len;
    const char *params[] = {DEMO_ORG, read_file(l, "organization.json", JSON_MAX, &len)};

    return params[1] != NULL &&
           ((db_query(l->db, DEMO_ORG, &put_organization, params, NULL) == DB_OK &&
             db_query(l->db, DEMO_ORG, &put_settings, params, NULL) == DB_OK) ||
            database_fault(l, "organization.json"));
}

static bool load_rows(struct loader *l, const char *name,
                      enum db_status (*put)(struct db *, const char *, const char *, int64_t *),
                      int64_t *written)
{
    size_t len;
    const char *json = read_file(l, name, JSON_MAX, &len);

    return json != NULL &&
           (put(l->db, DEMO_ORG, json, written) == DB_OK || database_fault(l, name));
}

static bool load_article(struct loader *l, const char *language, const char *name)
{
    struct article article;
    char why[128];
    size_t len;
    const char *path = arena_printf(l->a, "articles/%s/%s", language, name);
    const char *markdown = read_file(l, path, ARTICLE_MAX, &len);
    const char *suffix = strcmp(language, "en") == 0 ? "" : arena_printf(l->a, "-%s", language);

    if (markdown == NULL) {
        return false;
    }
    int base = (int)(strlen(name) - strlen(".md"));
    const char *slug = arena_printf(l->a, "%.*s%s", base, name, suffix);
    if (!article_split(l->a, slug, NULL, markdown, len, &article, why)) {
        snprintf(l->error, 512, "%.200s: %s", path, why);
        return false;
    }
    const struct knowledge_article put = {&article, language, path, IMPORT_MARKDOWN};
    return knowledge_put_article(l->db, DEMO_ORG, &put, NULL) == DB_OK || database_fault(l, path);
}

static int is_markdown(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);
    return len > 3 && entry->d_name[0] != '.' && strcmp(entry->d_name + len - 3, ".md") == 0;
}

static bool load_language(struct loader *l, const char *language, int64_t *written)
{
    struct dirent **entries = NULL;
    const char *path = arena_printf(l->a, "%s/articles/%s", l->directory, language);

    int count = scandir(path, &entries, is_markdown, alphasort);
    if (count < 0) {
        snprintf(l->error, 512, "%.300s: %s", path, strerror(errno));
        return false;
    }
    bool ok = true;
    for (int i = 0; i < count; i++) {
        ok = ok && load_article(l, language, entries[i]->d_name);
        *written += ok ? 1 : 0;
        free(entries[i]);
    }
    free(entries);
    return ok;
}

static bool load_articles(struct loader *l, int64_t *written)
{
    bool ok = db_begin(l->db, DEMO_ORG) == DB_OK || database_fault(l, "articles");
    for (size_t i = 0; ok && i < sizeof(languages) / sizeof(languages[0]); i++) {
        ok = load_language(l, languages[i], written);
    }
    ok = ok && (db_commit(l->db) == DB_OK || database_fault(l, "articles"));
    if (!ok) {
        db_rollback(l->db);
    }
    return ok;
}

bool demo_load(struct db *db, const char *directory, struct demo_content *content, char error[512])
{
    struct arena a;
    struct loader l = {.db = db, .a = &a, .directory = directory, .error = error};

    *content = (struct demo_content){0};
    arena_init(&a);
    bool ok = load_organization(&l) && load_articles(&l, &content->articles) &&
              load_rows(&l, "products.json", knowledge_put_products, &content->products) &&
              load_rows(&l, "orders.json", knowledge_put_orders, &content->orders);
    arena_free(&a);
    return ok;
}
