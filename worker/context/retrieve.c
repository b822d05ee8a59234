#include "context/retrieve.h"

#include "context/mention.h"
#include "context/score.h"
#include "context/terms.h"
#include "core/buf.h"

#include <string.h>

#define QUESTION_BYTES_MAX  4096
#define CANDIDATES_MAX      340 /* what the statements may return together */
#define UNKNOWN_TERMS_MAX   4
#define PARAMETER_BYTES_MAX 131072
#define ORDER_LEAD          1 /* an order outranks whatever was found by words */

/* clang-format off */
/* Integer minor units as people write them. */
#define MONEY(amount) \
    "CASE WHEN currency IN ('JPY', 'KRW', 'VND', 'CLP', 'ISK') THEN " amount "::text" \
    " ELSE to_char(" amount " / 100.0, 'FM999999999999990.00') END || ' ' || currency"

#define PRODUCT_BODY \
    "'Price: ' || " MONEY("price_minor") " || '. ' ||" \
    " CASE WHEN stock > 0 THEN 'In stock: ' || stock ELSE 'Out of stock' END || '.'" \
    " || coalesce(E'\\n' || nullif(description, ''), '')"

/* $1 every term for 'simple', $2 for 'english', $3 and $4 the same as arrays, $5 article
 * numbers. The search_ functions take the organisation from the transaction. */
#define QUERY "to_tsquery('simple', $1) || coalesce(to_tsquery('english', $2), '')"
#define BITS(vector) \
    "(SELECT coalesce(sum(1::bigint << (n - 1)::int), 0)::bigint FROM terms" \
    "  WHERE " vector " @@ query)"

static const struct db_statement find_by_words = {
    "retrieve_by_words",
    "WITH hits AS ("
    " SELECT 'article:' || slug AS id, label, body, language, search, rank"
    "   FROM search_sections(" QUERY ", 100)"
    " UNION ALL "
    " SELECT 'product:' || sku, name, " PRODUCT_BODY ", NULL, search, rank"
    "   FROM search_products(" QUERY ", $5::text[], 60)), "
    "terms AS ("
    " SELECT n, to_tsquery('simple', s) || coalesce(to_tsquery('english', e), '') AS query"
    "   FROM unnest($3::text[], $4::text[]) WITH ORDINALITY AS t(s, e, n)) "
    "SELECT id, label, body, language, rank,"
    "       " BITS("search") " AS terms, " BITS("ts_filter(search, '{a}')") " AS title_terms"
    "  FROM hits",
    5};

/* $1 the terms that nothing has, $2 their first letters as a query. Trigrams of whole
 * bodies, which no index makes cheap, are compared only for the few that titles and first
 * letters found; 0.45 is the functions' threshold as well. */
static const struct db_statement find_alike = {
    "retrieve_alike",
    "WITH near AS ("
    " SELECT 'article:' || slug AS id, label, body, language FROM search_alike($1::text[], 60)"
    " UNION "
    " SELECT 'article:' || slug, label, body, language"
    "   FROM search_sections(to_tsquery('simple', $2), 60)"
    " UNION ALL "
    " SELECT 'product:' || sku, name, " PRODUCT_BODY ", NULL"
    "   FROM search_products_alike($1::text[], 60)) "
    "SELECT id, label, body, language, similarity"
    "  FROM near CROSS JOIN LATERAL"
    "       (SELECT sum(s) AS similarity FROM unnest($1::text[]) AS word,"
    "               word_similarity(word, lower(label || ' ' || body)) AS s"
    "         WHERE s >= 0.45) AS found"
    " WHERE similarity IS NOT NULL",
    2};

/* $1 org, $2 numbers, $3 addresses: one that is not the order's own finds nothing. */
static const struct db_statement find_orders = {
    "retrieve_orders",
    "SELECT 'order:' || number, 'Order ' || number,"
    "       'Status: ' || status || E'\\nTotal: ' || " MONEY("total_minor")
    "       || E'\\nPlaced: ' || to_char(placed_at, 'YYYY-MM-DD')"
    "       || coalesce(E'\\nShipped: ' || to_char(shipped_at, 'YYYY-MM-DD'), '')"
    "       || coalesce(E'\\nItems: ' || ("
    "            SELECT string_agg(coalesce(i->>'quantity', '1') || ' x ' ||"
    "                              coalesce(i->>'name', p.name, i->>'sku', 'item'), ', ')"
    "              FROM jsonb_path_query(items, '$[*] ? (@.type() == \"object\")') AS i"
    "              LEFT JOIN products AS p ON p.org_id = orders.org_id AND p.sku = i->>'sku'), '')"
    "  FROM orders"
    " WHERE org_id = $1::uuid AND number = ANY ($2::text[])"
    "   AND lower(customer_email) = ANY ($3::text[])"
    " ORDER BY placed_at DESC LIMIT 4",
    3};
/* clang-format on */

struct search {
    struct db *db;
    struct arena *arena;  /* the caller's: what is found */
    struct arena scratch; /* what it is found with */
    const char *org;
    const char *language;
    struct term terms[TERMS_MAX];
    size_t term_count;
    struct mentions mentions;
    struct candidate *candidates;
    size_t count;
};

/* -- parameters --------------------------------------------------------------- */

/* The members hold no quote and no backslash: terms.h and mention.h see to it. */
static const char *array_of(struct arena *a, const char *const *members, size_t count)
{
    struct buf text;

    buf_init(&text, PARAMETER_BYTES_MAX);
    buf_puts(&text, "{");
    for (size_t i = 0; i < count; i++) {
        const char *quote = members[i] != NULL ? "\"" : "";
        buf_printf(&text, "%s%s%s%s", i > 0 ? "," : "", quote,
                   members[i] != NULL ? members[i] : "NULL", quote);
    }
    buf_puts(&text, "}");
    const char *array = text.over ? "{}" : arena_strndup(a, text.data, text.len);
    buf_free(&text);
    return array;
}

/* NULL if none is there. */
static const char *any_of(struct arena *a, const char *const *queries, size_t count)
{
    struct buf text;

    buf_init(&text, PARAMETER_BYTES_MAX);
    for (size_t i = 0; i < count; i++) {
        if (queries[i] != NULL) {
            buf_printf(&text, "%s%s", text.len > 0 ? " | " : "", queries[i]);
        }
    }
    const char *query = text.len > 0 && !text.over ? arena_strndup(a, text.data, text.len) : NULL;
    buf_free(&text);
    return query;
}

/* -- results -------------------------------------------------------------------- */

static struct candidate *candidate_of(struct search *s, const PGresult *rows, int row)
{
    const char *id = db_text(rows, row, 0), *language = db_text(rows, row, 3);

    for (size_t i = 0; i < s->count; i++) {
        if (strcmp(s->candidates[i].snippet.id, id) == 0) {
            return &s->candidates[i];
        }
    }
    if (s->count == CANDIDATES_MAX) {
        return NULL;
    }
    struct candidate *candidate = &s->candidates[s->count++];
    *candidate = (struct candidate){
        .snippet = {.id = arena_strdup(s->arena, id),
                    .label = arena_strdup(s->arena, db_text(rows, row, 1)),
                    .body = arena_strdup(s->arena, db_text(rows, row, 2))},
        .own_language = language != NULL && strncmp(language, s->language, strlen(language)) == 0,
    };
    return candidate;
}

static enum db_status by_words(struct search *s)
{
    const char *simple[TERMS_MAX], *english[TERMS_MAX];
    PGresult *rows = NULL;

    for (size_t i = 0; i < s->term_count; i++) {
        simple[i] = s->terms[i].simple;
        english[i] = s->terms[i].english;
    }
    const char *params[] = {
        any_of(&s->scratch, simple, s->term_count),
        any_of(&s->scratch, english, s->term_count),
        array_of(&s->scratch, simple, s->term_count),
        array_of(&s->scratch, english, s->term_count),
        array_of(&s->scratch, s->mentions.numbers, s->mentions.number_count),
    };
    enum db_status status = db_query(s->db, s->org, &find_by_words, params, &rows);
    for (int row = 0; status == DB_OK && row < PQntuples(rows); row++) {
        struct candidate *candidate = candidate_of(s, rows, row);
        if (candidate != NULL) {
            candidate->text_rank = db_double(rows, row, 4, 0);
            candidate->terms = (uint64_t)db_int(rows, row, 5, 0);
            candidate->title_terms = (uint64_t)db_int(rows, row, 6, 0);
        }
    }
    PQclear(rows);
    return status;
}

/* The terms that no candidate has: mistyped, or of another form. */
static enum db_status by_likeness(struct search *s)
{
    const char *words[UNKNOWN_TERMS_MAX], *stumps[UNKNOWN_TERMS_MAX];
    size_t unknown = 0;
    uint64_t known = 0;
    PGresult *rows = NULL;

    for (size_t i = 0; i < s->count; i++) {
        known |= s->candidates[i].terms;
    }
    for (size_t i = 0; i < s->term_count && unknown < UNKNOWN_TERMS_MAX; i++) {
        if ((known >> i & 1) == 0 && s->terms[i].stump != NULL) {
            words[unknown] = s->terms[i].word;
            stumps[unknown++] = s->terms[i].stump;
        }
    }
    if (unknown == 0) {
        return DB_OK;
    }
    const char *params[] = {array_of(&s->scratch, words, unknown),
                            any_of(&s->scratch, stumps, unknown)};
    enum db_status status = db_query(s->db, s->org, &find_alike, params, &rows);
    for (int row = 0; status == DB_OK && row < PQntuples(rows); row++) {
        struct candidate *candidate = candidate_of(s, rows, row);
        if (candidate != NULL) {
            candidate->similarity = db_double(rows, row, 4, 0);
        }
    }
    PQclear(rows);
    return status;
}

static enum db_status add_orders(struct search *s, struct snippet *snippets, size_t *count)
{
    PGresult *rows = NULL;

    if (s->mentions.number_count == 0 || s->mentions.email_count == 0) {
        return DB_OK;
    }
    const char *params[] = {s->org,
                            array_of(&s->scratch, s->mentions.numbers, s->mentions.number_count),
                            array_of(&s->scratch, s->mentions.emails, s->mentions.email_count)};
    enum db_status status = db_query(s->db, s->org, &find_orders, params, &rows);
    double best = s->count > 0 ? s->candidates[0].snippet.score : 0;
    for (int row = 0; status == DB_OK && row < PQntuples(rows) && *count < SNIPPETS_MAX; row++) {
        snippets[(*count)++] = (struct snippet){
            .id = arena_strdup(s->arena, db_text(rows, row, 0)),
            .label = arena_strdup(s->arena, db_text(rows, row, 1)),
            .body = arena_strdup(s->arena, db_text(rows, row, 2)),
            .score = best + ORDER_LEAD,
        };
    }
    PQclear(rows);
    return status;
}

static enum db_status find(struct search *s, struct snippet *snippets, size_t *count)
{
    enum db_status status = DB_OK;

    if (s->term_count > 0 || s->mentions.number_count > 0) {
        status = by_words(s);
    }
    if (status == DB_OK) {
        status = by_likeness(s);
    }
    s->count = score_candidates(s->candidates, s->count);
    if (status == DB_OK) {
        status = add_orders(s, snippets, count);
    }
    for (size_t i = 0; i < s->count && *count < SNIPPETS_MAX; i++) {
        snippets[(*count)++] = s->candidates[i].snippet;
    }
    return status;
}

enum db_status retrieve_snippets(struct db *db, struct arena *a, const char *org,
                                 const char *question, const char *language,
                                 struct snippet **snippets, size_t *count)
{
    struct search s = {.db = db, .arena = a, .org = org, .language = language};
    size_t len = strnlen(question, QUESTION_BYTES_MAX);

    arena_init(&s.scratch);
    s.term_count = terms_of(&s.scratch, question, len, language, s.terms);
    mentions_of(&s.scratch, question, len, &s.mentions);
    s.candidates = arena_alloc(&s.scratch, CANDIDATES_MAX * sizeof(*s.candidates));
    *snippets = arena_alloc(a, SNIPPETS_MAX * sizeof(**snippets));
    *count = 0;
    enum db_status status = find(&s, *snippets, count);
    if (status != DB_OK) {
        *count = 0;
    }
    arena_free(&s.scratch);
    return status;
}
