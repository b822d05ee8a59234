/*
 * Channel_text: an answer as a channel can show it that knows no Markdown: plain text, in parts
 * no longer than one message there may be. Pure.
 */
#ifndef FD_CHAT_CHANNEL_TEXT_H
#define FD_CHAT_CHANNEL_TEXT_H

#include "core/buf.h"

#define CHANNEL_PARTS_MAX 10

/* Marks are dropped, links are followed by their address, sources in brackets are left out.
 * Valid UTF-8 whatever comes in, blank lines at most one after another. */
void channel_text_plain(struct buf *out, const char *markdown, size_t len);

/* Code points of a message there. */
size_t channel_text_limit(const char *channel);

struct channel_part {
    const char *s; /* in the text */
    size_t len;
};
/* At the end of a paragraph, a line, a sentence or a word, the first of these that leaves no
 * part half empty; never inside a character. What would make more than CHANNEL_PARTS_MAX parts
 * is left out. */
size_t channel_text_split(const char *text, size_t len, size_t limit,
                          struct channel_part parts[CHANNEL_PARTS_MAX]);

#endif
