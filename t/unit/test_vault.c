/* core/vault.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "core/vault.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#define CONTEXT "org-1|client_integrations|row-1|credentials"
#define SECRET  "{\"access_token\":\"shpat_0123456789\"}"
#define SEALED  (sizeof(SECRET) - 1 + VAULT_OVERHEAD)

static struct vault vault;
static char directory[] = "/tmp/fd-vault-XXXXXX";
static char path[64];
static char error[256];

static int set_up(void **state)
{
    (void)state;
    if (sodium_init() < 0 || mkdtemp(directory) == NULL)
        return -1;
    snprintf(path, sizeof(path), "%s/keys", directory);
    return vault_add_key(&vault) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(directory);
}

static void test_seals(void **state)
{
    unsigned char sealed[SEALED], again[SEALED];
    char plain[sizeof(SECRET)] = "";

    (void)state;
    vault_seal(&vault, CONTEXT, SECRET, strlen(SECRET), sealed);
    vault_seal(&vault, CONTEXT, SECRET, strlen(SECRET), again);
    assert_memory_not_equal(sealed, again, SEALED); /* a nonce of its own */
    for (size_t i = 0; i + 5 <= SEALED; i++)
        assert_memory_not_equal(sealed + i, "shpat", 5);
    assert_int_equal(vault_open(&vault, CONTEXT, sealed, SEALED, plain), VAULT_OK);
    assert_string_equal(plain, SECRET);
}

static void test_empty(void **state)
{
    unsigned char sealed[VAULT_OVERHEAD];
    char plain[1] = "x";

    (void)state;
    vault_seal(&vault, CONTEXT, "", 0, sealed);
    assert_int_equal(vault_open(&vault, CONTEXT, sealed, sizeof(sealed), plain), VAULT_OK);
    assert_string_equal(plain, "");
}

/* ENG-11: what belongs to one place opens in no other. */
static void test_swapped(void **state)
{
    static const char *const others[] = {
        "org-2|client_integrations|row-1|credentials", "org-1|client_tools|row-1|credentials",
        "org-1|client_integrations|row-2|credentials", "org-1|client_integrations|row-1|secret",
        "org-1|client_integrations|row-1|credential",  ""};
    unsigned char sealed[SEALED];
    char plain[sizeof(SECRET)];

    (void)state;
    vault_seal(&vault, CONTEXT, SECRET, strlen(SECRET), sealed);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_int_equal(vault_open(&vault, others[i], sealed, SEALED, plain), VAULT_BROKEN);
}

/* Each bit counts, of header, nonce, text and tag; and each byte. */
static void test_flipped(void **state)
{
    unsigned char sealed[SEALED];
    char plain[sizeof(SECRET)];

    (void)state;
    vault_seal(&vault, CONTEXT, SECRET, strlen(SECRET), sealed);
    for (size_t bit = 0; bit < 8 * SEALED; bit++) {
        sealed[bit / 8] ^= (unsigned char)(1u << bit % 8);
        assert_int_not_equal(vault_open(&vault, CONTEXT, sealed, SEALED, plain), VAULT_OK);
        sealed[bit / 8] ^= (unsigned char)(1u << bit % 8);
    }
    for (size_t len = 0; len < SEALED; len++)
        assert_int_not_equal(vault_open(&vault, CONTEXT, sealed, len, plain), VAULT_OK);
    assert_int_equal(vault_open(&vault, CONTEXT, sealed, SEALED, plain), VAULT_OK);
}

static void test_rotation(void **state)
{
    unsigned char old[SEALED], new[SEALED];
    char plain[sizeof(SECRET)];
    struct vault rotated = vault, only_new;

    (void)state;
    vault_seal(&vault, CONTEXT, SECRET, strlen(SECRET), old);
    assert_true(vault_add_key(&rotated));
    assert_int_equal(rotated.count, 2);
    assert_int_equal(vault_open(&rotated, CONTEXT, old, SEALED, plain), VAULT_OK);
    vault_seal(&rotated, CONTEXT, SECRET, strlen(SECRET), new);
    assert_int_equal(vault_open(&vault, CONTEXT, new, SEALED, plain), VAULT_UNKNOWN_KEY);

    only_new = rotated;
    only_new.count = 1;
    assert_int_equal(vault_open(&only_new, CONTEXT, old, SEALED, plain), VAULT_UNKNOWN_KEY);
    assert_int_equal(vault_open(&only_new, CONTEXT, new, SEALED, plain), VAULT_OK);
    while (vault_add_key(&rotated))
        ;
    assert_int_equal(rotated.count, VAULT_KEYS_MAX);
}

static void test_file(void **state)
{
    struct vault read;
    struct stat info;

    (void)state;
    assert_true(vault_save(&vault, path, true, error));
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0400);
    assert_false(vault_save(&vault, path, true, error)); /* never over another */
    assert_non_null(strstr(error, "exists"));
    assert_true(vault_load(&read, path, error));
    assert_memory_equal(&read, &vault, sizeof(read));
    assert_true(vault_add_key(&read));
    assert_true(vault_save(&read, path, false, error));
    assert_true(vault_load(&read, path, error));
    assert_int_equal(read.count, 2);
    assert_string_equal(read.keys[1].id, vault.keys[0].id);
    vault_wipe(&read);
    assert_int_equal(read.count, 0);
}

static bool load_text(const char *text, mode_t mode)
{
    struct vault read;
    FILE *file;

    unlink(path);
    file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    assert_int_equal(chmod(path, mode), 0);
    return vault_load(&read, path, error);
}

#define HEX "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static void test_bad_files(void **state)
{
    struct vault read;

    (void)state;
    assert_true(load_text("# comment\n\na " HEX "\r\nb\t" HEX, 0400));
    assert_true(load_text("a " HEX "\n", 0600));
    assert_false(load_text("a " HEX "\n", 0440));
    assert_non_null(strstr(error, "chmod 400"));
    assert_false(load_text("a " HEX "\n", 0604));
    assert_false(load_text("", 0400));
    assert_false(load_text("a\n", 0400));
    assert_false(load_text("a " HEX "00\n", 0400));
    assert_false(load_text("a 00\n", 0400));
    assert_false(load_text("a " HEX " x\n", 0400));
    assert_false(load_text("toolongid " HEX "\n", 0400));
    assert_false(load_text("A " HEX "\n", 0400));
    assert_false(load_text("a " HEX "\na " HEX "\n", 0400));
    assert_false(load_text("a zz" HEX "\n", 0400));
    assert_false(vault_load(&read, "/nonexistent/keys", error));
    assert_false(vault_load(&read, directory, error));
    assert_false(vault_load(&read, NULL, error));
    assert_non_null(strstr(error, "vault init"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_seals),     cmocka_unit_test(test_empty),
        cmocka_unit_test(test_swapped),   cmocka_unit_test(test_flipped),
        cmocka_unit_test(test_rotation),  cmocka_unit_test(test_file),
        cmocka_unit_test(test_bad_files),
    };

    return cmocka_run_group_tests_name("vault", tests, set_up, tear_down);
}
