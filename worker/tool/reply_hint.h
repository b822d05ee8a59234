/* What an operator should look at when a workflow tool answers so; n8n's own answers are
 * known word for word. Pure. */
#ifndef FD_TOOL_REPLY_HINT_H
#define FD_TOOL_REPLY_HINT_H

#include <stddef.h>

/* NULL: nothing more is known. */
const char *reply_hint(int status, const char *said, size_t len);

#endif
