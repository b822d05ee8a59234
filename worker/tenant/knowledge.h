/*
 * Knowledge: what an organisation's answers are grounded in, written to PostgreSQL -
 * articles with their sections, products, orders. Repeating a write changes nothing.
 * What changes counts up organizations.knowledge_version; telling the workers
 * (publish_org()) is the caller's.
 */
#ifndef FD_TENANT_KNOWLEDGE_H
#define FD_TENANT_KNOWLEDGE_H

#include "db/db.h"
#include "tenant/article.h"
#include "tenant/import.h"

/* -- one article, in the open transaction ------------------------------------------------ */

struct knowledge_article {
    const struct article *article;
    const char *language; /* "en", "pt-br" */
    const char *source;   /* file name or URL; NULL = none */
    enum import_format format;
};

struct knowledge_change {
    bool created;
    bool changed; /* anything at all */
    size_t sections;
    size_t added, updated, removed; /* of them; the rest is as it was */
};

/* Over what its slug names. Sections whose words are the same keep their row, and with it
 * the id in citations; one with the same heading or the same text is taken for the old
 * one, changed. `change` may be NULL. */
enum db_status knowledge_put_article(struct db *db, const char *org,
                                     const struct knowledge_article *put,
                                     struct knowledge_change *change);

/* -- files -------------------------------------------------------------------------------- */

struct knowledge_upload {
    struct import_file file;
    const char *slug;     /* each NULL = to be found: by the source, else made of its name */
    const char *title;    /* the file's own, else its name */
    const char *language; /* by its letters, else the organisation's first */
    const char *source;   /* where it came from: a second import replaces the first */
};

#define KNOWLEDGE_TITLE_MAX  200 /* bytes */
#define KNOWLEDGE_SOURCE_MAX 2048

enum knowledge_verdict {
    KNOWLEDGE_STORED,
    KNOWLEDGE_BAD_FIELD,
    KNOWLEDGE_CONFLICT, /* the slug is another file's */
    KNOWLEDGE_TOO_LARGE,
    KNOWLEDGE_UNKNOWN_TYPE,
    KNOWLEDGE_UNAVAILABLE
};

struct knowledge_report {
    enum knowledge_verdict verdict;
    const char *field; /* "slug", "title", "language", "source", "body" */
    char error[IMPORT_ERROR_SIZE];
    const char *slug, *title, *language; /* of what was stored; in the arena */
    enum import_format format;
    struct knowledge_change change;
};

/* In a transaction of its own. DB_OK whatever the verdict is. DB_FAILED with db_error(): no
 * such organisation. */
enum db_status knowledge_import(struct db *db, struct arena *a, const char *org,
                                const struct knowledge_upload *upload,
                                struct knowledge_report *report);

/* -- what there is ------------------------------------------------------------------------- */

/* Columns of knowledge_list() and knowledge_find(); times are ISO 8601. */
enum knowledge_column {
    KNOWLEDGE_SLUG,
    KNOWLEDGE_TITLE,
    KNOWLEDGE_LANGUAGE,
    KNOWLEDGE_FORMAT,
    KNOWLEDGE_SOURCE, /* may be NULL */
    KNOWLEDGE_SECTIONS,
    KNOWLEDGE_BYTES,
    KNOWLEDGE_CREATED_AT,
    KNOWLEDGE_UPDATED_AT,
    KNOWLEDGE_BODY /* of knowledge_find() alone: Markdown without the title */
};

/* In the order of the slugs, at most `most` behind `after` (NULL: from the first).
 * language NULL: all. */
enum db_status knowledge_list(struct db *db, const char *org, const char *language,
                              const char *after, int most, PGresult **articles);
/* One row or none. */
enum db_status knowledge_find(struct db *db, const char *org, const char *slug, PGresult **article);
/* slug, label, body, updated_at of each section, in order. */
enum db_status knowledge_sections(struct db *db, const char *org, const char *slug,
                                  PGresult **sections);
/* With its sections and all that was made of them; *found false: there was none. */
enum db_status knowledge_delete(struct db *db, const char *org, const char *slug, bool *found);

/* -- the shop's records --------------------------------------------------------------------- */

/* Each takes a JSON array as text: products {sku, name, description, price_minor, currency,
 * stock}; orders {number, customer_email, status, total_minor, currency, items, placed_at,
 * shipped_at}. *written counts rows. */
enum db_status knowledge_put_products(struct db *db, const char *org, const char *json,
                                      int64_t *written);
enum db_status knowledge_put_orders(struct db *db, const char *org, const char *json,
                                    int64_t *written);

#endif
