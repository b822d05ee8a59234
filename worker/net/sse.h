/*
 * Sse: an incremental, byte-split-safe parser of server-sent events (WHATWG HTML,
 * "Server-sent events"): CR, LF and CRLF, one BOM, comments, one space after the
 * colon, data lines joined by LF. Pure.
 */
#ifndef FD_NET_SSE_H
#define FD_NET_SSE_H

#include "core/buf.h"

struct sse {
    struct buf line;
    struct buf data;
    struct buf event;
    bool has_data;
    bool after_cr;
    unsigned bom; /* bytes of the BOM seen; 4 = past the start */
};

/* One dispatched event; event is "" for the default type. Pointers live during the
 * call. False stops the parse. */
typedef bool sse_event_fn(void *arg, const char *event, const char *data, size_t data_len);

void sse_init(struct sse *sse, size_t max_event);
void sse_free(struct sse *sse);
/* False: stopped by fn, or an event passed max_event (sse_over()). */
bool sse_feed(struct sse *sse, const char *bytes, size_t len, sse_event_fn *fn, void *arg);
bool sse_over(const struct sse *sse);
/* Bytes of an event that no blank line ended: at the end of a stream, a cut. */
bool sse_partial(const struct sse *sse);

#endif
