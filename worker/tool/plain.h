/* Plain: the text of an HTML page, for a webhook that answers one. Pure. */
#ifndef FD_TOOL_PLAIN_H
#define FD_TOOL_PLAIN_H

#include "core/buf.h"

#include <stdbool.h>

bool plain_is_html(const char *content_type, const char *body, size_t len);
/* Tags, comments, scripts and styles are dropped, blocks become lines, entities what
 * they mean; valid UTF-8 whatever comes in. */
void plain_of_html(struct buf *out, const char *html, size_t len);
/* Text of any kind: valid UTF-8, no control characters but the line's end. */
void plain_of_text(struct buf *out, const char *text, size_t len);

#endif
