#include "context/embedding_search.h"

#include "context/embedding_store.h"
#include "core/buf.h"

#define VECTOR_TEXT_MAX 131072 /* 4,096 numbers */

static const struct db_statement nearest_statement = {
    "embedding_nearest",
    "SELECT s.slug, n.score FROM nearest_sections($2, $3, $4::int) n"
    "  JOIN article_sections s ON s.org_id = $1::uuid AND s.id = n.section_id"
    " ORDER BY n.score DESC, n.section_id",
    4};

/* As the extension reads it: "[0.1,-0.2]", each number as exact as it is. */
static const char *vector_text(struct arena *a, const struct embedding_question *question)
{
    struct buf text;

    buf_init(&text, VECTOR_TEXT_MAX);
    for (int i = 0; i < question->dimensions; i++) {
        buf_printf(&text, "%s%.9g", i > 0 ? "," : "[", (double)question->values[i]);
    }
    buf_puts(&text, "]");
    const char *written = arena_strndup(a, text.data, text.len);
    buf_free(&text);
    return written;
}

enum db_status embedding_search(struct db *db, struct arena *a, const char *org,
                                const struct embedding_question *question, struct ranked **found,
                                size_t *count)
{
    char most[DB_NUMBER_SIZE];
    const char *params[] = {org, vector_text(a, question), question->model,
                            db_number(most, VECTORS_FOUND_MAX)};
    PGresult *rows;

    *count = 0;
    *found = arena_alloc(a, VECTORS_FOUND_MAX * sizeof(**found));
    enum db_status status = db_query(db, org, &nearest_statement, params, &rows);
    if (status != DB_OK) {
        return status;
    }
    for (int row = 0; row < PQntuples(rows) && *count < VECTORS_FOUND_MAX; row++) {
        (*found)[(*count)++] =
            (struct ranked){.id = arena_printf(a, "article:%s", db_text(rows, row, 0)),
                            .score = db_double(rows, row, 1, 0)};
    }
    PQclear(rows);
    *count = vectors_near(*found, *count);
    return DB_OK;
}

/* -- page by page ---------------------------------------------------------------------- */

enum db_status embedding_scan(struct db *db, struct arena *a, const char *org,
                              const struct embedding_question *question, size_t max_bytes,
                              struct ranked **found, size_t *count, bool *full)
{
    enum db_status status = DB_OK;
    char after[37] = "";
    bool more = true;
    size_t bytes = 0;

    *count = 0;
    *full = false;
    *found = arena_alloc(a, VECTORS_FOUND_MAX * sizeof(**found));
    while (status == DB_OK && more && !*full) {
        struct vectors *page = NULL;
        struct ranked *here;
        status = embedding_page(db, org, question->model, after, &page, max_bytes, &more, full);
        if (page != NULL) {
            bytes += vectors_bytes(page);
            *full = *full || bytes > max_bytes;
        }
        if (status == DB_OK && page != NULL && vectors_dimensions(page) == question->dimensions) {
            size_t nearest = vectors_search(page, a, question->values, &here);
            *count = vectors_merge(a, *found, *count, here, nearest);
        }
        vectors_free(page);
    }
    if (status != DB_OK || *full) {
        *count = 0;
    }
    return status;
}
