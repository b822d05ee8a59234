#include "admin/query.h"

#include "admin/admin.h"
#include "admin/router.h"

#include <string.h>

struct query {
    size_t count;
    struct {
        const char *name;
        const char *value;
    } list[QUERY_PARAMETERS_MAX];
};

bool query_parse(struct arena *a, const char *text, struct query **query)
{
    struct query *q = arena_zalloc(a, sizeof(*q));

    *query = q;
    for (const char *at = text != NULL ? text : ""; *at != '\0';) {
        size_t len = strcspn(at, "&");
        size_t name = strcspn(at, "=&");
        if (len > 0) {
            if (q->count == QUERY_PARAMETERS_MAX)
                return false;
            size_t value = name < len ? name + 1 : len;
            q->list[q->count].name = router_decode(a, at, name, true);
            q->list[q->count].value = router_decode(a, at + value, len - value, true);
            if (q->list[q->count].name == NULL || q->list[q->count].value == NULL)
                return false;
            q->count++;
        }
        at += len + (at[len] == '&');
    }
    return true;
}

/* The first of that name. */
const char *admin_query(const struct admin_request *request, const char *name)
{
    const struct query *q = request->query;

    for (size_t i = 0; q != NULL && i < q->count; i++) {
        if (strcmp(q->list[i].name, name) == 0)
            return q->list[i].value;
    }
    return NULL;
}
