/* Knowledge: an article over its earlier version, section by section. */
#include "tenant/knowledge.h"

#include "core/buf.h"
#include "tenant/bounds.h"

#include <stdlib.h>
#include <string.h>

static const struct db_statement put_article = {
    "knowledge_put_article",
    "INSERT INTO articles AS a (org_id, slug, title, body, language, source, format)"
    " SELECT $1, $2, $3, $4, $5, $6, $7"
    "  WHERE EXISTS (SELECT FROM articles WHERE org_id = $1 AND slug = $2)"
    "     OR (SELECT count(*) FROM articles WHERE org_id = $1) < " BOUND_TEXT(
        BOUND_ARTICLES) " ON CONFLICT (org_id, slug) DO UPDATE SET"
                        "   title = $3, body = $4, language = $5, source = coalesce($6, a.source), "
                        "format = $7,"
                        "   updated_at = CASE WHEN (a.title, a.body, a.language) = ($3, $4, $5)"
                        "                     THEN a.updated_at ELSE now() END"
                        " RETURNING id, xmax = 0, updated_at = now()",
    7};
static const struct db_statement old_sections = {
    "knowledge_old_sections",
    "SELECT id, slug, label, body, language FROM article_sections"
    " WHERE org_id = $1 AND article_id = $2 ORDER BY position",
    2};

/* $1 organisation, $2 article, $3 sections as JSON, $4 language. */
#define SECTIONS                                                                                   \
    "jsonb_to_recordset($3::jsonb)"                                                                \
    " AS s (id uuid, slug text, position int, label text, body text)"

static const struct db_statement remove_sections = {
    "knowledge_remove_sections",
    "DELETE FROM article_sections t WHERE t.org_id = $1 AND t.article_id = $2"
    " AND NOT EXISTS (SELECT FROM " SECTIONS " WHERE s.id = t.id)",
    3};
static const struct db_statement update_sections = {
    "knowledge_update_sections",
    "UPDATE article_sections t SET position = s.position, label = s.label, body = s.body,"
    "       language = $4, updated_at = CASE WHEN (t.label, t.body, t.language)"
    "         IS DISTINCT FROM (s.label, s.body, $4) THEN now() ELSE t.updated_at END"
    "  FROM " SECTIONS " WHERE t.org_id = $1 AND t.article_id = $2 AND t.id = s.id"
    "   AND (t.position, t.label, t.body, t.language)"
    "       IS DISTINCT FROM (s.position, s.label, s.body, $4)",
    4};
static const struct db_statement add_sections = {
    "knowledge_add_sections",
    "INSERT INTO article_sections (org_id, article_id, slug, position, label, body, language)"
    " SELECT $1, $2, s.slug, s.position, s.label, s.body, $4 FROM " SECTIONS " WHERE s.id IS NULL",
    4};
static const struct db_statement count_change = {
    "knowledge_count_change",
    "UPDATE organizations SET knowledge_version = knowledge_version + 1 WHERE id = $1", 1};

/* -- which section is which ------------------------------------------------------------- */

struct old_section {
    const char *id, *slug, *label, *body, *language;
    bool taken;
};

/* The new sections of an article beside the old ones. */
struct merge {
    const struct article *article;
    struct old_section *old;
    size_t old_count;
    struct old_section **match; /* of each new section; NULL: it is new */
};

typedef bool same_fn(const struct old_section *old, const struct article_section *section);

static bool same_words(const struct old_section *old, const struct article_section *section)
{
    return strcmp(old->body, section->body) == 0 && strcmp(old->label, section->label) == 0;
}

static bool same_body(const struct old_section *old, const struct article_section *section)
{
    return strcmp(old->body, section->body) == 0;
}

static bool same_label(const struct old_section *old, const struct article_section *section)
{
    return strcmp(old->label, section->label) == 0;
}

static void match_by(struct merge *m, same_fn *same)
{
    size_t next = 0; /* sections mostly stay in order */

    for (size_t i = 0; i < m->article->section_count; i++) {
        for (size_t n = 0; n < m->old_count && m->match[i] == NULL; n++) {
            struct old_section *old = &m->old[(next + n) % m->old_count];
            if (!old->taken && same(old, &m->article->sections[i])) {
                old->taken = true;
                m->match[i] = old;
                next = (size_t)(old - m->old) + 1;
            }
        }
    }
}

static void read_old(struct arena *a, struct merge *m, const PGresult *rows)
{
    m->old_count = (size_t)PQntuples(rows);
    m->old = arena_zalloc(a, (m->old_count + 1) * sizeof(*m->old));
    m->match = arena_zalloc(a, (m->article->section_count + 1) * sizeof(*m->match));
    for (int i = 0; i < PQntuples(rows); i++)
        m->old[i] = (struct old_section){.id = db_text(rows, i, 0),
                                         .slug = db_text(rows, i, 1),
                                         .label = db_text(rows, i, 2),
                                         .body = db_text(rows, i, 3),
                                         .language = db_text(rows, i, 4)};
    match_by(m, same_words);
    match_by(m, same_body);
    match_by(m, same_label);
}

/* Behind every number that was dealt: an old citation never leads to other words. */
static long next_number(const struct merge *m)
{
    size_t len = strlen(m->article->slug);
    long last = 1;

    for (size_t i = 0; i < m->old_count; i++) {
        const char *slug = m->old[i].slug;
        long number = strlen(slug) > len + 1 ? strtol(slug + len + 1, NULL, 10) : 1;
        last = number > last ? number : last;
    }
    return last + 1;
}

static bool first_slug_is_free(const struct merge *m)
{
    for (size_t i = 0; i < m->old_count; i++) {
        if (strcmp(m->old[i].slug, m->article->slug) == 0)
            return false;
    }
    return true;
}

static bool write_sections(struct arena *a, const struct merge *m, struct buf *out)
{
    long number = next_number(m);
    bool first_free = first_slug_is_free(m);
    struct fd_json_writer w;

    buf_json(out, &w);
    fd_jw_array(&w);
    for (size_t i = 0; i < m->article->section_count; i++) {
        const struct old_section *old = m->match[i];
        const char *slug = old != NULL  ? old->slug
                           : first_free ? m->article->slug
                                        : arena_printf(a, "%s.%ld", m->article->slug, number++);
        first_free = first_free && old != NULL;
        fd_jw_object(&w);
        fd_jw_member(&w, "id", old != NULL ? old->id : NULL);
        fd_jw_member(&w, "slug", slug);
        fd_jw_member_int(&w, "position", (int64_t)i);
        fd_jw_member(&w, "label", m->article->sections[i].label);
        fd_jw_member(&w, "body", m->article->sections[i].body);
        fd_jw_end_object(&w);
    }
    fd_jw_end_array(&w);
    return buf_json_end(out, &w);
}

static void count_sections(const struct merge *m, const char *language,
                           struct knowledge_change *change)
{
    size_t kept = 0;

    change->sections = m->article->section_count;
    for (size_t i = 0; i < m->article->section_count; i++) {
        const struct old_section *old = m->match[i];
        kept += old != NULL;
        change->updated += old != NULL && (!same_words(old, &m->article->sections[i]) ||
                                           strcmp(old->language, language) != 0);
    }
    change->added = m->article->section_count - kept;
    change->removed = m->old_count - kept;
}

/* -- writing ------------------------------------------------------------------------------ */

static enum db_status write_merge(struct db *db, const char *const params[4])
{
    static const struct db_statement *const steps[] = {&remove_sections, &update_sections,
                                                       &add_sections};
    enum db_status status = DB_OK;

    for (size_t i = 0; status == DB_OK && i < sizeof(steps) / sizeof(*steps); i++)
        status = db_exec(db, steps[i], params, NULL);
    return status;
}

static enum db_status put_sections(struct db *db, struct arena *a, const char *org,
                                   const char *article_id, const struct knowledge_article *put,
                                   struct knowledge_change *change)
{
    const char *key[] = {org, article_id};
    struct merge m = {.article = put->article};
    struct buf json;
    PGresult *rows;

    enum db_status status = db_exec(db, &old_sections, key, &rows);
    if (status != DB_OK)
        return status;
    read_old(a, &m, rows);
    count_sections(&m, put->language, change);
    buf_init(&json, 16 * (size_t)ARTICLE_MAX);
    if (write_sections(a, &m, &json)) {
        const char *params[] = {org, article_id, json.data, put->language};
        status = write_merge(db, params);
    } else {
        db_explain(db, "article %s is too long", put->article->slug);
        status = DB_FAILED;
    }
    buf_free(&json);
    PQclear(rows);
    return status;
}

enum db_status knowledge_put_article(struct db *db, const char *org,
                                     const struct knowledge_article *put,
                                     struct knowledge_change *change)
{
    const struct article *article = put->article;
    const char *params[] = {org,
                            article->slug,
                            article->title,
                            article->body,
                            put->language,
                            put->source,
                            import_format_name(put->format)};
    struct knowledge_change done = {0};
    struct arena a;
    PGresult *row;

    enum db_status status = db_exec(db, &put_article, params, &row);
    if (status != DB_OK)
        return status;
    if (PQntuples(row) == 0) {
        PQclear(row);
        return bound_reached(db, BOUND_ARTICLES, "articles");
    }
    arena_init(&a);
    done.created = db_true(row, 0, 1);
    status = put_sections(db, &a, org, db_text(row, 0, 0), put, &done);
    done.changed = db_true(row, 0, 2) || done.added + done.updated + done.removed > 0;
    arena_free(&a);
    PQclear(row);
    if (status == DB_OK && done.changed)
        status = db_exec(db, &count_change, &org, NULL);
    if (change != NULL)
        *change = done;
    return status;
}
