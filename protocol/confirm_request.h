/*
 * The body of POST /api/v1/chat/:id/confirm: {call_id, decision}, what a `confirm` event
 * asked and what the visitor says to it.
 */
#ifndef FD_PROTOCOL_CONFIRM_REQUEST_H
#define FD_PROTOCOL_CONFIRM_REQUEST_H

#include "protocol/chat_request.h"

#define FD_CONFIRM_ACCEPT  "accept"
#define FD_CONFIRM_DECLINE "decline"

#define FD_CALL_ID_LEN 26 /* "c_" and 24 hex digits */

struct fd_confirm_request {
    struct fd_text call_id;
    const char *decision; /* one of the two words above */
};

bool fd_confirm_request_read(const struct fd_json *body, struct fd_confirm_request *request,
                             struct fd_field_fault *fault);

#endif
