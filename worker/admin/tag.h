/*
 * Tag: the strong ETag of an answer. Where some of an answer's members change by themselves
 * (what was spent, what is due) the tag has two halves, of what can be set and of the whole:
 * If-None-Match compares both, If-Match only the first, so that a change is not refused
 * because a visitor asked something meanwhile.
 */
#ifndef FD_ADMIN_TAG_H
#define FD_ADMIN_TAG_H

#include "admin/admin.h"

/* In the request's arena, with its quotes. `computed` as in admin_route, may be NULL. */
const char *tag_of(struct arena *a, const struct buf *body, const char *const *computed);

/* Is it among those of an If-None-Match? */
bool tag_is_known(const char *header, const char *tag);
/* Does an If-Match allow a change of what has this tag? A "W/" is looked past: nginx writes it
 * before tags of ours when it compresses. */
bool tag_allows(const char *header, const char *tag);

#endif
