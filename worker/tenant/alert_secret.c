#include "tenant/alert_secret.h"

#include "core/vault.h"
#include "protocol/ids.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define MADE_BYTES 32
#define SEALED_MAX (ALERT_SECRET_MAX + VAULT_OVERHEAD)

static void context_of(char context[160], const char *org)
{
    snprintf(context, 160, "%s|org_ai_settings|%s|alert_webhook_secret", org, org);
}

void alert_secret_make(char secret[ALERT_SECRET_SIZE])
{
    unsigned char bytes[MADE_BYTES];

    fd_random(bytes, sizeof(bytes));
    sodium_bin2hex(secret, ALERT_SECRET_SIZE, bytes, sizeof(bytes));
    sodium_memzero(bytes, sizeof(bytes));
}

bool alert_secret_seal(const char *vault_keys, const char *org, const char *secret,
                       char sealed[ALERT_SEALED_SIZE], char error[256])
{
    unsigned char bytes[SEALED_MAX];
    char context[160];
    struct vault vault;
    size_t len = strlen(secret);

    if (len < ALERT_SECRET_MIN || len > ALERT_SECRET_MAX) {
        snprintf(error, 256, "a secret has %d to %d bytes", ALERT_SECRET_MIN, ALERT_SECRET_MAX);
        return false;
    }
    if (!vault_load(&vault, vault_keys, error)) {
        vault_wipe(&vault);
        return false;
    }
    context_of(context, org);
    vault_seal(&vault, context, secret, len, bytes);
    vault_wipe(&vault);
    memcpy(sealed, "\\x", 2);
    sodium_bin2hex(sealed + 2, ALERT_SEALED_SIZE - 2, bytes, len + VAULT_OVERHEAD);
    return true;
}

bool alert_secret_open(const char *vault_keys, const char *org, const char *hex,
                       char secret[ALERT_SECRET_SIZE], char error[256])
{
    unsigned char bytes[SEALED_MAX];
    char context[160];
    struct vault vault;
    size_t len;

    if (sodium_hex2bin(bytes, sizeof(bytes), hex, strlen(hex), NULL, &len, NULL) != 0 ||
        len <= VAULT_OVERHEAD) {
        snprintf(error, 256, "the signing secret is not one");
        return false;
    }
    if (!vault_load(&vault, vault_keys, error)) {
        vault_wipe(&vault);
        return false;
    }
    context_of(context, org);
    enum vault_result result = vault_open(&vault, context, bytes, len, secret);
    vault_wipe(&vault);
    if (result != VAULT_OK) {
        snprintf(error, 256, "the signing secret %s; set the webhook anew",
                 result == VAULT_UNKNOWN_KEY ? "was sealed with a key that is gone"
                                             : "does not open");
    }
    return result == VAULT_OK;
}
