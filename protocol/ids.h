/*
 * Identifiers: their shapes, how they are made and how a stranger's is checked
 * before anything else looks at it. Nothing here allocates.
 */
#ifndef FD_PROTOCOL_IDS_H
#define FD_PROTOCOL_IDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "<shard>-<32 hex>"; shard is 1 to 4 digits. */
#define FD_JOB_ID_SIZE 38

/* base64url of 16 random bytes and 8 bytes of keyed BLAKE2b (RFC 7693) over (org, random):
 * 32 characters. The random half is the capability; the tag lets nginx refuse
 * another org's or an invented session without a look-up. */
#define FD_SESSION_ID_LEN  32
#define FD_SESSION_ID_SIZE 33
#define FD_SESSION_KEY_LEN 32 /* bytes, from fd:meta */

/* fd_pk_ or fd_sk_, 43 base62 characters (256 random bits), 6 base62
 * characters of CRC-32 over all before: a secret scanner can tell ours, and a
 * mistyped one never reaches Redis. */
#define FD_API_KEY_LEN     55
#define FD_API_KEY_SIZE    56
#define FD_SHA256_HEX_SIZE 65

/* "<epoch>-<n>", each 1 to 10 digits: also the SSE id (CORS-safe bytes only,
 * so that Last-Event-ID needs no preflight). */
#define FD_EVENT_ID_SIZE 24

enum fd_key_kind { FD_KEY_PUBLISHABLE, FD_KEY_SECRET };

struct fd_event_id {
    uint32_t epoch; /* 0 = none: before every event */
    uint32_t n;
};

void fd_job_id_make(char out[FD_JOB_ID_SIZE], unsigned shard);
bool fd_job_id_valid(const char *s, size_t len);
/* Copies the shard's digits (at most 4 and a NUL). `s` must be valid. */
void fd_job_id_shard(const char *s, size_t len, char shard[5]);

void fd_session_id_make(char out[FD_SESSION_ID_SIZE], const unsigned char key[FD_SESSION_KEY_LEN],
                        const char *org, size_t org_len);
/* Shape only: 32 base64url characters. */
bool fd_session_id_shaped(const char *s, size_t len);
/* Shape and tag, compared in constant time. */
bool fd_session_id_valid(const char *s, size_t len, const unsigned char key[FD_SESSION_KEY_LEN],
                         const char *org, size_t org_len);

void fd_api_key_make(char out[FD_API_KEY_SIZE], enum fd_key_kind kind);
/* Prefix, alphabet, length and checksum; kind may be NULL. */
bool fd_api_key_valid(const char *s, size_t len, enum fd_key_kind *kind);

/* Lower-case hex of SHA-256; how keys are named in Redis and PostgreSQL. */
void fd_sha256_hex(char out[FD_SHA256_HEX_SIZE], const void *data, size_t len);
void fd_random(void *out, size_t len);

/* base64url of an organisation's and a tool call's uuid and 16 bytes of keyed BLAKE2b over
 * both: the one call that a late outcome may be told of, and nothing else. */
#define FD_CALLBACK_TOKEN_LEN  64
#define FD_CALLBACK_TOKEN_SIZE 65
void fd_callback_token_make(char out[FD_CALLBACK_TOKEN_SIZE],
                            const unsigned char key[FD_SESSION_KEY_LEN], const char *org,
                            const char *call);
/* Shape and tag, compared in constant time; org and call become uuids. */
bool fd_callback_token_valid(const char *s, size_t len, const unsigned char key[FD_SESSION_KEY_LEN],
                             char org[37], char call[37]);

/* RFC 4122 text form, lower case: organisations, messages, conversations. */
bool fd_uuid_valid(const char *s, size_t len);

size_t fd_event_id_format(char out[FD_EVENT_ID_SIZE], struct fd_event_id id); /* its length */
/* Strict: digits "-" digits, no sign, no leading zero but "0", in range. */
bool fd_event_id_parse(const char *s, size_t len, struct fd_event_id *id);
/* < 0, 0, > 0 as a is before, equal to or after b. */
int fd_event_id_compare(struct fd_event_id a, struct fd_event_id b);

#endif
