/*
 * Record: every change leaves a row in the audit log, whichever resource made it: who,
 * what, from where, and what was there before and after - as the same path's GET shows it,
 * which shows no secret.
 */
#ifndef FD_ADMIN_RECORD_H
#define FD_ADMIN_RECORD_H

#include "admin/admin.h"

/* The route that shows what this one, a PUT, PATCH or DELETE, changes; NULL: there is none. */
const struct admin_route *record_picture(const struct admin_route *route);

/* What a path shows at a moment. */
struct record_view {
    int status;       /* of its GET; 0: it has none */
    const char *json; /* without secrets; NULL: it is none, or too long to keep */
    const char *etag;
};

/* What the path of a PUT, PATCH or DELETE shows now. */
void record_look(const struct admin_route *route, const struct admin_request *request,
                 struct record_view *view);
/* The answer of a handler as a record keeps it, masked. */
const char *record_text(const struct admin_request *request, const struct admin_reply *reply);
/* The row; `verb` is what came of it where that is another than the route's, else NULL. `before`
 * and `after` may be NULL. */
enum db_status record_change(const struct admin_route *route, const struct admin_request *request,
                             const char *verb, const char *before, const char *after);
/* Of a change of another organisation, the row in its own log: part of the change, which fails
 * without it. `after` may be NULL. */
enum db_status record_elsewhere(const struct admin_request *request, const char *org,
                                const char *verb, const char *after);
/* Of what is no change, and still is to be known: written before it is done, or it is not done. */
enum db_status record_first(const struct admin_request *request, const char *method,
                            const char *pattern, const char *after);
/* Of what began or ended somebody's access, and is done already. `action` is one of deed.h's
 * verbs. */
void record_session(const struct admin_request *request, const char *org, const char *actor,
                    const char *action, const char *target);

#endif
