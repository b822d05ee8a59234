/*
 * Vault: secrets of tenants (credentials, signing secrets) as they lie in PostgreSQL:
 * XChaCha20-Poly1305 with the platform's keys. What is sealed opens only where it was
 * sealed for: its context is authenticated with it, so that a row that is copied to
 * another organisation, table or column is worthless there.
 *
 * The keys are a file that only its owner may read, lines of "id hex"; the first seals,
 * every one opens. It is small and read for each use: a rotation needs no restart.
 */
#ifndef FD_CORE_VAULT_H
#define FD_CORE_VAULT_H

#include <stdbool.h>
#include <stddef.h>

#define VAULT_KEYS_MAX 8
#define VAULT_ID_MAX   8
#define VAULT_OVERHEAD 49 /* version, key id, nonce, tag */

struct vault {
    size_t count;
    struct vault_key {
        char id[VAULT_ID_MAX + 1];
        unsigned char bytes[32];
    } keys[VAULT_KEYS_MAX];
};

enum vault_result {
    VAULT_OK,
    VAULT_UNKNOWN_KEY, /* sealed with a key that is not in the file (any more) */
    VAULT_BROKEN       /* changed, cut, or sealed for another place */
};

/* path NULL: none is set. False: error says what is wrong with the file. */
bool vault_load(struct vault *vault, const char *path, char error[256]);
void vault_wipe(struct vault *vault);

/* `context` says whose and where: "org|table|row|field". sealed has len +
 * VAULT_OVERHEAD bytes; plain len - VAULT_OVERHEAD and a NUL. */
void vault_seal(const struct vault *vault, const char *context, const char *plain, size_t len,
                unsigned char *sealed);
enum vault_result vault_open(const struct vault *vault, const char *context,
                             const unsigned char *sealed, size_t len, char *plain);

/* A new first key; false: there are VAULT_KEYS_MAX. */
bool vault_add_key(struct vault *vault);
/* Writes the file whole or not at all; with `create` only if there is none yet. */
bool vault_save(const struct vault *vault, const char *path, bool create, char error[256]);

#endif
