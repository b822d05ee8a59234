#include "core/vault.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#define VERSION       1
#define HEADER        (1 + VAULT_ID_MAX) /* version, key id with NULs behind it */
#define NONCE         crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG           crypto_aead_xchacha20poly1305_ietf_ABYTES
#define KEY           crypto_aead_xchacha20poly1305_ietf_KEYBYTES
#define LINE_SIZE     128
#define ID_CHARACTERS "abcdefghijklmnopqrstuvwxyz0123456789"

_Static_assert(HEADER + NONCE + TAG == VAULT_OVERHEAD, "what sealing adds");
_Static_assert(KEY == sizeof(((struct vault_key *)0)->bytes), "a key's size");

/* -- sealing --------------------------------------------------------------------- */

/* The header and the context, authenticated; free() it. */
static unsigned char *associated(const unsigned char *header, const char *context, size_t *len)
{
    unsigned char *data;

    *len = HEADER + strlen(context);
    data = malloc(*len);
    if (data == NULL)
        abort();
    memcpy(data, header, HEADER);
    memcpy(data + HEADER, context, *len - HEADER);
    return data;
}

static void header_of(const struct vault_key *key, unsigned char header[HEADER])
{
    memset(header, 0, HEADER);
    header[0] = VERSION;
    memcpy(header + 1, key->id, strlen(key->id));
}

void vault_seal(const struct vault *vault, const char *context, const char *plain, size_t len,
                unsigned char *sealed)
{
    const struct vault_key *key = &vault->keys[0];
    unsigned char *nonce = sealed + HEADER;
    unsigned char *data;
    size_t data_len;

    header_of(key, sealed);
    randombytes_buf(nonce, NONCE);
    data = associated(sealed, context, &data_len);
    crypto_aead_xchacha20poly1305_ietf_encrypt(nonce + NONCE, NULL, (const unsigned char *)plain,
                                               len, data, data_len, NULL, nonce, key->bytes);
    free(data);
}

static const struct vault_key *find_key(const struct vault *vault, const unsigned char *sealed)
{
    unsigned char header[HEADER];

    for (size_t i = 0; i < vault->count; i++) {
        header_of(&vault->keys[i], header);
        if (memcmp(header, sealed, HEADER) == 0)
            return &vault->keys[i];
    }
    return NULL;
}

enum vault_result vault_open(const struct vault *vault, const char *context,
                             const unsigned char *sealed, size_t len, char *plain)
{
    const unsigned char *nonce = sealed + HEADER;
    const struct vault_key *key;
    unsigned char *data;
    size_t data_len;
    int rc;

    if (len < VAULT_OVERHEAD || sealed[0] != VERSION)
        return VAULT_BROKEN;
    key = find_key(vault, sealed);
    if (key == NULL)
        return VAULT_UNKNOWN_KEY;
    data = associated(sealed, context, &data_len);
    rc = crypto_aead_xchacha20poly1305_ietf_decrypt((unsigned char *)plain, NULL, NULL,
                                                    nonce + NONCE, len - HEADER - NONCE, data,
                                                    data_len, nonce, key->bytes);
    free(data);
    if (rc != 0)
        return VAULT_BROKEN;
    plain[len - VAULT_OVERHEAD] = '\0';
    return VAULT_OK;
}

/* -- the file ---------------------------------------------------------------------- */

static bool fault(char error[256], const char *path, const char *what)
{
    snprintf(error, 256, "%.150s: %s", path, what);
    return false;
}

/* "id hex" into the next key; false: it is not such a line. */
static bool read_key(struct vault *vault, const char *line)
{
    struct vault_key *key = &vault->keys[vault->count];
    size_t id = strspn(line, ID_CHARACTERS);
    const char *hex = line + id + strspn(line + id, " \t");
    const char *end;
    size_t len;

    if (id == 0 || id > VAULT_ID_MAX || hex == line + id)
        return false;
    memset(key, 0, sizeof(*key));
    memcpy(key->id, line, id);
    for (size_t i = 0; i < vault->count; i++) {
        if (strcmp(vault->keys[i].id, key->id) == 0)
            return false;
    }
    if (sodium_hex2bin(key->bytes, KEY, hex, strcspn(hex, " \t\r\n"), NULL, &len, &end) != 0 ||
        len != KEY || end[strspn(end, " \t\r\n")] != '\0')
        return false;
    vault->count++;
    return true;
}

static bool read_keys(struct vault *vault, FILE *file, const char *path, char error[256])
{
    char line[LINE_SIZE];
    bool ok = true;

    while (ok && fgets(line, sizeof(line), file) != NULL) {
        if (line[0] == '#' || line[strspn(line, " \t\r\n")] == '\0')
            continue;
        if (vault->count == VAULT_KEYS_MAX)
            ok = fault(error, path, "more than 8 keys");
        else if (!read_key(vault, line))
            ok = fault(error, path,
                       "a line is not \"id hex\" with 64 hex digits and an id of its own");
    }
    sodium_memzero(line, sizeof(line));
    if (ok && ferror(file))
        ok = fault(error, path, strerror(errno));
    if (ok && vault->count == 0)
        ok = fault(error, path, "there is no key in it");
    return ok;
}

bool vault_load(struct vault *vault, const char *path, char error[256])
{
    struct stat info;
    FILE *file;
    bool ok;

    *vault = (struct vault){0};
    if (path == NULL) {
        snprintf(error, 256,
                 "FRONTDESK_VAULT_KEYS is not set: `frontdesk vault init` makes the file");
        return false;
    }
    file = fopen(path, "re");
    if (file == NULL)
        return fault(error, path, strerror(errno));
    setvbuf(file, NULL, _IONBF, 0); /* no copy of the keys in a buffer that is only freed */
    if (fstat(fileno(file), &info) != 0)
        ok = fault(error, path, strerror(errno));
    else if (!S_ISREG(info.st_mode) || (info.st_mode & 077) != 0)
        ok = fault(error, path, "must be a file that only its owner may read (chmod 400)");
    else
        ok = read_keys(vault, file, path, error);
    fclose(file);
    if (!ok)
        vault_wipe(vault);
    return ok;
}

void vault_wipe(struct vault *vault)
{
    sodium_memzero(vault, sizeof(*vault));
}

bool vault_add_key(struct vault *vault)
{
    struct vault_key *key = &vault->keys[0];

    if (vault->count == VAULT_KEYS_MAX)
        return false;
    memmove(key + 1, key, vault->count * sizeof(*key));
    memset(key, 0, sizeof(*key));
    for (size_t i = 0; i < VAULT_ID_MAX; i++)
        key->id[i] = ID_CHARACTERS[randombytes_uniform(sizeof(ID_CHARACTERS) - 1)];
    randombytes_buf(key->bytes, KEY);
    vault->count++;
    return true;
}

static bool write_keys(const struct vault *vault, int fd)
{
    char hex[2 * KEY + 1];
    char line[LINE_SIZE];
    bool ok = true;

    for (size_t i = 0; ok && i < vault->count; i++) {
        size_t len;

        sodium_bin2hex(hex, sizeof(hex), vault->keys[i].bytes, KEY);
        len = (size_t)snprintf(line, sizeof(line), "%s %s\n", vault->keys[i].id, hex);
        ok = write(fd, line, len) == (ssize_t)len;
    }
    sodium_memzero(hex, sizeof(hex));
    sodium_memzero(line, sizeof(line));
    return ok && fsync(fd) == 0;
}

bool vault_save(const struct vault *vault, const char *path, bool create, char error[256])
{
    char temporary[PATH_MAX];
    int fd;
    bool ok;

    if (snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path) >= (int)sizeof(temporary))
        return fault(error, path, "the path is too long");
    fd = mkstemp(temporary);
    if (fd < 0)
        return fault(error, path, strerror(errno));
    ok = fchmod(fd, 0400) == 0 && write_keys(vault, fd);
    if (ok) /* link() does not replace */
        ok = create ? link(temporary, path) == 0 : rename(temporary, path) == 0;
    if (!ok)
        fault(error, path, strerror(errno));
    if (create || !ok)
        unlink(temporary);
    close(fd);
    return ok;
}
