/* Field: the members of a JSON body, checked; what is wrong is answered with its name. */
#ifndef FD_ADMIN_FIELD_H
#define FD_ADMIN_FIELD_H

#include "admin/admin.h"

/* Each false: the reply holds the problem. */

/* Has the body members that nobody asked for? `known` ends with NULL. */
bool field_known(const struct admin_request *request, struct admin_reply *reply,
                 const char *const *known);
/* *text is NULL where the member is absent and not required. */
bool field_text(const struct admin_request *request, struct admin_reply *reply, const char *name,
                bool required, size_t max, const char **text);
bool field_int(const struct admin_request *request, struct admin_reply *reply, const char *name,
               int64_t min, int64_t max, int64_t otherwise, int64_t *value);
/* An array of strings; absent counts as empty. In the request's arena. */
bool field_texts(const struct admin_request *request, struct admin_reply *reply, const char *name,
                 size_t max, const char *const **texts, size_t *count);

/* The problem of an operation that explained its refusal as "field: why"; another failure
 * as admin_db_problem() has it. */
void field_refuse(const struct admin_request *request, struct admin_reply *reply,
                  enum db_status status);

#endif
