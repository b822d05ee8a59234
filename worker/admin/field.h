/* Field: what bodies have in common, beyond what their schema (schema.h) says. */
#ifndef FD_ADMIN_FIELD_H
#define FD_ADMIN_FIELD_H

#include "admin/admin.h"

/* The texts of a list that the schema let through, in the request's arena; how many. *texts is
 * NULL where it is absent. */
size_t field_texts(const struct admin_request *request, const char *name,
                   const char *const **texts);

/* A member that is an object, as text; *text stays where it is absent. False: the reply says that
 * it is too long. */
bool field_object(const struct admin_request *request, struct admin_reply *reply, const char *name,
                  const char **text);

/* The problem of an operation that explained its refusal as "field: why"; another failure
 * as admin_db_problem() has it. */
void field_refuse(const struct admin_request *request, struct admin_reply *reply,
                  enum db_status status);

#endif
