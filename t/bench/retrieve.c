/*
 * Retrieval alone: retrieve_snippets() as a job calls it, by wall clock, on one organisation of
 * many sections beside another one's. Linked with libfrontdesk.a.
 *
 *     retrieve FILL_URL APP_URL SECTIONS QUESTIONS    prints one line of JSON
 *
 * FILL_URL is a role that row-level security does not bind, APP_URL the worker's.
 */
#include "cpu_time.h"
#include "knowledge.h"

#include "context/retrieve.h"

#define BIG   "b1600000-0000-4000-8000-000000000001"
#define OTHER "07e40000-0000-4000-8000-000000000002"

#define QUESTIONS_MAX 100000

static double wall_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* -- questions ------------------------------------------------------------------------------ */

enum kind { COMMON, MIXED, RARE, TYPOS, HEBREW, NOWHERE, KINDS };

static const char *const kind_names[KINDS] = {
    "only frequent words",   "frequent and rare words", "rare words", "mistyped words", "Hebrew",
    "words that nothing has"};

/* Of the ranks from..to, all as likely. */
static void put_words(char *out, size_t size, size_t count, size_t from, size_t to)
{
    size_t at = strlen(out);

    for (size_t i = 0; i < count; i++) {
        char word[64];
        english_word(from + draw() % (to - from), word);
        at += (size_t)snprintf(out + at, size - at, "%s%s", at > 0 ? " " : "", word);
    }
}

/* Two neighbours exchanged in each word of some length. */
static void mistype(char *text)
{
    for (char *word = strtok(strdup(text), " "); word != NULL; word = strtok(NULL, " ")) {
        char *at = strstr(text, word);
        size_t place = 1 + draw() % 3;
        if (strlen(word) > 5) {
            char first = at[place];
            at[place] = at[place + 1];
            at[place + 1] = first;
        }
    }
}

static void put_question(enum kind kind, char *out, size_t size)
{
    out[0] = '\0';
    switch (kind) {
    case COMMON: put_words(out, size, 5 + draw() % 3, 12, 70); break;
    case MIXED:
        put_words(out, size, 3, 12, 70);
        put_words(out, size, 2, 500, 20000);
        break;
    case RARE: put_words(out, size, 3, 500, 20000); break;
    case TYPOS:
        put_words(out, size, 1, 12, 70);
        put_words(out, size, 2, 100, 5000);
        mistype(out);
        break;
    case HEBREW: prose(true, 5, out, size); break;
    default:
        snprintf(out, size, "qwxzyk%u jjvqpx%u", (unsigned)(draw() % 99), (unsigned)(draw() % 99));
    }
}

/* -- what is measured -------------------------------------------------------------------------- */

static double ask(struct db *db, const char *question, bool hebrew, size_t *found)
{
    const struct retrieve_ask one = {
        .org = BIG, .question = question, .language = hebrew ? "he" : "en"};
    struct retrieved result;
    struct arena a;

    arena_init(&a);
    double start = wall_ms();
    enum db_status status = retrieve_snippets(db, &a, &one, &result);
    double ms = wall_ms() - start;
    if (status != DB_OK) {
        fprintf(stderr, "%s: %s\n", question, db_error(db));
        exit(1);
    }
    *found += result.count > 0;
    arena_free(&a);
    return ms;
}

static double percentile(const double *sorted, size_t count, double share)
{
    return sorted[(size_t)((double)(count - 1) * share)];
}

static void measure(struct db *db, size_t questions)
{
    static double all[QUESTIONS_MAX], one[KINDS][QUESTIONS_MAX];
    size_t counts[KINDS] = {0}, found[KINDS] = {0};
    char question[1024];

    for (size_t i = 0; i < questions; i++) {
        enum kind kind = (enum kind)(i % KINDS);
        put_question(kind, question, sizeof(question));
        all[i] = one[kind][counts[kind]++] = ask(db, question, kind == HEBREW, &found[kind]);
    }
    printf("{\"cases\":[");
    for (int kind = 0; kind < KINDS; kind++) {
        qsort(one[kind], counts[kind], sizeof(double), by_value);
        printf("%s{\"case\":\"%s\",\"p50_ms\":%.2f,\"p95_ms\":%.2f,\"most_ms\":%.2f,\"answered\":%."
               "2f}",
               kind > 0 ? "," : "", kind_names[kind], percentile(one[kind], counts[kind], 0.5),
               percentile(one[kind], counts[kind], 0.95), percentile(one[kind], counts[kind], 1),
               (double)found[kind] / (double)counts[kind]);
    }
    qsort(all, questions, sizeof(double), by_value);
    printf("],\"p50_ms\":%.2f,\"p95_ms\":%.2f,\"most_ms\":%.2f}\n", percentile(all, questions, 0.5),
           percentile(all, questions, 0.95), percentile(all, questions, 1));
}

static void fill(const char *url, size_t sections)
{
    PGconn *conn = PQconnectdb(url);
    static const char *const statements[] = {"INSERT INTO organizations (id, name) VALUES ('" BIG
                                             "', 'Big'), ('" OTHER "', 'Other')",
                                             "VACUUM ANALYZE article_sections, search_words"};

    PQclear(PQexec(conn, statements[0]));
    knowledge_fill(conn, BIG, sections);
    knowledge_fill(conn, OTHER, sections / 5);
    PQclear(PQexec(conn, statements[1]));
    PQfinish(conn);
}

int main(int argc, char **argv)
{
    size_t questions = argc == 5 ? strtoul(argv[4], NULL, 10) : 0;
    size_t sections = argc == 5 ? strtoul(argv[3], NULL, 10) : 0;

    if (questions < KINDS || questions > QUESTIONS_MAX || sections < ARTICLE_SECTIONS) {
        fprintf(stderr, "retrieve FILL_URL APP_URL SECTIONS QUESTIONS\n");
        return 2;
    }
    fill(argv[1], sections);
    struct db *db = db_new(argv[2], "bench");
    size_t warm = 0;
    for (int i = 0; i < 20; i++)
        ask(db, "delivery price of the new material", false, &warm);
    measure(db, questions);
    db_free(db);
    return 0;
}
