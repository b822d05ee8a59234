/* Alert_secret: the secret that signs an organisation's alerts, as PostgreSQL keeps it. */
#ifndef FD_TENANT_ALERT_SECRET_H
#define FD_TENANT_ALERT_SECRET_H

#include <stdbool.h>

#define ALERT_SECRET_MIN  16
#define ALERT_SECRET_MAX  256
#define ALERT_SECRET_SIZE (ALERT_SECRET_MAX + 1)
#define ALERT_SEALED_SIZE (3 + 2 * (ALERT_SECRET_MAX + 49)) /* "\x", hex, NUL */

/* 64 hexadecimal digits. */
void alert_secret_make(char secret[ALERT_SECRET_SIZE]);
/* As a parameter of type bytea. False: error says why, such as that there are no keys. */
bool alert_secret_seal(const char *vault_keys, const char *org, const char *secret,
                       char sealed[ALERT_SEALED_SIZE], char error[256]);
/* `hex` without the "\x". */
bool alert_secret_open(const char *vault_keys, const char *org, const char *hex,
                       char secret[ALERT_SECRET_SIZE], char error[256]);

#endif
