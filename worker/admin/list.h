/*
 * List: rows as an answer, {"keys": [{...}, ...], "next_cursor": text|null}. A handler asks for
 * the rows; a resource says how one is written. What an operation bounds is answered whole, and
 * has no cursor; what grows with use is read in pages (page.h).
 */
#ifndef FD_ADMIN_LIST_H
#define FD_ADMIN_LIST_H

#include "admin/page.h"

/* The members of a row, into an open object. */
typedef void list_row_fn(struct fd_json_writer *w, const PGresult *rows, int row);

struct list {
    const char *name; /* the answer's member; lists with pages have one each */
    list_row_fn *write;
    size_t columns; /* that order it, 1 or 2; 0: it has no pages */
    int order[PAGE_COLUMNS_MAX];
};

/* The page that is asked for. False: the reply holds the problem. */
bool list_page(const struct admin_request *request, struct admin_reply *reply,
               const struct list *list, struct page *page);

/* Answers with `rows`, or with the problem where the status is not DB_OK. `page` is NULL where the
 * list has none; otherwise a row more than its limit stands for those that follow. Clears the
 * rows, which are looked at with DB_OK only. */
void list_reply(const struct admin_request *request, struct admin_reply *reply,
                const struct list *list, const struct page *page, enum db_status status,
                PGresult *rows);
/* The same with one row, an object; where there is none, a 404 with this detail, or NULL. */
void list_reply_one(const struct admin_request *request, struct admin_reply *reply,
                    list_row_fn *write, enum db_status status, PGresult *row, const char *none);

/* The members of such an answer, into an open object that has others. */
void list_write(struct fd_json_writer *w, const struct admin_request *request,
                const struct list *list, const struct page *page, const PGresult *rows);

#endif
