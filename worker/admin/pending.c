#include "admin/pending.h"

struct pending_tell {
    admin_tell_fn *tell;
    void *arg;
    struct pending_tell *next;
};

void pending_add(struct admin_pending *pending, struct arena *a, admin_tell_fn *tell, void *arg)
{
    struct pending_tell **end = &pending->first;

    for (; *end != NULL; end = &(*end)->next) {
        if ((*end)->tell == tell && (*end)->arg == arg)
            return;
    }
    *end = arena_zalloc(a, sizeof(**end));
    (*end)->tell = tell;
    (*end)->arg = arg;
}

void pending_tell(const struct admin_pending *pending, const struct admin_request *request)
{
    for (const struct pending_tell *t = pending->first; t != NULL; t = t->next)
        t->tell(request, t->arg);
}
