/* protocol/jwt.h: whatever stands for a token; and one with its signature made right, so that
 * what lies behind the signature is reached. */
#include "core/arena.h"
#include "protocol/jwt.h"

#include <sodium.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char secret[] = "a secret of thirty-two bytes or more";

static enum fd_jwt_fault verify(struct arena *a, const char *token, size_t len)
{
    const struct fd_jwt_check check = {secret, sizeof(secret) - 1, 1700000000, 60};
    const struct fd_json *claims = NULL;
    enum fd_jwt_fault fault = fd_jwt_verify(token, len, &check, arena_allocator(a), &claims);
    if ((fault == FD_JWT_OK) != (claims != NULL) || fd_jwt_fault_text(fault) == NULL)
        abort();
    if (fault == FD_JWT_OK && fd_json_get(claims, "exp") == NULL)
        abort();
    return fault;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    char token[FD_JWT_MAX + 1];
    if (sodium_init() < 0)
        abort();
    arena_init(&a);
    verify(&a, (const char *)data, size);
    size_t len =
        fd_jwt_sign(token, sizeof(token), (const char *)data, size, secret, sizeof(secret) - 1);
    if (len > 0) {
        enum fd_jwt_fault fault = verify(&a, token, len);
        if (fault == FD_JWT_SHAPE || fault == FD_JWT_HEADER || fault == FD_JWT_SIGNATURE)
            abort();
    }
    arena_free(&a);
    return 0;
}
