/* protocol/visitor_request.h: whatever body a visitor sends. */
#include "core/arena.h"
#include "protocol/limits.h"
#include "protocol/visitor_request.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void bounded(const struct fd_text *text, size_t most)
{
    if (text->s != NULL && (text->len == 0 || text->len > most || strlen(text->s) != text->len))
        abort();
}

static void told(bool read, const struct fd_field_fault *fault)
{
    if (!read && fault->detail[0] == '\0')
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fd_feedback_request feedback;
    struct fd_rating_request rating;
    struct fd_handoff_request handoff;
    struct fd_identify_request identify;
    struct fd_field_fault fault = {"", ""};
    struct fd_json_fault json_fault;
    struct arena a;
    arena_init(&a);
    const struct fd_json *body = fd_json_parse((const char *)data, size, (struct fd_json_limits){0},
                                               arena_allocator(&a), &json_fault);
    told(fd_feedback_request_read(body, &feedback, &fault), &fault);
    bounded(&feedback.comment, 4 * FD_COMMENT_MAX);
    if (fd_rating_request_read(body, &rating, &fault) && (rating.score < 1 || rating.score > 5))
        abort();
    told(fd_handoff_request_read(body, &handoff, &fault), &fault);
    bounded(&handoff.reason, 4 * FD_REASON_MAX);
    bounded(&handoff.contact.email, FD_EMAIL_MAX);
    bounded(&handoff.contact.phone, FD_PHONE_MAX);
    bool proves = fd_identify_request_read(body, &identify, &fault);
    told(proves, &fault);
    bounded(&identify.token, FD_IDENTITY_MAX);
    if (proves && (identify.user_id.s != NULL) != (identify.user_hash.s != NULL))
        abort();
    arena_free(&a);
    return 0;
}
