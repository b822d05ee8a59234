/* ADM-1, EDGE-8: what a signed-in user's cookie says, and what does not pass for one; the
 * token of a session's pages; rules of passwords and addresses; what an audit row keeps. */
#include "admin/cookie.h"
#include "core/arena.h"
#include "protocol/sign_in.h"
#include "tenant/audit.h"
#include "tenant/password.h"
#include "tenant/users.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define USER    "5eed0000-0000-4000-8000-00000000000a"
#define ORG     "5eed0000-0000-4000-8000-00000000000b"
#define SESSION "5eed0000-0000-4000-8000-00000000000c"
#define TEAM    "5eed0000-0000-4000-8000-00000000000d"
#define NONCE   "0123456789abcdefABCDEF"
#define NOW     1800000000

static const unsigned char secret[FD_SESSION_KEY_LEN] = "the secret of the conversations";
static struct fd_sign_in_keys keys;

static const struct fd_sign_in good = {.user = USER,
                                       .org = ORG,
                                       .role = "staff",
                                       .team = TEAM,
                                       .session = SESSION,
                                       .nonce = NONCE,
                                       .issued = NOW,
                                       .expires = NOW + 600};

static int set_up(void **state)
{
    (void)state;
    fd_sign_in_derive(&keys, secret);
    return sodium_init() < 0 ? -1 : 0;
}

static enum fd_jwt_fault read_at(const char *token, int64_t now, struct arena *a,
                                 struct fd_sign_in *out)
{
    return fd_sign_in_read(token, strlen(token), &keys, now, arena_allocator(a), out);
}

static void test_claims(void **state)
{
    char token[FD_SIGN_IN_TOKEN_SIZE];
    struct fd_sign_in out;
    struct arena a;

    (void)state;
    arena_init(&a);
    size_t len = fd_sign_in_write(token, &keys, &good);
    assert_int_equal(len, strlen(token));
    assert_int_equal(read_at(token, NOW, &a, &out), FD_JWT_OK);
    assert_string_equal(out.user, USER);
    assert_string_equal(out.org, ORG);
    assert_string_equal(out.role, "staff");
    assert_string_equal(out.team, TEAM);
    assert_string_equal(out.session, SESSION);
    assert_string_equal(out.nonce, NONCE);
    assert_int_equal(read_at(token, NOW + 599, &a, &out), FD_JWT_OK);
    assert_int_equal(read_at(token, NOW + 600, &a, &out), FD_JWT_EXPIRED);
    assert_string_equal(out.session, SESSION); /* for renewal */
    struct fd_sign_in alone = good;
    alone.team = NULL;
    fd_sign_in_write(token, &keys, &alone);
    assert_int_equal(read_at(token, NOW, &a, &out), FD_JWT_OK);
    assert_null(out.team);
    arena_free(&a);
}

static void test_claims_of_another_key(void **state)
{
    unsigned char other[FD_SESSION_KEY_LEN] = "the secret of another platform!";
    struct fd_sign_in_keys others;
    char token[FD_SIGN_IN_TOKEN_SIZE], csrf[FD_SIGN_IN_CSRF_SIZE];
    struct fd_sign_in out;
    struct arena a;

    (void)state;
    arena_init(&a);
    fd_sign_in_derive(&others, other);
    fd_sign_in_write(token, &others, &good);
    assert_int_equal(read_at(token, NOW, &a, &out), FD_JWT_SIGNATURE);
    fd_sign_in_csrf(csrf, &others, SESSION);
    assert_false(fd_sign_in_csrf_valid(csrf, strlen(csrf), &keys, SESSION));
    /* nor does the secret of one purpose serve the other */
    assert_memory_not_equal(keys.claims, keys.csrf, sizeof(keys.csrf));
    assert_memory_not_equal(keys.claims, secret, sizeof(secret));
    arena_free(&a);
}

static void test_every_byte_counts(void **state)
{
    char token[FD_SIGN_IN_TOKEN_SIZE];
    struct fd_sign_in out;

    (void)state;
    size_t len = fd_sign_in_write(token, &keys, &good);
    for (size_t i = 0; i < len; i++) {
        struct arena a;
        char was = token[i];
        arena_init(&a);
        token[i] = was == 'A' ? 'B' : 'A';
        if (i + 1 < len && read_at(token, NOW, &a, &out) == FD_JWT_OK)
            fail_msg("byte %zu does not matter", i);
        token[i] = was;
        arena_free(&a);
    }
}

static void test_claims_that_lack_something(void **state)
{
    static const char *const bad[] = {
        "{\"exp\":1800000600}",
        "{\"sub\":\"" USER "\",\"org\":\"" ORG "\",\"role\":\"god\",\"sid\":\"" SESSION
        "\",\"jti\":\"" NONCE "\",\"exp\":1800000600}",
        "{\"sub\":\"x\",\"org\":\"" ORG "\",\"role\":\"owner\",\"sid\":\"" SESSION
        "\",\"jti\":\"" NONCE "\",\"exp\":1800000600}",
        "{\"sub\":\"" USER "\",\"org\":\"" ORG "\",\"role\":\"owner\",\"sid\":\"" SESSION
        "\",\"jti\":\"\",\"exp\":1800000600}",
        "{\"sub\":\"" USER "\",\"org\":\"" ORG "\",\"role\":\"owner\",\"sid\":\"" SESSION
        "\",\"jti\":\"" NONCE "\"}",
    };
    char token[FD_SIGN_IN_TOKEN_SIZE];
    struct fd_sign_in out;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct arena a;
        arena_init(&a);
        fd_jwt_sign(token, sizeof(token), bad[i], strlen(bad[i]), keys.claims, sizeof(keys.claims));
        if (read_at(token, NOW, &a, &out) != FD_JWT_CLAIMS)
            fail_msg("%s was taken", bad[i]);
        arena_free(&a);
    }
}

static void test_csrf(void **state)
{
    char csrf[FD_SIGN_IN_CSRF_SIZE], other[FD_SIGN_IN_CSRF_SIZE];

    (void)state;
    fd_sign_in_csrf(csrf, &keys, SESSION);
    fd_sign_in_csrf(other, &keys, TEAM);
    assert_int_equal(strlen(csrf), FD_SIGN_IN_CSRF_LEN);
    assert_true(fd_sign_in_csrf_valid(csrf, strlen(csrf), &keys, SESSION));
    assert_false(fd_sign_in_csrf_valid(other, strlen(other), &keys, SESSION));
    assert_false(fd_sign_in_csrf_valid(csrf, strlen(csrf) - 1, &keys, SESSION));
    assert_false(fd_sign_in_csrf_valid("", 0, &keys, SESSION));
}

static void test_password_rules(void **state)
{
    static const char *const bad[] = {
        "",
        "elevenchars",
        "aaaaaaaaaaaaaaaa",
        "abababababababab",
        "abcabcabcabcabc",
        "Password1234",
        "QWERTYUIOP123",
        "alice.long@shop.example",
        "ALICE.LONG@SHOP.EXAMPLE",
        "alice.long1234",
        "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        "שלוםעל" /* 6 characters in 12 bytes */
    };
    static const char *const fine[] = {"correct horse battery", "twelve chars",
                                       "alice.long lives by the sea",
                                       /* in Hebrew */
                                       "שלום עולם טוב"};
    char longest[PASSWORD_MAX + 2];

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (password_fault(bad[i], "alice.long@shop.example") == NULL)
            fail_msg("\"%s\" was taken", bad[i]);
    }
    for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++) {
        if (password_fault(fine[i], "alice.long@shop.example") != NULL)
            fail_msg("\"%s\" was refused", fine[i]);
    }
    for (size_t i = 0; i <= PASSWORD_MAX; i++)
        longest[i] = (char)('a' + i * 7 % 26);
    longest[PASSWORD_MAX + 1] = '\0';
    assert_non_null(password_fault(longest, "a@b"));
    longest[PASSWORD_MAX] = '\0';
    assert_null(password_fault(longest, "a@b"));
}

static void test_password_hash(void **state)
{
    char hash[PASSWORD_HASH_SIZE], again[PASSWORD_HASH_SIZE], made[PASSWORD_GENERATED_SIZE];

    (void)state;
    password_generate(made);
    assert_null(password_fault(made, "a@b"));
    assert_true(password_hash(made, hash));
    assert_true(password_hash(made, again));
    assert_string_not_equal(hash, again); /* salted */
    assert_non_null(strstr(hash, "$argon2id$v=19$m=65536,t=2,p=1$"));
    assert_true(password_matches(made, hash));
    assert_false(password_matches("another password", hash));
    assert_false(password_matches(made, NULL));
    assert_false(password_outdated(hash));
    assert_int_equal(crypto_pwhash_str_alg(again, made, strlen(made), 1, 8192 * 1024,
                                           crypto_pwhash_ALG_ARGON2ID13),
                     0);
    assert_true(password_matches(made, again));
    assert_true(password_outdated(again));
}

/* Nobody's hash is computed as long as somebody's: it must be one that libsodium reads. */
static void test_nobody_takes_as_long(void **state)
{
    char hash[PASSWORD_HASH_SIZE];
    int64_t took[2] = {INT64_MAX, INT64_MAX};

    (void)state;
    assert_true(password_hash("some password", hash));
    for (int i = 0; i < 6; i++) {
        struct timespec from, to;
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
        password_matches("another password", i % 2 == 0 ? hash : NULL);
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
        int64_t us = (to.tv_sec - from.tv_sec) * 1000000 + (to.tv_nsec - from.tv_nsec) / 1000;
        took[i % 2] = us < took[i % 2] ? us : took[i % 2];
    }
    assert_true(took[1] > took[0] / 2);
}

static void test_emails(void **state)
{
    static const char *const bad[] = {"",     "a",     "a@",    "@b",    "a b@c",     "a@b@c",
                                      "a@b,", "<a@b>", "a@b\n", "a@b;c", "a@\xff.com"};
    static const char *const fine[] = {"a@b", "first.last+tag@shop.example",
                                       "\xD7\xA9@\xD7\x9C.example"};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(user_email_valid(bad[i]));
    for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++)
        assert_true(user_email_valid(fine[i]));
    assert_int_equal(user_role_rank("client"), 0);
    assert_int_equal(user_role_rank("superadmin"), 4);
    assert_int_equal(user_role_rank("root"), -1);
    assert_int_equal(user_role_rank(NULL), -1);
}

/* Plain HTTP only where nobody else can listen. */
static void test_secure(void **state)
{
    const struct config plain = {0}, https = {.public_url = "https://desk.example"};

    (void)state;
    assert_false(cookie_secure(&plain, "http", "127.0.0.1"));
    assert_false(cookie_secure(&plain, "http", "::1"));
    assert_true(cookie_secure(&plain, "https", "127.0.0.1"));
    assert_true(cookie_secure(&plain, "http", "192.168.0.7"));
    assert_true(cookie_secure(&plain, "http", "1.27.0.0"));
    assert_true(cookie_secure(&plain, "", ""));
    assert_true(cookie_secure(&https, "http", "127.0.0.1"));
}

static void test_audit_mask(void **state)
{
    static const char row[] =
        "{\"id\":\"1\",\"key\":\"fd_sk_x\",\"alert_webhook_secret\":\"s\",\"nested\":[{"
        "\"password\":"
        "{\"a\":1},\"keys\":[1,2]}],\"reset_token\":\"t\",\"credentials\":{\"u\":\"p\"},"
        "\"api_key\":null,\"tokens\":7,\"csrf\":true}";
    struct buf out;

    (void)state;
    buf_init(&out, AUDIT_JSON_MAX);
    static const char headers[] =
        "{\"headers\":{\"Authorization\":\"a\",\"X-Api-Key\":\"b\",\"Cookie\":\"c\",\"X-Org\":"
        "\"d\"},"
        "\"apiKey\":\"e\",\"Signing_KEY\":\"f\",\"monkey\":\"g\",\"KEY\":\"h\"}";
    assert_true(audit_mask(row, strlen(row), NULL, &out));
    assert_string_equal(out.data,
                        "{\"id\":\"1\",\"key\":\"***\",\"alert_webhook_secret\":\"***\",\"nested\":"
                        "[{\"password\":\"***\",\"keys\":[1,2]}],\"reset_token\":\"***\","
                        "\"credentials\":\"***\",\"api_key\":null,\"tokens\":7,\"csrf\":\"***\"}");
    buf_reset(&out);
    assert_true(audit_mask(headers, strlen(headers), NULL, &out));
    assert_string_equal(out.data, "{\"headers\":{\"Authorization\":\"***\",\"X-Api-Key\":\"***\","
                                  "\"Cookie\":\"***\",\"X-Org\":\"d\"},\"apiKey\":\"***\","
                                  "\"Signing_KEY\":\"***\",\"monkey\":\"g\",\"KEY\":\"***\"}");
    buf_reset(&out);
    static const char *const computed[] = {"spent", NULL};
    static const char budget[] = "{\"cap\":5,\"spent\":1,\"deeper\":{\"spent\":2}}";
    assert_true(audit_mask(budget, strlen(budget), computed, &out));
    assert_string_equal(out.data, "{\"cap\":5,\"deeper\":{\"spent\":2}}");
    buf_reset(&out);
    assert_false(audit_mask("{", 1, NULL, &out));
    assert_false(audit_mask("", 0, NULL, &out));
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_claims),
        cmocka_unit_test(test_claims_of_another_key),
        cmocka_unit_test(test_every_byte_counts),
        cmocka_unit_test(test_claims_that_lack_something),
        cmocka_unit_test(test_csrf),
        cmocka_unit_test(test_password_rules),
        cmocka_unit_test(test_password_hash),
        cmocka_unit_test(test_nobody_takes_as_long),
        cmocka_unit_test(test_emails),
        cmocka_unit_test(test_secure),
        cmocka_unit_test(test_audit_mask),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
