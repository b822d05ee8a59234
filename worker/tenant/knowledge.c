#include "tenant/knowledge.h"

#include "core/buf.h"

#include <stdlib.h>
#include <string.h>

static const struct db_statement put_article = {
    "knowledge_put_article",
    "INSERT INTO articles AS a (org_id, slug, title, body, language, source)"
    " VALUES ($1, $2, $3, $4, $5, $6)"
    " ON CONFLICT (org_id, slug) DO UPDATE SET"
    "   title = $3, body = $4, language = $5, source = $6,"
    "   updated_at = CASE WHEN (a.title, a.body, a.language) = ($3, $4, $5)"
    "                     THEN a.updated_at ELSE now() END"
    " RETURNING id",
    6};
static const struct db_statement drop_sections = {
    "knowledge_drop_sections", "DELETE FROM article_sections WHERE org_id = $1 AND article_id = $2",
    2};
static const struct db_statement put_sections = {
    "knowledge_put_sections",
    "INSERT INTO article_sections (org_id, article_id, slug, position, label, body, language)"
    " SELECT $1, $2, s.slug, s.position, s.label, s.body, $4"
    "   FROM jsonb_to_recordset($3::jsonb) AS s (slug text, position int, label text, body text)",
    4};
static const struct db_statement put_products = {
    "knowledge_put_products",
    "INSERT INTO products (org_id, sku, name, description, price_minor, currency, stock)"
    " SELECT $1, p.sku, p.name, coalesce(p.description, ''), p.price_minor, p.currency,"
    "        coalesce(p.stock, 0)"
    "   FROM jsonb_to_recordset($2::jsonb) AS p (sku text, name text, description text,"
    "        price_minor bigint, currency text, stock int)"
    " ON CONFLICT (org_id, sku) DO UPDATE SET name = excluded.name,"
    "   description = excluded.description, price_minor = excluded.price_minor,"
    "   currency = excluded.currency, stock = excluded.stock, updated_at = now()",
    2};
static const struct db_statement put_orders = {
    "knowledge_put_orders",
    "INSERT INTO orders (org_id, number, customer_email, status, total_minor, currency, items,"
    "                    placed_at, shipped_at)"
    " SELECT $1, o.number, lower(o.customer_email), o.status, o.total_minor, o.currency,"
    "        coalesce(o.items, '[]'), coalesce(o.placed_at, now()), o.shipped_at"
    "   FROM jsonb_to_recordset($2::jsonb) AS o (number text, customer_email text, status text,"
    "        total_minor bigint, currency text, items jsonb, placed_at timestamptz,"
    "        shipped_at timestamptz)"
    " ON CONFLICT (org_id, number) DO UPDATE SET customer_email = excluded.customer_email,"
    "   status = excluded.status, total_minor = excluded.total_minor,"
    "   currency = excluded.currency, items = excluded.items, placed_at = excluded.placed_at,"
    "   shipped_at = excluded.shipped_at",
    2};

static bool sections_json(const struct article *article, struct buf *out)
{
    struct fd_json_writer w;

    buf_json(out, &w);
    fd_jw_array(&w);
    for (size_t i = 0; i < article->section_count; i++) {
        fd_jw_object(&w);
        fd_jw_member(&w, "slug", article->sections[i].slug);
        fd_jw_member_int(&w, "position", (int64_t)i);
        fd_jw_member(&w, "label", article->sections[i].label);
        fd_jw_member(&w, "body", article->sections[i].body);
        fd_jw_end_object(&w);
    }
    fd_jw_end_array(&w);
    return buf_json_end(out, &w);
}

enum db_status knowledge_put_article(struct db *db, const char *org, const struct article *article,
                                     const char *language, const char *source)
{
    const char *params[] = {org, article->slug, article->title, article->body, language, source};
    struct buf json;
    PGresult *row = NULL;

    buf_init(&json, 16 * (size_t)ARTICLE_MAX);
    if (!sections_json(article, &json)) {
        buf_free(&json);
        db_explain(db, "article %s is too long", article->slug);
        return DB_FAILED;
    }
    enum db_status status = db_exec(db, &put_article, params, &row);
    if (status == DB_OK) {
        const char *sections[] = {org, db_text(row, 0, 0), json.data, language};
        status = db_exec(db, &drop_sections, sections, NULL);
        if (status == DB_OK) {
            status = db_exec(db, &put_sections, sections, NULL);
        }
    }
    PQclear(row);
    buf_free(&json);
    return status;
}

static enum db_status put_rows(struct db *db, const char *org, const struct db_statement *statement,
                               const char *json, int64_t *written)
{
    const char *params[] = {org, json};
    PGresult *result;

    enum db_status status = db_query(db, org, statement, params, &result);
    if (status == DB_OK) {
        *written = strtoll(PQcmdTuples(result), NULL, 10);
        PQclear(result);
    }
    return status;
}

enum db_status knowledge_put_products(struct db *db, const char *org, const char *json,
                                      int64_t *written)
{
    return put_rows(db, org, &put_products, json, written);
}

enum db_status knowledge_put_orders(struct db *db, const char *org, const char *json,
                                    int64_t *written)
{
    return put_rows(db, org, &put_orders, json, written);
}
