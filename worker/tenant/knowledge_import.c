#define _GNU_SOURCE /* memrchr */
/* Knowledge: a file becomes an article. */
#include "core/language.h"
#include "protocol/ids.h"
#include "tenant/knowledge.h"

#include <stdio.h>
#include <string.h>

#define LANGUAGE_MAX 35 /* RFC 5646 section 4.4.1 */

/* Imports of one organisation go one after another: the slug is chosen by what is there. */
static const struct db_statement lock_org = {
    "knowledge_lock_org",
    "SELECT coalesce(lower(s.languages[1]), 'en') FROM organizations o"
    "  LEFT JOIN org_ai_settings s ON s.org_id = o.id WHERE o.id = $1 FOR NO KEY UPDATE OF o",
    1};
static const struct db_statement find_by_source = {
    "knowledge_find_by_source",
    "SELECT slug FROM articles WHERE org_id = $1 AND source = $2 ORDER BY created_at, slug LIMIT 1",
    2};
static const struct db_statement find_other = {
    "knowledge_find_other",
    "SELECT coalesce(source, '') FROM articles WHERE org_id = $1 AND slug = $2", 2};

struct importer {
    struct db *db;
    struct arena *arena;
    const char *org;
    const struct knowledge_upload *upload;
    struct knowledge_report *report;
    struct import_text text;
    const char *own_language; /* of the organisation */
};

static bool refuse(struct knowledge_report *report, enum knowledge_verdict verdict,
                   const char *field, const char *error)
{
    report->verdict = verdict;
    report->field = field;
    if (error != report->error)
        snprintf(report->error, sizeof(report->error), "%s", error);
    return false;
}

/* -- what was given ------------------------------------------------------------------------ */

static bool is_line(const char *text, size_t max)
{
    size_t len = strlen(text);

    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7F)
            return false;
    }
    return len > 0 && len <= max && fd_utf8_valid(text, len);
}

/* A tag in lower case; NULL: it is none. */
static const char *language_tag(struct arena *a, const char *text)
{
    char *tag = arena_strdup(a, text);
    size_t part = 0, parts = 0;

    for (char *c = tag; *c != '\0'; c++) {
        *c = *c >= 'A' && *c <= 'Z' ? (char)(*c + 32) : *c == '_' ? '-' : *c;
        bool letter = *c >= 'a' && *c <= 'z';
        if (*c == '-' && part >= 2) {
            parts++;
            part = 0;
        } else if (letter || (parts > 0 && *c >= '0' && *c <= '9')) {
            part++;
        } else {
            return NULL;
        }
        if (part > (parts == 0 ? 3 : 8))
            return NULL;
    }
    return part >= 2 && strlen(tag) <= LANGUAGE_MAX ? tag : NULL;
}

static bool check_given(struct importer *i)
{
    const struct knowledge_upload *up = i->upload;
    struct knowledge_report *report = i->report;

    if (up->slug != NULL && !article_slug_valid(up->slug))
        return refuse(report, KNOWLEDGE_BAD_FIELD, "slug",
                      "lower-case letters, digits and single hyphens would be right, at most 80");
    if (up->title != NULL && !is_line(up->title, KNOWLEDGE_TITLE_MAX))
        return refuse(report, KNOWLEDGE_BAD_FIELD, "title",
                      "one line of at most 200 bytes would be right");
    if (up->source != NULL && !is_line(up->source, KNOWLEDGE_SOURCE_MAX))
        return refuse(report, KNOWLEDGE_BAD_FIELD, "source",
                      "a file name or URL of at most 2048 bytes would be right");
    report->language = up->language != NULL ? language_tag(i->arena, up->language) : NULL;
    if (up->language != NULL && report->language == NULL)
        return refuse(report, KNOWLEDGE_BAD_FIELD, "language",
                      "a language tag such as en, he or pt-BR would be right");
    return true;
}

static bool read_file(struct importer *i)
{
    struct knowledge_report *report = i->report;

    switch (import_read(i->arena, &i->upload->file, &i->text, report->error)) {
    case IMPORT_OK: report->format = i->text.format; return true;
    case IMPORT_TOO_LARGE: return refuse(report, KNOWLEDGE_TOO_LARGE, "body", report->error);
    case IMPORT_UNKNOWN_TYPE: return refuse(report, KNOWLEDGE_UNKNOWN_TYPE, "body", report->error);
    case IMPORT_UNAVAILABLE: return refuse(report, KNOWLEDGE_UNAVAILABLE, "body", report->error);
    case IMPORT_UNREADABLE: break;
    }
    return refuse(report, KNOWLEDGE_BAD_FIELD, "body", report->error);
}

/* -- its name ------------------------------------------------------------------------------- */

/* "https://shop.example/help/returns.html?x#y" and "docs/returns.pdf": "returns"; "" if there
 * is nothing of the kind. */
static const char *stem_of(struct arena *a, const char *source)
{
    size_t len = strcspn(source, "?#");

    while (len > 0 && source[len - 1] == '/')
        len--;
    const char *start = source + len;
    while (start > source && start[-1] != '/')
        start--;
    len -= (size_t)(start - source);
    const char *dot = memrchr(start, '.', len);
    if (dot != NULL && dot > start && strstr(source, "://") != start - 3)
        len = (size_t)(dot - start);
    return arena_strndup(a, start, len);
}

static const char *made_slug(struct importer *i)
{
    const char *language = i->report->language;
    const char *stem = i->upload->source != NULL ? stem_of(i->arena, i->upload->source) : "";
    const char *title = i->upload->title != NULL ? i->upload->title : i->text.title;
    char slug[ARTICLE_SLUG_MAX + 1], hash[FD_SHA256_HEX_SIZE];

    if (!article_slug_of(stem, strlen(stem), slug) &&
        (title == NULL || !article_slug_of(title, strlen(title), slug))) {
        const char *named = *stem != '\0' ? stem : title != NULL ? title : i->text.markdown;
        fd_sha256_hex(hash, named, strlen(named));
        snprintf(slug, sizeof(slug), "article-%.8s", hash);
    }
    if (strcmp(language, i->own_language) == 0)
        return arena_strdup(i->arena, slug);
    const char *ending = arena_printf(i->arena, "-%s", language);
    size_t len = strlen(slug), size = strlen(ending);
    if (len > size && strcmp(slug + len - size, ending) == 0)
        return arena_strdup(i->arena, slug);
    int most = (int)(ARTICLE_SLUG_MAX - size);
    const char *cut = arena_printf(i->arena, "%.*s%s", most, slug, ending);
    return article_slug_valid(cut) ? cut : arena_printf(i->arena, "%.*s%s", most - 1, slug, ending);
}

/* The slug that was given; else that of the same source; else one of our making, if there is no
 * article of it yet: nobody has said that it may go. */
static enum db_status find_slug(struct importer *i)
{
    const struct knowledge_upload *up = i->upload;
    struct knowledge_report *report = i->report;
    const char *by_source[] = {i->org, up->source};
    PGresult *row = NULL;
    enum db_status status = DB_OK;

    report->slug = up->slug;
    if (report->slug == NULL && up->source != NULL) {
        status = db_exec(i->db, &find_by_source, by_source, &row);
        if (status == DB_OK && PQntuples(row) > 0)
            report->slug = arena_strdup(i->arena, db_text(row, 0, 0));
        PQclear(row);
    }
    if (status != DB_OK || report->slug != NULL)
        return status;
    report->slug = made_slug(i);
    const char *other[] = {i->org, report->slug};
    status = db_exec(i->db, &find_other, other, &row);
    if (status == DB_OK && PQntuples(row) > 0 && up->source == NULL) {
        snprintf(report->error, sizeof(report->error),
                 "an article \"%s\" is there already: say another title, or its slug to replace it",
                 report->slug);
        refuse(report, KNOWLEDGE_CONFLICT, "title", report->error);
    } else if (status == DB_OK && PQntuples(row) > 0) {
        const char *source = db_text(row, 0, 0);
        snprintf(report->error, sizeof(report->error),
                 "an article \"%s\" is there already%s%.100s; say a slug of your own, or this one "
                 "to replace it",
                 report->slug, *source != '\0' ? ", from " : "", source);
        refuse(report, KNOWLEDGE_CONFLICT, "slug", report->error);
    }
    PQclear(row);
    return status;
}

/* NULL: the text's first heading. */
static const char *find_title(struct importer *i)
{
    bool has_headings = i->text.format == IMPORT_MARKDOWN || i->text.format == IMPORT_HTML;
    const char *title = i->upload->title != NULL ? i->upload->title : i->text.title;

    if (title != NULL || has_headings)
        return title;
    const char *stem = i->upload->source != NULL ? stem_of(i->arena, i->upload->source) : "";
    return *stem != '\0' ? stem : i->report->slug;
}

/* -- in the transaction ---------------------------------------------------------------------- */

static enum db_status read_org(struct importer *i)
{
    PGresult *row;

    enum db_status status = db_exec(i->db, &lock_org, &i->org, &row);
    if (status != DB_OK)
        return status;
    if (PQntuples(row) == 1) {
        i->own_language = arena_strdup(i->arena, db_text(row, 0, 0));
    } else {
        db_explain(i->db, "there is no such organisation");
        status = DB_FAILED;
    }
    PQclear(row);
    return status;
}

static enum db_status store(struct importer *i)
{
    struct knowledge_report *report = i->report;
    struct article article;
    char error[128];

    enum db_status status = read_org(i);
    if (status != DB_OK)
        return status;
    if (report->language == NULL)
        report->language = language_of(i->text.markdown, i->text.len, i->own_language);
    status = find_slug(i);
    if (status != DB_OK || report->verdict != KNOWLEDGE_STORED)
        return status;
    if (!article_split(i->arena, report->slug, find_title(i), i->text.markdown, i->text.len,
                       &article, error)) {
        refuse(report, KNOWLEDGE_BAD_FIELD, "body", error);
        return DB_OK;
    }
    report->title = article.title;
    const struct knowledge_article put = {&article, report->language, i->upload->source,
                                          report->format};
    return knowledge_put_article(i->db, i->org, &put, &report->change);
}

enum db_status knowledge_import(struct db *db, struct arena *a, const char *org,
                                const struct knowledge_upload *upload,
                                struct knowledge_report *report)
{
    struct importer i = {.db = db, .arena = a, .org = org, .upload = upload, .report = report};

    *report = (struct knowledge_report){.verdict = KNOWLEDGE_STORED};
    if (!check_given(&i) || !read_file(&i))
        return DB_OK;
    enum db_status status = db_begin(db, org);
    if (status == DB_OK)
        status = store(&i);
    if (status == DB_OK && report->verdict == KNOWLEDGE_STORED)
        return db_commit(db);
    db_rollback(db);
    return status;
}
