/*
 * A job as Redis holds it: the fields of its entry in fd:jobs (written once, by
 * admit.lua) and of its hash fd:job (the state that scripts guard by epoch).
 */
#ifndef FD_PROTOCOL_JOB_H
#define FD_PROTOCOL_JOB_H

/* entry of fd:jobs */
#define FD_JOB_ID       "job"
#define FD_JOB_ORG      "org"
#define FD_JOB_SESSION  "session"
#define FD_JOB_REQUEST  "request"  /* nginx's request id, for the logs of both halves */
#define FD_JOB_KEY      "key"      /* api key id, never the key */
#define FD_JOB_KIND     "kind"     /* pk or sk */
#define FD_JOB_DEADLINE "deadline" /* unix ms, Redis's clock */
#define FD_JOB_ACCEPTED "accepted" /* unix ms, Redis's clock */
#define FD_JOB_STARTED  "started"  /* 1: this request started the session */
#define FD_JOB_ADDRESS  "address"  /* client address after realip */
#define FD_JOB_ORIGIN   "origin"   /* Origin header, "" if none */
#define FD_JOB_BODY     "body"     /* chat_request.h, canonical JSON, no credential */
/* only where the month's messages are used up and the plan slows down instead of refusing */
#define FD_JOB_OVER_QUOTA "over"
#define FD_JOB_DOOR       "door" /* absent, or: the body is completion_request.h's */
#define FD_DOOR_OPENAI    "openai"
#define FD_JOB_CHANNEL    "channel" /* absent, or: it came by a webhook, tenant/channels.h */
#define FD_JOB_TEST       "test"    /* absent, or: an operator asks, chat/test_chat.h */

/* hash fd:job: org, session, state, epoch, owner, crashes, cancel, deadline,
 * hash, entry, bytes, and of an operator's test the tester. States: */
#define FD_JOB_TESTER    "tester"
#define FD_JOB_QUEUED    "queued"
#define FD_JOB_RUNNING   "running"
#define FD_JOB_DONE      "done"
#define FD_JOB_FAILED    "failed"
#define FD_JOB_CANCELLED "cancelled"
#define FD_JOB_DEAD      "dead"

#endif
