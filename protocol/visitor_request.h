/*
 * The bodies of what a visitor says beside the chat itself: feedback on an answer, a rating of
 * the conversation, the wish for a person, and who he is. Strict: an unknown field is refused
 * by name, null is the same as absent. Strings stay in the value's memory.
 */
#ifndef FD_PROTOCOL_VISITOR_REQUEST_H
#define FD_PROTOCOL_VISITOR_REQUEST_H

#include "protocol/chat_request.h"

#define FD_COMMENT_MAX 1000 /* characters */
#define FD_REASON_MAX  500  /* characters */
#define FD_NAME_MAX    200  /* bytes, as the rest */
#define FD_EMAIL_MAX   254
#define FD_PHONE_MAX   40
#define FD_USER_HASH   64 /* hexadecimal digits */

#define FD_FEEDBACK_UP   "up"
#define FD_FEEDBACK_DOWN "down"

/* What a visitor says of himself; nobody has checked it. */
struct fd_contact {
    struct fd_text name, email, phone;
};

/* messages/:id/feedback */
struct fd_feedback_request {
    const char *rating; /* one of the two words; NULL takes it back */
    struct fd_text comment;
};

/* sessions/:id/rating */
struct fd_rating_request {
    int score; /* 1 to 5 */
    struct fd_text comment;
};

/* sessions/:id/handoff */
struct fd_handoff_request {
    struct fd_text reason;
    struct fd_contact contact;
};

/* sessions/:id/identify: exactly one of token, user_id and profile. */
struct fd_identify_request {
    struct fd_text token;
    struct fd_text user_id, user_hash;
    bool has_profile;
    struct fd_contact contact; /* of the profile; name and email beside user_id */
};

/* Each false: `fault` is filled. */
bool fd_feedback_request_read(const struct fd_json *body, struct fd_feedback_request *request,
                              struct fd_field_fault *fault);
bool fd_rating_request_read(const struct fd_json *body, struct fd_rating_request *request,
                            struct fd_field_fault *fault);
bool fd_handoff_request_read(const struct fd_json *body, struct fd_handoff_request *request,
                             struct fd_field_fault *fault);
bool fd_identify_request_read(const struct fd_json *body, struct fd_identify_request *request,
                              struct fd_field_fault *fault);

/* An address that a mail might reach: one "@", a dot behind it, nothing invisible. */
bool fd_email_shaped(const char *s, size_t len);

#endif
