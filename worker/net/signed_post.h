/*
 * Signed_post: JSON to a webhook, once: signed as outbound_sign() has it, and with an id in
 * X-Frontdesk-Delivery, by which the receiver knows what comes a second time. It is taken where
 * the answer's status is 2xx; whoever sends what was not taken again, keeps count of it.
 */
#ifndef FD_NET_SIGNED_POST_H
#define FD_NET_SIGNED_POST_H

#include "core/buf.h"
#include "net/outbound.h"

#define SIGNED_POST_TOTAL_MS   15000 /* of one: below the pause before the next attempt */
#define SIGNED_POST_ID_MAX     64
#define SIGNED_POST_ERROR_SIZE 256

/* All of it is copied. on_end as outbound_start() has it; it asks signed_post_taken(). */
struct outbound_request *signed_post_start(struct outbound *outbound, const char *url,
                                           const char *secret, const char *id,
                                           const struct buf *body, outbound_end_fn *on_end,
                                           void *arg);
/* Was it taken? `error` is "" then; else it says why not, for the operator. */
bool signed_post_taken(const struct outbound_response *response,
                       char error[SIGNED_POST_ERROR_SIZE]);

#endif
