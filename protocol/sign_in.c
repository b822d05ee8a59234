#include "protocol/sign_in.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define VARIANT     sodium_base64_VARIANT_URLSAFE_NO_PADDING
#define KDF_CONTEXT "fdsignin"

/* A token is read although it has expired: whoever asks decides what it is still good for. */
#define ANY_AGE_S 3000000000

_Static_assert(FD_SESSION_KEY_LEN == crypto_kdf_KEYBYTES, "session key length");
_Static_assert(FD_SIGN_IN_SECRET_LEN == crypto_generichash_KEYBYTES, "csrf key length");

void fd_sign_in_derive(struct fd_sign_in_keys *keys,
                       const unsigned char session_key[FD_SESSION_KEY_LEN])
{
    crypto_kdf_derive_from_key(keys->claims, sizeof(keys->claims), 1, KDF_CONTEXT, session_key);
    crypto_kdf_derive_from_key(keys->csrf, sizeof(keys->csrf), 2, KDF_CONTEXT, session_key);
}

void fd_sign_in_nonce(char out[FD_SIGN_IN_NONCE_SIZE])
{
    unsigned char random[16];

    fd_random(random, sizeof(random));
    sodium_bin2base64(out, FD_SIGN_IN_NONCE_SIZE, random, sizeof(random), VARIANT);
}

/* Uuids, base64url and role names: nothing in them needs an escape. */
size_t fd_sign_in_write(char token[FD_SIGN_IN_TOKEN_SIZE], const struct fd_sign_in_keys *keys,
                        const struct fd_sign_in *c)
{
    char json[512];
    bool team = c->team != NULL;

    int len = snprintf(json, sizeof(json),
                       "{\"sub\":\"%s\",\"org\":\"%s\",\"role\":\"%s\",\"sid\":\"%s\","
                       "\"jti\":\"%s\",%s%s%s\"iat\":%lld,\"exp\":%lld}",
                       c->user, c->org, c->role, c->session, c->nonce, team ? "\"team\":\"" : "",
                       team ? c->team : "", team ? "\"," : "", (long long)c->issued,
                       (long long)c->expires);
    if (len < 0 || (size_t)len >= sizeof(json))
        return 0;
    return fd_jwt_sign(token, FD_SIGN_IN_TOKEN_SIZE, json, (size_t)len, keys->claims,
                       sizeof(keys->claims));
}

static const char *uuid(const struct fd_json *claims, const char *name)
{
    const char *value = fd_json_string(claims, name);

    return value != NULL && fd_uuid_valid(value, strlen(value)) ? value : NULL;
}

static const char *role_of(const struct fd_json *claims)
{
    static const char *const roles[] = {"client", "staff", "admin", "owner", "superadmin"};
    const char *value = fd_json_string(claims, "role");

    for (size_t i = 0; value != NULL && i < sizeof(roles) / sizeof(roles[0]); i++) {
        if (strcmp(value, roles[i]) == 0)
            return roles[i];
    }
    return NULL;
}

static const char *nonce_of(const struct fd_json *claims)
{
    const char *value = fd_json_string(claims, "jti");

    return value != NULL && strlen(value) == FD_SIGN_IN_NONCE_LEN &&
                   strspn(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                 "0123456789-_") == FD_SIGN_IN_NONCE_LEN
               ? value
               : NULL;
}

enum fd_jwt_fault fd_sign_in_read(const char *token, size_t len, const struct fd_sign_in_keys *keys,
                                  int64_t now_s, struct fd_alloc alloc, struct fd_sign_in *claims)
{
    const struct fd_jwt_check check = {.secret = keys->claims,
                                       .secret_len = sizeof(keys->claims),
                                       .now_s = now_s,
                                       .leeway_s = ANY_AGE_S};
    const struct fd_json *found;

    enum fd_jwt_fault fault = fd_jwt_verify(token, len, &check, alloc, &found);
    if (fault != FD_JWT_OK)
        return fault;
    *claims = (struct fd_sign_in){.user = uuid(found, "sub"),
                                  .org = uuid(found, "org"),
                                  .role = role_of(found),
                                  .team = uuid(found, "team"),
                                  .session = uuid(found, "sid"),
                                  .nonce = nonce_of(found),
                                  .issued = fd_json_int(found, "iat", 0),
                                  .expires = fd_json_int(found, "exp", 0)};
    if (claims->user == NULL || claims->org == NULL || claims->role == NULL ||
        claims->session == NULL || claims->nonce == NULL)
        return FD_JWT_CLAIMS;
    return now_s < claims->expires ? FD_JWT_OK : FD_JWT_EXPIRED;
}

void fd_sign_in_csrf(char out[FD_SIGN_IN_CSRF_SIZE], const struct fd_sign_in_keys *keys,
                     const char *session)
{
    unsigned char mac[32];

    crypto_generichash(mac, sizeof(mac), (const unsigned char *)session, strlen(session),
                       keys->csrf, sizeof(keys->csrf));
    sodium_bin2base64(out, FD_SIGN_IN_CSRF_SIZE, mac, sizeof(mac), VARIANT);
}

bool fd_sign_in_csrf_valid(const char *s, size_t len, const struct fd_sign_in_keys *keys,
                           const char *session)
{
    char right[FD_SIGN_IN_CSRF_SIZE];

    fd_sign_in_csrf(right, keys, session);
    return len == FD_SIGN_IN_CSRF_LEN && sodium_memcmp(s, right, FD_SIGN_IN_CSRF_LEN) == 0;
}
