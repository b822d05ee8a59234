/*
 * Page: how long lists are read in parts: ?limit=&cursor=. A list is ordered by one or
 * two columns that together are unique; the cursor holds those of the last row that was
 * sent. It is sealed: what comes back is what was sent, for this organisation and list.
 */
#ifndef FD_ADMIN_PAGE_H
#define FD_ADMIN_PAGE_H

#include "admin/admin.h"

#define PAGE_LIMIT       50
#define PAGE_LIMIT_MAX   200
#define PAGE_COLUMNS_MAX 2
#define PAGE_CURSOR_MAX  1024

/* Of a list's query and answer, in their shapes. */
#define PAGE_QUERY  "limit?: int, cursor?: text"
#define PAGE_ANSWER "next_cursor: text|null"

struct page {
    int limit;
    char rows[DB_NUMBER_SIZE];           /* limit + 1 as a parameter: is there more? */
    const char *after[PAGE_COLUMNS_MAX]; /* NULL: from the start */
};

/* `list` names the list, columns is 1 or 2. False: the reply holds the problem. */
bool page_read(const struct admin_request *request, struct admin_reply *reply, const char *list,
               size_t columns, struct page *page);
/* The member "next_cursor" of an object: the cursor behind the row with these values, or
 * null where `rows` (at most limit + 1) came and no more. */
void page_next(struct fd_json_writer *w, const struct admin_request *request, const char *list,
               const struct page *page, int rows, const char *const *values, size_t columns);

#endif
