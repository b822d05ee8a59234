#include "protocol/ids.h"

#include <sodium.h>
#include <string.h>

#define SESSION_RANDOM 16
#define SESSION_TAG    8
#define UUID_BYTES     16
#define CALLBACK_TAG   16
#define JOB_RANDOM     16
#define API_KEY_PREFIX 6 /* "fd_pk_" */
#define API_KEY_RANDOM 43
#define API_KEY_SUMMED (API_KEY_PREFIX + API_KEY_RANDOM)
#define API_KEY_SUM    6
#define SHARD_DIGITS   4
#define UINT32_DIGITS  10

_Static_assert(API_KEY_SUMMED + API_KEY_SUM == FD_API_KEY_LEN, "api key layout");
_Static_assert(FD_SESSION_KEY_LEN == crypto_auth_hmacsha256_KEYBYTES, "session key length");

static const char base62[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_lower_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f');
}

static bool is_base62(char c)
{
    return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* The kernel is asked for many bytes at a time: a system call for each id would cost
 * nginx more than the rest of making it. What was handed out is wiped. A fork before
 * the first use shares nothing; nginx's master and the worker's main never make ids
 * before they fork. */
void fd_random(void *out, size_t len)
{
    static __thread unsigned char reserve[1024];
    static __thread size_t left;

    if (len > sizeof(reserve)) {
        randombytes_buf(out, len);
        return;
    }
    if (left < len) {
        randombytes_buf(reserve, sizeof(reserve));
        left = sizeof(reserve);
    }
    left -= len;
    memcpy(out, reserve + left, len);
    sodium_memzero(reserve + left, len);
}

void fd_sha256_hex(char out[FD_SHA256_HEX_SIZE], const void *data, size_t len)
{
    unsigned char digest[crypto_hash_sha256_BYTES];

    crypto_hash_sha256(digest, data, len);
    sodium_bin2hex(out, FD_SHA256_HEX_SIZE, digest, sizeof(digest));
}

/* Decimal digits of `value`; returns how many. */
static size_t put_number(char *out, uint32_t value)
{
    char digits[UINT32_DIGITS];
    size_t count = 0;

    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    for (size_t i = 0; i < count; i++)
        out[i] = digits[count - 1 - i];
    return count;
}

/* Digits at the start of s without a leading zero; 0 = none, too many or out of range. */
static size_t get_number(const char *s, size_t len, size_t max_digits, uint32_t *value)
{
    uint64_t sum = 0;
    size_t count = 0;

    while (count < len && is_digit(s[count])) {
        if (count == max_digits)
            return 0;
        sum = sum * 10 + (uint64_t)(s[count] - '0');
        count++;
    }
    if ((count > 1 && s[0] == '0') || sum > UINT32_MAX)
        return 0;
    *value = (uint32_t)sum;
    return count;
}

void fd_job_id_make(char out[FD_JOB_ID_SIZE], unsigned shard)
{
    unsigned char random[JOB_RANDOM];
    size_t digits = put_number(out, shard % 10000);

    fd_random(random, sizeof(random));
    out[digits] = '-';
    sodium_bin2hex(out + digits + 1, 2 * sizeof(random) + 1, random, sizeof(random));
}

bool fd_job_id_valid(const char *s, size_t len)
{
    uint32_t shard;
    size_t digits = get_number(s, len, SHARD_DIGITS, &shard);

    if (digits == 0 || len != digits + 1 + 2 * JOB_RANDOM || s[digits] != '-')
        return false;
    for (size_t i = digits + 1; i < len; i++) {
        if (!is_lower_hex(s[i]))
            return false;
    }
    return true;
}

void fd_job_id_shard(const char *s, size_t len, char shard[5])
{
    size_t digits = 0;

    while (digits < len && digits < SHARD_DIGITS && is_digit(s[digits])) {
        shard[digits] = s[digits];
        digits++;
    }
    shard[digits] = '\0';
}

static void session_tag(unsigned char tag[SESSION_TAG], const unsigned char *key, const char *org,
                        size_t org_len, const unsigned char random[SESSION_RANDOM])
{
    crypto_generichash_state state;
    unsigned char mac[crypto_generichash_BYTES_MIN];

    crypto_generichash_init(&state, key, FD_SESSION_KEY_LEN, sizeof(mac));
    crypto_generichash_update(&state, (const unsigned char *)org, org_len);
    crypto_generichash_update(&state, random, SESSION_RANDOM);
    crypto_generichash_final(&state, mac, sizeof(mac));
    memcpy(tag, mac, SESSION_TAG);
    sodium_memzero(&state, sizeof(state));
    sodium_memzero(mac, sizeof(mac));
}

void fd_session_id_make(char out[FD_SESSION_ID_SIZE], const unsigned char key[FD_SESSION_KEY_LEN],
                        const char *org, size_t org_len)
{
    unsigned char raw[SESSION_RANDOM + SESSION_TAG];

    fd_random(raw, SESSION_RANDOM);
    session_tag(raw + SESSION_RANDOM, key, org, org_len, raw);
    sodium_bin2base64(out, FD_SESSION_ID_SIZE, raw, sizeof(raw),
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

bool fd_session_id_shaped(const char *s, size_t len)
{
    if (len != FD_SESSION_ID_LEN)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (!is_base62(s[i]) && s[i] != '-' && s[i] != '_')
            return false;
    }
    return true;
}

bool fd_session_id_valid(const char *s, size_t len, const unsigned char key[FD_SESSION_KEY_LEN],
                         const char *org, size_t org_len)
{
    unsigned char raw[SESSION_RANDOM + SESSION_TAG];
    unsigned char tag[SESSION_TAG];
    size_t raw_len;

    if (!fd_session_id_shaped(s, len))
        return false;
    if (sodium_base642bin(raw, sizeof(raw), s, len, NULL, &raw_len, NULL,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
        raw_len != sizeof(raw))
        return false;
    session_tag(tag, key, org, org_len, raw);
    return sodium_memcmp(tag, raw + SESSION_RANDOM, SESSION_TAG) == 0;
}

struct callback {
    unsigned char org[UUID_BYTES];
    unsigned char call[UUID_BYTES];
    unsigned char tag[CALLBACK_TAG];
};

_Static_assert(sizeof(struct callback) * 4 / 3 == FD_CALLBACK_TOKEN_LEN, "callback layout");

/* Another purpose than a session's tag, so another prefix. */
static void callback_tag(unsigned char tag[CALLBACK_TAG], const unsigned char *key,
                         const struct callback *callback)
{
    crypto_generichash_state state;

    crypto_generichash_init(&state, key, FD_SESSION_KEY_LEN, CALLBACK_TAG);
    crypto_generichash_update(&state, (const unsigned char *)"callback", 8);
    crypto_generichash_update(&state, callback->org, sizeof(callback->org));
    crypto_generichash_update(&state, callback->call, sizeof(callback->call));
    crypto_generichash_final(&state, tag, CALLBACK_TAG);
    sodium_memzero(&state, sizeof(state));
}

void fd_callback_token_make(char out[FD_CALLBACK_TOKEN_SIZE],
                            const unsigned char key[FD_SESSION_KEY_LEN], const char *org,
                            const char *call)
{
    struct callback callback = {{0}, {0}, {0}};

    (void)sodium_hex2bin(callback.org, sizeof(callback.org), org, strlen(org), "-", NULL, NULL);
    (void)sodium_hex2bin(callback.call, sizeof(callback.call), call, strlen(call), "-", NULL, NULL);
    callback_tag(callback.tag, key, &callback);
    sodium_bin2base64(out, FD_CALLBACK_TOKEN_SIZE, (const unsigned char *)&callback,
                      sizeof(callback), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

static void put_uuid(char out[37], const unsigned char bytes[UUID_BYTES])
{
    static const char hex[] = "0123456789abcdef";
    size_t at = 0;

    for (size_t i = 0; i < UUID_BYTES; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            out[at++] = '-';
        out[at++] = hex[bytes[i] >> 4];
        out[at++] = hex[bytes[i] & 15];
    }
    out[at] = '\0';
}

bool fd_callback_token_valid(const char *s, size_t len, const unsigned char key[FD_SESSION_KEY_LEN],
                             char org[37], char call[37])
{
    struct callback callback;
    unsigned char tag[CALLBACK_TAG];
    size_t raw_len;

    if (len != FD_CALLBACK_TOKEN_LEN ||
        sodium_base642bin((unsigned char *)&callback, sizeof(callback), s, len, NULL, &raw_len,
                          NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
        raw_len != sizeof(callback))
        return false;
    callback_tag(tag, key, &callback);
    if (sodium_memcmp(tag, callback.tag, sizeof(tag)) != 0)
        return false;
    put_uuid(org, callback.org);
    put_uuid(call, callback.call);
    return true;
}

/* CRC-32 of IEEE 802.3. Not for secrecy: it tells a typing error from a key. */
static uint32_t crc32_ieee(const char *s, size_t len)
{
    uint32_t crc = 0xffffffff;

    for (size_t i = 0; i < len; i++) {
        crc ^= (unsigned char)s[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (0xedb88320 & -(crc & 1));
    }
    return ~crc;
}

static void api_key_sum(char out[API_KEY_SUM], const char *key)
{
    uint32_t crc = crc32_ieee(key, API_KEY_SUMMED);

    for (int i = API_KEY_SUM - 1; i >= 0; i--) {
        out[i] = base62[crc % 62];
        crc /= 62;
    }
}

void fd_api_key_make(char out[FD_API_KEY_SIZE], enum fd_key_kind kind)
{
    memcpy(out, kind == FD_KEY_SECRET ? "fd_sk_" : "fd_pk_", API_KEY_PREFIX);
    for (size_t i = API_KEY_PREFIX; i < API_KEY_SUMMED; i++)
        out[i] = base62[randombytes_uniform(62)];
    api_key_sum(out + API_KEY_SUMMED, out);
    out[FD_API_KEY_LEN] = '\0';
}

bool fd_api_key_valid(const char *s, size_t len, enum fd_key_kind *kind)
{
    char sum[API_KEY_SUM];
    bool secret;

    if (len != FD_API_KEY_LEN)
        return false;
    secret = memcmp(s, "fd_sk_", API_KEY_PREFIX) == 0;
    if (!secret && memcmp(s, "fd_pk_", API_KEY_PREFIX) != 0)
        return false;
    for (size_t i = API_KEY_PREFIX; i < len; i++) {
        if (!is_base62(s[i]))
            return false;
    }
    api_key_sum(sum, s);
    if (memcmp(sum, s + API_KEY_SUMMED, API_KEY_SUM) != 0)
        return false;
    if (kind != NULL)
        *kind = secret ? FD_KEY_SECRET : FD_KEY_PUBLISHABLE;
    return true;
}

bool fd_uuid_valid(const char *s, size_t len)
{
    if (len != 36)
        return false;
    for (size_t i = 0; i < len; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (dash ? s[i] != '-' : !is_lower_hex(s[i]))
            return false;
    }
    return true;
}

size_t fd_event_id_format(char out[FD_EVENT_ID_SIZE], struct fd_event_id id)
{
    size_t len = put_number(out, id.epoch);

    out[len++] = '-';
    len += put_number(out + len, id.n);
    out[len] = '\0';
    return len;
}

bool fd_event_id_parse(const char *s, size_t len, struct fd_event_id *id)
{
    struct fd_event_id found;
    size_t epoch_len = get_number(s, len, UINT32_DIGITS, &found.epoch);
    size_t n_len;

    if (epoch_len == 0 || epoch_len == len || s[epoch_len] != '-')
        return false;
    n_len = get_number(s + epoch_len + 1, len - epoch_len - 1, UINT32_DIGITS, &found.n);
    if (n_len == 0 || epoch_len + 1 + n_len != len)
        return false;
    *id = found;
    return true;
}

int fd_event_id_compare(struct fd_event_id a, struct fd_event_id b)
{
    if (a.epoch != b.epoch)
        return a.epoch < b.epoch ? -1 : 1;
    if (a.n != b.n)
        return a.n < b.n ? -1 : 1;
    return 0;
}
