#include "context/retrieve.h"

#include "context/duplicates.h"
#include "context/mention.h"
#include "context/score.h"
#include "context/search_plan.h"
#include "core/buf.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define QUESTION_BYTES_MAX  4096
#define NEAR_BYTES_MAX      1024
#define NEAR_TERMS_MAX      8
#define MEANING_MAX         100
#define CANDIDATES_MAX      400 /* what the statements may return together */
#define PARAMETER_BYTES_MAX 131072
#define ORDER_LEAD          1   /* an order outranks whatever was found by words */
#define MEANING_GROUNDS     0.6 /* what embeddings find near enough speaks to the question */

/* clang-format off */
/* Integer minor units as people write them. */
#define MONEY(amount) \
    "CASE WHEN currency IN ('JPY', 'KRW', 'VND', 'CLP', 'ISK') THEN " amount "::text" \
    " ELSE to_char(" amount " / 100.0, 'FM999999999999990.00') END || ' ' || currency"

#define PRODUCT_BODY \
    "'Price: ' || " MONEY("price_minor") " || '. ' ||" \
    " CASE WHEN stock > 0 THEN 'In stock: ' || stock ELSE 'Out of stock' END || '.'" \
    " || coalesce(E'\\n' || nullif(description, ''), '')"

/* The search_ functions take the organisation from the transaction. */
static const struct db_statement find_words = {
    "retrieve_words",
    "SELECT n, word, sections, titles, products, alike FROM search_words($1::text[], $2::text[])", 2};

#define AGE "extract(epoch FROM now() - updated_at) / 86400"

/* $1 to $6 a search plan's queries, $7 each term's, $8 those of the topic, $9 article numbers,
 * $10 slugs that embeddings found, $11 org. */
static const struct db_statement find_records = {
    "retrieve_records",
    "SELECT 'article:' || slug, label, body, language, rank, article_id::text, position,"
    "       " AGE ", terms_met, title_terms_met, near_met"
    "  FROM search_sections($1::tsquery, $2::tsquery, $3::tsquery, $6::tsquery, $7::tsquery[],"
    "                       $8::tsquery[], 100)"
    " UNION ALL "
    "SELECT 'product:' || sku, name, " PRODUCT_BODY ", NULL, rank, NULL, 0, " AGE ","
    "       terms_met, title_terms_met, near_met"
    "  FROM search_products($4::tsquery, $5::tsquery, $6::tsquery, $9::text[], $7::tsquery[],"
    "                       $8::tsquery[], 60)"
    " UNION ALL "
    "SELECT 'article:' || slug, label, body, language, 0, article_id::text, position, " AGE ","
    "       queries_met(search, $7::tsquery[]), queries_met(ts_filter(search, '{a}'), $7::tsquery[]),"
    "       queries_met(search, $8::tsquery[])"
    "  FROM article_sections WHERE org_id = $11::uuid AND slug = ANY ($10::text[])",
    11};

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
    const struct retrieve_ask *ask;
    struct term terms[TERMS_MAX];
    size_t term_count;
    struct term near[TERMS_MAX];
    size_t near_count;
    struct planned_term planned[TERMS_MAX];
    struct search_plan plan;
    int sections, products; /* there are */
    struct score_terms known;
    struct mentions mentions;
    struct candidate *candidates;
    size_t count;
};

/* -- parameters --------------------------------------------------------------- */

/* A NULL member is NULL. */
static const char *array_of(struct arena *a, const char *const *members, size_t count)
{
    struct buf text;

    buf_init(&text, PARAMETER_BYTES_MAX);
    buf_puts(&text, "{");
    for (size_t i = 0; i < count; i++) {
        buf_puts(&text, i > 0 ? "," : "");
        if (members[i] == NULL) {
            buf_puts(&text, "NULL");
            continue;
        }
        buf_puts(&text, "\"");
        for (const char *c = members[i]; *c != '\0'; c++) {
            if (*c == '"' || *c == '\\') {
                buf_puts(&text, "\\");
            }
            buf_append(&text, c, 1);
        }
        buf_puts(&text, "\"");
    }
    buf_puts(&text, "}");
    const char *array = text.over ? "{}" : arena_strndup(a, text.data, text.len);
    buf_free(&text);
    return array;
}

/* -- what is asked ---------------------------------------------------------------- */

static bool is_asked(const struct search *s, const char *word)
{
    for (size_t i = 0; i < s->term_count; i++) {
        if (strcmp(s->terms[i].word, word) == 0) {
            return true;
        }
    }
    return false;
}

/* Words around the question, not its own. */
static void add_near(struct search *s, const char *text)
{
    struct term terms[TERMS_MAX];

    if (text == NULL) {
        return;
    }
    char *plain = arena_strndup(&s->scratch, text, strnlen(text, NEAR_BYTES_MAX));
    for (char *c = plain; *c != '\0'; c++) { /* an address would be no words */
        *c = strchr("/.:?=&#_@%+-", *c) != NULL ? ' ' : *c;
    }
    size_t count = terms_of(&s->scratch, plain, strlen(plain), s->ask->language, terms);
    for (size_t i = 0; i < count && s->near_count < NEAR_TERMS_MAX; i++) {
        if (!is_asked(s, terms[i].word)) {
            s->near[s->near_count++] = terms[i];
        }
    }
}

static void read_question(struct search *s)
{
    const char *question = s->ask->question;
    size_t len = strnlen(question, QUESTION_BYTES_MAX);

    s->term_count = terms_of(&s->scratch, question, len, s->ask->language, s->terms);
    mentions_of(&s->scratch, question, len, &s->mentions);
    add_near(s, s->ask->page);
    add_near(s, s->ask->topic);
}

/* -- the vocabulary ------------------------------------------------------------------ */

static int more_of(int a, int b)
{
    return a > b ? a : b;
}

static void take_word(struct search *s, const PGresult *rows, int row)
{
    size_t number = (size_t)db_int(rows, row, 0, 0);
    const struct vocabulary_word word = {.word = arena_strdup(&s->scratch, db_text(rows, row, 1)),
                                         .sections = (int)db_int(rows, row, 2, 0),
                                         .titles = (int)db_int(rows, row, 3, 0),
                                         .products = (int)db_int(rows, row, 4, 0)};

    if (number == 0) {
        s->sections = word.sections;
        s->products = word.products;
    } else if (number <= s->term_count) {
        search_plan_word(&s->planned[number - 1], s->terms[number - 1].word, &word,
                         db_true(rows, row, 5));
    }
}

/* A term is had by as many records as the most frequent word that it stands for. */
static void know_terms(struct search *s)
{
    s->known = (struct score_terms){
        .count = s->term_count, .total = s->sections + s->products, .near_count = s->near_count};
    for (size_t i = 0; i < s->term_count; i++) {
        const struct planned_term *term = &s->planned[i];
        for (size_t k = 0; k < term->count; k++) {
            s->known.having[i] =
                more_of(s->known.having[i], term->words[k].sections + term->words[k].products);
        }
        s->known.mistyped |= (uint64_t)(term->slips > 0) << i;
    }
}

static enum db_status look_up(struct search *s)
{
    const char *words[TERMS_MAX], *forms[TERMS_MAX];
    PGresult *rows = NULL;

    for (size_t i = 0; i < s->term_count; i++) {
        words[i] = s->terms[i].word;
        forms[i] = s->terms[i].forms;
    }
    const char *params[] = {array_of(&s->scratch, words, s->term_count),
                            array_of(&s->scratch, forms, s->term_count)};
    enum db_status status = db_query(s->db, s->ask->org, &find_words, params, &rows);
    for (int row = 0; status == DB_OK && row < PQntuples(rows); row++) {
        take_word(s, rows, row);
    }
    PQclear(rows);
    know_terms(s);
    search_plan_make(&s->scratch, s->planned, s->term_count, s->sections, s->products, &s->plan);
    return status;
}

/* -- the records --------------------------------------------------------------------- */

static struct candidate *candidate_of(struct search *s, const char *id)
{
    for (size_t i = 0; i < s->count; i++) {
        if (strcmp(s->candidates[i].snippet.id, id) == 0) {
            return &s->candidates[i];
        }
    }
    return NULL;
}

static void take_record(struct search *s, const PGresult *rows, int row)
{
    const char *id = db_text(rows, row, 0), *language = db_text(rows, row, 3);

    if (s->count == CANDIDATES_MAX || candidate_of(s, id) != NULL) {
        return;
    }
    s->candidates[s->count++] =
        (struct candidate){.snippet = {.id = arena_strdup(s->arena, id),
                                       .label = arena_strdup(s->arena, db_text(rows, row, 1)),
                                       .body = arena_strdup(s->arena, db_text(rows, row, 2))},
                           .own_language = language != NULL && strncmp(language, s->ask->language,
                                                                       strlen(language)) == 0,
                           .text_rank = db_double(rows, row, 4, 0),
                           .family = arena_strdup(&s->scratch, db_text(rows, row, 5)),
                           .position = (int)db_int(rows, row, 6, 0),
                           .age_days = db_double(rows, row, 7, -1),
                           .terms = (uint64_t)db_int(rows, row, 8, 0),
                           .title_terms = (uint64_t)db_int(rows, row, 9, 0),
                           .near_terms = (uint64_t)db_int(rows, row, 10, 0)};
}

/* The slugs of the sections that embeddings found. */
static const char *meant_slugs(struct search *s)
{
    const char *slugs[MEANING_MAX];
    size_t count = 0;

    for (size_t i = 0; i < s->ask->meaning_count && count < MEANING_MAX; i++) {
        if (strncmp(s->ask->meaning[i].id, "article:", 8) == 0) {
            slugs[count++] = s->ask->meaning[i].id + 8;
        }
    }
    return array_of(&s->scratch, slugs, count);
}

static enum db_status read_records(struct search *s)
{
    const char *near[NEAR_TERMS_MAX];
    PGresult *rows = NULL;

    for (size_t i = 0; i < s->near_count; i++) {
        near[i] = terms_query(&s->scratch, s->near[i].forms);
    }
    const char *params[] = {
        s->plan.titles,
        s->plan.rare,
        s->plan.common,
        s->plan.products,
        s->plan.products_common,
        s->plan.all,
        array_of(&s->scratch, s->plan.terms, s->term_count),
        array_of(&s->scratch, near, s->near_count),
        array_of(&s->scratch, s->mentions.numbers, s->mentions.number_count),
        meant_slugs(s),
        s->ask->org,
    };
    enum db_status status = db_query(s->db, s->ask->org, &find_records, params, &rows);
    for (int row = 0; status == DB_OK && row < PQntuples(rows); row++) {
        take_record(s, rows, row);
    }
    PQclear(rows);
    return status;
}

static enum db_status add_orders(struct search *s, struct retrieved *found)
{
    PGresult *rows = NULL;

    if (s->mentions.number_count == 0 || s->mentions.email_count == 0) {
        return DB_OK;
    }
    const char *params[] = {s->ask->org,
                            array_of(&s->scratch, s->mentions.numbers, s->mentions.number_count),
                            array_of(&s->scratch, s->mentions.emails, s->mentions.email_count)};
    enum db_status status = db_query(s->db, s->ask->org, &find_orders, params, &rows);
    double best = s->count > 0 ? s->candidates[0].snippet.score : 0;
    for (int row = 0; status == DB_OK && row < PQntuples(rows); row++) {
        found->snippets[found->count++] = (struct snippet){
            .id = arena_strdup(s->arena, db_text(rows, row, 0)),
            .label = arena_strdup(s->arena, db_text(rows, row, 1)),
            .body = arena_strdup(s->arena, db_text(rows, row, 2)),
            .score = best + ORDER_LEAD,
            .reasons = SNIPPET_NAMED,
        };
        found->grounding = 1;
    }
    PQclear(rows);
    return status;
}

/* -- what is worth its tokens ------------------------------------------------------------- */

static int by_falling_score(const void *left, const void *right)
{
    const struct candidate *a = left, *b = right;

    if (a->snippet.score != b->snippet.score) {
        return a->snippet.score < b->snippet.score ? 1 : -1;
    }
    return strcmp(a->snippet.id, b->snippet.id);
}

/* `kept` of the candidates are in the order of their words' scores; what only embeddings found
 * is behind them. Scores are the fusion's then. Returns how many stay. */
static size_t fuse_meaning(struct search *s, size_t kept)
{
    struct ranked words[CANDIDATES_MAX];
    struct fused *fused;

    for (size_t i = 0; i < kept; i++) {
        words[i] = (struct ranked){s->candidates[i].snippet.id, s->candidates[i].snippet.score};
    }
    const struct ranking_list lists[] = {{words, kept, 1},
                                         {s->ask->meaning, s->ask->meaning_count, 1}};
    for (size_t i = 0; i < s->count; i++) {
        s->candidates[i].snippet.score = 0;
    }
    size_t count = fuse_rankings(&s->scratch, lists, 2, CANDIDATES_MAX, &fused);
    for (size_t i = 0; i < count; i++) {
        struct candidate *candidate = candidate_of(s, fused[i].id);
        if (candidate != NULL) { /* deleted since it was embedded */
            candidate->snippet.score = fused[i].score;
            candidate->snippet.reasons |= (fused[i].lists & 2) != 0 ? SNIPPET_MEANING : 0;
        }
    }
    qsort(s->candidates, s->count, sizeof(*s->candidates), by_falling_score);
    while (s->count > 0 && s->candidates[s->count - 1].snippet.score <= 0) {
        s->count--;
    }
    return s->count;
}

static bool was_meant(const struct search *s)
{
    return s->count > 0 && (s->candidates[0].snippet.reasons & SNIPPET_MEANING) != 0;
}

static void choose(struct search *s, struct retrieved *found)
{
    size_t kept = score_candidates(s->candidates, s->count, &s->known);

    found->grounding = score_grounding(s->candidates, kept, &s->known);
    kept = s->ask->meaning_count > 0 ? fuse_meaning(s, kept) : kept;
    s->count = duplicates_drop(&s->scratch, s->candidates, kept);
    found->repeats = kept - s->count;
    if (was_meant(s)) {
        found->grounding = fmax(found->grounding, MEANING_GROUNDS);
    }
}

static enum db_status find(struct search *s, struct retrieved *found)
{
    enum db_status status = DB_OK;

    read_question(s);
    found->asks = s->term_count > 0 || s->mentions.number_count > 0;
    if (s->term_count > 0) {
        status = look_up(s);
    }
    if (status == DB_OK && (found->asks || s->ask->meaning_count > 0)) {
        status = read_records(s);
    }
    choose(s, found);
    if (status == DB_OK) {
        status = add_orders(s, found);
    }
    for (size_t i = 0; i < s->count && found->count < SNIPPETS_MAX; i++) {
        found->snippets[found->count++] = s->candidates[i].snippet;
    }
    return status;
}

enum db_status retrieve_snippets(struct db *db, struct arena *a, const struct retrieve_ask *ask,
                                 struct retrieved *found)
{
    struct search s = {.db = db, .arena = a, .ask = ask};

    arena_init(&s.scratch);
    s.candidates = arena_alloc(&s.scratch, CANDIDATES_MAX * sizeof(*s.candidates));
    *found = (struct retrieved){.snippets = arena_alloc(a, SNIPPETS_MAX * sizeof(struct snippet))};
    enum db_status status = find(&s, found);
    if (status != DB_OK) {
        found->count = 0;
    }
    arena_free(&s.scratch);
    return status;
}

const char *retrieve_topic(const struct llm_message *history, size_t count)
{
    for (size_t i = count; i > 0; i--) {
        if (history[i - 1].role == LLM_USER) {
            return history[i - 1].text;
        }
    }
    return NULL;
}
