#include "tenant/knowledge_gaps.h"

#include "core/buf.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define QUESTIONS_MAX 50000
#define NUMBER_OF(x)  #x
#define TEXT_OF(x)    NUMBER_OF(x)
#define ARRAY_MAX     4096 /* bytes of so many ids */

static const struct db_statement questions_statement = {
    "knowledge_gap_questions",
    "SELECT array_to_string(m.gap, ','), m.conversation_id,"
    "       (extract(epoch FROM m.created_at) * 1000000)::bigint"
    "  FROM messages m"
    " WHERE m.org_id = $1::uuid AND m.gap IS NOT NULL"
    "   AND m.created_at >= $2::date::timestamp AT TIME ZONE 'UTC'"
    "   AND m.created_at < ($3::date + 1)::timestamp AT TIME ZONE 'UTC'"
    "   AND NOT EXISTS (SELECT FROM conversations c WHERE c.org_id = $1::uuid"
    "                      AND c.id = m.conversation_id AND c.channel = 'test')"
    " ORDER BY m.created_at DESC LIMIT " TEXT_OF(QUESTIONS_MAX) " + 1",
    3};
/* The words that most of them were asked in, and all that is like these. */
static const struct db_statement most_asked_statement = {
    "knowledge_gap_most_asked",
    "WITH asked AS MATERIALIZED ("
    "  SELECT m.gap, m.conversation_id, m.created_at FROM messages m"
    "   WHERE m.org_id = $1::uuid AND m.gap IS NOT NULL"
    "     AND m.created_at >= $2::date::timestamp AT TIME ZONE 'UTC'"
    "     AND m.created_at < ($3::date + 1)::timestamp AT TIME ZONE 'UTC'"
    "     AND NOT EXISTS (SELECT FROM conversations c WHERE c.org_id = $1::uuid"
    "                        AND c.id = m.conversation_id AND c.channel = 'test')"
    "), most AS ("
    "  SELECT gap FROM asked GROUP BY gap ORDER BY count(*) DESC, max(created_at) DESC LIMIT 1"
    ") SELECT array_to_string(most.gap, ','), count(*), count(DISTINCT a.conversation_id),"
    "         (extract(epoch FROM max(a.created_at)) * 1000000)::bigint,"
    "         (array_agg(a.conversation_id ORDER BY a.created_at DESC))[1]"
    "    FROM most JOIN asked a ON a.gap && most.gap AND gaps_alike(a.gap, most.gap)"
    "   GROUP BY most.gap",
    3};
/* A question is a microsecond older than its answer (0002). */
static const struct db_statement words_statement = {
    "knowledge_gap_words",
    "SELECT x.n - 1, left(m.content, 300)"
    "  FROM unnest($2::uuid[], $3::bigint[]) WITH ORDINALITY x (conversation, us, n)"
    "  JOIN messages m ON m.org_id = $1::uuid AND m.conversation_id = x.conversation"
    "   AND m.role = 'user'"
    "   AND m.created_at = timestamptz 'epoch' + (x.us - 1) * interval '1 microsecond'",
    3};

/* One time that one was asked. */
struct question {
    const char *text; /* of its words: gap_write() */
    const char *conversation_id;
    int64_t us;
    size_t conversation; /* a number for each */
};

/* All that were asked in the very same words. */
struct wording {
    struct gap words;
    const struct question *first; /* the latest */
    size_t count;
};

/* -- wordings ------------------------------------------------------------------------------------
 */

static int by_conversation(const void *a, const void *b)
{
    const struct question *x = a, *y = b;

    return strcmp(x->conversation_id, y->conversation_id);
}

static int by_words(const void *a, const void *b)
{
    const struct question *x = a, *y = b;
    int order = strcmp(x->text, y->text);

    return order != 0 ? order : (x->us < y->us) - (x->us > y->us);
}

static int by_count(const void *a, const void *b)
{
    const struct wording *x = a, *y = b;

    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    return (x->first->us < y->first->us) - (x->first->us > y->first->us);
}

static int by_asked(const void *a, const void *b)
{
    const struct knowledge_gap *x = a, *y = b;

    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    return (x->last_us < y->last_us) - (x->last_us > y->last_us);
}

static void number_conversations(struct question *questions, size_t count)
{
    size_t number = 0;

    qsort(questions, count, sizeof(*questions), by_conversation);
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && by_conversation(&questions[i - 1], &questions[i]) != 0)
            number++;
        questions[i].conversation = number;
    }
}

static size_t make_wordings(struct question *questions, size_t count, struct wording *wordings)
{
    size_t made = 0;

    qsort(questions, count, sizeof(*questions), by_words);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || strcmp(questions[i - 1].text, questions[i].text) != 0) {
            wordings[made] = (struct wording){.first = &questions[i]};
            gap_read(questions[i].text, &wordings[made++].words);
        }
        wordings[made - 1].count++;
    }
    qsort(wordings, made, sizeof(*wordings), by_count);
    return made;
}

/* -- groups --------------------------------------------------------------------------------------
 */

static bool is_known(const struct knowledge_gaps *found, const struct wording *wording)
{
    for (size_t i = 0; i < found->count; i++) {
        if (gap_alike(&found->gaps[i].words, &wording->words))
            return true;
    }
    return false;
}

/* Everything that is asked in words like the gap's. `seen` has a place for each conversation and
 * nothing of this `mark`. */
static void gather(struct knowledge_gap *gap, const struct wording *wordings, size_t count,
                   size_t *seen, size_t mark)
{
    for (size_t i = 0; i < count; i++) {
        const struct wording *wording = &wordings[i];
        if (!gap_alike(&gap->words, &wording->words))
            continue;
        gap->count += (int64_t)wording->count;
        for (size_t k = 0; k < wording->count; k++) {
            const struct question *question = &wording->first[k];
            gap->conversations += seen[question->conversation] != mark;
            seen[question->conversation] = mark;
            if (question->us > gap->last_us) {
                gap->last_us = question->us;
                gap->conversation_id = question->conversation_id;
            }
        }
    }
}

static void group(struct arena *a, struct question *questions, size_t count, size_t most,
                  struct knowledge_gaps *found)
{
    struct wording *wordings = arena_alloc(a, (count + 1) * sizeof(*wordings));
    size_t *seen = arena_zalloc(a, (count + 1) * sizeof(*seen));

    number_conversations(questions, count);
    count = make_wordings(questions, count, wordings);
    found->gaps = arena_zalloc(a, (most + 1) * sizeof(*found->gaps));
    for (size_t i = 0; i < count && found->count < most; i++) {
        if (wordings[i].words.count > 0 && !is_known(found, &wordings[i]))
            found->gaps[found->count++].words = wordings[i].words;
    }
    for (size_t i = 0; i < found->count; i++)
        gather(&found->gaps[i], wordings, count, seen, i + 1);
    qsort(found->gaps, found->count, sizeof(*found->gaps), by_asked);
}

/* -- in words ------------------------------------------------------------------------------------
 */

static enum db_status add_words(struct db *db, struct arena *a, const char *org,
                                struct knowledge_gaps *found)
{
    char number[DB_NUMBER_SIZE];
    struct buf ids, times;
    PGresult *rows;

    buf_init(&ids, ARRAY_MAX);
    buf_init(&times, ARRAY_MAX);
    for (size_t i = 0; i < found->count; i++) {
        const struct knowledge_gap *gap = &found->gaps[i];
        buf_puts(&ids, i > 0 ? "," : "{");
        buf_puts(&ids, gap->conversation_id);
        buf_puts(&times, i > 0 ? "," : "{");
        buf_puts(&times, db_number(number, gap->last_us));
    }
    buf_puts(&ids, "}");
    buf_puts(&times, "}");
    const char *params[] = {org, ids.data, times.data};
    enum db_status status = db_query(db, org, &words_statement, params, &rows);
    for (int row = 0; status == DB_OK && row < PQntuples(rows); row++)
        found->gaps[db_int(rows, row, 0, 0)].question = arena_strdup(a, db_text(rows, row, 1));
    PQclear(rows);
    buf_free(&ids);
    buf_free(&times);
    return status;
}

enum db_status knowledge_gaps_load(struct db *db, struct arena *a, const char *org,
                                   const struct period *period, size_t most,
                                   struct knowledge_gaps *found)
{
    const char *params[] = {org, period->from, period->to};
    PGresult *rows;

    *found = (struct knowledge_gaps){0};
    enum db_status status = db_query(db, org, &questions_statement, params, &rows);
    if (status != DB_OK)
        return status;
    size_t count = (size_t)PQntuples(rows);
    found->complete = count <= QUESTIONS_MAX;
    struct question *questions = arena_alloc(a, (count + 1) * sizeof(*questions));
    for (size_t i = 0; i < count; i++)
        questions[i] = (struct question){.text = db_text(rows, (int)i, 0),
                                         .conversation_id = db_text(rows, (int)i, 1),
                                         .us = db_int(rows, (int)i, 2, 0)};
    group(a, questions, count, most < KNOWLEDGE_GAPS_MAX ? most : KNOWLEDGE_GAPS_MAX, found);
    for (size_t i = 0; i < found->count; i++)
        found->gaps[i].conversation_id = arena_strdup(a, found->gaps[i].conversation_id);
    PQclear(rows);
    return found->count > 0 ? add_words(db, a, org, found) : DB_OK;
}

enum db_status knowledge_gaps_most_asked(struct db *db, struct arena *a, const char *org,
                                         const struct period *period, struct knowledge_gaps *found)
{
    const char *params[] = {org, period->from, period->to};
    PGresult *row;

    *found = (struct knowledge_gaps){.complete = true};
    enum db_status status = db_query(db, org, &most_asked_statement, params, &row);
    if (status != DB_OK)
        return status;
    found->gaps = arena_zalloc(a, sizeof(*found->gaps));
    if (PQntuples(row) == 1 && gap_read(db_text(row, 0, 0), &found->gaps->words)) {
        found->count = 1;
        found->gaps->count = db_int(row, 0, 1, 0);
        found->gaps->conversations = db_int(row, 0, 2, 0);
        found->gaps->last_us = db_int(row, 0, 3, 0);
        found->gaps->conversation_id = arena_strdup(a, db_text(row, 0, 4));
    }
    PQclear(row);
    return found->count > 0 ? add_words(db, a, org, found) : DB_OK;
}

/* -- writing -------------------------------------------------------------------------------------
 */

void knowledge_gap_write_filter(struct fd_json_writer *w, const struct period *period,
                                const struct knowledge_gap *gap)
{
    char text[GAP_TEXT_SIZE];

    gap_write(&gap->words, text);
    const char *const pair[][2] = {{"gap", text}};
    period_write_filter(w, period, PERIOD_ACTIVE, pair, 1);
}

void knowledge_gap_write(struct fd_json_writer *w, const struct period *period,
                         const struct knowledge_gap *gap)
{
    time_t seconds = (time_t)(gap->last_us / 1000000);
    char at[32];
    struct tm tm;

    strftime(at, sizeof(at), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&seconds, &tm));
    fd_jw_member(w, "question", gap->question);
    fd_jw_member_int(w, "count", gap->count);
    fd_jw_member_int(w, "conversations", gap->conversations);
    fd_jw_member(w, "last_at", at);
    fd_jw_member(w, "conversation_id", gap->conversation_id);
    knowledge_gap_write_filter(w, period, gap);
}
