/* protocol/jwt.h: WID-5 (identity) and EDGE-8 stand on it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "json_fixture.h"
#include "protocol/jwt.h"

static const char secret[] = "a secret of thirty-two bytes or more";
#define NOW 1700000000

static const struct fd_json *claims;

static enum fd_jwt_fault verify_at(const char *token, int64_t now)
{
    const struct fd_jwt_check check = {secret, sizeof(secret) - 1, now, 60};
    claims = NULL;
    return fd_jwt_verify(token, strlen(token), &check, arena_allocator(&a), &claims);
}

/* A token of this header and these claims, rightly signed. */
static const char *token_of(const char *header, const char *body)
{
    enum { VARIANT = sodium_base64_VARIANT_URLSAFE_NO_PADDING };
    static char token[2 * FD_JWT_MAX];
    unsigned char mac[crypto_auth_hmacsha256_BYTES];
    crypto_auth_hmacsha256_state state;
    size_t len;
    sodium_bin2base64(token, 2000, (const unsigned char *)header, strlen(header), VARIANT);
    strcat(token, ".");
    len = strlen(token);
    sodium_bin2base64(token + len, sizeof(token) - len, (const unsigned char *)body, strlen(body),
                      VARIANT);
    crypto_auth_hmacsha256_init(&state, (const unsigned char *)secret, sizeof(secret) - 1);
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)token, strlen(token));
    crypto_auth_hmacsha256_final(&state, mac);
    strcat(token, ".");
    len = strlen(token);
    sodium_bin2base64(token + len, sizeof(token) - len, mac, sizeof(mac), VARIANT);
    return token;
}

static enum fd_jwt_fault with(const char *header, const char *body)
{
    return verify_at(token_of(header, body), NOW);
}

#define HEADER "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"

static void test_round_trip(void **state)
{
    char token[FD_JWT_MAX + 1];
    const char *body = "{\"sub\":\"u-1\",\"exp\":1700000300}";

    (void)state;
    size_t len = fd_jwt_sign(token, sizeof(token), body, strlen(body), secret, sizeof(secret) - 1);
    assert_int_equal(len, strlen(token));
    assert_int_equal(verify_at(token, NOW), FD_JWT_OK);
    assert_string_equal(fd_json_string(claims, "sub"), "u-1");
    assert_int_equal(fd_jwt_sign(token, 60, body, strlen(body), secret, sizeof(secret) - 1), 0);
    assert_int_equal(fd_jwt_sign(token, sizeof(token), body, strlen(body), secret, 31), 0);
}

/* RFC 7515, appendix A.1: made by others, with line breaks in its JSON. */
static void test_vector_of_the_standard(void **state)
{
    static const char token[] =
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0"
        "cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    unsigned char key[64];
    size_t len;

    (void)state;
    sodium_base642bin(key, sizeof(key),
                      "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTw"
                      "jAzZr1Z9CAow",
                      86, NULL, &len, NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    struct fd_jwt_check check = {key, len, 1300819379, 0};
    assert_int_equal(fd_jwt_verify(token, sizeof(token) - 1, &check, arena_allocator(&a), &claims),
                     FD_JWT_OK);
    assert_string_equal(fd_json_string(claims, "iss"), "joe");
    check.now_s = 1300819380;
    assert_int_equal(fd_jwt_verify(token, sizeof(token) - 1, &check, arena_allocator(&a), &claims),
                     FD_JWT_EXPIRED);
}

static void test_header_is_fixed(void **state)
{
    static const char *const bad[] = {
        "{\"alg\":\"none\"}",
        "{\"alg\":\"None\",\"typ\":\"JWT\"}",
        "{\"alg\":\"hs256\"}",
        "{\"alg\":\"HS512\"}",
        "{\"alg\":\"RS256\"}",
        "{\"alg\":[\"HS256\"]}",
        "{\"typ\":\"JWT\"}",
        "{\"alg\":\"HS256\",\"typ\":\"JWE\"}",
        "{\"alg\":\"HS256\",\"typ\":null}",
        "{\"alg\":\"HS256\",\"crit\":[\"b64\"],\"b64\":false}",
        "{\"alg\":\"HS256\",\"alg\":\"none\"}",
        "[]",
        "",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(with(bad[i], "{\"exp\":1700000300}"), FD_JWT_HEADER);
    assert_int_equal(with("{\"alg\":\"HS256\"}", "{\"exp\":1700000300}"), FD_JWT_OK);
    assert_int_equal(with("{\"kid\":\"1\",\"alg\":\"HS256\"}", "{\"exp\":1700000300}"), FD_JWT_OK);
}

static void test_dates(void **state)
{
    (void)state;
    assert_int_equal(with(HEADER, "{\"sub\":\"x\"}"), FD_JWT_CLAIMS); /* exp is required */
    assert_int_equal(with(HEADER, "{\"exp\":\"1700000300\"}"), FD_JWT_CLAIMS);
    assert_int_equal(with(HEADER, "{\"exp\":null}"), FD_JWT_CLAIMS);
    assert_int_equal(with(HEADER, "{\"exp\":-1}"), FD_JWT_CLAIMS);
    assert_int_equal(with(HEADER, "{\"exp\":1e300}"), FD_JWT_CLAIMS);
    assert_int_equal(with(HEADER, "[1]"), FD_JWT_CLAIMS);
    assert_int_equal(with(HEADER, "{\"exp\":1700000000"), FD_JWT_CLAIMS);
    assert_int_equal(with(HEADER, "{\"exp\":1699999941}"), FD_JWT_OK); /* within the leeway */
    assert_int_equal(with(HEADER, "{\"exp\":1699999940}"), FD_JWT_EXPIRED);
    assert_int_equal(with(HEADER, "{\"exp\":1699999940.5}"), FD_JWT_OK);
    assert_int_equal(with(HEADER, "{\"exp\":1700000300,\"nbf\":1700000060}"), FD_JWT_OK);
    assert_int_equal(with(HEADER, "{\"exp\":1700000300,\"nbf\":1700000061}"), FD_JWT_EARLY);
    assert_int_equal(with(HEADER, "{\"exp\":1700000300,\"nbf\":\"soon\"}"), FD_JWT_CLAIMS);
    assert_int_equal(with(HEADER, "{\"exp\":1700000300,\"iat\":{}}"), FD_JWT_CLAIMS);
}

/* Every single changed character of a token makes it another one. */
static void test_every_character_counts(void **state)
{
    char token[FD_JWT_MAX + 1];
    const char *body = "{\"sub\":\"u-1\",\"exp\":1700000300}";
    size_t len = fd_jwt_sign(token, sizeof(token), body, strlen(body), secret, sizeof(secret) - 1);

    (void)state;
    for (size_t i = 0; i < len; i++) {
        char was = token[i];
        token[i] = was == 'A' ? 'B' : 'A';
        assert_int_not_equal(verify_at(token, NOW), FD_JWT_OK);
        assert_null(claims);
        token[i] = was;
    }
    for (size_t cut = 0; cut < len; cut++) {
        const struct fd_jwt_check check = {secret, sizeof(secret) - 1, NOW, 60};
        assert_int_not_equal(fd_jwt_verify(token, cut, &check, arena_allocator(&a), &claims),
                             FD_JWT_OK);
    }
    assert_int_equal(verify_at(token, NOW), FD_JWT_OK);
}

static void test_shape(void **state)
{
    static const char *const bad[] = {
        "", ".", "..", "...", "a.b", "a.b.c", "a.b.", "=.=.=", "a..b", "eyJhbGciOiJIUzI1NiJ9.e30."};
    char token[FD_JWT_MAX + 3];

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(verify_at(bad[i], NOW), FD_JWT_SHAPE);
    snprintf(token, sizeof(token), "%s=", token_of(HEADER, "{\"exp\":1700000300}"));
    assert_int_equal(verify_at(token, NOW), FD_JWT_SHAPE); /* padding is none of it */
    snprintf(token, sizeof(token), "%s.x", token_of(HEADER, "{\"exp\":1700000300}"));
    assert_int_equal(verify_at(token, NOW), FD_JWT_SHAPE);
    memset(token, 'a', sizeof(token) - 1);
    token[sizeof(token) - 1] = '\0';
    assert_int_equal(verify_at(token, NOW), FD_JWT_SHAPE);
}

static void test_another_or_a_short_secret(void **state)
{
    const char *token = token_of(HEADER, "{\"exp\":1700000300}");
    struct fd_jwt_check check = {"another secret of thirty-two bytes!!", 36, NOW, 60};

    (void)state;
    assert_int_equal(fd_jwt_verify(token, strlen(token), &check, arena_allocator(&a), &claims),
                     FD_JWT_SIGNATURE);
    check = (struct fd_jwt_check){"", 0, NOW, 60};
    assert_int_equal(fd_jwt_verify(token, strlen(token), &check, arena_allocator(&a), &claims),
                     FD_JWT_SIGNATURE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_vector_of_the_standard),
        cmocka_unit_test(test_header_is_fixed),
        cmocka_unit_test(test_dates),
        cmocka_unit_test(test_every_character_counts),
        cmocka_unit_test(test_shape),
        cmocka_unit_test(test_another_or_a_short_secret),
    };
    return cmocka_run_group_tests_name("WID-5, EDGE-8: JSON Web Tokens", tests, arena_set_up,
                                       arena_tear_down);
}
