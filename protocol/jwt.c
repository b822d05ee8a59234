#include "protocol/jwt.h"

#include <math.h>
#include <sodium.h>
#include <string.h>

#define VARIANT    sodium_base64_VARIANT_URLSAFE_NO_PADDING
#define MAC_SIZE   crypto_auth_hmacsha256_BYTES
#define MAC_TEXT   43 /* of it, in base64url */
#define HEADER_MAX 512
#define DATE_MAX   253402300799.0 /* 9999-12-31T23:59:59Z */
#define PART_NODES 128

/* {"alg":"HS256","typ":"JWT"} */
#define OWN_HEADER "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"

struct part {
    const char *s;
    size_t len;
};

static bool split(const char *token, size_t len, struct part parts[3])
{
    const char *first = memchr(token, '.', len);
    const char *second =
        first == NULL ? NULL : memchr(first + 1, '.', len - (size_t)(first + 1 - token));
    if (second == NULL)
        return false;
    parts[0] = (struct part){token, (size_t)(first - token)};
    parts[1] = (struct part){first + 1, (size_t)(second - first - 1)};
    parts[2] = (struct part){second + 1, len - (size_t)(second + 1 - token)};
    /* a fourth part would be met by the decoder: "." is of no alphabet */
    return parts[0].len <= HEADER_MAX && parts[2].len == MAC_TEXT;
}

static bool decode(struct part part, unsigned char *out, size_t size, size_t *len)
{
    const char *end;
    return sodium_base642bin(out, size, part.s, part.len, NULL, len, &end, VARIANT) == 0 &&
           end == part.s + part.len;
}

static enum fd_jwt_fault parse(struct part part, struct fd_alloc alloc, enum fd_jwt_fault otherwise,
                               const struct fd_json **value)
{
    struct fd_json_limits limits = {.depth = 4, .nodes = PART_NODES};
    struct fd_json_fault fault;
    size_t len;
    unsigned char *text = alloc.alloc(alloc.ctx, part.len + 1);
    if (text == NULL)
        return FD_JWT_NO_MEMORY;
    if (!decode(part, text, part.len, &len))
        return FD_JWT_SHAPE;
    *value = fd_json_parse((char *)text, len, limits, alloc, &fault);
    if (*value == NULL)
        return fault.error == FD_JSON_NO_MEMORY ? FD_JWT_NO_MEMORY : otherwise;
    return (*value)->type == FD_JSON_OBJECT ? FD_JWT_OK : otherwise;
}

static enum fd_jwt_fault check_header(struct part part, struct fd_alloc alloc)
{
    const struct fd_json *header;
    const char *algorithm, *type;
    enum fd_jwt_fault fault = parse(part, alloc, FD_JWT_HEADER, &header);
    if (fault != FD_JWT_OK)
        return fault;
    algorithm = fd_json_string(header, "alg");
    type = fd_json_string(header, "typ");
    if (algorithm == NULL || strcmp(algorithm, "HS256") != 0)
        return FD_JWT_HEADER;
    if (fd_json_get(header, "crit") != NULL)
        return FD_JWT_HEADER;
    if (fd_json_get(header, "typ") != NULL && (type == NULL || strcmp(type, "JWT") != 0))
        return FD_JWT_HEADER;
    return FD_JWT_OK;
}

static void mac(unsigned char out[MAC_SIZE], const char *text, size_t len, const void *secret,
                size_t secret_len)
{
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, secret, secret_len);
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)text, len);
    crypto_auth_hmacsha256_final(&state, out);
    sodium_memzero(&state, sizeof(state));
}

static bool signature_right(const char *token, const struct part parts[3],
                            const struct fd_jwt_check *check, enum fd_jwt_fault *fault)
{
    unsigned char right[MAC_SIZE], given[MAC_SIZE];
    size_t len;
    bool same = false;
    *fault = FD_JWT_SHAPE;
    if (!decode(parts[2], given, sizeof(given), &len) || len != sizeof(given))
        return false;
    *fault = FD_JWT_SIGNATURE;
    if (check->secret_len >= FD_JWT_SECRET_MIN) {
        mac(right, token, parts[0].len + 1 + parts[1].len, check->secret, check->secret_len);
        same = sodium_memcmp(right, given, sizeof(right)) == 0;
    }
    sodium_memzero(right, sizeof(right));
    return same;
}

/* A NumericDate of RFC 7519 may have a fraction. False: it is there and is none. */
static bool read_date(const struct fd_json *claims, const char *name, bool *present, double *date)
{
    const struct fd_json *value = fd_json_get(claims, name);
    *present = value != NULL;
    if (value == NULL)
        return true;
    *date = value->number;
    return value->type == FD_JSON_NUMBER && isfinite(*date) && *date >= 0 && *date <= DATE_MAX;
}

static enum fd_jwt_fault check_dates(const struct fd_json *claims, const struct fd_jwt_check *check)
{
    bool expires, begins, issued;
    double end = 0, begin = 0, at = 0;
    if (!read_date(claims, "exp", &expires, &end) || !read_date(claims, "nbf", &begins, &begin) ||
        !read_date(claims, "iat", &issued, &at) || !expires)
        return FD_JWT_CLAIMS;
    if ((double)check->now_s >= end + (double)check->leeway_s)
        return FD_JWT_EXPIRED;
    if (begins && (double)check->now_s < begin - (double)check->leeway_s)
        return FD_JWT_EARLY;
    return FD_JWT_OK;
}

enum fd_jwt_fault fd_jwt_verify(const char *token, size_t len, const struct fd_jwt_check *check,
                                struct fd_alloc alloc, const struct fd_json **claims)
{
    struct part parts[3];
    const struct fd_json *found;
    enum fd_jwt_fault fault;
    if (len > FD_JWT_MAX || !split(token, len, parts))
        return FD_JWT_SHAPE;
    fault = check_header(parts[0], alloc);
    if (fault != FD_JWT_OK)
        return fault;
    if (!signature_right(token, parts, check, &fault))
        return fault;
    fault = parse(parts[1], alloc, FD_JWT_CLAIMS, &found);
    if (fault == FD_JWT_OK)
        fault = check_dates(found, check);
    if (fault == FD_JWT_OK)
        *claims = found;
    return fault;
}

const char *fd_jwt_fault_text(enum fd_jwt_fault fault)
{
    switch (fault) {
    case FD_JWT_OK: return "the token is valid";
    case FD_JWT_SHAPE: return "this is no JSON Web Token of three parts";
    case FD_JWT_HEADER: return "the token's header must say HS256 and JWT, and nothing critical";
    case FD_JWT_SIGNATURE: return "the token's signature is not of this organisation's secret";
    case FD_JWT_CLAIMS: return "the token's claims must be a JSON object with exp";
    case FD_JWT_EXPIRED: return "the token has expired";
    case FD_JWT_EARLY: return "the token is not valid yet";
    case FD_JWT_NO_MEMORY: return "out of memory";
    }
    return "the token cannot be read";
}

size_t fd_jwt_sign(char *token, size_t size, const char *claims, size_t len, const void *secret,
                   size_t secret_len)
{
    unsigned char signature[MAC_SIZE];
    char *p = token;
    size_t head = sizeof(OWN_HEADER) - 1;
    size_t body = len > FD_JWT_MAX ? FD_JWT_MAX : sodium_base64_encoded_len(len, VARIANT) - 1;
    size_t total = head + 1 + body + 1 + MAC_TEXT;
    if (total > FD_JWT_MAX || total >= size || secret_len < FD_JWT_SECRET_MIN)
        return 0;
    memcpy(p, OWN_HEADER, head);
    p += head;
    *p++ = '.';
    sodium_bin2base64(p, body + 1, (const unsigned char *)claims, len, VARIANT);
    p += body;
    mac(signature, token, (size_t)(p - token), secret, secret_len);
    *p++ = '.';
    sodium_bin2base64(p, MAC_TEXT + 1, signature, sizeof(signature), VARIANT);
    return total;
}
