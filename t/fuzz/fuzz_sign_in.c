/* EDGE-8: what stands in a cookie, as it is and signed as if it were ours: whatever is taken
 * for claims has values of the right shape. And a record of a change: what comes out is JSON
 * whatever came in. */
#include "core/arena.h"
#include "protocol/sign_in.h"
#include "tenant/audit.h"

#include <sodium.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NOW 1800000000

static const unsigned char secret[FD_SESSION_KEY_LEN] = "the secret of the conversations";

static void read_claims(const struct fd_sign_in_keys *keys, const char *token, size_t len)
{
    struct fd_sign_in claims = {0};
    struct arena a;

    arena_init(&a);
    enum fd_jwt_fault fault = fd_sign_in_read(token, len, keys, NOW, arena_allocator(&a), &claims);
    if (fault == FD_JWT_OK || fault == FD_JWT_EXPIRED) {
        if (!fd_uuid_valid(claims.user, strlen(claims.user)) ||
            !fd_uuid_valid(claims.org, strlen(claims.org)) ||
            !fd_uuid_valid(claims.session, strlen(claims.session)) ||
            (claims.team != NULL && !fd_uuid_valid(claims.team, strlen(claims.team))) ||
            strlen(claims.nonce) != FD_SIGN_IN_NONCE_LEN ||
            (fault == FD_JWT_OK) != (claims.expires > NOW))
            abort();
    }
    arena_free(&a);
}

static void mask(const char *text, size_t len)
{
    struct fd_json_fault fault;
    struct arena a;
    struct buf out;

    arena_init(&a);
    buf_init(&out, 8 * AUDIT_JSON_MAX);
    if (audit_mask(text, len, NULL, &out) &&
        fd_json_parse(out.data, out.len, (struct fd_json_limits){.depth = 32, .nodes = 1 << 20},
                      arena_allocator(&a), &fault) == NULL)
        abort();
    buf_free(&out);
    arena_free(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fd_sign_in_keys keys;
    char token[FD_JWT_MAX + 1];

    if (sodium_init() < 0)
        abort();
    fd_sign_in_derive(&keys, secret);
    read_claims(&keys, (const char *)data, size);
    size_t len = fd_jwt_sign(token, sizeof(token), (const char *)data, size, keys.claims,
                             sizeof(keys.claims));
    if (len > 0)
        read_claims(&keys, token, len);
    fd_sign_in_csrf_valid((const char *)data, size, &keys, "5eed0000-0000-4000-8000-00000000000c");
    mask((const char *)data, size);
    return 0;
}
