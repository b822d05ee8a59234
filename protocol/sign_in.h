/*
 * Sign-in: what a signed-in user's cookie says, and the proof that a page of ours sent a
 * request. `frontdesk admin` makes both, nginx checks them without asking anybody; only
 * whether a session was ended before its time is looked up (FD_KEY_ENDED).
 */
#ifndef FD_PROTOCOL_SIGN_IN_H
#define FD_PROTOCOL_SIGN_IN_H

#include "protocol/ids.h"
#include "protocol/jwt.h"

/* The first name where the browser will have it, else (plain HTTP on loopback) the other. */
#define FD_SIGN_IN_COOKIE_HOST  "__Host-frontdesk"
#define FD_SIGN_IN_COOKIE_PLAIN "frontdesk"
#define FD_SIGN_IN_CSRF_SUFFIX  "-csrf" /* of the cookie that scripts may read */
#define FD_SIGN_IN_CSRF_HEADER  "X-Frontdesk-CSRF"

#define FD_SIGN_IN_ACCESS_MAX_S 3600 /* claims are never good for longer */
#define FD_SIGN_IN_SECRET_LEN   32
#define FD_SIGN_IN_NONCE_LEN    22 /* base64url of 128 random bits */
#define FD_SIGN_IN_NONCE_SIZE   23
#define FD_SIGN_IN_CSRF_LEN     43
#define FD_SIGN_IN_CSRF_SIZE    44
#define FD_SIGN_IN_TOKEN_SIZE   1024

/* Of the secret that tags conversations (fd:meta), one each. */
struct fd_sign_in_keys {
    unsigned char claims[FD_SIGN_IN_SECRET_LEN];
    unsigned char csrf[FD_SIGN_IN_SECRET_LEN];
};

struct fd_sign_in {
    const char *user;    /* uuid */
    const char *org;     /* uuid */
    const char *role;    /* client, staff, admin, owner, superadmin */
    const char *team;    /* uuid; NULL: none is active */
    const char *session; /* uuid */
    const char *nonce;   /* of these claims: renewing needs the newest */
    int64_t issued;      /* unix s */
    int64_t expires;
};

void fd_sign_in_derive(struct fd_sign_in_keys *keys,
                       const unsigned char session_key[FD_SESSION_KEY_LEN]);

void fd_sign_in_nonce(char out[FD_SIGN_IN_NONCE_SIZE]);
/* The token's length; 0: a value is too long for it. */
size_t fd_sign_in_write(char token[FD_SIGN_IN_TOKEN_SIZE], const struct fd_sign_in_keys *keys,
                        const struct fd_sign_in *claims);
/* FD_JWT_OK and FD_JWT_EXPIRED fill *claims, all of whose values have been checked. */
enum fd_jwt_fault fd_sign_in_read(const char *token, size_t len, const struct fd_sign_in_keys *keys,
                                  int64_t now_s, struct fd_alloc alloc, struct fd_sign_in *claims);

/* What FD_SIGN_IN_CSRF_HEADER has to hold in a session. */
void fd_sign_in_csrf(char out[FD_SIGN_IN_CSRF_SIZE], const struct fd_sign_in_keys *keys,
                     const char *session);
/* In constant time. */
bool fd_sign_in_csrf_valid(const char *s, size_t len, const struct fd_sign_in_keys *keys,
                           const char *session);

#endif
