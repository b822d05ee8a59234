#include "tenant/password.h"

#include "protocol/ids.h"
#include "protocol/json.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Those of the usual lists that are long enough to pass otherwise; in lower case. */
static const char *const common[] = {
    "123456789012",     "1234567890123", "123456789abc",     "1q2w3e4r5t6y",
    "1qaz2wsx3edc",     "abcdefghijkl",  "abcd1234abcd",     "administrator",
    "administrator1",   "changemenow1",  "changeme1234",     "correcthorsebatterystaple",
    "football1234",     "frontdesk123",  "frontdesk1234",    "iloveyou1234",
    "letmein12345",     "letmeinplease", "monkey123456",     "mypassword12",
    "mypassword123",    "p@ssw0rd1234",  "p@ssword1234",     "passw0rd1234",
    "password1234",     "password12345", "password123456",   "passwordpassword",
    "passw0rdpassw0rd", "qazwsxedcrfv",  "qwerty123456",     "qwertyuiop12",
    "qwertyuiop123",    "qwertyuiopas",  "qwertyuiop[]",     "secret123456",
    "sunshine1234",     "superman1234",  "trustno1trustno1", "welcome12345",
    "welcome123456",    "zaq12wsxcde3",
};

static bool is_common(const char *password)
{
    for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++) {
        if (strcasecmp(password, common[i]) == 0)
            return true;
    }
    return false;
}

/* "aaaaaaaaaaaa", "abcabcabcabc": the same few characters again and again. */
static bool is_repeated(const char *password, size_t len)
{
    for (size_t period = 1; period <= 3; period++) {
        size_t i = period;
        while (i < len && password[i] == password[i - period])
            i++;
        if (i == len)
            return true;
    }
    return false;
}

/* The address, or its name with little around it. */
static bool is_email(const char *password, const char *email)
{
    size_t name = strcspn(email, "@"), len = strlen(password);

    if (strcasecmp(password, email) == 0)
        return true;
    for (size_t i = 0; name >= 4 && i + name <= len; i++) {
        if (strncasecmp(password + i, email, name) == 0)
            return len - name < 8;
    }
    return false;
}

const char *password_fault(const char *password, const char *email)
{
    size_t len = strlen(password), characters = 0;

    if (len > PASSWORD_MAX || !fd_utf8_valid(password, len))
        return "at most 512 bytes of UTF-8 would be right";
    for (size_t i = 0; i < len; i++)
        characters += ((unsigned char)password[i] & 0xC0) != 0x80;
    if (characters < PASSWORD_MIN)
        return "at least 12 characters would be right; some words in a row do well";
    if (is_common(password) || is_repeated(password, len))
        return "this password is among the first that are tried: choose another";
    if (email != NULL && is_email(password, email))
        return "a password must not be made of the e-mail address";
    return NULL;
}

bool password_hash(const char *password, char hash[PASSWORD_HASH_SIZE])
{
    return crypto_pwhash_str_alg(hash, password, strlen(password), PASSWORD_PASSES, PASSWORD_MEMORY,
                                 crypto_pwhash_ALG_ARGON2ID13) == 0;
}

bool password_matches(const char *password, const char *hash)
{
    /* of nothing: its parameters are those of password_hash() */
    static const char nobody[] = "$argon2id$v=19$m=65536,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA"
                                 "$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    int verdict =
        crypto_pwhash_str_verify(hash != NULL ? hash : nobody, password, strlen(password));

    return hash != NULL && verdict == 0;
}

bool password_outdated(const char *hash)
{
    return crypto_pwhash_str_needs_rehash(hash, PASSWORD_PASSES, PASSWORD_MEMORY) != 0;
}

void password_generate(char out[PASSWORD_GENERATED_SIZE])
{
    /* without what is mistaken for something else */
    static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789";
    unsigned char random[PASSWORD_GENERATED_SIZE - 1];

    fd_random(random, sizeof(random));
    for (size_t i = 0; i < sizeof(random); i++)
        out[i] = i % 5 == 4 ? '-' : letters[random[i] % (sizeof(letters) - 1)];
    out[sizeof(random)] = '\0';
    sodium_memzero(random, sizeof(random));
}
