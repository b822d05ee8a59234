/*
 * Visitor: what a visitor says of answers and of the conversation, and who he has proven to be.
 * Straight-line functions for a pool thread; each may be repeated.
 */
#ifndef FD_CHAT_VISITOR_H
#define FD_CHAT_VISITOR_H

#include "chat/store.h"
#include "protocol/visitor_request.h"
#include "tenant/identity_proof.h"

/* session "" = any of the org. *found false: no answer of it has this id. */
enum db_status visitor_feedback(struct db *db, const char *org, const char *session,
                                const char *message, const struct fd_feedback_request *request,
                                bool *found);

/* *found false: there is nothing to rate yet. */
enum db_status visitor_rate(struct db *db, const char *org, const char *session,
                            const struct fd_rating_request *request, bool *found);

/* Binds the conversation to a verified user; its row is made where there is none. *bound false:
 * it is another user's. */
enum db_status visitor_bind(struct db *db, const char *org, const char *session,
                            const struct identity *identity, bool *bound);

/* The verified user of a conversation; *identity is empty where there is none. */
enum db_status visitor_identity(struct db *db, struct arena *a, const char *org,
                                const char *session, struct identity *identity);

/* What he says of himself, beside what he said before. */
enum db_status visitor_introduce(struct db *db, const char *org, const char *session,
                                 const struct fd_contact *contact);
/* {name, email, phone}: what of it is known. */
bool visitor_contact_json(const struct fd_contact *contact, struct buf *out);

#endif
