#include "admin/list.h"

static void write_object(struct fd_json_writer *w, list_row_fn *write, const PGresult *rows,
                         int row)
{
    fd_jw_object(w);
    write(w, rows, row);
    fd_jw_end_object(w);
}

static void write_cursor(struct fd_json_writer *w, const struct admin_request *request,
                         const struct list *list, const struct page *page, const PGresult *rows)
{
    int count = PQntuples(rows), last = (count < page->limit ? count : page->limit) - 1;
    const char *values[PAGE_COLUMNS_MAX] = {NULL};

    for (size_t i = 0; last >= 0 && i < list->columns; i++)
        values[i] = db_text(rows, last, list->order[i]);
    page_next(w, request, list->name, page, count, values, list->columns);
}

void list_write(struct fd_json_writer *w, const struct admin_request *request,
                const struct list *list, const struct page *page, const PGresult *rows)
{
    int count = PQntuples(rows);

    fd_jw_key(w, list->name);
    fd_jw_array(w);
    for (int row = 0; row < count && (page == NULL || row < page->limit); row++)
        write_object(w, list->write, rows, row);
    fd_jw_end_array(w);
    if (page != NULL)
        write_cursor(w, request, list, page, rows);
}

bool list_page(const struct admin_request *request, struct admin_reply *reply,
               const struct list *list, struct page *page)
{
    return page_read(request, reply, list->name, list->columns, page);
}

void list_reply(const struct admin_request *request, struct admin_reply *reply,
                const struct list *list, const struct page *page, enum db_status status,
                PGresult *rows)
{
    struct fd_json_writer w;

    if (status != DB_OK) {
        admin_db_problem(reply, request, status);
        return;
    }
    buf_json(&reply->body, &w);
    fd_jw_object(&w);
    list_write(&w, request, list, page, rows);
    fd_jw_end_object(&w);
    buf_json_end(&reply->body, &w);
    PQclear(rows);
}

void list_reply_one(const struct admin_request *request, struct admin_reply *reply,
                    list_row_fn *write, enum db_status status, PGresult *row, const char *none)
{
    struct fd_json_writer w;

    if (admin_found(reply, request, status, status == DB_OK && PQntuples(row) > 0, none)) {
        buf_json(&reply->body, &w);
        write_object(&w, write, row, 0);
        buf_json_end(&reply->body, &w);
    }
    PQclear(status == DB_OK ? row : NULL);
}
