/*
 * Knowledge: what an organisation's answers are grounded in, written to PostgreSQL -
 * articles with their sections, products, orders. Repeating a write changes nothing.
 */
#ifndef FD_TENANT_KNOWLEDGE_H
#define FD_TENANT_KNOWLEDGE_H

#include "db/db.h"
#include "tenant/article.h"

/* In the open transaction. `source` is a file name or URL. */
enum db_status knowledge_put_article(struct db *db, const char *org, const struct article *article,
                                     const char *language, const char *source);

/* Each takes a JSON array as text: products {sku, name, description, price_minor, currency,
 * stock}; orders {number, customer_email, status, total_minor, currency, items, placed_at,
 * shipped_at}. *written counts rows. */
enum db_status knowledge_put_products(struct db *db, const char *org, const char *json,
                                      int64_t *written);
enum db_status knowledge_put_orders(struct db *db, const char *org, const char *json,
                                    int64_t *written);

#endif
