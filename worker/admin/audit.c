/* GET audit: who changed what (ADM-1), newest first; GET audit/export: all of it, as a file. */
#include "tenant/audit.h"

#include "admin/page.h"
#include "admin/record.h"
#include "admin/resources.h"
#include "tenant/csv.h"
#include "tenant/day.h"

#include <stdio.h>
#include <string.h>

#define LIST        "audit"
#define EXPORT_PART 50 /* rows, of at most 256 KB each */
#define RECORD_MAX  16384
#define BOM         "\xEF\xBB\xBF"

/* -- what is asked for ---------------------------------------------------------------------- */

static bool is_time(const char *text)
{
    char day[11];
    int hour, minute, second, end = 0;

    snprintf(day, sizeof(day), "%s", text);
    return day_valid(day) && strlen(text) == 20 && strspn(text + 10, "0123456789T:Z") == 10 &&
           sscanf(text + 10, "T%2d:%2d:%2dZ%n", &hour, &minute, &second, &end) == 3 && end == 10 &&
           hour < 24 && minute < 60 && second < 60;
}

/* A time as it is, a day from its beginning; `whole`: to its end. False: the reply says that it is
 * neither. */
static bool read_time(const struct admin_request *request, struct admin_reply *reply,
                      const char *name, bool whole, const char **time)
{
    const char *given = admin_query(request, name);

    *time = given;
    if (given == NULL || is_time(given))
        return true;
    if (!day_valid(given)) {
        admin_problem(reply, request, FD_PROBLEM_BAD_REQUEST, name,
                      "a day such as 2026-11-21 would be right");
        return false;
    }
    *time = arena_printf(request->arena, "%sT%sZ", given, whole ? "24:00:00" : "00:00:00");
    return true;
}

static bool read_filter(const struct admin_request *request, struct admin_reply *reply,
                        struct audit_filter *filter)
{
    *filter = (struct audit_filter){.actor = admin_query(request, "actor"),
                                    .action = admin_query(request, "action"),
                                    .kind = admin_query(request, "kind"),
                                    .verb = admin_query(request, "verb"),
                                    .thing = admin_query(request, "thing"),
                                    .part = admin_query(request, "q")};
    return read_time(request, reply, "from", false, &filter->from) &&
           read_time(request, reply, "to", true, &filter->to);
}

/* -- the list ------------------------------------------------------------------------------- */

static void write_row(struct fd_json_writer *w, const PGresult *rows, int row)
{
    fd_jw_object(w);
    fd_jw_member(w, "id", db_text(rows, row, AUDIT_ID));
    fd_jw_member(w, "at", db_text(rows, row, AUDIT_AT));
    fd_jw_member(w, "actor", db_text(rows, row, AUDIT_ACTOR));
    fd_jw_member(w, "actor_name", db_text(rows, row, AUDIT_ACTOR_NAME));
    fd_jw_member_bool(w, "actor_platform", db_true(rows, row, AUDIT_ACTOR_PLATFORM));
    fd_jw_member(w, "kind", db_text(rows, row, AUDIT_KIND));
    fd_jw_member(w, "verb", db_text(rows, row, AUDIT_VERB));
    fd_jw_member(w, "thing", db_text(rows, row, AUDIT_THING));
    fd_jw_member(w, "thing_name", db_text(rows, row, AUDIT_THING_NAME));
    fd_jw_member(w, "action", db_text(rows, row, AUDIT_ACTION));
    fd_jw_member(w, "target", db_text(rows, row, AUDIT_TARGET));
    fd_jw_member(w, "address", db_text(rows, row, AUDIT_ADDRESS));
    fd_jw_member(w, "request_id", db_text(rows, row, AUDIT_REQUEST_ID));
    fd_jw_member_raw(w, "before", db_text(rows, row, AUDIT_BEFORE));
    fd_jw_member_raw(w, "after", db_text(rows, row, AUDIT_AFTER));
    fd_jw_end_object(w);
}

/* Behind the last row that is shown, or behind all that were looked through: there are more, or
 * there may be. */
static void write_cursor(struct fd_json_writer *w, const struct admin_request *request,
                         const struct page *page, const PGresult *rows, int found)
{
    bool more = found > page->limit;
    int last = more ? page->limit - 1 : 0;
    const char *place[] = {db_text(rows, last, more ? AUDIT_PLACE_AT : AUDIT_LOOKED_AT),
                           db_text(rows, last, more ? AUDIT_PLACE_ID : AUDIT_LOOKED_ID)};

    fd_jw_member(w, "looked_back_to", more ? NULL : place[0]);
    page_next(w, request, LIST, page, place[0] != NULL ? page->limit + 1 : 0, place, 2);
}

static void list(const struct admin_request *request, struct admin_reply *reply)
{
    struct audit_filter filter;
    struct page page;
    struct fd_json_writer w;
    PGresult *rows;

    if (!read_filter(request, reply, &filter) || !page_read(request, reply, LIST, 2, &page))
        return;
    const struct audit_place after = {page.after[0], page.after[1]};
    enum db_status status =
        audit_list(request->db, request->org, &filter, after, page.limit + 1, &rows);
    if (status != DB_OK) {
        admin_db_problem(reply, request, status);
        return;
    }
    int found = db_text(rows, 0, AUDIT_ID) != NULL ? PQntuples(rows) : 0;
    buf_json(&reply->body, &w);
    fd_jw_object(&w);
    fd_jw_key(&w, "entries");
    fd_jw_array(&w);
    for (int row = 0; row < found && row < page.limit; row++)
        write_row(&w, rows, row);
    fd_jw_end_array(&w);
    write_cursor(&w, request, &page, rows, found);
    fd_jw_end_object(&w);
    buf_json_end(&reply->body, &w);
    PQclear(rows);
}

/* -- the export ----------------------------------------------------------------------------- */

enum format { CSV, JSON, JSONL };

static const struct {
    const char *name, *content_type;
} formats[] = {
    [CSV] = {"csv", "text/csv; charset=utf-8"},
    [JSON] = {"json", "application/json"},
    [JSONL] = {"jsonl", "application/x-ndjson"},
};

static const struct {
    const char *name;
    enum audit_column of;
} columns[] = {
    {"id", AUDIT_ID},           {"at", AUDIT_AT},
    {"actor", AUDIT_ACTOR},     {"actor_name", AUDIT_ACTOR_NAME},
    {"verb", AUDIT_VERB},       {"kind", AUDIT_KIND},
    {"thing", AUDIT_THING},     {"thing_name", AUDIT_THING_NAME},
    {"action", AUDIT_ACTION},   {"target", AUDIT_TARGET},
    {"address", AUDIT_ADDRESS}, {"request_id", AUDIT_REQUEST_ID},
    {"before", AUDIT_BEFORE},   {"after", AUDIT_AFTER},
};

#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

/* As long as the request, in its arena. */
struct export
{
    struct audit_filter filter;
    struct audit_place after;
    char at[64], id[24]; /* of it */
    enum format format;
    bool begun; /* a row was written */
};

static void write_head(const struct export *x, struct buf *out)
{
    struct csv csv = {.out = out};

    if (x->format == JSON)
        buf_puts(out, "[");
    if (x->format != CSV)
        return;
    buf_puts(out, BOM);
    for (size_t i = 0; i < COLUMNS; i++)
        csv_text(&csv, columns[i].name);
    csv_end_row(&csv);
}

static void export_row(struct export *x, struct buf *out, const PGresult *rows, int row)
{
    struct csv csv = {.out = out};
    struct fd_json_writer w;

    if (x->format == CSV) {
        for (size_t i = 0; i < COLUMNS; i++)
            csv_text(&csv, db_text(rows, row, columns[i].of));
        csv_end_row(&csv);
    } else {
        buf_puts(out, x->format == JSON && x->begun ? ",\n" : "");
        buf_json(out, &w);
        write_row(&w, rows, row);
        buf_json_end(out, &w);
        buf_puts(out, x->format == JSONL ? "\n" : "");
    }
    x->begun = true;
}

/* Appends the next rows; *more false: they were the last. */
static enum db_status export_rows(const struct admin_request *request, struct export *x,
                                  struct buf *out, bool *more)
{
    PGresult *rows;

    enum db_status status =
        audit_list(request->db, request->org, &x->filter, x->after, EXPORT_PART, &rows);
    if (status != DB_OK)
        return status;
    int found = db_text(rows, 0, AUDIT_ID) != NULL ? PQntuples(rows) : 0, last = found - 1;
    for (int row = 0; row < found; row++)
        export_row(x, out, rows, row);
    bool full = found == EXPORT_PART;
    const char *at = full ? db_text(rows, last, AUDIT_PLACE_AT) : db_text(rows, 0, AUDIT_LOOKED_AT);
    const char *id = full ? db_text(rows, last, AUDIT_PLACE_ID) : db_text(rows, 0, AUDIT_LOOKED_ID);
    *more = at != NULL;
    if (*more) {
        snprintf(x->at, sizeof(x->at), "%s", at);
        snprintf(x->id, sizeof(x->id), "%s", id);
        x->after = (struct audit_place){x->at, x->id};
    } else if (x->format == JSON)
        buf_puts(out, "]\n");
    PQclear(rows);
    return DB_OK;
}

static enum admin_rest_status next_part(const struct admin_request *request,
                                        struct admin_reply *reply)
{
    bool more;

    if (export_rows(request, reply->rest.state, &reply->body, &more) != DB_OK)
        return ADMIN_REST_FAILED;
    return more ? ADMIN_REST_MORE : ADMIN_REST_DONE;
}

static void end_export(void *state)
{
    (void)state; /* it is the request's */
}

/* That it was taken, in which words it was asked for. */
static enum db_status record_export(const struct admin_request *request)
{
    static const char *const names[] = {"actor", "action", "kind", "verb",  "thing",
                                        "from",  "to",     "q",    "format"};
    struct fd_json_writer w;
    struct buf asked;

    buf_init(&asked, RECORD_MAX);
    buf_json(&asked, &w);
    fd_jw_object(&w);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (admin_query(request, names[i]) != NULL)
            fd_jw_member(&w, names[i], admin_query(request, names[i]));
    }
    fd_jw_end_object(&w);
    bool fits = buf_json_end(&asked, &w);
    enum db_status status = record_first(request, "GET", "audit/export", fits ? asked.data : NULL);
    buf_free(&asked);
    return status;
}

static bool read_format(const struct admin_request *request, struct admin_reply *reply,
                        enum format *format)
{
    const char *name = admin_query(request, "format");

    for (*format = CSV; *format <= JSONL; (*format)++) {
        if (strcmp(formats[*format].name, name != NULL ? name : "json") == 0)
            return true;
    }
    admin_problem(reply, request, FD_PROBLEM_BAD_REQUEST, "format",
                  "csv, json or jsonl would be right");
    return false;
}

/* The first part is made here: what goes wrong before it can still be answered as a problem. */
static void export(const struct admin_request *request, struct admin_reply *reply)
{
    struct export *x = arena_zalloc(request->arena, sizeof(*x));
    bool more;

    if (!read_filter(request, reply, &x->filter) || !read_format(request, reply, &x->format))
        return;
    write_head(x, &reply->body);
    enum db_status status = export_rows(request, x, &reply->body, &more);
    if (status == DB_OK)
        status = record_export(request);
    if (status != DB_OK) {
        admin_db_problem(reply, request, status);
        return;
    }
    if (more)
        reply->rest = (struct admin_rest){next_part, end_export, x};
    reply->content_type = formats[x->format].content_type;
    reply->filename = arena_printf(request->arena, "audit.%s", formats[x->format].name);
}

/* -- the routes ----------------------------------------------------------------------------- */

#define FILTER                                                                                     \
    "actor?: text, action?: text, kind?: text, verb?: text, thing?: text, from?: text, to?: text," \
    " q?: text"

static const struct admin_route routes[] = {
    {"GET", "audit", ADMIN_ADMIN, ADMIN_ACCESS, list, .summary = "Who changed what, newest first",
     .query = "{" PAGE_QUERY ", " FILTER "}",
     .answer = "{entries: [{id: text, at: time, actor: text, actor_name: text|null,"
               " actor_platform: bool, kind: text, verb: text, thing: text|null,"
               " thing_name: text|null, action: text, target: text, address: text|null,"
               " request_id: text|null, before: json, after: json}], looked_back_to: time|null,"
               " " PAGE_ANSWER "}"},
    {"GET", "audit/export", ADMIN_ADMIN, ADMIN_ACCESS, export,
     .summary = "The same, all of it, as a file", .query = "{" FILTER ", format?: csv|json|jsonl}",
     .answer = "file"},
};

const struct admin_resource admin_audit = {routes, sizeof(routes) / sizeof(routes[0])};
