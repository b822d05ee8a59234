/* protocol/ids.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "protocol/ids.h"

#include <sodium.h>

static const unsigned char key[FD_SESSION_KEY_LEN] = "a session key of thirty-two byte";

static bool job_valid(const char *s)
{
    return fd_job_id_valid(s, strlen(s));
}

static void test_job_id(void **state)
{
    char id[FD_JOB_ID_SIZE], other[FD_JOB_ID_SIZE], shard[5];

    (void)state;
    fd_job_id_make(id, 0);
    fd_job_id_make(other, 0);
    assert_int_equal(strlen(id), 34);
    assert_true(job_valid(id));
    assert_string_not_equal(id, other);
    fd_job_id_make(id, 9999);
    assert_int_equal(strlen(id), FD_JOB_ID_SIZE - 1);
    assert_true(job_valid(id));
    fd_job_id_shard(id, strlen(id), shard);
    assert_string_equal(shard, "9999");
}

#define HEX32 "0123456789abcdef0123456789abcdef"

static void test_job_id_of_a_stranger(void **state)
{
    static const char *const bad[] = {
        "",
        "-" HEX32,
        "00-" HEX32,
        "01-" HEX32,
        "12345-" HEX32,
        "0-" HEX32 "0",
        "0-" HEX32 "\n",
        "0-0123456789ABCDEF0123456789abcdef",
        "0" HEX32,
        "a-" HEX32,
        "0-0123",
        "0",
        "0-",
        "+1-" HEX32,
    };

    (void)state;
    assert_true(job_valid("0-" HEX32));
    assert_true(job_valid("1234-" HEX32));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(job_valid(bad[i]));
    assert_false(fd_job_id_valid("0-" HEX32, 33));
    assert_false(fd_job_id_valid("0-0123456789abcdef\0"
                                 "123456789abcdef0",
                                 34));
}

/* EDGE-7: a session id of another org, another installation or a guess is refused. */
static void test_session_id(void **state)
{
    unsigned char other_key[FD_SESSION_KEY_LEN] = "another key with thirty-two byte";
    char id[FD_SESSION_ID_SIZE];

    (void)state;
    fd_session_id_make(id, key, "org-a", 5);
    assert_int_equal(strlen(id), FD_SESSION_ID_LEN);
    assert_true(fd_session_id_shaped(id, 32));
    assert_true(fd_session_id_valid(id, 32, key, "org-a", 5));
    assert_false(fd_session_id_valid(id, 32, key, "org-b", 5));
    assert_false(fd_session_id_valid(id, 32, key, "org-a0", 6));
    assert_false(fd_session_id_valid(id, 32, other_key, "org-a", 5));
    assert_false(fd_session_id_valid(id, 31, key, "org-a", 5));
    for (size_t i = 0; i < FD_SESSION_ID_LEN; i++) {
        char forged[FD_SESSION_ID_SIZE];

        memcpy(forged, id, sizeof(forged));
        forged[i] = forged[i] == 'A' ? 'B' : 'A';
        assert_false(fd_session_id_valid(forged, 32, key, "org-a", 5));
    }
    assert_false(fd_session_id_shaped("0123456789012345678901234567890=", 32));
    assert_false(fd_session_id_shaped("01234567890123456789012345678 01", 32));
}

/* EDGE-2: prefixed and checksummed. */
static void test_api_key(void **state)
{
    char api_key[FD_API_KEY_SIZE], other[FD_API_KEY_SIZE];
    enum fd_key_kind kind;

    (void)state;
    fd_api_key_make(api_key, FD_KEY_SECRET);
    fd_api_key_make(other, FD_KEY_SECRET);
    assert_string_not_equal(api_key, other);
    assert_int_equal(strlen(api_key), FD_API_KEY_LEN);
    assert_memory_equal(api_key, "fd_sk_", 6);
    assert_true(fd_api_key_valid(api_key, FD_API_KEY_LEN, &kind));
    assert_int_equal(kind, FD_KEY_SECRET);
    fd_api_key_make(other, FD_KEY_PUBLISHABLE);
    assert_true(fd_api_key_valid(other, FD_API_KEY_LEN, &kind));
    assert_int_equal(kind, FD_KEY_PUBLISHABLE);

    for (size_t i = 0; i < FD_API_KEY_LEN; i++) {
        char typo = api_key[i];

        api_key[i] = typo == 'x' ? 'y' : 'x';
        assert_false(fd_api_key_valid(api_key, FD_API_KEY_LEN, NULL));
        api_key[i] = typo;
    }
    assert_true(fd_api_key_valid(api_key, FD_API_KEY_LEN, NULL));
    api_key[3] = 'p'; /* the other kind, with the old sum */
    assert_false(fd_api_key_valid(api_key, FD_API_KEY_LEN, NULL));
    assert_false(fd_api_key_valid("", 0, NULL));
    assert_false(fd_api_key_valid(other, FD_API_KEY_LEN - 1, NULL));
}

static void test_sha256(void **state)
{
    char hex[FD_SHA256_HEX_SIZE];

    (void)state;
    fd_sha256_hex(hex, "abc", 3); /* FIPS 180-2, B.1 */
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void test_uuid(void **state)
{
    const char *good = "123e4567-e89b-12d3-a456-426614174000";

    (void)state;
    assert_true(fd_uuid_valid(good, 36));
    assert_false(fd_uuid_valid(good, 35));
    assert_false(fd_uuid_valid("123E4567-e89b-12d3-a456-426614174000", 36));
    assert_false(fd_uuid_valid("123e4567ae89b-12d3-a456-426614174000", 36));
    assert_false(fd_uuid_valid("123e4567-e89b-12d3-a456-42661417400'", 36));
    assert_false(fd_uuid_valid("------------------------------------", 36));
}

static void test_event_id(void **state)
{
    static const char *const bad[] = {
        "",     "-",    "1",    "1-",    "-1",           "01-0",         "1-00",          "1--1",
        "+1-1", "1-1 ", " 1-1", "1-1-1", "4294967296-0", "0-4294967296", "99999999999-1", "a-1"};
    char text[FD_EVENT_ID_SIZE];
    struct fd_event_id id = {UINT32_MAX, UINT32_MAX}, back;
    size_t len = fd_event_id_format(text, id);

    (void)state;
    assert_string_equal(text, "4294967295-4294967295");
    assert_int_equal(len, strlen(text));
    assert_true(fd_event_id_parse(text, len, &back));
    assert_int_equal(fd_event_id_compare(id, back), 0);
    fd_event_id_format(text, (struct fd_event_id){1, 0});
    assert_string_equal(text, "1-0");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(fd_event_id_parse(bad[i], strlen(bad[i]), &back));
    assert_true(fd_event_id_compare((struct fd_event_id){1, 9}, (struct fd_event_id){2, 0}) < 0);
    assert_true(fd_event_id_compare((struct fd_event_id){2, 1}, (struct fd_event_id){2, 0}) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_job_id),     cmocka_unit_test(test_job_id_of_a_stranger),
        cmocka_unit_test(test_session_id), cmocka_unit_test(test_api_key),
        cmocka_unit_test(test_sha256),     cmocka_unit_test(test_uuid),
        cmocka_unit_test(test_event_id),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests_name("ids", tests, NULL, NULL);
}
