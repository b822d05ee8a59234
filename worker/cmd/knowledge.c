/* frontdesk knowledge: the articles that an organisation's answers come from (ENG-13). */
#include "context/retrieve.h"
#include "cmd/cmd.h"
#include "cmd/org.h"
#include "core/buf.h"
#include "core/file.h"
#include "core/language.h"
#include "tenant/knowledge_json.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define OUTPUT_MAX ((size_t)64 << 20)
#define PAGE_ROWS  500

struct knowledge_command {
    const struct config *config;
    struct db *db;
    struct arena arena;
    char org[37];
    const char *verb;
    const char *given_org;
    char **words; /* behind the verb */
    int word_count;
    struct knowledge_upload upload;
    bool json;
};

static bool parse(int argc, char **argv, struct knowledge_command *c)
{
    static const struct option known[] = {
        {"org", required_argument, NULL, 'o'},    {"language", required_argument, NULL, 'l'},
        {"slug", required_argument, NULL, 's'},   {"title", required_argument, NULL, 't'},
        {"format", required_argument, NULL, 'f'}, {"source", required_argument, NULL, 'u'},
        {"json", no_argument, NULL, 'j'},         {0}};
    int option;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (option) {
        case 'o': c->given_org = optarg; break;
        case 'l': c->upload.language = optarg; break;
        case 's': c->upload.slug = optarg; break;
        case 't': c->upload.title = optarg; break;
        case 'f': c->upload.file.format = optarg; break;
        case 'u': c->upload.source = optarg; break;
        case 'j': c->json = true; break;
        default: return false;
        }
    }
    c->verb = optind < argc ? argv[optind++] : "";
    c->words = argv + optind;
    c->word_count = argc - optind;
    return c->given_org != NULL;
}

static int complain(const char *what, const char *text)
{
    fprintf(stderr, "frontdesk knowledge: %s%s%s\n", what, *what != '\0' ? ": " : "", text);
    return 1;
}

static int print_json(struct buf *out, struct fd_json_writer *w)
{
    bool fits = buf_json_end(out, w);

    if (fits)
        puts(out->data);
    buf_free(out);
    return fits ? 0 : complain("", "the answer is too long");
}

/* -- import ------------------------------------------------------------------------------ */

static void print_report(const char *path, const struct knowledge_report *report)
{
    const struct knowledge_change *change = &report->change;

    printf("%s: %s %s (%s, %s): %zu sections", path, knowledge_status(change), report->slug,
           report->language, import_format_name(report->format), change->sections);
    if (change->changed && !change->created)
        printf(", %zu added, %zu updated, %zu removed", change->added, change->updated,
               change->removed);
    putchar('\n');
}

/* The file's path is what a second import knows it by. */
static int import_one(struct knowledge_command *c, struct arena *a, const char *path,
                      struct fd_json_writer *w, bool *changed)
{
    struct knowledge_upload upload = c->upload;
    struct knowledge_report report;
    char error[256];

    if (upload.source == NULL)
        upload.source = strncmp(path, "./", 2) == 0 ? path + 2 : path;
    upload.file.name = path;
    upload.file.bytes = file_read(a, path, IMPORT_PDF_MAX, &upload.file.len, error);
    if (upload.file.bytes == NULL)
        return complain("", error);
    if (knowledge_import(c->db, a, c->org, &upload, &report) != DB_OK)
        return cmd_complain("knowledge", c->db);
    if (report.verdict != KNOWLEDGE_STORED) {
        const char *field = strcmp(report.field, "body") != 0 ? report.field : NULL;
        return complain(field != NULL ? arena_printf(a, "%s: %s", path, field) : path,
                        report.error);
    }
    *changed = *changed || report.change.changed;
    if (c->json)
        knowledge_write_report(w, &report);
    else
        print_report(path, &report);
    return 0;
}

/* A file that cannot be taken does not keep the others back. */
static int import(struct knowledge_command *c)
{
    struct fd_json_writer w;
    struct buf out;
    bool changed = false;
    int rc = 0;

    if (c->word_count == 0 ||
        (c->word_count > 1 &&
         (c->upload.slug != NULL || c->upload.title != NULL || c->upload.source != NULL)))
        return cmd_usage("knowledge");
    if (c->upload.file.format != NULL && !import_format_valid(c->upload.file.format))
        return complain("--format", "text, markdown, html, pdf or csv would be right");
    buf_init(&out, OUTPUT_MAX);
    buf_json(&out, &w);
    fd_jw_array(&w);
    for (int i = 0; i < c->word_count; i++) {
        struct arena a;
        arena_init(&a);
        rc |= import_one(c, &a, c->words[i], &w, &changed);
        arena_free(&a);
    }
    fd_jw_end_array(&w);
    if (changed)
        cmd_publish_org(c->db, c->config, c->org);
    if (c->json)
        return print_json(&out, &w) | rc;
    buf_free(&out);
    return rc;
}

/* -- what there is ------------------------------------------------------------------------- */

static void print_row(const PGresult *articles, int row)
{
    const char *source = db_text(articles, row, KNOWLEDGE_SOURCE);

    printf("%-32s  %-5s  %-8s  %4" PRId64 " sections  %s  %s%s%s\n",
           db_text(articles, row, KNOWLEDGE_SLUG), db_text(articles, row, KNOWLEDGE_LANGUAGE),
           db_text(articles, row, KNOWLEDGE_FORMAT), db_int(articles, row, KNOWLEDGE_SECTIONS, 0),
           db_text(articles, row, KNOWLEDGE_UPDATED_AT), db_text(articles, row, KNOWLEDGE_TITLE),
           source != NULL ? "  " : "", source != NULL ? source : "");
}

/* Writes or prints one page; false: it was the last, or *status is not DB_OK. */
static bool list_page(struct knowledge_command *c, struct fd_json_writer *w, const char **after,
                      enum db_status *status)
{
    PGresult *articles;

    *status = knowledge_list(c->db, c->org, c->upload.language, *after, PAGE_ROWS, &articles);
    if (*status != DB_OK)
        return false;
    int rows = PQntuples(articles);
    for (int row = 0; row < rows; row++) {
        if (!c->json) {
            print_row(articles, row);
            continue;
        }
        fd_jw_object(w);
        knowledge_write_row(w, articles, row);
        fd_jw_end_object(w);
    }
    if (rows > 0)
        *after = arena_strdup(&c->arena, db_text(articles, rows - 1, KNOWLEDGE_SLUG));
    PQclear(articles);
    return rows == PAGE_ROWS;
}

static int list(struct knowledge_command *c)
{
    struct fd_json_writer w;
    struct buf out;
    const char *after = NULL;
    enum db_status status;

    if (c->word_count > 0)
        return cmd_usage("knowledge");
    buf_init(&out, OUTPUT_MAX);
    buf_json(&out, &w);
    fd_jw_array(&w);
    while (list_page(c, &w, &after, &status)) {
    }
    fd_jw_end_array(&w);
    if (status == DB_OK && c->json)
        return print_json(&out, &w);
    buf_free(&out);
    return status == DB_OK ? 0 : cmd_complain("knowledge", c->db);
}

static int print_article(struct knowledge_command *c, const PGresult *article,
                         const PGresult *sections)
{
    struct fd_json_writer w;
    struct buf out;

    if (c->json) {
        buf_init(&out, OUTPUT_MAX);
        buf_json(&out, &w);
        knowledge_write_article(&w, article, sections);
        return print_json(&out, &w);
    }
    print_row(article, 0);
    for (int row = 0; row < PQntuples(sections); row++)
        printf("\n[article:%s] %s\n%s\n", db_text(sections, row, 0), db_text(sections, row, 1),
               db_text(sections, row, 2));
    return 0;
}

static int show(struct knowledge_command *c)
{
    PGresult *article = NULL, *sections = NULL;
    int rc;

    if (c->word_count != 1)
        return cmd_usage("knowledge");
    if (knowledge_find(c->db, c->org, c->words[0], &article) != DB_OK ||
        knowledge_sections(c->db, c->org, c->words[0], &sections) != DB_OK)
        rc = cmd_complain("knowledge", c->db);
    else if (PQntuples(article) == 0)
        rc = complain(c->words[0], "there is no such article");
    else
        rc = print_article(c, article, sections);
    PQclear(article);
    PQclear(sections);
    return rc;
}

static int forget(struct knowledge_command *c)
{
    bool changed = false;
    int rc = 0;

    if (c->word_count == 0)
        return cmd_usage("knowledge");
    for (int i = 0; i < c->word_count; i++) {
        bool found = false;
        if (knowledge_delete(c->db, c->org, c->words[i], &found) != DB_OK)
            rc |= cmd_complain("knowledge", c->db);
        else if (!found)
            rc |= complain(c->words[i], "there is no such article");
        changed = changed || found;
    }
    if (changed)
        cmd_publish_org(c->db, c->config, c->org);
    return rc;
}

/* -- search ---------------------------------------------------------------------------------- */

static void write_snippet(struct fd_json_writer *w, const struct snippet *snippet)
{
    fd_jw_object(w);
    fd_jw_member(w, "id", snippet->id);
    fd_jw_member(w, "label", snippet->label);
    fd_jw_member(w, "body", snippet->body);
    fd_jw_key(w, "score");
    fd_jw_double(w, snippet->score);
    fd_jw_end_object(w);
}

static int search(struct knowledge_command *c)
{
    struct fd_json_writer w;
    struct buf out;
    struct retrieved found;

    if (c->word_count != 1)
        return cmd_usage("knowledge");
    const char *question = c->words[0], *language = c->upload.language;
    if (language == NULL)
        language = language_of(question, strlen(question), "en");
    const struct retrieve_ask ask = {.org = c->org, .question = question, .language = language};
    if (retrieve_snippets(c->db, &c->arena, &ask, &found) != DB_OK)
        return cmd_complain("knowledge", c->db);
    buf_init(&out, OUTPUT_MAX);
    buf_json(&out, &w);
    fd_jw_array(&w);
    for (size_t i = 0; i < found.count; i++) {
        if (c->json)
            write_snippet(&w, &found.snippets[i]);
        else
            printf("%6.3f  %-32s  %s\n", found.snippets[i].score, found.snippets[i].id,
                   found.snippets[i].label);
    }
    fd_jw_end_array(&w);
    if (c->json)
        return print_json(&out, &w);
    buf_free(&out);
    return 0;
}

int cmd_knowledge(int argc, char **argv, const struct config *config)
{
    static const struct {
        const char *verb;
        int (*run)(struct knowledge_command *c);
    } verbs[] = {
        {"import", import}, {"list", list}, {"show", show}, {"delete", forget}, {"search", search}};
    struct knowledge_command c = {.config = config};
    int rc = 1;

    if (!parse(argc, argv, &c))
        return cmd_usage("knowledge");
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(c.verb, verbs[i].verb) != 0)
            continue;
        c.db = db_new(config->database_url, "frontdesk knowledge");
        arena_init(&c.arena);
        if (cmd_find_org(c.db, "knowledge", c.given_org, c.org))
            rc = verbs[i].run(&c);
        arena_free(&c.arena);
        db_free(c.db);
        return rc;
    }
    return cmd_usage("knowledge");
}
