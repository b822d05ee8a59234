/*
 * Sign_in: from an address and a password to a user, and the two ways in without one: the
 * first user's set-up and a reset token (ADM-1). Tokens are 256 random bits, stored as
 * their hash, good once.
 */
#ifndef FD_TENANT_SIGN_IN_H
#define FD_TENANT_SIGN_IN_H

#include "core/arena.h"
#include "db/db.h"
#include "protocol/ids.h"
#include "tenant/password.h"

#include <stddef.h>

#define SIGN_IN_MEANT_MAX   4
#define SIGN_IN_TOKEN_SIZE  44
#define RESET_LIFE_S        3600
#define SETUP_LIFE_S        86400
#define RESET_MAILS_AN_HOUR 3 /* of one user */
#define ACCOUNT_FREE_TRIES  5 /* in an hour; then each wait is twice the one before */
#define ACCOUNT_WAIT_MAX_S  60
#define ANYWHERE_FREE_TRIES 100
#define ANYWHERE_WAIT_MAX_S 10
#define ADDRESS_FREE_TRIES  30
#define ADDRESS_WAIT_MAX_S  900

/* An account is an e-mail address, which may have several users, as it is tried from one network
 * (sign_in_from()): a stranger's tries delay the stranger. Anywhere it is the address alone, for
 * strangers who have many networks. A user, signed in already, is an id. Who forgot the password
 * names an account as well, and does not delay those who know it. */
enum sign_in_subject {
    SIGN_IN_ACCOUNT,
    SIGN_IN_ANYWHERE,
    SIGN_IN_ADDRESS,
    SIGN_IN_USER,
    SIGN_IN_FORGOT
};

/* The e-mail address and the network of the other one; in the arena. */
const char *sign_in_from(struct arena *a, const char *email, const char *address);

/* Counts a try; *wait_s > 0: it must not be made yet. */
enum db_status sign_in_try(struct db *db, enum sign_in_subject subject, const char *name,
                           int *wait_s);
/* It was one with the right password: takes back this try and none before it, as a user of
 * one's own must not buy guesses at others'. */
enum db_status sign_in_forgive(struct db *db, enum sign_in_subject subject, const char *name);

/* Who has this address and password: a person may be a user of several organisations. */
struct sign_in_found {
    size_t count;
    struct {
        char org[37];
        char name[201];
        char user[37];
        char hash[PASSWORD_HASH_SIZE]; /* of the password, for user_session_start() */
    } at[SIGN_IN_MEANT_MAX];
};

/* Takes as long for an address that nobody has. `organization` (id or name, NULL: any). A
 * hash of other parameters than today's is replaced. */
enum db_status sign_in_check(struct db *db, const char *email, const char *password,
                             const char *organization, struct sign_in_found *found);

/* In the audit logs of those whose address was tried; waits for no disk, so that it takes as long
 * for an address that nobody has. */
enum db_status sign_in_note_failure(struct db *db, const char *email, const char *organization,
                                    const char *address, const char *request_id);

/* Has this user this password? */
enum db_status sign_in_proves(struct db *db, const char *org, const char *user,
                              const char *password, bool *right);

/* Of a user whose role is not above `rank`; the tokens before it are void. */
enum db_status reset_token_make(struct db *db, const char *org, const char *user, int rank,
                                char token[SIGN_IN_TOKEN_SIZE]);
/* The same for tenant/reset_mail.h, whatever the role. DB_FAILED without a SQLSTATE: the user may
 * not have one, or not now. */
enum db_status reset_token_mail(struct db *db, const char *org, const char *user,
                                char token[SIGN_IN_TOKEN_SIZE]);
/* DB_FAILED with db_error(): the token is not good, or the password is not; then the token
 * still is. *ended as in user_sessions.h. */
enum db_status reset_password(struct db *db, const char *token, const char *password, char org[37],
                              char user[37], PGresult **ended);

/* Deletes tokens that are good no more, of all organisations: a week after they were. */
enum db_status sign_in_forget_tokens(struct db *db);

/* DB_FAILED: there are users already. */
enum db_status setup_token_make(struct db *db, char token[SIGN_IN_TOKEN_SIZE]);
enum db_status setup_open(struct db *db, bool *open);

struct setup {
    const char *token;
    const char *organization;
    const char *email;
    const char *name; /* NULL: none */
    const char *password;
};

struct setup_made {
    char org[37];
    char user[37];
    char key[FD_API_KEY_SIZE]; /* publishable; no site may use it yet */
};

/* *done false: the token is not good (any more), or somebody was faster. */
enum db_status setup_run(struct db *db, const struct setup *setup, bool *done,
                         struct setup_made *made);

#endif
