/*
 * JSON Web Tokens in one shape only: the compact serialisation (RFC 7515) of a signed claims
 * set (RFC 7519) under HMAC-SHA-256 (RFC 7518, 3.2). There is no choice of algorithm: what a
 * header asks for is compared, never obeyed, and one with `crit` is refused (RFC 7515, 4.1.11).
 *
 * Pure: no clock, no I/O. A token is <base64url header>.<base64url claims>.<base64url mac>,
 * without padding.
 */
#ifndef FD_PROTOCOL_JWT_H
#define FD_PROTOCOL_JWT_H

#include "protocol/json.h"

#define FD_JWT_MAX        4096 /* bytes of a token that is looked at */
#define FD_JWT_SECRET_MIN 32   /* bytes; RFC 7518, 3.2: as long as the hash */

enum fd_jwt_fault {
    FD_JWT_OK,
    FD_JWT_SHAPE,     /* not three parts of base64url, or too long */
    FD_JWT_HEADER,    /* alg is not HS256, typ another than JWT, crit */
    FD_JWT_SIGNATURE, /* under this secret; nothing of the claims was looked at */
    FD_JWT_CLAIMS,    /* not an object of JSON, exp missing, a date that is none */
    FD_JWT_EXPIRED,   /* exp; now is after it by more than the leeway */
    FD_JWT_EARLY,     /* nbf; now is before it by more than the leeway */
    FD_JWT_NO_MEMORY
};

struct fd_jwt_check {
    const void *secret;
    size_t secret_len; /* at least FD_JWT_SECRET_MIN, else FD_JWT_SIGNATURE */
    int64_t now_s;     /* unix time */
    int64_t leeway_s;  /* for clocks that disagree */
};

/* Where two secrets count during a rotation: try the other one after FD_JWT_SIGNATURE.
 * *claims is set on FD_JWT_OK only. */
enum fd_jwt_fault fd_jwt_verify(const char *token, size_t len, const struct fd_jwt_check *check,
                                struct fd_alloc alloc, const struct fd_json **claims);
/* A sentence for a developer, without a secret in it. */
const char *fd_jwt_fault_text(enum fd_jwt_fault fault);

/* Signs `claims`, an object of JSON. The token's length; 0: `size` is too small for it and a
 * NUL, or the token would be longer than FD_JWT_MAX, or the secret is too short. */
size_t fd_jwt_sign(char *token, size_t size, const char *claims, size_t len, const void *secret,
                   size_t secret_len);

#endif
