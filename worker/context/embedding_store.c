#include "context/embedding_store.h"

#include "core/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#define NO_SECTION    "00000000-0000-0000-0000-000000000000"
#define PARAMETER_MAX (8u << 20)

/* The words of a section, as they are embedded. */
#define WORDS "s.label || E'\\n' || s.body"

static const struct db_statement claim_statement = {
    "embedding_claim",
    "SELECT org_id, knowledge_version FROM platform_claim_embedding($1, $2, $3::bigint)", 3};
static const struct db_statement renew_statement = {
    "embedding_renew",
    "UPDATE embedding_state SET claimed_until = now() + $3::bigint * interval '1 millisecond'"
    " WHERE org_id = $1::uuid AND claimed_by = $2 RETURNING 1",
    3};
static const struct db_statement next_statement = {
    "embedding_next",
    "SELECT s.id, " WORDS ", encode(sha256(convert_to(" WORDS ", 'UTF8')), 'hex')"
    "  FROM article_sections s LEFT JOIN section_embeddings e"
    "       ON e.org_id = s.org_id AND e.section_id = s.id"
    " WHERE s.org_id = $1::uuid AND s.id > $2::uuid"
    "   AND (e.model IS DISTINCT FROM $3 OR e.digest <> sha256(convert_to(" WORDS ", 'UTF8')))"
    " ORDER BY s.id LIMIT $4::int",
    4};
/* A section that is gone meanwhile is left out; without the claim nothing is written. */
static const struct db_statement put_statement = {
    "embedding_put",
    "WITH c AS ("
    "  SELECT org_id FROM embedding_state WHERE org_id = $1::uuid AND claimed_by = $6 FOR UPDATE"
    "), v AS ("
    "  INSERT INTO section_embeddings AS e (org_id, section_id, model, digest, vector)"
    "  SELECT c.org_id, s.id, $2, decode(t.digest, 'hex'), decode(t.vector, 'hex')"
    "    FROM c CROSS JOIN unnest($3::uuid[], $4::text[], $5::text[]) AS t (id, digest, vector)"
    "    JOIN article_sections s ON s.org_id = c.org_id AND s.id = t.id"
    "  ON CONFLICT (org_id, section_id) DO UPDATE SET model = EXCLUDED.model,"
    "     digest = EXCLUDED.digest, vector = EXCLUDED.vector, made_at = now()"
    ") UPDATE embedding_state s SET vectors_version = s.vectors_version + 1, failures = 0"
    "   FROM c WHERE s.org_id = c.org_id",
    6};
static const struct db_statement finish_statement = {
    "embedding_finish",
    "UPDATE embedding_state SET model = $3, knowledge_version = $4::bigint, claimed_until = NULL,"
    "       retry_at = NULL, failures = 0, last_error = NULL,"
    "       vectors_version = vectors_version + 1"
    " WHERE org_id = $1::uuid AND claimed_by = $2",
    4};
static const struct db_statement fail_statement = {
    "embedding_fail",
    "UPDATE embedding_state SET claimed_until = NULL, failures = failures + 1, last_error = $3,"
    "       retry_at = now() + make_interval(secs => CASE WHEN $4::bigint > 0 THEN $4::bigint"
    "                          ELSE least(10 * power(2, least(failures, 12)), 3600) END)"
    " WHERE org_id = $1::uuid AND claimed_by = $2",
    4};
static const struct db_statement page_statement = {
    "embedding_page",
    "SELECT e.section_id, s.slug, encode(e.vector, 'hex') FROM section_embeddings e"
    "  JOIN article_sections s ON s.org_id = e.org_id AND s.id = e.section_id"
    " WHERE e.org_id = $1::uuid AND e.model = $2 AND e.section_id > $3::uuid"
    " ORDER BY e.section_id LIMIT $4::int",
    4};

enum db_status embedding_claim(struct db *db, struct arena *a, const char *worker,
                               const char *platform_model, const char **org,
                               int64_t *knowledge_version)
{
    char number[DB_NUMBER_SIZE];
    const char *params[] = {worker, platform_model, db_number(number, EMBEDDING_CLAIM_MS)};
    PGresult *row;

    *org = NULL;
    enum db_status status = db_query(db, NULL, &claim_statement, params, &row);
    if (status != DB_OK) {
        return status;
    }
    if (PQntuples(row) > 0) {
        *org = arena_strdup(a, db_text(row, 0, 0));
        *knowledge_version = db_int(row, 0, 1, 0);
    }
    PQclear(row);
    return DB_OK;
}

static enum db_status renew(struct db *db, const char *org, const char *worker, bool *lost)
{
    char number[DB_NUMBER_SIZE];
    const char *params[] = {org, worker, db_number(number, EMBEDDING_CLAIM_MS)};
    PGresult *row;

    enum db_status status = db_query(db, org, &renew_statement, params, &row);
    if (status == DB_OK) {
        *lost = PQntuples(row) == 0;
        PQclear(row);
    }
    return status;
}

enum db_status embedding_next(struct db *db, struct arena *a, const char *org, const char *worker,
                              const char *model, const char *after,
                              struct embedding_section list[EMBEDDING_BATCH], size_t *count,
                              bool *lost)
{
    char number[DB_NUMBER_SIZE];
    const char *params[] = {org, after != NULL ? after : NO_SECTION, model,
                            db_number(number, EMBEDDING_BATCH)};
    PGresult *rows;

    *count = 0;
    enum db_status status = renew(db, org, worker, lost);
    if (status == DB_OK && !*lost) {
        status = db_query(db, org, &next_statement, params, &rows);
    }
    if (status != DB_OK || *lost) {
        return status;
    }
    for (int row = 0; row < PQntuples(rows); row++) {
        list[(*count)++] =
            (struct embedding_section){.id = arena_strdup(a, db_text(rows, row, 0)),
                                       .text = arena_strdup(a, db_text(rows, row, 1)),
                                       .digest = arena_strdup(a, db_text(rows, row, 2))};
    }
    PQclear(rows);
    return DB_OK;
}

/* float4 as PostgreSQL's bytes are read again: little-endian. */
static void put_vector(struct buf *out, const float *values, int dimensions)
{
    for (int i = 0; i < dimensions; i++) {
        uint32_t bits;
        char hex[9];
        memcpy(&bits, &values[i], sizeof(bits));
        snprintf(hex, sizeof(hex), "%02x%02x%02x%02x", bits & 0xff, bits >> 8 & 0xff,
                 bits >> 16 & 0xff, bits >> 24 & 0xff);
        buf_append(out, hex, 8);
    }
}

enum db_status embedding_put(struct db *db, const char *org, const char *worker, const char *model,
                             const struct embedding_section *list, size_t count,
                             const float *values, int dimensions)
{
    struct buf ids, digests, vectors;
    enum db_status status = DB_FAILED;

    buf_init(&ids, PARAMETER_MAX);
    buf_init(&digests, PARAMETER_MAX);
    buf_init(&vectors, PARAMETER_MAX);
    for (size_t i = 0; i < count; i++) {
        const char *comma = i > 0 ? "," : "{";
        buf_printf(&ids, "%s%s", comma, list[i].id);
        buf_printf(&digests, "%s%s", comma, list[i].digest);
        buf_puts(&vectors, comma);
        put_vector(&vectors, values + i * (size_t)dimensions, dimensions);
    }
    buf_puts(&ids, "}");
    buf_puts(&digests, "}");
    buf_puts(&vectors, "}");
    if (!vectors.over) {
        const char *params[] = {org, model, ids.data, digests.data, vectors.data, worker};
        status = db_query(db, org, &put_statement, params, NULL);
    }
    buf_free(&ids);
    buf_free(&digests);
    buf_free(&vectors);
    return status;
}

enum db_status embedding_finish(struct db *db, const char *org, const char *worker,
                                const char *model, int64_t knowledge_version)
{
    char number[DB_NUMBER_SIZE];
    const char *params[] = {org, worker, model, db_number(number, knowledge_version)};

    return db_query(db, org, &finish_statement, params, NULL);
}

enum db_status embedding_fail(struct db *db, const char *org, const char *worker, const char *error,
                              int64_t wait_s)
{
    char number[DB_NUMBER_SIZE];
    const char *params[] = {org, worker, error, db_number(number, wait_s < 3600 ? wait_s : 3600)};

    return db_query(db, org, &fail_statement, params, NULL);
}

/* -- reading ----------------------------------------------------------------------------- */

/* False: it does not fit. One of another length than the first is left out. */
static bool add_row(struct vectors **vectors, const char *slug, const char *hex, size_t max_bytes)
{
    size_t len = strlen(hex) / 2, got = 0;
    unsigned char *bytes = malloc(len + 1);
    bool fits = true;

    if (*vectors == NULL) {
        *vectors = vectors_new((int)(len / 4), max_bytes);
    }
    if (*vectors == NULL || bytes == NULL) {
        free(bytes);
        return false;
    }
    if (sodium_hex2bin(bytes, len, hex, 2 * len, NULL, &got, NULL) == 0 &&
        got == 4 * (size_t)vectors_dimensions(*vectors)) {
        fits = vectors_add(*vectors, slug, bytes, got);
    }
    free(bytes);
    return fits;
}

enum db_status embedding_page(struct db *db, const char *org, const char *model, char after[37],
                              struct vectors **vectors, size_t max_bytes, bool *more, bool *full)
{
    char number[DB_NUMBER_SIZE];
    const char *params[] = {org, model, after[0] != '\0' ? after : NO_SECTION,
                            db_number(number, EMBEDDING_PAGE)};
    PGresult *rows;

    *more = *full = false;
    enum db_status status = db_query(db, org, &page_statement, params, &rows);
    if (status != DB_OK) {
        return status;
    }
    for (int row = 0; row < PQntuples(rows) && !*full; row++) {
        *full = !add_row(vectors, db_text(rows, row, 1), db_text(rows, row, 2), max_bytes);
        snprintf(after, 37, "%s", db_text(rows, row, 0));
    }
    *more = !*full && PQntuples(rows) == EMBEDDING_PAGE;
    PQclear(rows);
    return DB_OK;
}
