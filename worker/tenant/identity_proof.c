#include "tenant/identity_proof.h"

#include "protocol/jwt.h"
#include "protocol/limits.h"
#include "protocol/visitor_request.h"

#include <sodium.h>
#include <string.h>

#define MAC_SIZE crypto_auth_hmacsha256_BYTES

static bool is_line(const char *text, size_t most)
{
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return false;
    }
    return len > 0 && len <= most;
}

/* A claim that is absent, null or empty is none; false: it is something else than a line. */
static bool read_claim(const struct fd_json *claims, const char *name, size_t most,
                       const char **value)
{
    const struct fd_json *claim = fd_json_get(claims, name);
    *value = NULL;
    if (claim == NULL || claim->type == FD_JSON_NULL ||
        (claim->type == FD_JSON_STRING && claim->text_len == 0))
        return true;
    if (claim->type != FD_JSON_STRING || !is_line(claim->text, most))
        return false;
    *value = claim->text;
    return true;
}

static bool read_claims(const struct fd_json *claims, struct identity *identity, const char **why)
{
    if (!read_claim(claims, "sub", FD_USER_ID_MAX, &identity->user_id) || identity->user_id == NULL)
        *why = "the token's sub must be the user's id, a text of 1 to 256 bytes";
    else if (!read_claim(claims, "name", FD_NAME_MAX, &identity->name))
        *why = "the token's name must be a text of 1 to 200 bytes";
    else if (!read_claim(claims, "email", FD_EMAIL_MAX, &identity->email) ||
             (identity->email != NULL &&
              !fd_email_shaped(identity->email, strlen(identity->email))))
        *why = "the token's email must be an e-mail address";
    else
        return true;
    return false;
}

bool identity_token_check(struct arena *a, const struct identity_secrets *secrets,
                          const char *token, size_t len, int64_t now_s, struct identity *identity,
                          const char **why)
{
    const struct fd_json *claims = NULL;
    enum fd_jwt_fault fault = FD_JWT_SIGNATURE;
    for (size_t i = 0; i < secrets->count && fault == FD_JWT_SIGNATURE; i++) {
        const struct fd_jwt_check check = {secrets->list[i], strlen(secrets->list[i]), now_s,
                                           IDENTITY_LEEWAY_S};
        fault = fd_jwt_verify(token, len, &check, arena_allocator(a), &claims);
    }
    *why =
        secrets->count == 0 ? "this organisation has no identity secret" : fd_jwt_fault_text(fault);
    return fault == FD_JWT_OK && read_claims(claims, identity, why);
}

bool identity_hash_check(const struct identity_secrets *secrets, const char *user_id,
                         const char *hash)
{
    unsigned char given[MAC_SIZE], right[MAC_SIZE];
    crypto_auth_hmacsha256_state state;
    size_t len = strlen(hash), given_len;
    bool same = false;
    if (len != 2 * MAC_SIZE ||
        sodium_hex2bin(given, sizeof(given), hash, len, NULL, &given_len, NULL) != 0 ||
        given_len != sizeof(given))
        return false;
    for (size_t i = 0; i < secrets->count; i++) {
        crypto_auth_hmacsha256_init(&state, (const unsigned char *)secrets->list[i],
                                    strlen(secrets->list[i]));
        crypto_auth_hmacsha256_update(&state, (const unsigned char *)user_id, strlen(user_id));
        crypto_auth_hmacsha256_final(&state, right);
        same = sodium_memcmp(given, right, sizeof(right)) == 0 || same;
    }
    sodium_memzero(&state, sizeof(state));
    sodium_memzero(right, sizeof(right));
    return same;
}
