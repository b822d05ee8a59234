/*
 * Offer: what a job asks of PostgreSQL about the people of its conversation: whether a person
 * may be offered now, and who the visitor is. Straight-line functions for a pool thread.
 */
#ifndef FD_CHAT_OFFER_H
#define FD_CHAT_OFFER_H

#include "chat/store.h"
#include "tenant/identity_proof.h"

enum offer_when {
    OFFER_ASKED,      /* the visitor asks for one */
    OFFER_UPSET,      /* is upset */
    OFFER_REPEATED,   /* asks the same for the third time */
    OFFER_SUGGESTED,  /* the answer says that he should ask */
    OFFER_UNGROUNDED, /* where the sources and tools had nothing to say the last time either */
    OFFER_FAILING     /* where the job before failed, too */
};

/* *first: it has not been offered in this conversation, and is due: it counts as offered. */
enum db_status offer_make(struct db *db, const struct store_job *job, enum offer_when when,
                          bool *first);

struct offer_visitor {
    struct identity identity; /* user_id NULL: nobody has proven anything */
    const char *unproven;     /* what is wrong with the token, or NULL */
    bool foreign;             /* the conversation is another user's */
};

/* Proves and binds where the request has a token, and says who it is. */
enum db_status offer_visitor(struct db *db, struct arena *a, const char *vault_keys,
                             const struct store_job *job, struct offer_visitor *visitor);

#endif
