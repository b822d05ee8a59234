/* Organization: what the resources `organization` and `organizations` have in common. */
#ifndef FD_ADMIN_ORGANIZATION_H
#define FD_ADMIN_ORGANIZATION_H

#include "admin/admin.h"
#include "tenant/organization.h"

/* Shapes of what these write. */
#define ORGANIZATION_ROW                                                                           \
    "id: uuid, name: text, domain: text|null, plan: text, status: active|disabled,"                \
    " created_at: time"
#define ORGANIZATION_LIMITS                                                                        \
    "limits: {requests_per_minute: int, concurrent_chats: int, messages_per_month: int,"           \
    " at_limit: refuse|throttle}"

/* Members of an open object, of a row that tenant/organization.h gave. */
void organization_write_row(struct fd_json_writer *w, const PGresult *rows, int row);
void organization_write_limits(struct fd_json_writer *w, const PGresult *row);

/* NULL: the reply says that there is none, or what went wrong. */
PGresult *organization_find(const struct admin_request *request, struct admin_reply *reply,
                            const char *org);
/* The body's name and domain; null takes the domain away. */
void organization_texts(const struct admin_request *request, struct organization_change *change);

#endif
