/*
 * The people of a conversation, as far as a job has to know: a person of the organisation who
 * has it, so that no model answers; who the visitor has proven to be; and the offer of a person,
 * once a conversation. Private to job*.c.
 */
#ifndef FD_CHAT_JOB_PEOPLE_H
#define FD_CHAT_JOB_PEOPLE_H

#include "chat/job_states.h"

/* Asks live whether a person may have the conversation (JOB_EV_MARK); before its history. */
void job_mark_ask(struct job *job);
bool job_is_marked(const redisReply *reply);
/* A person has it: the message is stored, nobody else answers. */
enum job_state job_leave_to_person(struct job *job);
/* A person took it while this ran: what the visitor began to read ends here. */
enum job_state job_taken(struct job *job);
/* The message is stored: tell whoever looks at conversations. */
void job_tell_person(struct job *job);
/* The conversation has changed in PostgreSQL, if it has: the same. */
void job_tell_change(struct job *job);

/* Has the visitor to be looked up before the model is asked? */
bool job_visitor_wanted(const struct job *job);
enum job_state job_visitor_take(struct job *job, const struct job_op *op);

/* What the question or the answer says that a person should be offered. */
void job_offer_at_question(struct job *job);
/* How the message sounds is as well known as it will be; once. */
void job_offer_by_mood(struct job *job);
void job_offer_at_answer(struct job *job);
void job_offer_at_failure(struct job *job);
/* PostgreSQL said whether this is the first time. */
void job_offer_take(struct job *job, const struct job_op *op);
/* The notice, once the answer has begun; it may be called again. */
void job_tell_offer(struct job *job);

#endif
