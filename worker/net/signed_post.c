#include "net/signed_post.h"

#include "core/clock.h"

#include <stdio.h>

#define BODY_MAX 65536 /* of the answer, which nobody reads */

struct outbound_request *signed_post_start(struct outbound *outbound, const char *url,
                                           const char *secret, const char *id,
                                           const struct buf *body, outbound_end_fn *on_end,
                                           void *arg)
{
    char signature[OUTBOUND_SIGNATURE_SIZE], signed_by[32 + OUTBOUND_SIGNATURE_SIZE];
    char named[32 + SIGNED_POST_ID_MAX];

    outbound_sign(signature, secret, clock_wall_ms() / 1000, body->data, body->len);
    snprintf(signed_by, sizeof(signed_by), "X-Frontdesk-Signature: %s", signature);
    snprintf(named, sizeof(named), "X-Frontdesk-Delivery: %s", id);
    const char *const headers[] = {"Content-Type: application/json", named, signed_by, NULL};
    const struct outbound_options options = {.method = "POST",
                                             .url = url,
                                             .headers = headers,
                                             .body = body->data,
                                             .body_len = body->len,
                                             .total_ms = SIGNED_POST_TOTAL_MS,
                                             .max_body = BODY_MAX};
    return outbound_start(outbound, &options, on_end, arg);
}

bool signed_post_taken(const struct outbound_response *response, char error[SIGNED_POST_ERROR_SIZE])
{
    error[0] = '\0';
    if (response->failure != OUTBOUND_OK)
        snprintf(error, SIGNED_POST_ERROR_SIZE, "%s: %.200s",
                 outbound_failure_name(response->failure),
                 response->error != NULL ? response->error : "");
    else if (response->status < 200 || response->status > 299)
        snprintf(error, SIGNED_POST_ERROR_SIZE, "HTTP status %d", response->status);
    return error[0] == '\0';
}
