/* Knowledge: products and orders, the shop's own records. */
#include "tenant/knowledge.h"

#include <stdlib.h>

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
