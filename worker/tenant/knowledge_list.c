/* Knowledge: what there is of it, and forgetting. */
#include "tenant/knowledge.h"

#define TIME(column) "to_char(" column " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
#define COLUMNS                                                                                    \
    "a.slug, a.title, a.language, a.format, a.source,"                                             \
    " (SELECT count(*) FROM article_sections s"                                                    \
    "   WHERE s.org_id = a.org_id AND s.article_id = a.id),"                                       \
    " octet_length(a.body), " TIME("a.created_at") ", " TIME("a.updated_at")

static const struct db_statement list = {
    "knowledge_list",
    "SELECT " COLUMNS " FROM articles a"
    " WHERE a.org_id = $1 AND ($2::text IS NULL OR a.language = lower($2))"
    "   AND ($3::text IS NULL OR a.slug COLLATE \"C\" > $3)"
    " ORDER BY a.slug COLLATE \"C\" LIMIT $4::int",
    4};
static const struct db_statement find = {
    "knowledge_find",
    "SELECT " COLUMNS ", a.body FROM articles a WHERE a.org_id = $1 AND a.slug = $2", 2};
static const struct db_statement sections = {
    "knowledge_sections",
    "SELECT s.slug, s.label, s.body, " TIME(
        "s.updated_at") "  FROM articles a JOIN article_sections s ON s.org_id = a.org_id AND "
                        "s.article_id = a.id"
                        " WHERE a.org_id = $1 AND a.slug = $2 ORDER BY s.position",
    2};
/* What hangs on the article and its sections goes with them. */
static const struct db_statement forget = {
    "knowledge_delete",
    "WITH gone AS (DELETE FROM articles WHERE org_id = $1 AND slug = $2 RETURNING id)"
    " UPDATE organizations SET knowledge_version = knowledge_version + 1"
    "  WHERE id = $1 AND EXISTS (SELECT FROM gone) RETURNING 1",
    2};

enum db_status knowledge_list(struct db *db, const char *org, const char *language,
                              const char *after, int most, PGresult **articles)
{
    char limit[DB_NUMBER_SIZE];
    const char *params[] = {org, language, after, db_number(limit, most)};

    return db_query(db, org, &list, params, articles);
}

enum db_status knowledge_find(struct db *db, const char *org, const char *slug, PGresult **article)
{
    const char *params[] = {org, slug};

    return db_query(db, org, &find, params, article);
}

enum db_status knowledge_sections(struct db *db, const char *org, const char *slug, PGresult **rows)
{
    const char *params[] = {org, slug};

    return db_query(db, org, &sections, params, rows);
}

enum db_status knowledge_delete(struct db *db, const char *org, const char *slug, bool *found)
{
    const char *params[] = {org, slug};

    return db_found(db, org, &forget, params, found);
}
