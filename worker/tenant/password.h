/*
 * Password: rules, and argon2id hashes in libsodium's string form. Hashing takes some 70 ms
 * and 64 MB by design (2 passes, RFC 9106's second choice being 3 over 64 MB): on a pool
 * thread or in a command only, a few at a time.
 */
#ifndef FD_TENANT_PASSWORD_H
#define FD_TENANT_PASSWORD_H

#include <sodium.h>
#include <stdbool.h>

#define PASSWORD_MIN            12  /* characters */
#define PASSWORD_MAX            512 /* bytes */
#define PASSWORD_PASSES         2
#define PASSWORD_MEMORY         67108864
#define PASSWORD_HASH_SIZE      crypto_pwhash_STRBYTES
#define PASSWORD_GENERATED_SIZE 25

/* NULL: it will do; else what is wrong with it. Pure. */
const char *password_fault(const char *password, const char *email);
/* False: there is no memory for it. */
bool password_hash(const char *password, char hash[PASSWORD_HASH_SIZE]);
/* hash NULL, of an account that is not there: takes as long, and is false. */
bool password_matches(const char *password, const char *hash);
/* Was it made with other parameters than today's? */
bool password_outdated(const char *hash);
/* 24 characters that are easy to read, of 100 random bits. */
void password_generate(char out[PASSWORD_GENERATED_SIZE]);

#endif
