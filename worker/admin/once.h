/*
 * Once: the Idempotency-Key of a POST. Who comes first claims the key; the answer is kept with
 * what it answers, in the same transaction, for a day, so that whoever comes again is told it.
 * What commits in steps is not undone by a lost answer: its claim is never taken over.
 * An answer may hold a secret that is told once (a key, a token): it is sealed, under a key
 * made of the idempotency key, which is not stored, and of the token that nginx sends.
 */
#ifndef FD_ADMIN_ONCE_H
#define FD_ADMIN_ONCE_H

#include "admin/admin.h"
#include "protocol/ids.h"

#define ONCE_KEY_MAX  255
#define ONCE_KEYS_MAX 10000 /* of an organisation in a day */

struct once {
    char key_sha256[FD_SHA256_HEX_SIZE];
    char request_sha256[FD_SHA256_HEX_SIZE];
    char claim[FD_SHA256_HEX_SIZE]; /* random: of this try */
    bool lost;                      /* another try has it by now */
};

/* `held`: once_hold() follows at once; else it is done in steps, and is taken to run for as
 * long as a request may take. False: the reply says what was answered before, or why this is not
 * done now. */
bool once_claim(struct once *once, const struct admin_request *request, bool held,
                struct admin_reply *reply);
/* In the open transaction: as long as it lasts nobody takes the claim over, however long that
 * is, and when its process dies somebody may at once. */
enum db_status once_hold(const struct once *once, const struct admin_request *request);
/* Keeps the answer, before the commit if there is one; DB_CONFLICT where the claim is lost. */
enum db_status once_keep(struct once *once, const struct admin_request *request,
                         const struct admin_reply *reply);
/* What another try's being at it is answered with. */
void once_refuse(const struct admin_request *request, struct admin_reply *reply);
/* It was done in steps, and its answer is not kept: whoever comes again is told so. */
void once_forget_answer(const struct once *once, const struct admin_request *request);
/* Nothing was done: the key is free again. */
void once_release(const struct once *once, const struct admin_request *request);

#endif
