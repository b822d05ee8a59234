/*
 * Bind: arguments that the server sets and the model cannot choose - whose order it
 * is, which conversation. They are in no schema that the model sees; what it sends for
 * them is overwritten; where the server does not know the value, the call is refused.
 *
 * A binding is {"argument": "source"}; the sources: visitor.user_id and
 * visitor.email (verified only), session_id, conversation_id, job_id, org_id, org_name,
 * language, channel, and "=text" for a fixed text. Pure.
 */
#ifndef FD_TOOL_BIND_H
#define FD_TOOL_BIND_H

#include "tool/tool.h"

#define BIND_MAX 16 /* bindings of one tool */

/* client_tools.bindings. False: error says which binding is wrong and what would be right. */
bool bindings_read(struct arena *a, const struct fd_json *json, const struct tool_binding **list,
                   size_t *count, char error[256]);

/* The schema without the bound arguments, as text. NULL: its root says more of them than
 * that they exist (in anyOf and the like), so that they cannot be taken out. */
const char *bindings_strip(struct arena *a, const struct fd_json *schema,
                           const struct tool_binding *list, size_t count, char error[256]);

#endif
