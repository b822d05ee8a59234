/*
 * A call: a short question nginx asks a worker over the live Redis (fd:calls),
 * answered once by PUBLISH to the asking process's channel, dropped when late.
 *
 * Entry fields: id (nginx's, unique in its process), op, reply (channel name),
 * request (request id), deadline (unix ms), org, session, job, args (JSON).
 * Answer: "<id> <status> <json>"; status is an HTTP status, json the body of
 * the response (a problem document when status >= 400).
 */
#ifndef FD_PROTOCOL_CALL_H
#define FD_PROTOCOL_CALL_H

#define FD_CALL_HISTORY "session.history" /* args {limit, cursor} -> {messages, next_cursor} */
#define FD_CALL_END     "session.end"     /* -> {session_id, status} */
#define FD_CALL_FEEDBACK                                                                           \
    "message.feedback"                    /* args {message_id, body}; session "" = any of the org */
#define FD_CALL_RATING   "session.rating" /* args {body}, as of the next two: visitor_request.h */
#define FD_CALL_HANDOFF  "session.handoff"
#define FD_CALL_IDENTIFY "session.identify"
#define FD_CALL_TYPING   "session.typing" /* args {body}: {}; -> {status} */
#define FD_CALL_MODELS   "models.list"    /* args {model?} -> OpenAI's list, or that one */
#define FD_CALL_OUTCOME                                                                            \
    "tool.outcome" /* args {call, outcome}: of a call of the org's tools, which comes late; its    \
                      token was checked. -> {status: "stored"}; 404 unknown, 409 not awaited */
#define FD_CALL_REPLAY                                                                             \
    "job.replay" /* job: write its events anew from PostgreSQL;                                    \
                    200 {} or 404; org, session checked ("" = any session                          \
                    of the org) */

#endif
