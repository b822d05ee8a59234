/*
 * Events of an answer. On every hop (field `f` of fd:ev, payload of fd:ch, the
 * client's socket) an event is the same bytes, its server-sent-events frame
 * (WHATWG HTML, "Server-sent events"):
 *
 *     id: <epoch>-<n> LF event: <name> LF data: <one line of JSON> LF LF
 *
 * so nginx relays by copying. JSON escapes every control character, so data can
 * forge neither a field nor a frame.
 */
#ifndef FD_PROTOCOL_EVENT_H
#define FD_PROTOCOL_EVENT_H

#include "protocol/ids.h"

enum fd_event_type {
    FD_EVENT_META,     /* {message_id, conversation_id, session_id, model, tier, intent, reasons} */
    FD_EVENT_DELTA,    /* {text} */
    FD_EVENT_TOOL,     /* {call_id, name, status, ms} */
    FD_EVENT_CONFIRM,  /* {call_id, summary, expires_at} */
    FD_EVENT_CITATION, /* {id, label} */
    FD_EVENT_NOTICE,   /* {kind, text} */
    FD_EVENT_RESET,    /* {attempt}: forget what was shown, it comes anew */
    FD_EVENT_DONE,     /* {finish_reason, usage, cost, citations, cached}; terminal */
    FD_EVENT_ERROR,    /* problem document with `retryable`; terminal */
    FD_EVENT_CANCELLED, /* {}; terminal */
    FD_EVENT_ANSWER,    /* {response, session_id, ...}: a job with stream = false; terminal */
    /* of a session's stream, fd:sev, whose events are numbered alike: n = 0 is a `sync` */
    FD_EVENT_SYNC,    /* {}: something may be missing, the history has it */
    FD_EVENT_MESSAGE, /* {message_id, role, name, text, created_at} */
    FD_EVENT_STATUS,  /* {status, name?} */
    /* of an organisation's stream, fd:oev, which has SYNC and MESSAGE {conversation_id, ...} too */
    FD_EVENT_CONVERSATION, /* {id, status, holder, name, version, ...}: it changed */
    FD_EVENT_ALERT,        /* {id, kind, subject, detail, created_at} */
    /* of an operator's test chat */
    FD_EVENT_TRACE, /* {step, at_ms, ...}: docs/test-chat.md */
    FD_EVENT_TYPES
};

/* What passes by on a channel, without an id and never stored: {name}, of an organisation's
 * {conversation_id, name, who}; and who looks at a conversation, {conversation_id, operators}. */
#define FD_EVENT_TYPING   "typing"
#define FD_EVENT_PRESENCE "presence"
/* Where a client's last id is not to be found any more. */
#define FD_EVENT_SYNC_FRAME "event: sync\ndata: {}\n\n"

/* Made by who streams, without an id: a client's last id stays what it was. */
#define FD_EVENT_PING_FRAME "event: ping\ndata: {}\n\n"

struct fd_event {
    struct fd_event_id id;
    enum fd_event_type type;
    const char *data; /* in the frame, not terminated */
    size_t data_len;
};

const char *fd_event_name(enum fd_event_type type);
bool fd_event_terminal(enum fd_event_type type);

/* Upper bound of a frame's size for `data_len` bytes of data. */
size_t fd_event_frame_bound(size_t data_len);
/* Writes a frame, returns its length. `data` must be one line. */
size_t fd_event_frame(char *out, struct fd_event_id id, enum fd_event_type type, const char *data,
                      size_t data_len);
/* Strict; false for anything fd_event_frame() would not have written. */
bool fd_event_parse(const char *frame, size_t len, struct fd_event *event);
/* A frame of what passes by; strict as well. */
bool fd_event_passing(const char *frame, size_t len);

/* The reader's rules of the hand-off, as a pure function. */
enum fd_event_verdict {
    FD_EVENT_WRITE,  /* it is the next one */
    FD_EVENT_IGNORE, /* seen already, or of an epoch that is over */
    FD_EVENT_BEHIND  /* something is missing: pull */
};
enum fd_event_verdict fd_event_judge(struct fd_event_id last, struct fd_event_id next);

#endif
