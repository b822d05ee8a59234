/*
 * Reset_mail: links to a new password for who forgot theirs, handed to the platform's webhook
 * (ADM-1). Asking writes one row, whatever the address; who has it, is looked up by the process
 * that takes the row. So neither an answer nor its time tells who has an account.
 */
#ifndef FD_TENANT_RESET_MAIL_H
#define FD_TENANT_RESET_MAIL_H

#include "core/arena.h"
#include "core/buf.h"
#include "db/db.h"
#include "tenant/sign_in.h"

#define RESET_MEANT_MAX     4 /* users with one address: each has a mail of its own */
#define RESET_MAIL_ID_SIZE  33
#define RESET_MAIL_BODY_MAX 8192

struct reset_asked {
    const char *email;
    const char *language; /* NULL: not said */
    const char *address;  /* of the client */
    const char *request_id;
};

enum db_status reset_mail_ask(struct db *db, const struct reset_asked *asked);

/* One to send; in the arena. */
struct reset_mail {
    char id[RESET_MAIL_ID_SIZE]; /* of this token: the receiver knows a second time by it */
    char token[SIGN_IN_TOKEN_SIZE];
    const char *org;
    const char *organization;
    const char *user;
    const char *email; /* the user's, not what was typed */
    const char *name;
    const char *language;
    const char *expires_at;
};

struct reset_taken {
    const char *request; /* NULL: nobody waits */
    size_t count;        /* 0: there is nothing to send */
    struct reset_mail mails[RESET_MEANT_MAX];
};

/* Takes a request for `hold_s` seconds and makes the users' tokens, each with a row of the audit
 * log. A request is kept for an hour. */
enum db_status reset_mail_take(struct db *db, struct arena *a, int hold_s,
                               struct reset_taken *taken);
/* It was sent, or given up. */
enum db_status reset_mail_end(struct db *db, const char *request);
/* Housekeeping: those whose hour is over, whether anybody could mail them or not. */
enum db_status reset_mail_forget(struct db *db);

/* {type, email, name, organization, language?, url, expires_at} */
bool reset_mail_body(const struct reset_mail *mail, const char *public_url, struct buf *out);

#endif
